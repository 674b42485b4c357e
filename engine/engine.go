// Package engine turns a spec into a dataset: it compiles the plan, reads the seed, runs an executor and writes the metadata, and says how
// it ended. It is a library that Pods, tests and benchmarks call alike; it reads no environment, and knows nothing of Kubernetes.
package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/factory"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/tools"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// The roles of an engine process.
const (
	RoleGenerate = "generate"
	RoleFinalize = "finalize"
)

// How long a provider may be unreachable: until its first answer ever, and afterwards.
const (
	defaultFirstOutage = time.Minute
	defaultLaterOutage = 30 * time.Minute
)

// healthCheckTimeout bounds the question to all models before a run; who has not answered by then is asked for rows all the same.
const healthCheckTimeout = 3 * time.Minute

// Drain says how long a run that has ended waits for its tasks.
type Drain = run.Drain

// Config is what a call works with.
type Config struct {
	Run runreport.ResolvedRun
	// Shard is the index of the shard to generate.
	Shard int32
	// OutputDirectory is the root of the output volume, SeedDirectory where a seed is mounted.
	OutputDirectory, SeedDirectory string
	// TLSDirectory has the certificates of providers, as a Pod finds them (see runreport.TLSDirectory).
	TLSDirectory string
	// APIKey returns the API key of the provider with an index in the spec, or an empty string.
	APIKey func(provider int) string
	// ToolKey returns the API key of the tool server with an index in the spec, or an empty string. ToolSocket returns the path of the socket on
	// which the bridge of a tool server of type Stdio listens. They may be nil where no column uses such servers.
	ToolKey    func(server int) string
	ToolSocket func(server string) string
	Logger     *slog.Logger
	// Version is the version of the engine.
	Version string
	// Serve is called once with what serves the progress and the metrics. It may be nil.
	Serve func(http.Handler)
	// Observe is called once with the progress, before rows are made. What it returns is called when the run is over, before the last
	// line of the log; who returns something shows the progress, and it is not logged then. It may be nil, and return nil.
	Observe func(*progress.Tracker) (done func())
	// Trace takes the spans of the run where spec.run.trace is Enabled, for instance a trace.Ring, whose Spans are read after the call. Nil
	// stands for files in the folder traces of the output. Where the spec doesn't ask for a trace there is none.
	Trace trace.Sink
	// Transport takes the place of the network for requests to models, as in simulations. Nil stands for the network.
	Transport http.RoundTripper
	// Volume stands before the folder of the dataset, as in simulations of faults. Nil stands for the folder itself.
	Volume func(store.Volume) store.Volume
	// Drain says how long a run that has ended waits for its tasks; with the zero value they are cancelled at once.
	Drain Drain
	// Outage says how long a provider may be unreachable; the zero value stands for the defaults.
	Outage schedule.OutageConfig
}

// Ending is how a call has ended.
type Ending struct {
	Result   runreport.Result
	ExitCode int
	// Progress is what was known at the end; the zero value of a run that could not begin.
	Progress progress.Snapshot
}

// prepared is what both roles need.
type prepared struct {
	config Config
	plan   *plan.Plan
	seed   *seed.Dataset
	store  *store.Store
	// processors are those that work on rows.
	processors *process.Set
	// tracker counts the generation, and progress is what it says at the end.
	tracker  *progress.Tracker
	progress progress.Snapshot
	// observed is called when the run is over.
	observed func()
}

// Generate makes the rows of a shard that are not in the output yet. A run with one shard is finalized too, however it ends. It
// returns when nothing of it runs any more.
func Generate(ctx context.Context, config Config) Ending {
	return lastLine(config, func() Ending {
		ready, err := prepare(ctx, config)
		if err != nil {
			return unprepared(config, RoleGenerate, failure.Of(err))
		}
		defer ready.close()
		cause := ready.generate(ctx)
		if cause != nil {
			config.Logger.Error("the run ends early", "reason", cause.Reason, "error", cause.Error())
		}
		if cause != nil && cause.Reason == v1alpha1.ReasonSuperseded {
			// The output is another process's now.
			return unprepared(config, RoleGenerate, cause)
		}
		var ending Ending
		if config.Run.Shards <= 1 {
			ending = ready.finalize(ctx, RoleGenerate, cause)
		} else {
			ending = ready.shardEnding(cause)
		}
		ending.Progress = ready.progress
		return ending
	})
}

