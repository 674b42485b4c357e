// Package run holds the two executors: Async runs the cells of many row groups at once, Sync one batch after the other, and may resize.
// They connect the scheduler, the generators, the store and the progress; what a cell is made of, or a file looks like, is not known here.
package run

import (
	"context"
	"log/slog"
	"sync/atomic"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/share"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/engine/watch"
)

// Job is what an executor works with. It owns none of it.
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

	// loseWakes has the timers of retries never fire, for a test.
	loseWakes bool
	// seedFailed is why a row of the seed could not be read; nil where all could.
	seedFailed atomic.Pointer[failure.Error]
	// storageFailed says that a commit has failed for good, so that the ones after it don't try long.
	storageFailed atomic.Bool
	journals      *journal.Set
	recovery      *recovery
	budget        *budget
	tracer        *trace.Tracer
	skips         *skip.Rules
	describer     *watch.Describer
}

// Seed has the rows of the seed, by the rows of the dataset that they belong to.
type Seed interface {
	// Row returns the values of the seed's columns, and what the file says of some of them (see table.Record).
	Row(row table.RowIndex) (values []any, texts []string, err error)
	// Number is the number of the row in the seed.
	Number(row table.RowIndex) int64
}

// Execute makes all rows of the shard that are not in the store yet, in the plan's mode. It returns nil when every row has met its
// fate, or else what has ended the run; then the rows that were whole are in the store all the same.
func Execute(ctx context.Context, job *Job) *failure.Error {
	rules, err := skip.New(job.Plan, job.Logger)
	if err != nil {
		return failure.Of(err)
	}
	job.skips = rules
	job.budget = newBudget(job)
	job.tracer = trace.NewTracer(job.Trace, job.Plan.RowGroupSize)
	job.journals = newJournals(job)
	defer job.journals.Close()
	job.recovery = newRecovery(job, job.journals)
	job.describer = watch.StartDescriber(job.Describe)
	defer job.describer.Stop()
	defer watch.StartHeartbeat(job.Progress, job.Logger, !job.Shown).Stop()
	if job.Plan.Mode == v1alpha1.ExecutionSync {
		return executeSync(ctx, job)
	}
	return executeAsync(ctx, job)
}

// coreConfig returns the scheduler's configuration for some steps, and its lanes.
func (j *Job) coreConfig(steps []*step, newRecord func(table.RowIndex, int32) *table.Record) (schedule.Config, lanes) {
	spec := j.Plan.Spec
	lanes := lanesOf(spec, steps)
	config := schedule.Config{
		Lanes:              lanes.lanes,
		Pools:              lanes.pools,
		Ceilings:           len(spec.Endpoints()),
		Endpoints:          len(spec.Providers),
		MaxRowAttempts:     spec.EffectiveMaxRowAttempts(),
		MaxRequestAttempts: spec.EffectiveMaxRequestAttempts(),
		Gate:               gateConfig(spec),
		Outage:             j.Outage,
		NewRecord:          newRecord,
	}
	keys := make([]random.Key, len(steps))
	for i, step := range steps {
		column := step.columns[0]
		keys[i] = random.NewKey(spec.RandomSeed, "retry/"+column.Name)
		entry := schedule.Column{
			Parts: step.names(), Lane: lanes.of[i], Weight: column.Spec.EffectiveWeight(), Batch: column.Execution == plan.Batch, Requires: step.requires(steps),
			AfterHold: step.afterHold,
		}
		if step.local {
			entry.Chunk = chunkRows
		}
		for _, made := range step.columns {
			entry.Cells = append(entry.Cells, made.Index)
		}
		config.Columns = append(config.Columns, entry)
	}
	config.Recovered = func(record *table.Record) []int { return j.recovery.restore(record, steps) }
	if j.skips.Any() {
		config.Skip = func(record *table.Record, column int) bool {
			// The columns of a local step are left out one by one, while the step is made.
			return !steps[column].local && j.skips.Skips(context.Background(), record, steps[column].columns[0])
		}
	}
	config.Jitter = func(column int, record *table.Record, retry int) float64 {
		stream := keys[column].Of(record).Sub(uint64(retry))
		return stream.Float64()
	}
	return config, lanes
}

func providerIndex(spec *v1alpha1.DatasetGenerationSpec, name string) int {
	for i := range spec.Providers {
		if spec.Providers[i].Name == name {
			return i
		}
	}
	return -1
}

func gateConfig(spec *v1alpha1.DatasetGenerationSpec) schedule.GateConfig {
	rule := spec.EffectiveEarlyShutdown()
	return schedule.GateConfig{Enabled: rule.Enabled, ErrorRate: rule.ErrorRate, Window: rule.ErrorWindow}
}

// newRecord returns the record of a row with the values of the seed in it.
func (j *Job) newRecord(row table.RowIndex, attempt int32) *table.Record {
	record := table.NewRecord(j.Plan.Schema, row, attempt)
	if j.skips.Any() {
		record.Skipped = make([]bool, j.Plan.Schema.Len())
	}
	if j.Seed != nil {
		values, texts, err := j.Seed.Row(row)
		if err != nil {
			// Nothing is committed from here on, so that the record without its values never counts.
			j.seedFailed.CompareAndSwap(nil, failure.Of(err))
		}
		copy(record.Cells, values)
		record.Texts = texts
	}
	return record
}
