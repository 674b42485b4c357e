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
	executor *executor
	// driver makes the columns that keep the rows, resizing the one that may resize them; nil where the segment has none.
	driver, resizing *driver
	resize           *plan.Column
	// held says that processors work on the rows at the end of the segment, whose columns are the sampled ones.
	held bool

	// records are those of the batch, and latest those of their latest attempts, by their positions in the batch.
	records, latest []*table.Record
}

// segmentsOf divides the columns of a plan.
func segmentsOf(e *executor) []*segment {
	var segments []*segment
	var columns []*plan.Column
	sampledFirst := map[*plan.Column]bool{}
	if e.holdsRowGroups() {
		sampledFirst = sampled(e.Plan.Columns)
		first := slices.DeleteFunc(slices.Clone(e.Plan.Columns), func(column *plan.Column) bool { return !sampledFirst[column] })
		segments = append(segments, newSegment(e, first, nil))
		segments[0].held = true
	}
	for _, next := range e.Plan.Columns {
		if sampledFirst[next] {
			continue
		}
		if next.Resize {
			segments = append(segments, newSegment(e, columns, next))
			columns = nil
			continue
		}
		columns = append(columns, next)
	}
	if len(columns) > 0 {
		segments = append(segments, newSegment(e, columns, nil))
	}
	return segments
}

func newSegment(e *executor, columns []*plan.Column, resize *plan.Column) *segment {
	s := &segment{executor: e, resize: resize}
	if len(columns) > 0 {
		// The scheduler's rows are the positions in the batch: after a resize, several records have the same row.
		s.driver = newDriver(e, assignment{columns: columns, newRecord: s.newRecord})
	}
	if resize != nil {
		s.resizing = newDriver(e, assignment{columns: []*plan.Column{resize}, newRecord: s.newRecord})
	}
	return s
}

func (s *segment) newRecord(position table.RowIndex, attempt int32) *table.Record {
	s.latest[position] = copyRecord(s.records[position], attempt)
	return s.latest[position]
}

func copyRecord(source *table.Record, attempt int32) *table.Record {
	copied := *source
	copied.Attempt, copied.Cells, copied.Skipped = attempt, slices.Clone(source.Cells), slices.Clone(source.Skipped)
	return &copied
}

// makeColumns makes the columns that keep the rows, where there are some.
func (s *segment) makeColumns(ctx context.Context, group int64, fresh *output) *failure.Error {
	if s.driver == nil {
		return nil
	}
	return s.run(ctx, s.driver, group, fresh)
}

// run makes a driver's columns for the records, and replaces them by those that were not dropped. With an error, the records are those that
// have all these columns; the others that were not dropped are cut.
func (s *segment) run(ctx context.Context, d *driver, group int64, fresh *output) *failure.Error {
	s.records, s.latest = fresh.records, make([]*table.Record, len(fresh.records))
	rows := &rowGroup{index: group, todo: make([]schedule.Todo, len(s.records))}
	for position, record := range s.records {
		rows.todo[position] = schedule.Todo{Row: table.RowIndex(position), Attempt: s.executor.recovery.attemptOf(record, d.steps)}
	}
	ending := d.run(ctx, &onlyGroup{rows})
	done, begun := d.groups.takeOnly(d.core)
	if !begun {
		fresh.records, fresh.cut = nil, s.records // the run had ended before the batch was begun
		return ending
	}
	for _, unfinished := range done.Unfinished() {
		fresh.cut = append(fresh.cut, s.records[unfinished.Row])
	}
	for _, dropped := range done.Dropped {
		record := s.records[dropped.Row]
		row := s.executor.droppedRow(record.Row, d.groups.columnOf(dropped).Name, dropped.Attempts, dropped.Failure)
		fresh.dropped = append(fresh.dropped, row)
	}
	fresh.usage = runreport.AddColumns(fresh.usage, done.opened.usage...)
	fresh.drawn = runreport.AddColumns(fresh.drawn, done.opened.drawn...)
	// The records came back in the order in which they were finished: bring them into the batch's.
	fresh.records = done.Done
	slices.SortFunc(fresh.records, func(a, b *table.Record) int {
		if a.Row != b.Row {
			return int(a.Row - b.Row)
		}
		return int(a.Ordinal - b.Ordinal)
	})
	return ending
}

// resizeBatch lets the segment's last column, where it has one, decide how many records each record becomes. Those in which its cell is
// left out stay as they are.
func (s *segment) resizeBatch(ctx context.Context, group int64, fresh *output) *failure.Error {
	if s.resize == nil || len(fresh.records) == 0 {
		return nil
	}
	if ending := s.run(ctx, s.resizing, group, fresh); ending != nil {
		return ending
	}
	before := s.latest
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
			fresh.filtered++
		case called:
			fresh.added += int64(len(values)) - 1
			for _, value := range values {
				add(source, value)
			}
		case source.IsSkipped(s.resize.Index):
			add(source, source.Cells[s.resize.Index])
		}
	}
	fresh.records, s.resizing.resized = records, nil
	return nil
}

// accountedOf notes that the rows of all segments have been counted, and returns what is under way: nothing.
func accountedOf(segments []*segment) *progress.Work {
	all := &progress.Work{}
	for _, part := range segments {
		for _, d := range []*driver{part.driver, part.resizing} {
			if d == nil {
				continue
			}
			underway := d.accounted()
			all.Columns = append(all.Columns, underway.Columns...)
			all.Models = append(all.Models, underway.Models...)
		}
	}
	return all
}