// Finalize writes the metadata of a run whose shards are done.
func Finalize(ctx context.Context, config Config) Ending {
	return lastLine(config, func() Ending {
		ready, err := prepare(ctx, config)
		if err != nil {
			return unprepared(config, RoleFinalize, failure.Of(err))
		}
		defer ready.close()
		return ready.finalize(ctx, RoleFinalize, nil)
	})
}

func prepare(ctx context.Context, config Config) (*prepared, error) {
	spec, err := decodeSpec(config.Run)
	if err != nil {
		return nil, err
	}
	ready := &prepared{config: config}
	var fields []table.Field
	if spec.Seed != nil {
		client := &http.Client{}
		defer client.CloseIdleConnections()
		if ready.seed, err = seed.Load(ctx, spec.Seed, config.SeedDirectory, client); err != nil {
			return nil, err
		}
		fields = ready.seed.Schema().Fields()
	}
	if ready.plan, err = plan.Compile(spec, fields); err != nil {
		var invalid *plan.InvalidError
		if errors.As(err, &invalid) {
			return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "%v", invalid)
		}
		return nil, err
	}
	if ready.processors, err = process.New(spec, ready.plan.Schema); err != nil {
		return nil, err
	}
	folder := store.Folder(config.Run.Namespace, config.Run.Name, config.Run.ConfigHash)
	layout := &store.Layout{Schema: ready.plan.Schema, Output: ready.plan.Output, Dropped: ready.plan.Dropped, Preserve: spec.PreservesDroppedColumns(),
		Staged: ready.processors.Has(v1alpha1.ProcessorAfterGeneration)}
	if ready.store, err = store.Open(config.OutputDirectory, folder, layout); err != nil {
		return nil, err
	}
	if config.Volume != nil {
		ready.store.Through(config.Volume)
	}
	if ready.seed != nil {
		if err := ready.store.PinSeed(ready.seed.Digest()); err != nil {
			ready.close()
			return nil, err
		}
	}
	return ready, nil
}

func decodeSpec(resolved runreport.ResolvedRun) (*v1alpha1.DatasetGenerationSpec, error) {
	var spec v1alpha1.DatasetGenerationSpec
	if err := json.Unmarshal(resolved.Spec, &spec); err != nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "the spec can't be read: %v", err)
	}
	if hash := plan.ConfigHash(&spec); hash != resolved.ConfigHash {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
			"the spec has the hash %s, but the controller says %s; the controller and the engine must have the same version", hash, resolved.ConfigHash)
	}
	return &spec, nil
}

func (p *prepared) close() {
	if p.observed != nil {
		p.observed()
	}
	if err := p.store.Close(); err != nil {
		p.config.Logger.Warn("closing the output failed", "error", err)
	}
}

func (p *prepared) generate(ctx context.Context) *failure.Error {
	spec := p.plan.Spec
	models := model.NewSet(p.plan, p.config.APIKey)
	defer models.Close()
	if p.config.Transport != nil {
		models.Through(p.config.Transport)
	}
	if err := models.LoadCertificates(p.config.TLSDirectory); err != nil {
		return failure.Of(err)
	}
	outage := p.config.Outage
	if outage == (schedule.OutageConfig{}) {
		outage = schedule.OutageConfig{First: defaultFirstOutage, Later: defaultLaterOutage}
	}
	toolServers := tools.NewSet(spec, tools.Config{
		Key: p.config.ToolKey, Socket: p.config.ToolSocket, Patience: outage.First, Logger: p.config.Logger, Version: p.config.Version,
	})
	defer toolServers.Close()
	generators, err := factory.Build(p.plan, models, toolServers, p.store)
	if err != nil {
		return failure.Of(err)
	}
	var columns []progress.ColumnOf
	for i := range spec.Columns {
		column := progress.ColumnOf{Name: spec.Columns[i].Name}
		if alias := spec.Columns[i].ModelAlias(); alias != nil {
			column.Model = *alias
		}
		columns = append(columns, column)
	}
	var aliases []string
	for i := range spec.Models {
		aliases = append(aliases, spec.Models[i].Alias)
	}
	tracker := progress.NewTracker(columns, aliases, time.Now)
	if p.config.Serve != nil {
		p.config.Serve(tracker.Handler(progress.Identity{RunID: p.config.Run.RunID, Attempt: p.config.Run.Attempt, Shard: p.config.Shard}))
	}
	if p.config.Observe != nil {
		p.observed = p.config.Observe(tracker)
	}
	job := &run.Job{
		Plan: p.plan, Generators: generators, Processors: p.processors, Store: p.store, Progress: tracker, Logger: p.config.Logger,
		Attempt: p.config.Run.Attempt, Shard: p.config.Shard, Shards: max(1, p.config.Run.Shards), Outage: outage, Shown: p.observed != nil,
	}
	job.Seed = p.seedValues()
	if err := toolServers.Check(ctx); err != nil {
		return failure.Of(err)
	}
	if ending := p.checkModels(ctx, models); ending != nil {
		return ending
	}
	p.config.Logger.Info("generating", "run", p.config.Run.RunID, "attempt", job.Attempt, "shard", job.Shard, "shards", job.Shards,
		"mode", p.plan.Mode, "records", p.plan.NumRecords, "rowGroups", p.plan.RowGroups())
	if unmatched := p.plan.UnmatchedPatterns(); len(unmatched) > 0 {
		p.config.Logger.Warn("no column has a name that dropColumns leaves out; are these patterns right?", "patterns", unmatched)
	}
	if resized := spec.ResizeColumns(); len(resized) > 0 {
		p.config.Logger.Warn("columns with allowResize run in sync mode, in one Pod; make the number of rows fixed to use async mode", "columns", resized)
	}
	if job.Fence, err = p.store.TakeFence(p.config.Run.RunID, p.config.Run.Attempt, p.config.Shard); err != nil {
		return failure.Of(err)
	}
	tracing, traced := p.startTrace()
	job.Trace, job.Drain = tracing, p.config.Drain
	ending := run.Execute(ctx, job)
	traced()
	tracker.SetPhase(progress.PhaseFinalizing)
	p.tracker, p.progress = tracker, tracker.Snapshot()
	return ending
}

