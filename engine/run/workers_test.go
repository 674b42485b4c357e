package run

import (
	"runtime"
	"testing"
	"time"
	"weak"
)

// A worker that waits for its next task may wait for long: what the last one held, such as its row group, must be free to go.
func TestAWorkerThatWaitsKeepsNothing(t *testing.T) {
	w := newWorkers()
	done := make(chan byte)
	begin := func() weak.Pointer[[1 << 10]byte] {
		held := new([1 << 10]byte)
		w.do(func() { done <- held[0] })
		return weak.Make(held)
	}
	held := begin()
	<-done
	for deadline := time.Now().Add(10 * time.Second); held.Value() != nil; runtime.GC() {
		if time.Now().After(deadline) {
			t.Fatal("what the last task held is still in memory")
		}
	}
	w.stop(false)
}

// Whoever stops the workers may count on it that no task of theirs runs any more, and that none began twice.
func TestWorkersRunEachTaskOnce(t *testing.T) {
	w := newWorkers()
	const tasks = 500
	counts := make(chan int, tasks)
	for i := range tasks {
		w.do(func() { counts <- i })
	}
	w.stop(false)
	close(counts)
	seen := map[int]bool{}
	for i := range counts {
		seen[i] = true
	}
	if len(seen) != tasks {
		t.Errorf("%d of %d tasks have run", len(seen), tasks)
	}
}
