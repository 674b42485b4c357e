package run

import (
	"context"
	"fmt"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
)

// preBatch says whether row groups are held for processors, once their sampled columns are there.
func (j *Job) preBatch() bool { return j.Processors.Has(v1alpha1.ProcessorPreBatch) }

// sampled are the columns that are there before the processors of the stage PreBatch work: those that are drawn and read nothing else.
func sampled(columns []*plan.Column) map[*plan.Column]bool {
	found := map[*plan.Column]bool{}
	for _, column := range columns {
		readsOthers := slices.ContainsFunc(columns, func(other *plan.Column) bool {
			return !found[other] && slices.ContainsFunc(column.Requires, other.Makes)
		})
		if column.Kind.IsSampled() && !readsOthers {
			found[column] = true
		}
	}
	return found
}

// madeOfWholeGroups are the columns of models whose cells depend on all rows of their row group: where processors or the code of a batch have
// worked on them together before.
func (j *Job) madeOfWholeGroups() map[string]bool {
	names := map[string]bool{}
	var bound []*plan.Column
	for _, column := range j.Plan.Columns {
		reads := slices.ContainsFunc(bound, func(other *plan.Column) bool { return slices.ContainsFunc(column.Requires, other.Makes) })
		if reads || column.Execution == plan.Batch || j.preBatch() || j.Plan.Mode == v1alpha1.ExecutionSync {
			bound = append(bound, column)
			if column.Execution == plan.Remote {
				names[column.Name] = true
			}
		}
	}
	return names
}

// needsWholeGroups says whether what is made of a row may depend on the other rows of its row group.
func (j *Job) needsWholeGroups() bool {
	return j.Processors.NeedsWholeGroups() || slices.ContainsFunc(j.Plan.Columns, func(column *plan.Column) bool { return column.Execution == plan.Batch })
}

// early are the schema indexes of the columns that processors of the stage PreBatch get: those of the seed, and the sampled ones.
func (j *Job) early() []int {
	indexes := make([]int, 0, j.Plan.SeedFields)
	for index := range j.Plan.SeedFields {
		indexes = append(indexes, index)
	}
	for column := range sampled(j.Plan.Columns) {
		indexes = append(indexes, column.Index)
		indexes = append(indexes, column.SideEffects...)
	}
	slices.Sort(indexes)
	return indexes
}

// restarted makes the record of another attempt of a row whose row group was held: with what was there then.
func (j *Job) restarted(early []int) func(*table.Record, int32) *table.Record {
	return func(before *table.Record, attempt int32) *table.Record {
		record := j.newRecord(before.Row, attempt)
		for _, index := range early {
			record.Cells[index] = before.Cells[index]
			if record.Skipped != nil {
				record.Skipped[index] = before.IsSkipped(index)
			}
		}
		return record
	}
}

