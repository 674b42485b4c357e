package run

import (
	"context"
	"slices"

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
		if column.Kind == plan.KindSampler && !readsOthers {
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
		if reads || column.Batch || j.preBatch() || j.Plan.Mode == v1alpha1.ExecutionSync {
			bound = append(bound, column)
			if column.Model != nil {
				names[column.Name] = true
			}
		}
	}
	return names
}

// needsWholeGroups says whether what is made of a row may depend on the other rows of its row group.
func (j *Job) needsWholeGroups() bool {
	return j.Processors.NeedsWholeGroups() || slices.ContainsFunc(j.Plan.Columns, func(column *plan.Column) bool { return column.Batch })
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

// held is what processors have made of a row group that is held.
type held struct {
	group  *schedule.Group
	result *process.Result
	err    *failure.Error
}

// processHeld starts the processors of row groups that have come to their hold, each in a goroutine and a context of its own. Nothing else of
// such a row group runs until they are done.
func (d *driver) processHeld(ctx context.Context) {
	for _, group := range d.core.TakeHeld() {
		if d.core.Ending() != nil {
			return // what is not released is not written
		}
		d.processing++
		batch := &process.Batch{Stage: v1alpha1.ProcessorPreBatch, RowGroup: group.Index, Records: group.Alive(), Columns: d.early}
		go func() {
			own, cancel := context.WithCancel(ctx)
			defer cancel()
			result, err := d.job.Processors.Run(own, d.job.Logger, batch)
			d.processed <- held{group, result, err}
		}()
	}
}

// applyHeld lets a row group go on with what processors have made of it, or gives it up.
func (d *driver) applyHeld(back held) {
	d.processing--
	if back.err != nil {
		if process.DropsRowGroup(back.err) {
			d.core.DropGroup(back.group.Index, back.err)
			return
		}
		d.core.End(back.err)
		return
	}
	made := make(map[table.RowIndex]*table.Record, len(back.result.Records))
	for _, record := range back.result.Records {
		made[record.Row] = record
	}
	for _, record := range back.group.Alive() {
		for _, index := range d.early {
			record.Cells[index] = made[record.Row].Cells[index]
		}
	}
	d.core.Released(back.group.Index)
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
	result, err := j.Processors.Run(ctx, j.Logger, batch)
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

// preBatchSync lets the processors work on the sampled rows of a batch, which they may resize. It says whether the batch was given up.
func (j *Job) preBatchSync(ctx context.Context, index int64, now *made) (dropped bool, err *failure.Error) {
	batch := &process.Batch{Stage: v1alpha1.ProcessorPreBatch, RowGroup: index, Records: now.records, Columns: j.early(), Resize: true}
	result, err := j.Processors.Run(ctx, j.Logger, batch)
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
