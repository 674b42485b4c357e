package run

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// recovery lets rows go on from what an earlier process has left of them in the journals. It belongs to the executor's goroutine.
type recovery struct {
	journals *journal.Set
	// held says that row groups are held for processors.
	held bool
	// async says that a row that fails is started again from its beginning, so that nothing of its earlier attempts counts.
	async bool
}

func newJournals(job *Job) *journal.Set {
	config := journal.Config{
		Files: job.Store, WriteFailure: store.JournalFailed, Schema: job.Plan.Schema, RowGroupSize: job.Plan.RowGroupSize,
		Bound: boundColumns(job), Held: job.holdsRowGroups(), Logger: job.Logger, Pace: job.Store.Pace(),
	}
	if job.Fence != nil {
		config.Fence = job.Fence
	}
	return journal.NewSet(config)
}

func newRecovery(job *Job, journals *journal.Set) *recovery {
	return &recovery{journals: journals, held: job.holdsRowGroups(), async: job.Plan.Mode == v1alpha1.ExecutionAsync}
}

// begin opens the journal of a row group, and returns what the requests have cost that are in it and not in the group's manifest.
func (r *recovery) begin(group *rowGroup) ([]runreport.Column, *failure.Error) {
	start := journal.Start{Index: group.index, End: group.end, OtherRows: group.manifest != nil && group.again == nil}
	if group.manifest != nil {
		start.Counted = group.manifest.JournalBytes
	}
	begun, err := r.journals.Begin(start)
	if err != nil {
		return nil, failure.Of(err)
	}
	return begun.Usage(), nil
}

// resume brings the rows to the attempts that the earlier process was at.
func (r *recovery) resume(group *rowGroup) {
	kept := r.journals.Of(group.index)
	for i := range group.todo {
		todo := &group.todo[i]
		if r.held {
			todo.Resumed = max(todo.Resumed, kept.Attempt(todo.Row))
		} else {
			todo.Attempt = max(todo.Attempt, kept.Attempt(todo.Row))
		}
		if known := max(todo.Attempt, todo.Resumed); known > 0 {
			kept.SetAttempt(todo.Row, known)
		}
	}
}

// attemptOf is the attempt at which a record goes on in a batch: the first one of which no earlier process has given up a cell that the
// steps make. What was paid for a cell that failed is not paid again.
func (r *recovery) attemptOf(record *table.Record, steps []*step) int32 {
	kept := r.journals.OfRow(record.Row)
	attempt := record.Attempt
	if kept == nil {
		return attempt
	}
	makes := func(column string) bool {
		return slices.ContainsFunc(steps, func(step *step) bool { return slices.Contains(step.names(), column) })
	}
	for slices.ContainsFunc(kept.GivenUp(record, attempt), makes) {
		attempt++
	}
	return attempt
}

// restore writes the cells that an earlier process has made into a new record, and returns the positions of their steps.
func (r *recovery) restore(record *table.Record, steps []*step) []int {
	kept := r.journals.OfRow(record.Row)
	if kept == nil {
		return nil
	}
	if r.async {
		kept.Restart(record)
	}
	var restored []int
	for _, cell := range kept.Cells(record) {
		for position, step := range steps {
			if column := step.columns[0]; column.Execution == plan.Remote && column.Name == cell.Column {
				write(record, column, cell.Value, cell.SideEffects)
				if !slices.Contains(restored, position) { // of a cell that was made twice, the later one counts
					restored = append(restored, position)
				}
			}
		}
	}
	return restored
}
