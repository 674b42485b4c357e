package run

import (
	"context"
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/table"
)

// process lets the processors of a stage work on a row group. It returns when they do, or when they have not stopped some time after the
// end of the context: then what they still make is discarded.
func (e *executor) process(ctx context.Context, batch *process.Batch) (*process.Result, *failure.Error) {
	type outcome struct {
		result *process.Result
		err    *failure.Error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := e.Processors.Run(ctx, e.Logger, batch)
		done <- outcome{result, err}
	}()
	select {
	case back := <-done:
		return back.result, back.err
	case <-ctx.Done():
	}
	limit := e.Drain.stop()
	patience := time.NewTimer(limit)
	defer patience.Stop()
	select {
	case back := <-done:
		return back.result, back.err
	case <-patience.C:
		e.Logger.Warn("processors did not stop", "stage", batch.Stage, "rowGroup", batch.RowGroup, "within", limit)
		ending := *failure.Of(context.Cause(ctx))
		ending.Message += fmt.Sprintf("; the %s processors of row group %d did not stop within %s; what they still make is discarded",
			batch.Stage, batch.RowGroup, limit)
		return nil, &ending
	}
}

// nameOfStage names the processors of a row group for people.
func nameOfStage(stage v1alpha1.ProcessorStage, group int64) string {
	return fmt.Sprintf("%s processors of row group %d", stage, group)
}

// postBatch lets the processors work on the rows that were made of a row group, before they are written. It returns the
// records that it has given up; where it fails, the row group must not be written.
func (e *executor) postBatch(ctx context.Context, index int64, fresh *output, resize bool) (givenUp []*table.Record, err *failure.Error) {
	if !e.Processors.Has(v1alpha1.ProcessorPostBatch) || len(fresh.records) == 0 {
		return nil, nil
	}
	if !e.Processors.NeedsWholeGroups() {
		// What depends on nothing but its row is soon done, and lets whole rows be kept when the run is asked to stop.
		ctx = context.WithoutCancel(ctx)
	}
	columns := make([]int, e.Plan.Schema.Len())
	for i := range columns {
		columns[i] = i
	}
	batch := &process.Batch{Stage: v1alpha1.ProcessorPostBatch, RowGroup: index, Records: fresh.records, Columns: columns, Resize: resize}
	result, err := e.process(ctx, batch)
	if err != nil {
		if !process.DropsRowGroup(err) {
			return nil, err
		}
		return fresh.giveUp(e.Job, err), nil
	}
	fresh.records, fresh.forms = result.Records, result.Forms
	fresh.added += result.Added
	fresh.filtered += result.Filtered
	return nil, nil
}