// checkModels asks each model once before the first row is made. Where there are rows already, the models have answered before, and what is
// wrong since then is told by the rows to come.
func (p *prepared) checkModels(ctx context.Context, models *model.Set) *failure.Error {
	if fresh, err := p.store.IsFresh(); err != nil || !fresh {
		return failure.Of(err)
	}
	limited, cancel := context.WithTimeout(ctx, healthCheckTimeout)
	defer cancel()
	problems := health.Check(limited, p.plan, func(alias string) health.Client { return models.Client(alias) })
	for _, problem := range problems {
		if !problem.Lasting() {
			p.config.Logger.Warn("a model does not answer well before the run; the run begins all the same", "model", problem.Alias,
				"reason", problem.Cause.Reason, "error", problem.Cause.Message)
		}
	}
	return health.Failure(problems)
}

// shardEnding describes a shard of several.
func (p *prepared) shardEnding(ending *failure.Error) Ending {
	shard, shards := p.config.Shard, p.config.Run.Shards
	groups := int64(0)
	for range p.plan.ShardGroups(shard, shards) {
		groups++
	}
	summary, err := p.store.Summarize(p.plan.ShardRows(shard, shards), groups, p.plan.RowGroupSize, func(index int64) bool { return index%int64(shards) == int64(shard) })
	if err != nil {
		return unprepared(p.config, RoleGenerate, failure.Of(err))
	}
	outcome, reason, message := judge(ending, summary, false)
	if err := p.store.EndShard(store.ShardEnding{Shard: shard, Attempt: p.config.Run.Attempt, Outcome: outcome, Reason: reason, Message: message}); err != nil {
		return unprepared(p.config, RoleGenerate, failure.Of(err))
	}
	return p.ending(RoleGenerate, ending, summary, outcome, reason, message)
}

