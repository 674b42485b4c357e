package posix_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/posix"
	"seedloom.dev/seedloom/engine/store/storetest"
)

func folderBelow(t *testing.T, root string) objects.Volume {
	t.Helper()
	opened, err := posix.Open(root, "namespace/name/hash")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() }) // closed already where the test has done so
	return opened
}

func TestAFolderConforms(t *testing.T) {
	storetest.Conform(t, func(t *testing.T) func() objects.Volume {
		root := t.TempDir()
		return func() objects.Volume { return folderBelow(t, root) }
	})
	root := t.TempDir()
	storetest.ConformUnsynced(t, func() objects.Volume { return folderBelow(t, root) })
}

func TestWhatAKilledWriterHasLeftIsNoObject(t *testing.T) {
	root := t.TempDir()
	volume := folderBelow(t, root)
	if err := volume.Put("folder/name", []byte("whole")); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(root, "namespace/name/hash/folder/name.KILLED.tmp")
	if err := os.WriteFile(left, []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	if entries, err := volume.List("folder"); err != nil || len(entries) != 1 || entries[0].Name != "name" {
		t.Errorf("the folder holds %v: %v", entries, err)
	}
	if err := volume.Tidy(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestANameLeadsToTheFolderThatWasLast(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"hash", "other", "hash"} {
		volume, err := posix.Open(root, "namespace/name/"+folder)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(volume.Put("file", []byte(folder)), volume.Lead("latest"), volume.Close()); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(root, "namespace/name/latest/file")); err != nil || string(got) != folder {
			t.Errorf("it leads to %q (%v), want %s", got, err, folder)
		}
	}
	if entries, err := os.ReadDir(filepath.Join(root, "namespace/name")); err != nil || len(entries) != 3 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}
