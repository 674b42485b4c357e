package run

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// listMissing finds the rows that are to be made of a group of which the store has some.
func (e *executor) listMissing(group *rowGroup) error {
	manifest := group.manifest
	if e.Plan.Mode == v1alpha1.ExecutionSync && len(manifest.Missing) > 0 {
		return e.listAll(group)
	}
	for _, missing := range manifest.Missing {
		for row := missing.Start; row < min(missing.End, group.end); row++ {
			todo := schedule.Todo{Row: row, Attempt: missing.Attempt}
			if e.holdsRowGroups() {
				// The processors of the group are given the rows as they were at first.
				todo = schedule.Todo{Row: row, Resumed: missing.Attempt}
			}
			group.todo = append(group.todo, todo)
		}
	}
	if manifest.Attempt < e.Attempt && len(manifest.Dropped) > 0 {
		again, err := e.droppedAgain(manifest)
		if err != nil {
			return err
		}
		group.todo = append(group.todo, again...)
	}
	for row := manifest.End; row < group.end; row++ {
		group.todo = append(group.todo, schedule.Todo{Row: row})
	}
	slices.SortFunc(group.todo, func(a, b schedule.Todo) int { return int(a.Row - b.Row) })
	return nil
}

// listAll has a partial batch of a sync run made again as a whole, so that the code that resizes it gets all of its rows, as it would have.
// Its journal has what was paid for, also of the rows that are there. They stay in the store until the batch takes their place.
func (e *executor) listAll(group *rowGroup) error {
	before := group.manifest
	group.again = before
	dropped, err := e.droppedAgain(before)
	if err != nil {
		return err
	}
	attempts := map[table.RowIndex]int32{}
	for _, row := range dropped {
		attempts[row.Row] = row.Attempt
	}
	for row := group.start; row < group.end; row++ {
		group.todo = append(group.todo, schedule.Todo{Row: row, Attempt: attempts[row]})
	}
	group.manifest = &store.Manifest{
		Index: before.Index, Start: before.Start, End: before.End, Mode: before.Mode, Attempt: before.Attempt, Columns: usageIn(before),
		Models: before.Models, JournalBytes: before.JournalBytes,
	}
	return nil
}

// droppedAgain returns the rows that an earlier attempt has dropped as a whole; a row of which a resize has made several stays as it
// is when one of them was kept.
func (e *executor) droppedAgain(manifest *store.Manifest) ([]schedule.Todo, error) {
	kept := map[table.RowIndex]bool{}
	if len(e.Plan.Spec.ResizeColumns()) > 0 {
		records, err := e.Store.ReadRecords(manifest)
		if err != nil {
			return nil, err
		}
		for _, record := range records {
			kept[record.Row] = true
		}
	}
	var again []schedule.Todo
	for _, dropped := range manifest.Dropped {
		if !kept[dropped.Row] {
			again = append(again, schedule.Todo{Row: dropped.Row, Attempt: dropped.Attempts})
			kept[dropped.Row] = true
		}
	}
	return again, nil
}

func (e *executor) countsOf(group *rowGroup) progress.Counts {
	counts := tally(e.Plan, group.manifest.Rows, skippedBefore(group.manifest), group.keptDrops())
	counts.Records.Added, counts.Records.Filtered = group.manifest.Added, group.manifest.Filtered
	counts.Models = group.manifest.Models
	counts.Columns = runreport.AddColumns(counts.Columns, usageIn(group.manifest)...)
	return counts
}