// finalize writes the metadata of the whole dataset, and describes it.
func (p *prepared) finalize(ctx context.Context, role string, ending *failure.Error) Ending {
	resolved := p.config.Run
	var outcome runreport.Outcome
	var reason, message string
	input := store.FinalizeInput{
		Namespace: resolved.Namespace, Name: resolved.Name, RunID: resolved.RunID, ConfigHash: resolved.ConfigHash, Attempt: resolved.Attempt,
		Mode: string(p.plan.Mode), Engine: p.config.Version, Target: p.plan.NumRecords, RowGroups: p.plan.RowGroups(), RowGroupSize: p.plan.RowGroupSize,
		Spec: resolved.Spec, UpdatedAt: time.Now(),
		Judge: func(summary *store.Summary) (runreport.Outcome, string, string) {
			outcome, reason, message = judge(ending, summary, true)
			return outcome, reason, message
		},
		Cost: p.cost,
	}
	if ending == nil {
		ending = p.shardsEnding()
	}
	input.SideEffects = map[string]string{}
	for _, column := range p.plan.Columns {
		for _, index := range column.SideEffects {
			input.SideEffects[p.plan.Schema.Fields()[index].Name] = column.Name
		}
	}
	if p.seed != nil {
		for _, field := range p.seed.Schema().Fields() {
			input.SeedColumns = append(input.SeedColumns, field.Name)
		}
	}
	if ending == nil || !ending.Temporary {
		input.Publish = p.publisher()
	}
	summary, err := p.store.Finalize(ctx, input)
	if failed := failure.Of(err); failed != nil && input.Publish != nil && failed.Reason != v1alpha1.ReasonStorageFailed {
		// What was generated is kept, and described; the processors may work on it at another attempt.
		p.config.Logger.Error("the dataset can't be made of what was generated", "reason", failed.Reason, "error", failed.Error())
		if ending == nil {
			ending = failed
		}
		input.Publish, input.PublishStarted = nil, true
		summary, err = p.store.Finalize(ctx, input)
	}
	if err != nil {
		p.config.Logger.Error("the metadata could not be written", "error", err)
		if ending == nil {
			ending = failure.Of(err)
		}
		return unprepared(p.config, role, ending)
	}
	if input.Publish != nil && p.tracker != nil {
		p.tracker.Add(published(p.tracker.Snapshot(), summary))
		p.progress = p.tracker.Snapshot()
	}
	return p.ending(role, ending, summary, outcome, reason, message)
}

// shardsEnding is why records of some shards are missing, when all that is known of it is what the shards have left. It is nil in a shard.
func (p *prepared) shardsEnding() *failure.Error {
	if p.config.Run.Shards <= 1 {
		return nil
	}
	for _, shard := range p.store.ShardEndings(p.config.Run.Attempt) {
		switch shard.Reason {
		case v1alpha1.ReasonBudgetExhausted, v1alpha1.ReasonProcessorFailed, v1alpha1.ReasonProcessorResized,
			v1alpha1.ReasonModelAuthentication, v1alpha1.ReasonModelNotFound, v1alpha1.ReasonModelQuotaExhausted, v1alpha1.ReasonToolFailed:
			return failure.New(shard.Reason, failure.EndRun, "%s", shard.Message)
		}
	}
	return nil
}

// cost is what a model has cost; empty where no model has a price.
func (p *prepared) cost(models ...runreport.Model) string {
	if !p.plan.Spec.HasPrices() {
		return ""
	}
	return run.Cost(p.plan.Spec, models...).String()
}

func (p *prepared) ending(role string, cause *failure.Error, summary *store.Summary, outcome runreport.Outcome, reason, message string) Ending {
	result := newResult(p.config, role)
	result.Mode = string(p.plan.Mode)
	result.Outcome, result.Reason, result.Message = outcome, reason, message
	result.Records, result.Output = summary.Records, summary.Output
	result.Columns, result.Models, result.Dropped = summary.Columns, summary.Models, summary.Dropped
	if outcome == runreport.OutcomePartial {
		p.config.Logger.Warn("the dataset is partial", "target", summary.Records.Target, "records", summary.Records.Actual,
			"dropped", summary.Records.Dropped, "missing", summary.Records.Missing, "message", message)
	}
	return Ending{Result: result, ExitCode: exitCode(cause, outcome)}
}

func newResult(config Config, role string) runreport.Result {
	return runreport.Result{
		Version: runreport.Version, RunID: config.Run.RunID, Attempt: config.Run.Attempt, Shard: config.Shard, Role: role, Engine: config.Version,
	}
}

