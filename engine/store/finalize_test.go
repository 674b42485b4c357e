package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/engine/store"
)

// The writer is gone between the renaming of the file and that of the manifest, and nobody starts it again before the run is finalized.
func TestFinalizeCompletesACommitThatWasCutOff(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	name := filepath.Join(root, "ns/ds/0123/.seedloom/row-groups/00000.json")
	commit(t, s, 0, 0, 10)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, 0, 0, 12)
	if err := os.Rename(name, name+".next"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, before, 0o600); err != nil {
		t.Fatal(err)
	}
	summary, err := s.Finalize(t.Context(), finalizeInput(complete))
	if err != nil || summary.Records.Actual != 12 {
		t.Errorf("got %+v, %v; want the 12 records that are in the file", summary, err)
	}
	if found, note, err := s.Group(0); found == nil || note != "" || err != nil {
		t.Errorf("afterwards: %+v, %q, %v", found, note, err)
	}
}

func TestARowGroupThatBecomesEmptyLeavesNoFile(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	name := filepath.Join(root, "ns/ds/0123/parquet-files/batch_00000.parquet")
	commit(t, s, 0, 0, 10)
	if err := os.Truncate(name, 20); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(manifest(0, 0, 10), store.Content{}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a reader of the folder would meet the damaged file: %v", err)
	}
}
