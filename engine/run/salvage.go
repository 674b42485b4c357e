package run

import (
	"cmp"
	"context"
	"slices"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/reason"
)

// salvageBatch commits the whole rows of the batch of a sync run that has ended in it, and notes which rows are missing. Where the run is
// to be started again, the batch is left to its journal: so the code that resizes it gets all of its rows, as it would have.
func (j *Job) salvageBatch(ctx context.Context, segments []*segment, group *openGroup, now *made, ending *failure.Error) {
	if ending.Temporary || ending.Traits().Subject == reason.SubjectOwner {
		return
	}
	now.keepWholeRows(group)
	if len(now.records) == 0 && len(now.dropped) == 0 && len(now.usage) == 0 {
		return
	}
	if group.again != nil && int64(len(now.records)) < group.again.Rows {
		return // what is there already is more
	}
	_, err := j.postBatch(ctx, group.index, now, true)
	if err == nil {
		err = j.commit(group, *now)
	} else {
		j.keepUsage(group, *now)
	}
	if err != nil {
		j.Logger.Error("the whole rows of an unfinished batch could not be written", "rowGroup", group.index, "rows", len(now.records),
			"error", err)
		return
	}
	j.batchDone(segments, now)
}

// keepUsage notes what the rows of a group have cost that can't be in the output, because processors have failed on them: they are missing,
// and another attempt makes them from their journal. What was paid for stays counted.
func (j *Job) keepUsage(group *openGroup, lost made) {
	if len(lost.usage) == 0 {
		return
	}
	for _, record := range lost.records {
		lost.missing = append(lost.missing, schedule.Todo{Row: record.Row, Attempt: record.Attempt})
	}
	slices.SortFunc(lost.missing, func(a, b schedule.Todo) int { return cmp.Compare(a.Row, b.Row) })
	lost.missing = slices.CompactFunc(lost.missing, func(a, b schedule.Todo) bool { return a.Row == b.Row })
	lost.records, lost.forms, lost.added, lost.filtered = nil, nil, 0, 0
	if err := j.commit(group, lost); err != nil {
		j.Logger.Error("what the rows of an unfinished row group have cost could not be noted", "rowGroup", group.index, "error", err)
	}
}

// keepWholeRows leaves the rows of which every record has met its fate, and lists the others as missing. A row that a resize has made
// several records of is whole with all of them only.
func (m *made) keepWholeRows(group *openGroup) {
	cut := map[table.RowIndex]bool{}
	unfinished := m.cut
	if !m.whole {
		unfinished = append(unfinished, m.records...)
	}
	for _, record := range unfinished {
		cut[record.Row] = true
	}
	m.records = slices.DeleteFunc(m.records, func(record *table.Record) bool { return cut[record.Row] })
	m.dropped = slices.DeleteFunc(m.dropped, func(row store.DroppedRow) bool { return cut[row.Row] })
	records := map[table.RowIndex]int64{}
	for _, record := range m.records {
		records[record.Row]++
	}
	for _, row := range m.dropped {
		records[row.Row]++
	}
	m.missing, m.added, m.filtered = nil, 0, 0
	for _, todo := range group.todo {
		switch count := records[todo.Row]; {
		case cut[todo.Row]:
			m.missing = append(m.missing, schedule.Todo{Row: todo.Row, Attempt: todo.Attempt})
		case count == 0:
			m.filtered++
		default:
			m.added += count - 1
		}
	}
}
