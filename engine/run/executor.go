package run

import (
	"sync/atomic"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/engine/watch"
)

// executor is a job with what is built for its run. Drivers and commits share it; close ends its goroutines.
type executor struct {
	*Job
	skips    *skip.Rules
	ledger   *ledger
	journals *journal.Set
	recovery *recovery
	// tracer is nil where the run is not traced, describer where this process does not describe it.
	tracer    *trace.Tracer
	describer *watch.Describer
	heartbeat *watch.Heartbeat
	// seedFailed is why a row of the seed could not be read; nil where all could.
	seedFailed atomic.Pointer[failure.Error]
	// values are what the seed has for the rows that are begun now; nil where none are. It belongs to the goroutine that begins rows.
	values *seedValues
	// storageFailed says that a commit has failed for good, so that the ones after it don't try long.
	storageFailed atomic.Bool
}

func newExecutor(job *Job) (*executor, *failure.Error) {
	skips, err := skip.New(job.Plan, job.Logger)
	if err != nil {
		return nil, failure.Of(err)
	}
	e := &executor{
		Job: job, skips: skips,
		ledger:    &ledger{plan: job.Plan, progress: job.Progress, skips: skips, budget: newBudget(job.Plan.Spec, job.Shards)},
		tracer:    trace.NewTracer(job.Trace, job.Plan.RowGroupSize),
		journals:  newJournals(job),
		describer: watch.StartDescriber(job.Describe),
		heartbeat: watch.StartHeartbeat(job.Progress, job.Logger, !job.Shown),
	}
	e.recovery = newRecovery(job, e.journals)
	return e, nil
}

// close returns when nothing of the executor runs any more.
func (e *executor) close() {
	e.heartbeat.Stop()
	e.describer.Stop()
	e.journals.Close()
}

// newRecord returns the record of a row with the values of the seed in it.
func (e *executor) newRecord(row table.RowIndex, attempt int32) *table.Record {
	record := &table.Record{Schema: e.Plan.Schema, Row: row, Attempt: attempt}
	if e.skips.Any() {
		record.Skipped = make([]bool, e.Plan.Schema.Len())
	}
	if e.Seed == nil {
		record.Cells = make([]any, e.Plan.Schema.Len())
		return record
	}
	cells, texts, err, there := e.values.take(row)
	if !there {
		cells, texts, err = e.seedRow(row)
	}
	if err != nil {
		// Nothing is committed from here on, so that the record without its values never counts.
		e.seedFailed.CompareAndSwap(nil, failure.Of(err))
	}
	record.Cells, record.Texts = cells, texts
	return record
}

// seedRow reads what the seed has for a row alone.
func (e *executor) seedRow(row table.RowIndex) (cells []any, texts []string, err error) {
	cells = make([]any, e.Plan.Schema.Len())
	fetched, err := e.Seed.Fetch([]table.RowIndex{row})
	if err != nil {
		return cells, nil, err
	}
	texts, err = fetched.Row(0, cells)
	if e.values != nil {
		e.values.bytes += table.Bytes(cells)
	}
	return cells, texts, err
}
