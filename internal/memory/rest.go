package memory

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// restPeriod is how long a process must have allocated little to be at rest.
	restPeriod = 15 * time.Second
	// restAllocations is how little that is, in bytes: what probes, a scrape and the renewal of a Lease need.
	restAllocations = 4 << 20
)

// Keeper gives memory back to the machine when the process comes to rest, after its start or a busy time: what the garbage collector keeps
// for a heap that grows would otherwise stay resident for as long as nothing happens.
type Keeper struct{}

// Start works until the context ends.
func (Keeper) Start(ctx context.Context) error {
	ticker := time.NewTicker(restPeriod)
	defer ticker.Stop()
	var state rest
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			if state.begins(allocated()) {
				debug.FreeOSMemory()
			}
		}
	}
}

// NeedLeaderElection says that a process that waits to be the leader gives memory back too.
func (Keeper) NeedLeaderElection() bool { return false }

// rest tells when a process comes to rest.
type rest struct {
	allocated uint64
	resting   bool
}

// begins says whether rest has just begun, of a process that has allocated so many bytes in all.
func (r *rest) begins(allocated uint64) bool {
	was, little := r.resting, allocated-r.allocated < restAllocations
	r.allocated, r.resting = allocated, little
	return little && !was
}

// allocated is how many bytes the process has allocated since its start.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
