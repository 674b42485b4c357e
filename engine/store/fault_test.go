package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
)

// asStranger calls f on a thread of which the file system believes that it belongs to user 65532, so that not even root may write
// everywhere.
func asStranger(t *testing.T, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getuid() == 0 {
		if err := syscall.Setfsuid(65532); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Fatal(err)
			}
		}()
	}
	f()
}

func TestAVolumeThatCannotBeWrittenIsSaid(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	commit(t, s, 0, 0, 10)
	for _, folder := range []string{"parquet-files", ".seedloom/row-groups"} {
		name := filepath.Join(root, "ns/ds/0123", folder)
		if err := os.Chmod(name, 0o555); err != nil { //nolint:gosec // a folder needs its execute bits
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(name, 0o755) }) //nolint:gosec // so that the test's folder can be removed
	}
	var err error
	asStranger(t, func() { err = s.Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)}) })
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonStorageFailed || !failed.Temporary || failed.Consequence != failure.EndRun {
		t.Fatalf("got %#v", err)
	}
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(failed.Message, "can't be written by this user (65532 in Pods)") {
		t.Errorf("got %v", err)
	}
	if found, note, err := s.Group(0); found == nil || note != "" || err != nil {
		t.Errorf("the earlier row group: %+v, %q, %v", found, note, err)
	}
	if found, _, err := s.Group(1); found != nil || err != nil {
		t.Errorf("the row group that could not be written: %+v, %v", found, err)
	}
}

// Shards are processes of their own; here each has a store of its own on the same folder.
func TestShardsCommitBesideEachOther(t *testing.T) {
	root := t.TempDir()
	const shards, groups = 4, 20
	var running sync.WaitGroup
	for shard := range shards {
		s := open(t, root)
		running.Go(func() {
			for index := shard; index < groups; index += shards {
				if err := s.Commit(manifest(int64(index), index*10, index*10+10), store.Content{Records: records(index*10, index*10+10)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	s := open(t, root)
	input := finalizeInput(complete)
	input.Target, input.RowGroups = groups*10, groups
	summary, err := s.Finalize(t.Context(), input)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Records.Actual != groups*10 || summary.Records.Missing != 0 || summary.Output.Files != groups {
		t.Errorf("got %+v", summary)
	}
	part, err := s.Summarize(groups*10/shards, groups/shards, 10, func(index int64) bool { return index%shards == 1 })
	if err != nil || part.Records.Actual != groups*10/shards || part.Output.CompletedRowGroups != groups/shards {
		t.Errorf("one shard's part is %+v, %v", part, err)
	}
}
