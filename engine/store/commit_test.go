package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// All shards read the commit that one of them has noted first, whatever each has found; and what can't be looked up is noted by none.
func TestOneCommitIsPinned(t *testing.T) {
	root := t.TempDir()
	down := errors.New("the hub is down")
	if _, err := open(t, root).PinCommit(func() (string, error) { return "", down }); !errors.Is(err, down) {
		t.Fatalf("got %v", err)
	}
	const shards = 8
	pinned, problems := make([]string, shards), make([]error, shards)
	var all sync.WaitGroup
	for shard := range shards {
		s := open(t, root)
		all.Go(func() {
			pinned[shard], problems[shard] = s.PinCommit(func() (string, error) { return fmt.Sprintf("c0ffee%d", shard), nil })
		})
	}
	all.Wait()
	if err := errors.Join(problems...); err != nil {
		t.Fatal(err)
	}
	later, err := open(t, root).PinCommit(func() (string, error) { return "", down })
	for shard, commit := range pinned {
		if err != nil || commit != later || commit == "" {
			t.Errorf("shard %d reads %q, and a later one %q (%v)", shard, commit, later, err)
		}
	}
}
