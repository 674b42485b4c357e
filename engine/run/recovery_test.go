package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"seedloom.dev/seedloom/engine/failure"
)

// A task that has not stopped comes with its cell when the journal of its row group has ended already.
func TestAJournalThatHasEndedIsNotBegunAgain(t *testing.T) {
	for name, end := range map[string]func(*journals) *failure.Error{
		"end":    func(j *journals) *failure.Error { j.end(0); return nil },
		"remove": func(j *journals) *failure.Error { return j.remove(0) },
	} {
		t.Run(name, func(t *testing.T) {
			job := newStubbed(t, quick, nil)
			kept := newJournals(job.Job)
			defer kept.close()
			if _, err := kept.begin(&openGroup{}); err != nil {
				t.Fatal(err)
			}
			late := kept.of(0)
			if err := end(kept); err != nil {
				t.Fatal(err)
			}
			if _, err := late.opening(); !errors.Is(err, context.Canceled) {
				t.Errorf("it was opened: %v", err)
			}
			if _, err := os.Stat(filepath.Join(job.folder, "journal")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("there is a journal: %v", err)
			}
		})
	}
}
