package memory

import "testing"

// TestMemoryIsGivenBackOnceForEachRest follows a process that is busy, rests, is busy again and rests for longer.
func TestMemoryIsGivenBackOnceForEachRest(t *testing.T) {
	const busy, idle = 100 << 20, 1 << 20
	var state rest
	var total uint64
	for i, step := range []struct {
		allocates uint64
		begins    bool
	}{{busy, false}, {busy, false}, {idle, true}, {idle, false}, {busy, false}, {idle, true}, {idle, false}, {idle, false}} {
		total += step.allocates
		if got := state.begins(total); got != step.begins {
			t.Errorf("step %d: rest begins: %t, want %t", i, got, step.begins)
		}
	}
	if before := allocated(); before == 0 {
		t.Error("nothing has been allocated in this process")
	}
}
