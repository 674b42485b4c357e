package engine

import (
	"context"
	"net/http"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/factory"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/health"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/share"
	"seedloom.dev/seedloom/engine/tools"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// How long a provider may be unreachable: until its first answer ever, and afterwards.
const (
	defaultFirstOutage = time.Minute
	defaultLaterOutage = 30 * time.Minute
)

// healthCheckTimeout bounds the question to all models before a run; a model that has not answered by then is asked for rows all the same.
const healthCheckTimeout = 3 * time.Minute

// makeRows makes the rows of the shard; nil says that every one has met its fate.
func (p *prepared) makeRows(ctx context.Context) *failure.Error {
	remote, err := p.connect()
	if err != nil {
		return failure.Of(err)
	}
	defer remote.close()
	checkers := validation.NewCheckers(p.config.Endpoints, p.config.ValidatorHeader)
	defer checkers.Close()
	generators, err := factory.Build(p.plan, remote.models, remote.tools, p.mediaFiles(), p.workers,
		checkers, p.people)
	if err != nil {
		return failure.Of(err)
	}
	tracker := newTracker(p.plan.Spec)
	shares := share.New(p.plan.Spec, p.config.Run.Shards, p.config.Pod != "", time.Now)
	if p.config.Serve != nil {
		p.config.Serve(p.handler(tracker, shares))
	}
	if p.config.Observe != nil {
		p.observed = p.config.Observe(tracker)
	}
	if err := remote.tools.Check(ctx); err != nil {
		return failure.Of(err)
	}
	if err := p.awaitShares(ctx, shares); err != nil {
		return failure.Of(err)
	}
	ending := p.checkModels(ctx, remote, shares)
	tracker.SetModelCheck(p.modelCheck)
	if ending != nil {
		return ending
	}
	p.announce()
	tracing, closeTrace := p.startTrace()
	job := &run.Job{
		Plan: p.plan, Generators: generators, Processors: p.processors, Store: p.store, Progress: tracker, Logger: p.config.Logger,
		Attempt: p.config.Run.Attempt, Shard: p.config.Shard, Shards: max(1, p.config.Run.Shards), Outage: p.outage(),
		Drain: p.config.Drain, Fence: p.fence, Shares: shares, Trace: tracing, Shown: p.observed != nil,
	}
	if p.rows != nil {
		job.Seed = p.rows
	}
	if p.describes() {
		job.Describe = p.describeRunning
	}
	ending = run.Execute(column.WithUnusable(ctx, tracker.Unusable), job)
	closeTrace()
	tracker.SetPhase(runreport.PhaseFinalizing)
	p.tracker, p.progress = tracker, tracker.Snapshot()
	return ending
}

// remote is what a run talks to over the network.
type remote struct {
	models *model.Set
	tools  *tools.Set
}

// connect makes the clients of the models and of the tool servers; the caller closes them. Nothing is sent yet.
func (p *prepared) connect() (*remote, error) {
	models, err := p.openModels()
	if err != nil {
		return nil, err
	}
	return &remote{models: models, tools: tools.NewSet(p.plan.Spec, p.toolConfig(p.outage().First))}, nil
}

func (r *remote) close() {
	r.tools.Close()
	r.models.Close()
}

// outage says how long a provider may be unreachable.
func (p *prepared) outage() schedule.OutageConfig {
	if p.config.Outage == (schedule.OutageConfig{}) {
		return schedule.OutageConfig{First: defaultFirstOutage, Later: defaultLaterOutage}
	}
	return p.config.Outage
}

// handler serves the progress and the metrics, and takes the shares.
func (p *prepared) handler(tracker *progress.Tracker, shares *share.Shares) http.Handler {
	config := &p.config
	mux := http.NewServeMux()
	mux.Handle("/", tracker.Handler(progress.Identity{RunID: config.Run.RunID, Attempt: config.Run.Attempt, Shard: config.Shard}))
	mux.Handle("POST "+runreport.SharesPath, shares.Handler(runreport.PodIdentity{
		UID: config.Pod, RunID: config.Run.RunID, Attempt: config.Run.Attempt, Shard: config.Shard,
	}))
	return mux
}

// awaitShares waits until something may be sent to each endpoint.
func (p *prepared) awaitShares(ctx context.Context, shares *share.Shares) error {
	return shares.Await(ctx, func(endpoint string) {
		p.config.Logger.Info("waiting for this Pod's share of the provider's maxParallelRequests", "endpoint", endpoint)
	})
}

// newTracker returns the progress of a run of which nothing is made yet.
func newTracker(spec *v1alpha1.DatasetGenerationSpec) *progress.Tracker {
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
	return progress.NewTracker(columns, aliases, time.Now)
}

// announce logs what is going to be made, and what of it may not be meant.
func (p *prepared) announce() {
	p.config.Logger.Info("generating", "shards", max(1, p.config.Run.Shards), "mode", p.plan.Mode,
		"records", p.plan.NumRecords, "rowGroups", p.plan.RowGroups())
	if unmatched := p.plan.UnmatchedPatterns(); len(unmatched) > 0 {
		p.config.Logger.Warn("no column has a name that dropColumns leaves out; are these patterns right?", "patterns", unmatched)
	}
	if resized := p.plan.Spec.ResizeColumns(); len(resized) > 0 {
		p.config.Logger.Warn("columns with allowResize run in sync mode, in one Pod; make the number of rows fixed to use async mode",
			"columns", resized)
	}
}

// checkModels asks each model once before the first row is made. Where there are rows already, the models have answered before, and what is
// wrong since then shows in the rows to come.
func (p *prepared) checkModels(ctx context.Context, remote *remote, shares *share.Shares) *failure.Error {
	if fresh, err := p.store.IsFresh(); err != nil || !fresh {
		return failure.Of(err)
	}
	limited, cancel := context.WithTimeout(ctx, healthCheckTimeout)
	defer cancel()
	results, err := p.askModels(limited, remote.models, remote.tools, shares.Any())
	if err != nil {
		return failure.Of(err)
	}
	problems := health.Problems(results)
	p.modelCheck = modelCheck(results, problems)
	for _, problem := range problems {
		if !problem.Lasting() {
			p.config.Logger.Warn("a model does not answer well before the run; the run begins all the same", "model", problem.Alias,
				"reason", problem.Cause.Reason, "error", problem.Cause.Message)
		}
	}
	return health.Failure(problems)
}

// modelCheck is what is reported of the answers to the question before the first row; nil where no model was asked.
func modelCheck(results []health.Result, problems []health.Problem) *runreport.ModelCheck {
	asked := map[string]bool{}
	for i := range results {
		asked[results[i].Alias] = true
	}
	if len(asked) == 0 {
		return nil
	}
	check := &runreport.ModelCheck{Asked: len(asked)}
	for _, problem := range problems {
		check.Problems = append(check.Problems, runreport.ModelProblem{
			Alias: problem.Alias, Reason: problem.Cause.Reason, Message: problem.Cause.Message,
		})
	}
	return check
}

// waitingAfter is after how long it is told which models have not answered the question before the run, and how often.
const waitingAfter = 5 * time.Second

// askModels asks each model in the forms that its columns have.
func (p *prepared) askModels(ctx context.Context, models *model.Set, toolServers *tools.Set, oneByOne bool) ([]health.Result, error) {
	begun := time.Now()
	return health.Check(ctx, p.plan, health.Config{
		Client: func(alias string) health.Client { return models.Client(alias) },
		Tools: func(alias string) []model.Tool {
			if box := toolServers.Toolbox(alias); box != nil {
				return box.List()
			}
			return nil
		},
		OneByOne: oneByOne, WaitingAfter: waitingAfter,
		Waiting: func(aliases []string) {
			p.config.Logger.Info("waiting for the models' answers to the question before the run; models[].healthCheck: Disabled leaves it out",
				"models", aliases, "for", time.Since(begun).Round(time.Second).String())
		},
	})
}

// startTrace returns where the spans go, nil where nobody wants them, and what ends it. A trace that can't be written is no reason not to
// run.
func (p *prepared) startTrace() (sink trace.Sink, done func()) {
	switch {
	case !p.plan.Spec.IsTraced():
		return nil, func() {}
	case p.config.Trace != nil:
		return p.config.Trace, func() {}
	}
	output, err := p.store.CreateTrace(p.config.Shard, p.config.Run.Attempt)
	if err != nil {
		p.config.Logger.Warn("the run is not traced", "error", err)
		return nil, func() {}
	}
	files := trace.NewFiles(output, p.config.Logger)
	return files, files.Close
}