// process lets the processors of a stage work on a row group. It returns when they do, or when they have not stopped some time after the end of
// the context: then what they still make is discarded.
func (j *Job) process(ctx context.Context, batch *process.Batch) (*process.Result, *failure.Error) {
	type outcome struct {
		result *process.Result
		err    *failure.Error
	}
	done := make(chan outcome, 1)
	go func() {
		result, err := j.Processors.Run(ctx, j.Logger, batch)
		done <- outcome{result, err}
	}()
	select {
	case back := <-done:
		return back.result, back.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(j.Drain.stop())
	defer patience.Stop()
	select {
	case back := <-done:
		return back.result, back.err
	case <-patience.C:
		j.Logger.Warn("processors did not stop", "stage", batch.Stage, "rowGroup", batch.RowGroup, "within", j.Drain.stop())
		ending := *failure.Of(context.Cause(ctx))
		ending.Message += fmt.Sprintf("; the %s processors of row group %d did not stop within %s; what they still make is discarded", batch.Stage, batch.RowGroup, j.Drain.stop())
		return nil, &ending
	}
}

// nameOfStage names the processors of a row group for people.
func nameOfStage(stage v1alpha1.ProcessorStage, group int64) string {
	return fmt.Sprintf("%s processors of row group %d", stage, group)
}

// processHeld has processors work on a row group that has come to its hold. Nothing else of it runs until they are done.
func (d *driver) processHeld(group *schedule.Group) {
	batch := &process.Batch{Stage: v1alpha1.ProcessorPreBatch, RowGroup: group.Index, Records: group.Alive(), Columns: d.early}
	var result *process.Result
	var err *failure.Error
	d.besides = append(d.besides, beside{
		name: nameOfStage(batch.Stage, group.Index), rows: len(batch.Records),
		work:  func(ctx context.Context) { result, err = d.job.process(ctx, batch) },
		apply: func() { d.applyHeld(group, result, err) },
	})
}

// startBesides starts what waits to be done beside the tasks.
func (d *driver) startBesides(ctx context.Context) {
	if d.core.Ending() == nil { // else they never come, and what is not released is not written
		for _, next := range d.besides {
			d.startBeside(ctx, next)
		}
	}
	d.besides = nil
}

// applyHeld lets a row group go on with what processors have made of it, or gives it up.
func (d *driver) applyHeld(group *schedule.Group, result *process.Result, err *failure.Error) {
	if err != nil {
		if process.DropsRowGroup(err) {
			d.core.DropGroup(group.Index, err)
			return
		}
		d.core.End(err)
		return
	}
	made := make(map[table.RowIndex]*table.Record, len(result.Records))
	for _, record := range result.Records {
		made[record.Row] = record
	}
	for _, record := range group.Alive() {
		for _, index := range d.early {
			record.Cells[index] = made[record.Row].Cells[index]
		}
	}
	d.core.Released(group.Index)
}

// droppedBy describes a row that was given up because a processor has failed: no column has caused it.
func (j *Job) droppedBy(row table.RowIndex, attempts int32, cause *failure.Error) store.DroppedRow {
	dropped := j.droppedRow(row, "", attempts, cause)
	dropped.Message = cause.Error()
	return dropped
}

// postBatch lets the processors work on the rows that were made of a row group, before they are written. It returns the
// records that it has given up; where it fails, the row group must not be written.
func (j *Job) postBatch(ctx context.Context, index int64, now *made, resize bool) (given []*table.Record, err *failure.Error) {
	if !j.Processors.Has(v1alpha1.ProcessorPostBatch) || len(now.records) == 0 {
		return nil, nil
	}
	if !j.Processors.NeedsWholeGroups() {
		// What depends on nothing but its row is soon done, and lets whole rows be kept when the run is asked to stop.
		ctx = context.WithoutCancel(ctx)
	}
	columns := make([]int, j.Plan.Schema.Len())
	for i := range columns {
		columns[i] = i
	}
	batch := &process.Batch{Stage: v1alpha1.ProcessorPostBatch, RowGroup: index, Records: now.records, Columns: columns, Resize: resize}
	result, err := j.process(ctx, batch)
	if err != nil {
		if !process.DropsRowGroup(err) {
			return nil, err
		}
		return now.giveUp(j, err), nil
	}
	now.records, now.forms = result.Records, result.Forms
	now.added += result.Added
	now.filtered += result.Filtered
	return nil, nil
}

// postBatchSync is postBatch for a batch, which processors may resize.
func (j *Job) postBatchSync(ctx context.Context, index int64, now *made) *failure.Error {
	if !j.Processors.Has(v1alpha1.ProcessorPostBatch) || len(now.records) == 0 {
		return nil
	}
	return j.watched(ctx, nameOfStage(v1alpha1.ProcessorPostBatch, index), len(now.records), func(ctx context.Context) *failure.Error {
		_, err := j.postBatch(ctx, index, now, true)
		return err
	})
}

// preBatchSync lets the processors work on the sampled rows of a batch, which they may resize. It says whether the batch was given up.
func (j *Job) preBatchSync(ctx context.Context, index int64, now *made) (dropped bool, err *failure.Error) {
	if len(now.records) == 0 {
		return false, nil
	}
	batch := &process.Batch{Stage: v1alpha1.ProcessorPreBatch, RowGroup: index, Records: now.records, Columns: j.early(), Resize: true}
	var result *process.Result
	err = j.watched(ctx, nameOfStage(batch.Stage, index), len(now.records), func(ctx context.Context) (err *failure.Error) {
		result, err = j.process(ctx, batch)
		return err
	})
	if err != nil {
		if !process.DropsRowGroup(err) {
			return false, err
		}
		now.giveUp(j, err)
		return true, nil
	}
	now.records = result.Records
	now.added += result.Added
	now.filtered += result.Filtered
	return false, nil
}

// giveUp drops all records of a row group, and returns them.
func (m *made) giveUp(job *Job, cause *failure.Error) []*table.Record {
	given := m.records
	for _, record := range given {
		m.dropped = append(m.dropped, job.droppedBy(record.Row, record.Attempt+1, cause))
	}
	m.records = nil
	return given
}

// formFiles are the files that processors make of a row group, with what the store has of them already.
func (j *Job) formFiles(before *store.Manifest, made []process.Form) ([]store.File, *failure.Error) {
	var files []store.File
	for _, form := range j.Processors.Forms() {
		var records []*table.Record
		if before != nil {
			kept, err := j.Store.ReadForm(before, form.Processor, form.Schema)
			if err != nil {
				return nil, failure.Of(err)
			}
			records = kept
		}
		for _, other := range made {
			if other.Processor == form.Processor {
				records = append(records, other.Records...)
			}
		}
		files = append(files, store.FormFile(form.Processor, form.Schema, records))
	}
	return files, nil
}
