package run

import (
	"context"
	"slices"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// segment is a part of the columns of a sync run: those that keep the rows, and then one that may resize them. A row that fails is
// started again from the beginning of its segment, since the rows before a resize are not those after it.
type segment struct {
	driver *driver
	source *batchSource
	resize *plan.Column
	// preBatch says that processors work on the rows at the end of the segment, whose columns are the sampled ones.
	preBatch bool
}

// executeSync makes one batch (a row group) after the other, and in it one segment after the other.
func executeSync(ctx context.Context, job *Job) *failure.Error {
	waiting, err := job.openGroups()
	if err != nil {
		return err
	}
	segments := job.segments()
	for _, group := range waiting {
		now, err := job.batch(ctx, segments, group)
		if err != nil {
			job.salvageBatch(ctx, segments, group, now, err)
			return err
		}
		if _, err := job.postBatch(ctx, group.index, now, true); err != nil {
			return err
		}
		if err := job.commitPatiently(group, *now); err != nil {
			return err
		}
		job.batchDone(segments, now)
	}
	return nil
}

// batchDone counts what was made of a batch.
func (j *Job) batchDone(segments []*segment, now *made) {
	counts := tally(j.Plan, int64(len(now.records)), j.countSkipped(now.records), now.dropped)
	counts.Records.Added, counts.Records.Filtered = now.added, now.filtered
	counts.Work = settledOf(segments)
	j.Progress.Add(counts)
}

// settledOf notes that the rows of all segments have been counted, and returns what is under way: nothing.
func settledOf(segments []*segment) *progress.Work {
	all := &progress.Work{}
	for _, part := range segments {
		if part.driver != nil {
			work := part.driver.settled()
			all.Columns = append(all.Columns, work.Columns...)
			all.Models = append(all.Models, work.Models...)
		}
	}
	return all
}

func (j *Job) segments() []*segment {
	var segments []*segment
	var columns []*plan.Column
	early := map[*plan.Column]bool{}
	if j.preBatch() {
		early = sampled(j.Plan.Columns)
		first := slices.DeleteFunc(slices.Clone(j.Plan.Columns), func(column *plan.Column) bool { return !early[column] })
		segments = append(segments, j.newSegment(first, nil))
		segments[0].preBatch = true
	}
	for _, next := range j.Plan.Columns {
		if early[next] {
			continue
		}
		if next.Resize {
			segments = append(segments, j.newSegment(columns, next))
			columns = nil
			continue
		}
		columns = append(columns, next)
	}
	if len(columns) > 0 {
		segments = append(segments, j.newSegment(columns, nil))
	}
	return segments
}

func (j *Job) newSegment(columns []*plan.Column, resize *plan.Column) *segment {
	source := &batchSource{}
	made := &segment{source: source, resize: resize}
	if len(columns) > 0 {
		// The scheduler's rows are the positions in the batch: after a resize, several records have the same row.
		made.driver = newDriver(j, columns, source.newRecord, false)
	}
	return made
}

// batch takes the rows of a group through all segments. With an error it returns what was made until then.
func (j *Job) batch(ctx context.Context, segments []*segment, group *openGroup) (*made, *failure.Error) {
	now := &made{}
	group.list()
	for _, todo := range group.todo {
		now.records = append(now.records, j.newRecord(todo.Row, todo.Attempt))
	}
	usage, err := j.journals.begin(group)
	if err != nil {
		return now, err
	}
	now.usage = usage
	j.recovered(usage...)
	for position, part := range segments {
		if part.driver != nil {
			err := part.source.run(ctx, part.driver, group.index, now)
			now.whole = position == len(segments)-1 && part.resize == nil && !part.preBatch
			if err != nil {
				return now, err
			}
		}
		if part.preBatch {
			if dropped, err := j.preBatchSync(ctx, group.index, now); err != nil || dropped {
				return now, err
			}
		}
		if part.resize != nil && len(now.records) > 0 {
			if err := j.resize(ctx, part.resize, now); err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

// resize lets a column decide how many records each record becomes. Those in which its cell is left out stay as they are.
func (j *Job) resize(ctx context.Context, resized *plan.Column, now *made) *failure.Error {
	values, err := j.resizedValues(ctx, resized, now.records)
	if err != nil {
		return failure.Of(err)
	}
	records := make([]*table.Record, 0, len(values))
	ordinals := map[table.RowIndex]int32{}
	for _, value := range values {
		source := now.records[value.Source]
		record := copyRecord(source, source.Attempt)
		record.Ordinal = ordinals[source.Row]
		ordinals[source.Row]++
		record.Cells[resized.Index] = value.Value
		records = append(records, record)
	}
	added, filtered := resizeCounts(values, len(now.records))
	now.added += added
	now.filtered += filtered
	now.records = records
	return nil
}

// resizedValues are the values of a column that may resize: of the records in which its cell is left out one each, and of the others those
// that its code returns. They are in the order of the records.
func (j *Job) resizedValues(ctx context.Context, resized *plan.Column, records []*table.Record) ([]column.BatchValue, error) {
	var values []column.BatchValue
	var wanted []*table.Record
	var positions []int
	for position, record := range records {
		if j.skips.Skips(ctx, record, resized) {
			values = append(values, column.BatchValue{Source: position, Value: record.Cells[resized.Index]})
			continue
		}
		wanted = append(wanted, record)
		positions = append(positions, position)
	}
	if len(wanted) == 0 {
		return values, nil
	}
	made, err := j.generateBatch(ctx, resized, wanted)
	if err != nil {
		return nil, err
	}
	for _, value := range made {
		values = append(values, column.BatchValue{Source: positions[value.Source], Value: value.Value})
	}
	slices.SortStableFunc(values, func(a, b column.BatchValue) int { return a.Source - b.Source })
	return values, nil
}

// resizeCounts says how many records a resize has added and taken away.
func resizeCounts(values []column.BatchValue, sources int) (added, filtered int64) {
	counts := make([]int64, sources)
	for _, value := range values {
		counts[value.Source]++
	}
	for _, count := range counts {
		if count == 0 {
			filtered++
		} else {
			added += count - 1
		}
	}
	return added, filtered
}

func copyRecord(source *table.Record, attempt int32) *table.Record {
	copied := *source
	copied.Attempt, copied.Cells, copied.Skipped = attempt, slices.Clone(source.Cells), slices.Clone(source.Skipped)
	return &copied
}

// batchSource feeds a driver with the one row group of a batch.
type batchSource struct {
	driver  *driver
	records []*table.Record
	group   int64
	added   bool
	done    *schedule.Group
	usage   []runreport.Column
}

// run makes the driver's columns for the records, and replaces them by those that were not dropped. With an error, the records are those that
// have all these columns; the others that were not dropped are cut.
func (s *batchSource) run(ctx context.Context, d *driver, group int64, now *made) *failure.Error {
	s.driver, s.records, s.group, s.added, s.done, s.usage = d, now.records, group, false, nil, nil
	ending := d.run(ctx, s)
	for _, unfinished := range d.core.TakeUnfinished() {
		s.done, s.usage = unfinished, d.takeUsage(group)
	}
	if s.done == nil {
		now.records, now.cut = nil, s.records // the run had ended before the batch was begun
		return ending
	}
	for _, unfinished := range s.done.Unfinished() {
		now.cut = append(now.cut, s.records[unfinished.Row])
	}
	for _, dropped := range s.done.Dropped {
		record := s.records[dropped.Row]
		now.dropped = append(now.dropped, d.job.droppedRow(record.Row, d.column(dropped).Name, dropped.Attempts, dropped.Failure))
	}
	now.usage = runreport.AddColumns(now.usage, s.usage...)
	// The records came back in the order in which they were finished: bring them into the batch's.
	now.records = s.done.Done
	slices.SortFunc(now.records, func(a, b *table.Record) int {
		if a.Row != b.Row {
			return int(a.Row - b.Row)
		}
		return int(a.Ordinal - b.Ordinal)
	})
	return ending
}

func (s *batchSource) newRecord(position table.RowIndex, attempt int32) *table.Record {
	return copyRecord(s.records[position], attempt)
}

func (s *batchSource) refill(core *schedule.Core) *failure.Error {
	if !s.added {
		s.added = true
		todo := make([]schedule.Todo, len(s.records))
		for position, record := range s.records {
			todo[position] = schedule.Todo{Row: table.RowIndex(position), Attempt: s.driver.job.journals.attemptOf(record, s.driver.steps)}
		}
		core.Add(s.group, todo)
	}
	return nil
}

func (s *batchSource) more() bool { return !s.added }

func (s *batchSource) finished(group *schedule.Group, usage []runreport.Column) {
	s.done, s.usage = group, usage
}

func (s *batchSource) fates(schedule.Fates) {}

func (s *batchSource) settled() <-chan commitResult { return nil }

func (s *batchSource) committed(commitResult) {}

func (s *batchSource) busy() bool { return false }
