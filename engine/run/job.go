package run

import (
	"log/slog"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/share"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
)

// Job is what the caller of a run provides. The run owns none of it, and changes none of its fields.
type Job struct {
	Plan       *plan.Plan
	Generators *column.Generators
	// Processors work on whole row groups. It may be nil.
	Processors *process.Set
	// Seed has the rows of the seed. It is nil without a seed.
	Seed Seed
	// Store is where row groups are committed.
	Store    *store.Store
	Progress *progress.Tracker
	Logger   *slog.Logger
	// Attempt is the attempt of the run. Rows that an earlier attempt has dropped are tried again.
	Attempt       int32
	Shard, Shards int32
	Outage        schedule.OutageConfig
	// Trace takes the spans of all tasks; nil where the run is not traced.
	Trace trace.Sink
	Drain Drain
	// Fence is the right to write the shard; nil where nobody else can.
	Fence *store.Fence
	// Shares are the engine's parts in what may be under way at endpoints that it shares; nil where it shares none.
	Shares *share.Shares
	// Describe writes what is to be read of the running run, in a phase of the store's; nil where this shard doesn't.
	Describe func(phase string)
	// Shown says that somebody shows the progress, so that it need not be logged.
	Shown bool
}

// Drain says how long a run that has ended waits for its tasks. None of them is started after the end.
type Drain struct {
	// Finish is for how long the tasks under way may finish when the run was asked to stop; 0 cancels them at once. Any other end does that.
	Finish time.Duration
	// Stop is for how long cancelled tasks are waited for. What they still make afterwards is discarded. 0 stands for the default.
	Stop time.Duration
}

// defaultStop is far more than anything needs that looks at its context.
const defaultStop = 10 * time.Second

func (d Drain) stop() time.Duration {
	if d.Stop == 0 {
		return defaultStop
	}
	return d.Stop
}

// holdsRowGroups says whether row groups are held for processors, once their sampled columns are there.
func (j *Job) holdsRowGroups() bool { return j.Processors.Has(v1alpha1.ProcessorPreBatch) }

// droppedRow describes a row that was given up.
func (j *Job) droppedRow(row table.RowIndex, column string, attempts int32, cause *failure.Error) store.DroppedRow {
	dropped := store.DroppedRow{Row: row, Column: column, Reason: cause.Reason, Message: cause.Message, Attempts: attempts}
	if j.Seed != nil {
		seedRow := j.Seed.Number(row)
		dropped.SeedRow = &seedRow
	}
	return dropped
}

// droppedByProcessor describes a row that was given up because a processor has failed: no column has caused it.
func (j *Job) droppedByProcessor(row table.RowIndex, attempts int32, cause *failure.Error) store.DroppedRow {
	dropped := j.droppedRow(row, "", attempts, cause)
	dropped.Message = cause.Error()
	return dropped
}
