package run

import (
	"context"
	"slices"

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
	// driver makes the columns that keep the rows, resizing the one that may resize them; nil where the segment has none.
	driver, resizing *driver
	source           *batchSource
	resize           *plan.Column
	// preBatch says that processors work on the rows at the end of the segment, whose columns are the sampled ones.
	preBatch bool
}

// executeSync makes one batch (a row group) after the other, and in it one segment after the other.
func executeSync(ctx context.Context, job *Job) *failure.Error {
	waiting, err := job.openGroups(ctx)
	if err != nil {
		return err
	}
	segments := job.segments()
	for group := waiting.take(); group != nil; group = waiting.take() {
		now, err := job.batch(ctx, segments, group)
		if err != nil {
			job.salvageBatch(ctx, segments, group, now, err)
			return err
		}
		if err := job.postBatchSync(ctx, group.index, now); err != nil {
			if !err.Temporary {
				job.keepUsage(group, *now)
			}
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
		for _, made := range []*driver{part.driver, part.resizing} {
			if made == nil {
				continue
			}
			work := made.settled()
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
	if resize != nil {
		made.resizing = newDriver(j, []*plan.Column{resize}, source.newRecord, false)
	}
	return made
}

// batch takes the rows of a group through all segments. With an error it returns what was made until then.
func (j *Job) batch(ctx context.Context, segments []*segment, group *openGroup) (*made, *failure.Error) {
	now := &made{}
	for _, todo := range group.todo {
		now.records = append(now.records, j.newRecord(todo.Row, todo.Attempt))
	}
	usage, err := j.recovery.begin(group)
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
			if err := part.resizeBatch(ctx, group.index, now); err != nil {
				return now, err
			}
		}
	}
	return now, nil
}

// resizeBatch lets the segment's last column decide how many records each record becomes. Those in which its cell is left out stay as they are.
func (s *segment) resizeBatch(ctx context.Context, group int64, now *made) *failure.Error {
	if ending := s.source.run(ctx, s.resizing, group, now); ending != nil {
		return ending
	}
	before := s.source.latest
	records := make([]*table.Record, 0, len(before))
	ordinals := map[table.RowIndex]int32{}
	add := func(source *table.Record, value any) {
		record := copyRecord(source, source.Attempt)
		record.Ordinal = ordinals[source.Row]
		ordinals[source.Row]++
		record.Cells[s.resize.Index] = value
		records = append(records, record)
	}
	for _, source := range before {
		values, called := s.resizing.resized[source]
		switch {
		case called && len(values) == 0:
			now.filtered++
		case called:
			now.added += int64(len(values)) - 1
			for _, value := range values {
				add(source, value)
			}
		case source.IsSkipped(s.resize.Index):
			add(source, source.Cells[s.resize.Index])
		}
	}
	now.records, s.resizing.resized = records, nil
	return nil
}

// resizedBy are the values that code has returned, by the records that it was called with.
func resizedBy(back result) map[*table.Record][]any {
	resized := make(map[*table.Record][]any, len(back.task.Records))
	for _, record := range back.task.Records {
		resized[record] = nil
	}
	for _, value := range back.values {
		record := back.task.Records[value.Source]
		resized[record] = append(resized[record], value.Value)
	}
	return resized
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
	// latest are the records of the latest attempts, by their positions in the batch.
	latest []*table.Record
	group  int64
	added  bool
	done   *schedule.Group
	usage  []runreport.Column
}

// run makes the driver's columns for the records, and replaces them by those that were not dropped. With an error, the records are those that
// have all these columns; the others that were not dropped are cut.
func (s *batchSource) run(ctx context.Context, d *driver, group int64, now *made) *failure.Error {
	s.driver, s.records, s.group, s.added, s.done, s.usage = d, now.records, group, false, nil, nil
	s.latest = make([]*table.Record, len(s.records))
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
	s.latest[position] = copyRecord(s.records[position], attempt)
	return s.latest[position]
}

func (s *batchSource) refill(core *schedule.Core) *failure.Error {
	if !s.added {
		s.added = true
		todo := make([]schedule.Todo, len(s.records))
		for position, record := range s.records {
			todo[position] = schedule.Todo{Row: table.RowIndex(position), Attempt: s.driver.job.recovery.attemptOf(record, s.driver.steps)}
		}
		core.Add(s.group, todo)
		core.Ahead(0)
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
