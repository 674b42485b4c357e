package watch

import (
	"sync/atomic"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// leastPause is how long at least the description of a running run is left as it is, whatever was committed meanwhile.
	leastPause = time.Second
	// pauseShare is how many times as long as it took to write a description the next one waits: it lists all row groups, so that a large
	// dataset on a slow volume spends 2 % of its time on it at most.
	pauseShare = 50
)

// Describer has the running run described when row groups were committed, at most so often, and at once when the phase changes. It calls
// what writes in a goroutine of its own: neither tasks nor commits wait for it. A nil one does nothing. Its methods may be called from any
// goroutine.
type Describer struct {
	describe func(phase string)
	phase    atomic.Value // a string
	// grown says that a row group was committed, and turned that the phase has changed, since the last description was begun.
	grown, turned chan struct{}
	ending, ended chan struct{}
}

// StartDescriber describes the run as running, and starts the goroutine that goes on with it; Stop ends it.
func StartDescriber(describe func(phase string)) *Describer {
	if describe == nil {
		return nil
	}
	started := &Describer{
		describe: describe, grown: make(chan struct{}, 1), turned: make(chan struct{}, 1),
		ending: make(chan struct{}), ended: make(chan struct{}),
	}
	started.phase.Store(runreport.PhaseRunning)
	go started.follow()
	return started
}

func (d *Describer) follow() {
	defer close(d.ended)
	pause := time.NewTimer(leastPause)
	defer pause.Stop()
	for {
		lower(d.grown) // whatever the reason, all that was committed is described
		begin := time.Now()
		d.describe(d.phase.Load().(string))
		pause.Reset(max(leastPause, pauseShare*time.Since(begin)))
		select {
		case <-d.ending:
			return
		case <-d.turned:
		case <-d.grown:
			select {
			case <-d.ending:
				return
			case <-d.turned:
			case <-pause.C:
			}
		}
	}
}

// Committed notes that there is a row group more.
func (d *Describer) Committed() {
	if d != nil {
		raise(d.grown)
	}
}

// Enter notes the phase.
func (d *Describer) Enter(phase string) {
	if d != nil {
		d.phase.Store(phase)
		raise(d.turned)
	}
}

// Stop returns when nothing is described any more.
func (d *Describer) Stop() {
	if d != nil {
		close(d.ending)
		<-d.ended
	}
}

// lower takes a flag back that is a channel with room for one.
func lower(flag <-chan struct{}) {
	select {
	case <-flag:
	default:
	}
}

// raise sets such a flag.
func raise(flag chan<- struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}
