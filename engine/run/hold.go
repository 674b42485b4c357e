package run

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// hold has processors work on row groups between their sampled columns and all others. It belongs to the driver's goroutine.
type hold struct {
	executor *executor
	core     *schedule.Core
	// columns are the indexes of those that processors work on.
	columns []int
}

// restarted makes the record of another attempt of a row whose row group was held: with what was there then.
func (h *hold) restarted(before *table.Record, attempt int32) *table.Record {
	record := h.executor.newRecord(before.Row, attempt)
	for _, index := range h.columns {
		record.Cells[index] = before.Cells[index]
		if record.Skipped != nil {
			record.Skipped[index] = before.IsSkipped(index)
		}
	}
	return record
}

// process is the work of processors on a row group that has come to its hold. Nothing else of it runs until they are done.
func (h *hold) process(group *schedule.Group) beside {
	batch := &process.Batch{Stage: v1alpha1.ProcessorPreBatch, RowGroup: group.Index, Records: group.Alive(), Columns: h.columns}
	var result *process.Result
	var err *failure.Error
	return beside{
		name: nameOfStage(batch.Stage, group.Index), rows: len(batch.Records),
		work:  func(ctx context.Context) { result, err = h.executor.process(ctx, batch) },
		apply: func() { h.apply(group, result, err) },
	}
}

// apply lets a row group go on with what processors have made of it, or gives it up.
func (h *hold) apply(group *schedule.Group, result *process.Result, err *failure.Error) {
	if err != nil {
		if process.DropsRowGroup(err) {
			h.core.DropGroup(group.Index, err)
			return
		}
		h.core.End(err)
		return
	}
	processed := make(map[table.RowIndex]*table.Record, len(result.Records))
	for _, record := range result.Records {
		processed[record.Row] = record
	}
	for _, record := range group.Alive() {
		for _, index := range h.columns {
			record.Cells[index] = processed[record.Row].Cells[index]
		}
	}
	h.core.Released(group.Index)
}
