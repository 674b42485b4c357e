package run

import (
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// openGroup is a row group of which rows are missing in the store.
type openGroup struct {
	index      int64
	start, end table.RowIndex
	// manifest is what the store has of the group, or nil.
	manifest *store.Manifest
	// again is the manifest of a partial batch of a sync run that is made again as a whole; manifest only has its usage then. Else it is nil.
	again *store.Manifest
	// todo are the rows to make; of a group of which the store has nothing, they are listed when it is opened.
	todo []schedule.Todo
}

// list lists the rows of a group of which the store has nothing: all of them.
func (g *openGroup) list() {
	if g.manifest != nil || g.todo != nil {
		return
	}
	for row := g.start; row < g.end; row++ {
		g.todo = append(g.todo, schedule.Todo{Row: row})
	}
}

// planAgain has a partial batch of a sync run made again as a whole, so that the code that resizes it gets all of its rows, as it would have.
// Its journal has what was paid for, also of the rows that are there. They stay in the store until the batch takes their place.
func (j *Job) planAgain(group *openGroup) error {
	group.again = group.manifest
	dropped, err := j.droppedAgain(group.manifest)
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
	before := group.again
	group.manifest = &store.Manifest{
		Index: before.Index, Start: before.Start, End: before.End, Mode: before.Mode, Attempt: before.Attempt, Columns: usageIn(before), Models: before.Models,
		JournalBytes: before.JournalBytes,
	}
	return nil
}

// plan finds the rows that are to be made of a group of which the store has some.
func (j *Job) plan(group *openGroup) error {
	manifest := group.manifest
	if j.Plan.Mode == v1alpha1.ExecutionSync && len(manifest.Missing) > 0 {
		return j.planAgain(group)
	}
	for _, missing := range manifest.Missing {
		for row := missing.Start; row < min(missing.End, group.end); row++ {
			todo := schedule.Todo{Row: row, Attempt: missing.Attempt}
			if j.preBatch() {
				// The processors of the group are given the rows as they were at first.
				todo = schedule.Todo{Row: row, Resumed: missing.Attempt}
			}
			group.todo = append(group.todo, todo)
		}
	}
	if manifest.Attempt < j.Attempt && len(manifest.Dropped) > 0 {
		again, err := j.droppedAgain(manifest)
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

// droppedAgain returns the rows that an earlier attempt has dropped as a whole; a row of which a resize has made several stays as it
// is when one of them was kept.
func (j *Job) droppedAgain(manifest *store.Manifest) ([]schedule.Todo, error) {
	kept := map[table.RowIndex]bool{}
	if len(j.Plan.Spec.ResizeColumns()) > 0 {
		records, err := j.Store.ReadRecords(manifest)
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

// keptDrops are the dropped rows of the manifest that are not tried again.
func (g *openGroup) keptDrops() []store.DroppedRow {
	if g.manifest == nil {
		return nil
	}
	again := map[table.RowIndex]bool{}
	for _, todo := range g.todo {
		again[todo.Row] = true
	}
	var kept []store.DroppedRow
	for _, dropped := range g.manifest.Dropped {
		if !again[dropped.Row] {
			kept = append(kept, dropped)
		}
	}
	return kept
}

func (j *Job) countsOf(group *openGroup) progress.Counts {
	dropped := group.keptDrops()
	counts := tally(j.Plan, group.manifest.Rows, skippedBefore(group.manifest), dropped)
	counts.Records.Added, counts.Records.Filtered = group.manifest.Added, group.manifest.Filtered
	counts.Models = group.manifest.Models
	counts.Columns = runreport.AddColumns(counts.Columns, usageIn(group.manifest)...)
	return counts
}

// usageIn is what the columns of a committed row group have used.
func usageIn(manifest *store.Manifest) []runreport.Column {
	var columns []runreport.Column
	for _, column := range manifest.Columns {
		if column.Usage != (runreport.Usage{}) {
			columns = append(columns, runreport.Column{Name: column.Name, Usage: column.Usage})
		}
	}
	return columns
}

// tally counts records and cells by the fate of their row. Every column counts every row once: a cell has failed when its column caused the
// drop of the row, and is dropped when another one did; of a written row, it has succeeded or was skipped.
func tally(p *plan.Plan, written int64, skipped map[string]int64, dropped []store.DroppedRow) progress.Counts {
	counts := progress.Counts{Records: runreport.Records{Actual: written, Dropped: int64(len(dropped))}}
	for i := range p.Spec.Columns {
		count := runreport.Column{Name: p.Spec.Columns[i].Name}
		count.Skipped = skipped[count.Name]
		count.Succeeded = written - count.Skipped
		for _, row := range dropped {
			if row.Column == count.Name {
				count.Failed++
			} else {
				count.Dropped++
			}
		}
		counts.Columns = append(counts.Columns, count)
	}
	for _, row := range dropped {
		counts.Dropped = runreport.AddDrops(counts.Dropped, runreport.Drop{Reason: row.Reason, Column: row.Column, Count: 1, Message: row.Message})
	}
	return counts
}

// countSkipped counts the cells that were left out of records, by their column.
func (j *Job) countSkipped(records []*table.Record) map[string]int64 {
	if !j.skips.Any() || len(records) == 0 {
		return nil
	}
	counts := map[string]int64{}
	for _, made := range j.Plan.Columns {
		if made.Skip == nil {
			continue
		}
		for _, record := range records {
			if record.IsSkipped(made.Index) {
				counts[made.Name]++
			}
		}
	}
	return counts
}

// skippedBefore are the cells that were left out of the records that the store has of a group.
func skippedBefore(manifest *store.Manifest) map[string]int64 {
	counts := map[string]int64{}
	for _, counted := range manifest.Columns {
		counts[counted.Name] = counted.Skipped
	}
	return counts
}

// made is what was generated of an open group.
type made struct {
	records []*table.Record
	dropped []store.DroppedRow
	missing []schedule.Todo
	// cut are the records of a batch that were in work when the run ended, and whole says whether the others have all columns.
	cut   []*table.Record
	whole bool

	usage           []runreport.Column
	added, filtered int64
	// forms are other forms of the records that processors have made.
	forms []process.Form
}

// commit writes a group with what was there before and what was made now.
func (j *Job) commit(group *openGroup, now made) *failure.Error {
	if err := j.seedFailed.Load(); err != nil {
		return err
	}
	manifest := &store.Manifest{
		Index: group.index, Start: group.start, End: group.end, Mode: string(j.Plan.Mode), Attempt: j.Attempt,
		Dropped: append(group.keptDrops(), now.dropped...), Added: now.added, Filtered: now.filtered,
		Models: j.modelsOf(now.usage), Missing: ranges(now.missing), JournalBytes: j.journals.Size(group.index),
	}
	used := now.usage
	records, skipped := now.records, j.countSkipped(now.records)
	if before := group.manifest; before != nil {
		kept, err := j.Store.ReadRecords(before)
		if err != nil {
			return failure.Of(err)
		}
		records = append(kept, records...)
		manifest.End = max(manifest.End, before.End)
		manifest.Models = runreport.AddModels(slices.Clone(before.Models), manifest.Models...)
		used = runreport.AddColumns(usageIn(before), used...)
		earlier := skippedBefore(before)
		for name, count := range skipped {
			earlier[name] += count
		}
		skipped = earlier
		manifest.Added += before.Added
		manifest.Filtered += before.Filtered
	}
	slices.SortFunc(manifest.Dropped, func(a, b store.DroppedRow) int { return int(a.Row - b.Row) })
	manifest.Columns = runreport.AddColumns(tally(j.Plan, int64(len(records)), skipped, manifest.Dropped).Columns, used...)
	files, err := j.formFiles(group.manifest, now.forms)
	if err != nil {
		return err
	}
	if err := j.Store.Commit(manifest, store.Content{Records: records, Files: files}); err != nil {
		return failure.Of(err)
	}
	j.describer.Committed()
	if len(now.missing) > 0 {
		j.journals.End(group.index) // the rows that are missing will want it
		return nil
	}
	return failure.Of(j.journals.Remove(group.index))
}

// commitPauses are the times between the tries of a commit that the volume refuses: long enough for a short trouble of a network volume, and
// short enough to leave time for the rest when a Pod has to stop.
var commitPauses = [...]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}

// commitPatiently tries a commit again when the volume refuses it.
func (j *Job) commitPatiently(group *openGroup, now made) *failure.Error {
	for _, pause := range commitPauses {
		err := j.commit(group, now)
		if err == nil || err.Traits().Subject != reason.SubjectVolume || !err.Temporary || j.storageFailed.Load() {
			return err
		}
		j.Logger.Warn("a row group could not be written; it is tried again", "rowGroup", group.index, "in", pause, "error", err)
		timer := time.NewTimer(pause)
		<-timer.C
	}
	err := j.commit(group, now)
	if err != nil {
		j.storageFailed.Store(true)
	}
	return err
}

// ranges joins ascending rows that go on at the same attempt to ranges.
func ranges(rows []schedule.Todo) []store.RowRange {
	var joined []store.RowRange
	for _, todo := range rows {
		if last := len(joined) - 1; last >= 0 && joined[last].End == todo.Row && joined[last].Attempt == todo.Attempt {
			joined[last].End++
			continue
		}
		joined = append(joined, store.RowRange{Start: todo.Row, End: todo.Row + 1, Attempt: todo.Attempt})
	}
	return joined
}

// droppedRow describes a row that was given up.
func (j *Job) droppedRow(row table.RowIndex, column string, attempts int32, cause *failure.Error) store.DroppedRow {
	dropped := store.DroppedRow{Row: row, Column: column, Reason: cause.Reason, Message: cause.Message, Attempts: attempts}
	if j.Seed != nil {
		seedRow := j.Seed.Number(row)
		dropped.SeedRow = &seedRow
	}
	return dropped
}
