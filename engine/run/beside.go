package run

import (
	"context"
	"time"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/internal/runreport"
)

// beside is work on a whole row group that the scheduler does not know of: that of processors.
type beside struct {
	name string
	rows int
	// work is done in a goroutine and a context of its own; apply takes what came of it, in the driver's goroutine.
	work  func(ctx context.Context)
	apply func()
}

// startBeside starts work beside the tasks.
func (d *driver) startBeside(ctx context.Context, next beside) {
	d.processing++
	number := d.watch.BeginBatch(next.name, next.rows, time.Now())
	go func() {
		own, cancel := context.WithCancel(ctx)
		defer cancel()
		next.work(own)
		d.processed <- func() {
			d.processing--
			d.watch.Ended(number)
			next.apply()
		}
	}()
}

// watched does work on the batch of a sync run as a driver runs its tasks: it is told of while it is under way, and ends with the run.
func (j *Job) watched(ctx context.Context, name string, rows int, work func(ctx context.Context) *failure.Error) *failure.Error {
	d := newDriver(j, nil, nil, false)
	var err *failure.Error
	returned := false
	d.besides = []beside{{name: name, rows: rows, work: func(ctx context.Context) { err = work(ctx) }, apply: func() { returned = true }}}
	ending := d.run(ctx, noRows{})
	if returned && (ending == nil || ending.Traits().AskedToStop) {
		return err // what is done is kept, also where the run was asked to stop meanwhile
	}
	return ending
}

// noRows is the source of a driver that has only work beside tasks.
type noRows struct{}

func (noRows) refill(*schedule.Core) *failure.Error         { return nil }
func (noRows) more() bool                                   { return false }
func (noRows) finished(*schedule.Group, []runreport.Column) {}
func (noRows) fates(schedule.Fates)                         {}
func (noRows) settled() <-chan commitResult                 { return nil }
func (noRows) committed(commitResult)                       {}
func (noRows) busy() bool                                   { return false }
