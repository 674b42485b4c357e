package run

import (
	"context"
	"errors"
	"slices"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// hedges are the tasks of cells that may have more than one at once. They belong to the driver.
type hedges struct {
	running map[hedgedCell][]*try
}

type hedgedCell struct {
	record *table.Record
	column int
}

// try is one of the tasks of a cell.
type try struct {
	cancel context.CancelCauseFunc
	// late says that another one has brought the cell's value before.
	late bool
}

// errFaster is why a task is cancelled for whose cell another one has brought the value.
var errFaster = errors.New("another request for the cell was faster")

// hedgeAfter is how many of a column's times must be known before a request is called slow.
const hedgeAfter = 20

// hedgeOf is the scheduler's form of the hedge of a column's model; nil where there is none. Tools may have effects, so that a column that
// uses them is never asked twice.
func hedgeOf(column *plan.Column) *schedule.Hedge {
	if column.Model == nil || column.Model.Hedge == nil {
		return nil
	}
	if prompt := column.Spec.Prompt(); prompt != nil && prompt.Tools != "" {
		return nil
	}
	hedge := column.Model.Hedge
	return &schedule.Hedge{Quantile: hedge.EffectiveQuantile(), MaxExtra: hedge.EffectiveMaxExtra(), After: hedgeAfter}
}

// begin notes a task, and returns it with the context that it runs in.
func (h *hedges) begin(ctx context.Context, task schedule.Task) (context.Context, *try) {
	ctx, cancel := context.WithCancelCause(ctx)
	if h.running == nil {
		h.running = make(map[hedgedCell][]*try)
	}
	cell := hedgedCell{task.Records[0], task.Column}
	begun := &try{cancel: cancel}
	h.running[cell] = append(h.running[cell], begun)
	return ctx, begun
}

// end notes that a task has come back, with a value or an error. With a value, what else runs for the cell is cancelled. The usage of a
// task that is late itself then says that its answer did not count.
func (h *hedges) end(ended *try, task schedule.Task, usage *runreport.Usage, err error) {
	ended.cancel(nil)
	cell := hedgedCell{task.Records[0], task.Column}
	others := slices.DeleteFunc(h.running[cell], func(other *try) bool { return other == ended })
	if h.running[cell] = others; len(others) == 0 {
		delete(h.running, cell)
	}
	if ended.late {
		didNotCount(usage, err)
		return
	}
	if err == nil {
		for _, slower := range others {
			slower.late = true
			slower.cancel(errFaster)
		}
	}
}

// didNotCount counts the last request of a task that was late: one that was cancelled has not failed.
func didNotCount(usage *runreport.Usage, err error) {
	usage.Hedged++
	if errors.Is(err, context.Canceled) && usage.Failed > 0 {
		usage.Failed--
	}
}
