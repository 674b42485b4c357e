package run

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// Drain says how long a run that has ended waits for its tasks. None of them is started after the end.
type Drain struct {
	// Finish is for how long the tasks under way may finish when the run was asked to stop; 0 cancels them at once. Any other end does that.
	Finish time.Duration
	// Stop is for how long cancelled tasks are waited for. What they still make afterwards is discarded. 0 stands for the default.
	Stop time.Duration
}

// defaultStop is far more than anything needs that looks at its context.
const defaultStop = 10 * time.Second

// draining is the end of a run. It belongs to the driver's goroutine.
type draining struct {
	limits Drain
	cancel context.CancelFunc
	timer  *time.Timer
	// begun says that the run has ended, cancelled that its tasks were told, and abandoned that they are not waited for any more.
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

// ended is the end of the run, with what did not stop.
func (d *driver) ended(abandoned bool) *failure.Error {
	ending := d.core.Ending()
	if !abandoned || ending == nil || d.core.InFlight() == 0 {
		return ending
	}
	left := d.core.RunningCells()
	var places []string
	for _, cell := range left[:min(len(left), 5)] {
		places = append(places, fmt.Sprintf("column %q, row %d", strings.Join(d.steps[cell.Column].names(), ", "), cell.Row))
	}
	noun := "tasks"
	if d.core.InFlight() == 1 {
		noun = "task"
	}
	told := fmt.Sprintf("%d %s did not stop within %s (%s); what is still made is discarded", d.core.InFlight(), noun, d.job.Drain.stop(), strings.Join(places, "; "))
	d.job.Logger.Warn("tasks did not stop", "tasks", d.core.InFlight(), "cells", places)
	with := *ending
	with.Message += "; " + told
	return &with
}

func (d Drain) stop() time.Duration {
	if d.Stop == 0 {
		return defaultStop
	}
	return d.Stop
}

// panicked is the end of a run in whose generator a panic was recovered: a defect of ours. It is called where the panic was.
func (j *Job) panicked(column string, cause any) error {
	j.Logger.Error("a generator panicked", "column", column, "stack", string(debug.Stack()))
	return failure.New(v1alpha1.ReasonInternalError, failure.EndRun, "a defect in the generator of column %q ended the run: %v", column, cause)
}
