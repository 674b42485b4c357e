package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/store/objects"
	"seedloom.dev/seedloom/engine/store/storetest"
	"seedloom.dev/seedloom/internal/runreport"
)

var running = store.State{Phase: runreport.PhaseRunning, Outcome: store.OutcomeRunning}

// readDescribed reads a metadata.json that must be true.
func readDescribed(t *testing.T, root string) storetest.Described {
	t.Helper()
	folder := filepath.Join(root, "ns/ds/0123")
	data, err := os.ReadFile(filepath.Join(folder, "metadata.json"))
	if err != nil {
		t.Fatal(err)
	}
	read, wrong := storetest.PublishedSchema(t, "../../docs/metadata.schema.json").Read(os.DirFS(folder), data)
	for _, violation := range wrong {
		t.Error(violation)
	}
	return read
}

func TestARunningRunIsDescribed(t *testing.T) {
	root := t.TempDir()
	s := open(t, root)
	input := finalizeInput(complete)
	commit(t, s, 0, 0, 10)
	commit(t, s, 1, 10, 20)
	commit(t, s, 2, 20, 25)
	if _, err := s.Finalize(t.Context(), input); err != nil {
		t.Fatal(err)
	}
	// A row group is gone, which nobody can read any more; and only the spec is known.
	if err := os.Remove(filepath.Join(root, "ns/ds/0123/parquet-files/batch_00001.parquet")); err != nil {
		t.Fatal(err)
	}
	s.SetLayout(&store.Layout{Preserve: true})
	if err := s.Describe(&input.Description, running); err != nil {
		t.Fatal(err)
	}
	want := storetest.Described{Phase: runreport.PhaseRunning, Outcome: "Running", Actual: 15, Groups: 2,
		Columns: []string{"title string seed", "count int64 generated"}}
	if difference := cmp.Diff(want, readDescribed(t, root)); difference != "" {
		t.Error(difference)
	}
	if _, err := os.Stat(filepath.Join(root, "ns/ds/0123/_SUCCESS")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("_SUCCESS of a running run: %v", err)
	}
	// What an earlier dataset of another configuration has left there says nothing of this one.
	input.ConfigHash = "sha256:4567"
	if err := s.Describe(&input.Description, running); err != nil {
		t.Fatal(err)
	}
	if found := readDescribed(t, root); len(found.Columns) > 0 {
		t.Errorf("the columns are %q", found.Columns)
	}
}

// overtaken is a folder in which another process takes over while a file is written.
type overtaken struct {
	store.Volume
	take func()
}

func (o overtaken) Replace(name string, data []byte, version objects.Version) error {
	o.take()
	return o.Volume.Replace(name, data, version)
}

func TestWhoHasLostItsShardDescribesNothing(t *testing.T) {
	description := finalizeInput(complete).Description
	for name, describe := range map[string]func(*testing.T, *store.Store) error{
		"while it runs": func(_ *testing.T, s *store.Store) error {
			return s.Describe(&description, running)
		},
		"at the end": func(t *testing.T, s *store.Store) error {
			_, err := s.Finalize(t.Context(), finalizeInput(complete))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			first, second := open(t, root), open(t, root)
			if _, err := first.TakeFence("ds-1", 1, 0); err != nil {
				t.Fatal(err)
			}
			first.Through(func(below store.Volume) store.Volume {
				return overtaken{below, func() {
					if _, err := second.TakeFence("ds-1", 1, 0); err != nil {
						t.Error(err)
					}
					if err := second.Describe(&description, store.State{Phase: runreport.PhasePreparing, Outcome: store.OutcomeRunning}); err != nil {
						t.Error(err)
					}
				}}
			})
			var failed *failure.Error
			if err := describe(t, first); !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonSuperseded {
				t.Errorf("got %v", err)
			}
			if found := readDescribed(t, root); found.Phase != runreport.PhasePreparing {
				t.Errorf("metadata.json says %+v", found)
			}
			if left, _ := filepath.Glob(filepath.Join(root, "ns/ds/0123/*.tmp")); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		})
	}
}

// A shard that runs again has not ended, whatever it said before.
func TestAShardThatBeginsAgainHasNotEnded(t *testing.T) {
	s := open(t, t.TempDir())
	if err := s.EndShard(store.ShardEnding{Shard: 1, Attempt: 2, Outcome: "Partial", Reason: v1alpha1.ReasonBudgetExhausted}); err != nil {
		t.Fatal(err)
	}
	if endings := s.ShardEndings(2); len(endings) != 1 {
		t.Fatalf("got %+v", endings)
	}
	if err := s.BeginShard(1, 2); err != nil {
		t.Fatal(err)
	}
	if endings := s.ShardEndings(2); len(endings) != 0 {
		t.Errorf("got %+v", endings)
	}
}