// unprepared describes a run that could not even begin. What earlier attempts have written is counted where it can be.
func unprepared(config Config, role string, cause *failure.Error) Ending {
	result := newResult(config, role)
	result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, cause.Reason, cause.Error()
	if cause.Reason == v1alpha1.ReasonInterrupted {
		result.Outcome = runreport.OutcomeInterrupted
	}
	config.Logger.Error("the run can't go on", "reason", cause.Reason, "error", cause.Error())
	ending := Ending{Result: result, ExitCode: exitCode(cause, result.Outcome)}
	spec, err := decodeSpec(config.Run)
	if err != nil {
		return ending
	}
	ending.Result.Mode = string(spec.ExecutionMode())
	// Only the counts of a plan are needed here; they don't depend on whether the spec is valid.
	counts := plan.Plan{NumRecords: spec.NumRecords, RowGroupSize: spec.EffectiveRowGroupSize()}
	shards, target, groups := max(1, config.Run.Shards), spec.NumRecords, counts.RowGroups()
	include := func(int64) bool { return true }
	if shards > 1 && role == RoleGenerate {
		target = counts.ShardRows(config.Shard, shards)
		include = func(index int64) bool { return index%int64(shards) == int64(config.Shard) }
	}
	ending.Result.Records = runreport.Records{Target: target, Missing: target}
	opened, err := store.Open(config.OutputDirectory, store.Folder(config.Run.Namespace, config.Run.Name, config.Run.ConfigHash), nil)
	if err != nil {
		return ending
	}
	defer func() { _ = opened.Close() }() // was only read
	if summary, err := opened.Summarize(target, groups, counts.RowGroupSize, include); err == nil {
		ending.Result.Records, ending.Result.Output = summary.Records, summary.Output
		ending.Result.Columns, ending.Result.Models, ending.Result.Dropped = summary.Columns, summary.Models, summary.Dropped
	}
	return ending
}

// judge says how a run, or a shard of it, has ended. Only of a whole run can be said that it has no records.
func judge(ending *failure.Error, summary *store.Summary, whole bool) (outcome runreport.Outcome, reason, message string) {
	records := summary.Records
	switch {
	case ending != nil && ending.Reason == v1alpha1.ReasonInterrupted:
		return runreport.OutcomeInterrupted, ending.Reason, fmt.Sprintf("asked to stop with %d of %d records written; what is missing is made when it is started again",
			records.Actual, records.Target)
	case ending != nil && ending.Reason == v1alpha1.ReasonBudgetExhausted && (records.Actual > 0 || !whole):
		return runreport.OutcomePartial, ending.Reason, fmt.Sprintf("%s (%d of %d records are written)", ending.Error(), records.Actual, records.Target)
	case ending != nil:
		return runreport.OutcomeFailed, ending.Reason, fmt.Sprintf("%s (%d of %d records are written)", ending.Error(), records.Actual, records.Target)
	case whole && records.Actual == 0 && records.Dropped > 0:
		return runreport.OutcomeFailed, v1alpha1.ReasonNoRecords, fmt.Sprintf("all %d records were dropped%s", records.Dropped, mostFrequent(summary))
	case whole && records.Actual == 0 && records.Target > 0:
		return runreport.OutcomeFailed, v1alpha1.ReasonNoRecords, fmt.Sprintf("not one of %d records was made", records.Target)
	case records.Missing > 0:
		return runreport.OutcomePartial, v1alpha1.ReasonShardFailed, fmt.Sprintf("%d of %d records are missing and %d were dropped%s",
			records.Missing, records.Target, records.Dropped, mostFrequent(summary))
	case records.Dropped > 0:
		return runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, fmt.Sprintf("%d of %d records were dropped%s", records.Dropped, records.Target, mostFrequent(summary))
	}
	return runreport.OutcomeComplete, "", ""
}

func mostFrequent(summary *store.Summary) string {
	if len(summary.Dropped) == 0 {
		return ""
	}
	drop := summary.Dropped[0]
	where := ""
	if drop.Column != "" {
		where = fmt.Sprintf(" in column %q", drop.Column)
	}
	return fmt.Sprintf(", %d of them by %s%s: %s", drop.Count, drop.Reason, where, drop.Message)
}

// exitCode says to who started the engine whether starting it again may help.
func exitCode(cause *failure.Error, outcome runreport.Outcome) int {
	switch {
	case outcome == runreport.OutcomeInterrupted:
		return runreport.ExitInterrupted
	case cause == nil && outcome == runreport.OutcomeFailed:
		return runreport.ExitFailed
	case cause == nil, outcome == runreport.OutcomePartial:
		return runreport.ExitOK
	case cause.Reason == v1alpha1.ReasonStorageFailed:
		return runreport.ExitStorage
	case cause.Temporary:
		return runreport.ExitRetry
	}
	switch cause.Reason {
	case v1alpha1.ReasonConfigInvalid, v1alpha1.ReasonSeedFailed, v1alpha1.ReasonModelAuthentication, v1alpha1.ReasonModelNotFound,
		v1alpha1.ReasonModelQuotaExhausted, v1alpha1.ReasonToolFailed:
		return runreport.ExitInvalid
	}
	return runreport.ExitFailed
}
