package run

import (
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// ledger counts what becomes of rows, and what requests have used: in the progress, and against the budget. It belongs to the executor's
// goroutine.
type ledger struct {
	plan     *plan.Plan
	progress *progress.Tracker
	skips    *skip.Rules
	budget   *budget
}

// spend counts what columns have used.
func (l *ledger) spend(columns ...runreport.Column) {
	if len(columns) == 0 {
		return
	}
	models := usageOfModels(l.plan, columns)
	l.progress.Add(progress.Counts{Columns: columns, Models: models})
	l.budget.spend(models)
}

// spentEarlier counts what columns have used in an earlier process, beside what is in the manifests.
func (l *ledger) spentEarlier(columns ...runreport.Column) {
	if len(columns) == 0 {
		return
	}
	models := usageOfModels(l.plan, columns)
	l.progress.Add(progress.Counts{Columns: columns, Earlier: models})
	l.budget.spend(models)
}

// draw counts the draws of columns.
func (l *ledger) draw(columns []runreport.Column) {
	if len(columns) > 0 {
		l.progress.Add(progress.Counts{Columns: columns})
	}
}

// committed counts what the store has of the row group from before.
func (l *ledger) committed(counts progress.Counts) {
	l.progress.Add(counts)
	l.budget.spend(counts.Models)
}

// met counts rows that have met their fate: so many whole ones, of which skipped are those with cells that were left out, and those that
// were dropped. accounted is the work without them.
func (l *ledger) met(written int64, skipped []*table.Record, dropped []store.DroppedRow, accounted *progress.Work) {
	counts := tally(l.plan, written, countSkipped(l.plan, l.skips, skipped), dropped)
	counts.Work = accounted
	l.progress.Add(counts)
}

// batchMet counts what became of the rows of a batch.
func (l *ledger) batchMet(fresh *output, accounted *progress.Work) {
	counts := tally(l.plan, int64(len(fresh.records)), countSkipped(l.plan, l.skips, fresh.records), fresh.dropped)
	counts.Records.Added, counts.Records.Filtered = fresh.added, fresh.filtered
	counts.Work = accounted
	l.progress.Add(counts)
}

// givenUp counts records as dropped that processors have given up: they were counted as whole before the processors had seen them.
func (l *ledger) givenUp(records []*table.Record, dropped []store.DroppedRow) {
	if len(records) == 0 {
		return
	}
	counts := tally(l.plan, 0, nil, dropped)
	whole := tally(l.plan, int64(len(records)), countSkipped(l.plan, l.skips, records), nil)
	counts.Records.Actual -= whole.Records.Actual
	for i := range counts.Columns {
		counts.Columns[i].Succeeded -= whole.Columns[i].Succeeded
		counts.Columns[i].Skipped -= whole.Columns[i].Skipped
	}
	l.progress.Add(counts)
}
