package run

import (
	"cmp"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// commit writes a group with what was there before and what is fresh. Commits of several groups may be under way.
func (e *executor) commit(group *rowGroup, fresh output) *failure.Error {
	if err := e.seedFailed.Load(); err != nil {
		return err
	}
	manifest := &store.Manifest{
		Index: group.index, Start: group.start, End: group.end, Mode: string(e.Plan.Mode), Attempt: e.Attempt,
		Dropped: append(group.keptDrops(), fresh.dropped...), Added: fresh.added, Filtered: fresh.filtered,
		Models: usageOfModels(e.Plan, fresh.usage), Missing: rangesOf(fresh.missing), JournalBytes: e.journals.Size(group.index),
	}
	used := append(slices.Clone(fresh.usage), fresh.drawn...)
	records, rows, skipped := fresh.records, fresh.rows(), countSkipped(e.Plan, e.skips, fresh.records)
	if before := group.manifest; before != nil {
		kept, err := e.Store.ReadRecords(before)
		if err != nil {
			return failure.Of(err)
		}
		records, rows = append(kept, records...), rows+int64(len(kept))
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
	manifest.Columns = runreport.AddColumns(tally(e.Plan, rows, skipped, manifest.Dropped).Columns, used...)
	files, err := e.formFiles(group.manifest, fresh.forms)
	if err != nil {
		return err
	}
	if err := e.Store.Commit(manifest, store.Content{Records: records, Columns: fresh.columns, Files: files}); err != nil {
		return failure.Of(err)
	}
	e.describer.Committed()
	if len(fresh.missing) > 0 {
		e.journals.End(group.index) // the rows that are missing will want it
		return nil
	}
	return failure.Of(e.journals.Remove(group.index))
}

// keepUsage notes what the rows of a group have cost that can't be in the output, because processors have failed on them: they are missing,
// and another attempt makes them from their journal. What was paid for stays counted.
func (e *executor) keepUsage(group *rowGroup, lost output) {
	if len(lost.usage) == 0 {
		return
	}
	for _, record := range lost.records {
		lost.missing = append(lost.missing, schedule.Todo{Row: record.Row, Attempt: record.Attempt})
	}
	slices.SortFunc(lost.missing, func(a, b schedule.Todo) int { return cmp.Compare(a.Row, b.Row) })
	lost.missing = slices.CompactFunc(lost.missing, func(a, b schedule.Todo) bool { return a.Row == b.Row })
	lost.drawn = nil // who draws them anew counts them
	lost.records, lost.forms, lost.added, lost.filtered = nil, nil, 0, 0
	if err := e.commit(group, lost); err != nil {
		e.Logger.Error("what the rows of an unfinished row group have cost could not be noted", "rowGroup", group.index, "error", err)
	}
}

// formFiles are the files that processors make of a row group, with what the store has of them already.
func (e *executor) formFiles(before *store.Manifest, fresh []process.Form) ([]store.File, *failure.Error) {
	var files []store.File
	for _, form := range e.Processors.Forms(v1alpha1.ProcessorPostBatch) {
		var records []*table.Record
		if before != nil {
			kept, err := e.Store.ReadForm(before, form.Processor, form.Schema)
			if err != nil {
				return nil, failure.Of(err)
			}
			records = kept
		}
		for _, other := range fresh {
			if other.Processor == form.Processor {
				records = append(records, other.Records...)
			}
		}
		files = append(files, store.FormFile(form.Processor, form.Schema, records))
	}
	return files, nil
}

// commitPauses are the times between the tries of a commit that the volume refuses: long enough for a short trouble of a network volume,
// and short enough to leave time for the rest when a Pod has to stop.
var commitPauses = [...]time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second}

// commitPatiently tries a commit again when the volume refuses it.
func (e *executor) commitPatiently(group *rowGroup, fresh output) *failure.Error {
	for _, pause := range commitPauses {
		err := e.commit(group, fresh)
		if err == nil || err.Traits().Subject != reason.SubjectVolume || !err.Temporary || e.storageFailed.Load() {
			return err
		}
		e.Logger.Warn("a row group could not be written; it is tried again", "rowGroup", group.index, "in", pause, "error", err)
		timer := time.NewTimer(pause)
		<-timer.C
	}
	err := e.commit(group, fresh)
	if err != nil {
		e.storageFailed.Store(true)
	}
	return err
}
