package store_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/memory"
	"seedloom.dev/seedloom/internal/runreport"
)

// TestEachBitOfAManifestCounts turns every bit of a manifest, one after the other.
func TestEachBitOfAManifestCounts(t *testing.T) {
	disk := memory.New()
	s := store.On(disk.Open(), "ns/ds/0123", splitLayout(true))
	described := manifest(0, 0, 10)
	described.Dropped = []store.DroppedRow{{Row: 9, Column: "count", Reason: "ModelGenerationInvalid", Attempts: 2, Message: "empty"}}
	if err := s.Commit(described, store.Content{Records: records(0, 9), Files: []store.File{chat(9)}}); err != nil {
		t.Fatal(err)
	}
	name := ""
	for _, there := range disk.Names() {
		if filepath.Base(there) == "00000.json" {
			name = there
		}
	}
	whole, err := disk.Open().Get(name)
	if err != nil {
		t.Fatal(err)
	}
	if found, note, err := s.Group(0); found == nil || note != "" || err != nil {
		t.Fatalf("undamaged: %+v, %q, %v", found, note, err)
	}
	for bit := range 8 * len(whole) {
		damaged := append([]byte(nil), whole...)
		damaged[bit/8] ^= 1 << (bit % 8)
		if err := disk.Open().Put(name, damaged); err != nil {
			t.Fatal(err)
		}
		if found, note, err := s.Group(0); found != nil || note == "" || err != nil {
			t.Fatalf("with bit %d turned (%q): %+v, %q, %v", bit, damaged[bit/8], found, note, err)
		}
		if summary, err := s.Summarize(10, 1, 10, func(int64) bool { return true }); err != nil || summary.Records.Missing != 10 {
			t.Fatalf("with bit %d turned, %+v count, %v", bit, summary.Records, err)
		}
	}
}

// TestNumbersThatCanNotBeAreNoticed commits manifests that are whole, and say what can't be.
func TestNumbersThatCanNotBeAreNoticed(t *testing.T) {
	for name, change := range map[string]func(*store.Manifest){
		"an end before the start":             func(m *store.Manifest) { m.End = -7 },
		"a start below zero":                  func(m *store.Manifest) { m.Start = -1 },
		"a dropped row of another row group":  func(m *store.Manifest) { m.Dropped = []store.DroppedRow{{Row: 10}} },
		"missing rows of another row group":   func(m *store.Manifest) { m.Missing = []store.RowRange{{Start: 5, End: 11}} },
		"fewer records than none were added":  func(m *store.Manifest) { m.Added = -1 },
		"a journal that is shorter than none": func(m *store.Manifest) { m.JournalBytes = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := store.On(memory.New().Open(), "ns/ds/0123", layout)
			described := manifest(0, 0, 10)
			change(described)
			if err := s.Commit(described, store.Content{Records: records(0, 5)}); err != nil {
				t.Fatal(err)
			}
			if found, note, err := s.Group(0); found != nil || note == "" || err != nil {
				t.Errorf("got %+v, %q, %v", found, note, err)
			}
		})
	}
}

// TestAnEndThatCanNotReadIsSaidAllTheSame lets a run end that can't read a manifest of the run before, which had succeeded.
func TestAnEndThatCanNotReadIsSaidAllTheSame(t *testing.T) {
	for _, unreadable := range []string{"00001.json", ""} {
		t.Run(fmt.Sprintf("%q", unreadable), func(t *testing.T) {
			root := t.TempDir()
			s := open(t, root)
			for index := range int64(3) {
				commit(t, s, index, int(index)*10, min(25, int(index)*10+10))
			}
			input := finalizeInput(complete)
			if _, err := s.Finalize(t.Context(), input); err != nil {
				t.Fatal(err)
			}
			folder := filepath.Join(root, "ns/ds/0123")
			// Something that can't be read as it should has its name.
			name := filepath.Join(folder, manifests, unreadable)
			if err := errors.Join(os.RemoveAll(name), makeUnreadable(name, unreadable == "")); err != nil {
				t.Fatal(err)
			}
			state := store.State{
				Phase: runreport.PhaseEnded, Outcome: runreport.OutcomeFailed, Reason: v1alpha1.ReasonStorageFailed, Message: "broken",
			}
			if err := s.Describe(&input.Description, state); err == nil {
				t.Error("nothing is said of what can't be read")
			}
			found := readDescribed(t, root)
			if found.Outcome != "Failed" || found.Reason != v1alpha1.ReasonStorageFailed || found.Actual > 15 {
				t.Errorf("metadata.json says %+v", found)
			}
			if _, err := os.Stat(filepath.Join(folder, "_SUCCESS")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("_SUCCESS of a failed run: %v", err)
			}
		})
	}
}

// makeUnreadable puts a folder where a file should be, or a file where a folder should be.
func makeUnreadable(name string, isFolder bool) error {
	if isFolder {
		return os.WriteFile(name, nil, 0o600)
	}
	return os.MkdirAll(name, 0o750)
}
