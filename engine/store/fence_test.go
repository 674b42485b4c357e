package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/store"
)

func take(t *testing.T, s *store.Store, attempt, shard int32) *store.Fence {
	t.Helper()
	fence, err := s.TakeFence("ds-1", attempt, shard)
	if err != nil {
		t.Fatal(err)
	}
	return fence
}

func TestWhoTakesAShardLastWritesIt(t *testing.T) {
	for name, test := range map[string]struct {
		attempt, shard int32
		// remove is what is removed instead of a second taker.
		remove string
		lost   bool
	}{
		"another process of the same attempt": {1, 0, "", true},
		"another shard":                       {1, 1, "", false},
		"another attempt, of another shard":   {2, 7, "", true},
		"an older attempt, of the same shard": {0, 0, "", true},
		"the run is over":                     {0, 0, ".seedloom/fences", true},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			first, second := open(t, root), open(t, root)
			fence := take(t, first, 1, 0)
			commit(t, first, 0, 0, 10)
			if test.remove != "" {
				if err := os.RemoveAll(filepath.Join(root, "ns/ds/0123", test.remove)); err != nil {
					t.Fatal(err)
				}
			} else if err := take(t, second, test.attempt, test.shard).Check(); err != nil {
				t.Fatal(err)
			}
			if fence.Lost() != nil {
				t.Error("it is known before anybody has looked")
			}
			err := first.Commit(manifest(1, 10, 20), store.Content{Records: records(10, 20)})
			if !test.lost {
				if err != nil || fence.Check() != nil {
					t.Errorf("got %v, %v", err, fence.Check())
				}
				return
			}
			_, saving := first.SaveImage("cover", 0, 0, 0, "png", []byte("image"))
			if failure.Of(saving) == nil || failure.Of(saving).Reason != v1alpha1.ReasonSuperseded {
				t.Errorf("an image was written all the same: %v", saving)
			}
			var failed *failure.Error
			superseded := errors.As(err, &failed) && failed.Reason == v1alpha1.ReasonSuperseded && failed.Temporary
			if !superseded || !strings.Contains(err.Error(), "of shard 0") {
				t.Errorf("got %v", err)
			}
			if found, _, err := second.Group(1); found != nil || err != nil {
				t.Errorf("it was written all the same: %+v, %v", found, err)
			}
			if left, _ := filepath.Glob(filepath.Join(root, "ns/ds/0123/*/*.next")); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
			// It never has it again, not even when the other is gone.
			take(t, second, 1, 0)
			if fence.Lost() == nil || fence.Check() == nil {
				t.Error("it has come back")
			}
		})
	}
}
