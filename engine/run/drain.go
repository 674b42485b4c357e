package run

import (
	"context"
	"time"

	"seedloom.dev/seedloom/engine/failure"
)

// draining is the end of a run. It belongs to the driver's goroutine.
type draining struct {
	limits Drain
	cancel context.CancelFunc
	timer  *time.Timer
	// begun says that the run has ended, cancelled that its tasks were cancelled, and abandoned that they are not waited for any more.
	begun, cancelled, abandoned bool
}

func newDraining(limits Drain, cancel context.CancelFunc) *draining {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &draining{limits: limits, cancel: cancel, timer: timer}
}

// begin begins the end.
func (d *draining) begin(ending *failure.Error) {
	d.begun = true
	switch traits := ending.Traits(); {
	case traits.AwaitsRequests:
		// What is under way is paid for in any case.
	case traits.AskedToStop:
		d.interrupted()
	default:
		d.stop()
	}
}

// interrupted notes that the run was asked to stop, which may be while it is ending already.
func (d *draining) interrupted() {
	switch {
	case d.cancelled:
	case d.limits.Finish > 0:
		d.timer.Reset(d.limits.Finish)
	default:
		d.stop()
	}
}

func (d *draining) stop() {
	d.cancelled = true
	d.cancel()
	d.timer.Reset(d.limits.stop())
}

// passed notes that the time of the timer is over.
func (d *draining) passed() {
	if d.cancelled {
		d.abandoned = true
		return
	}
	d.stop()
}
