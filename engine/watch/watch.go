// Package watch holds what is reported of a running run: slow requests, stalls, providers in trouble, failing cells, the heartbeat in the
// log, and the description of the running run. It only looks: what is made, sent or ended is decided by its callers.
package watch

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// stallPeriod is after how long without any progress a run says so, and how often it does again, where no deadline comes sooner.
	stallPeriod = 30 * time.Second
	// slowLines is how many slow requests to a model are reported one by one in a period of the threshold; more are reported in one line.
	slowLines = 3
)

// Watch warns about requests that take long and about runs that don't go on. It belongs to the driver's goroutine: one look at all requests
// every second, whatever their number.
type Watch struct {
	logger *slog.Logger
	// slow is after how long a request is warned about, and how often it is again; 0 is never.
	slow time.Duration
	// deadline is after how long a stall ends the run, 0 is never; period is after how long it is reported, and how often it is again.
	deadline, period time.Duration
	// lanes are the names of the lanes, providers those of the endpoints, and models the aliases.
	lanes, providers, models []string

	pending map[int64]*pendingRequest
	// batches are the work on many rows at once that is under way, by the numbers that requests have too; atWork lists it.
	batches map[int64]progress.Batch
	atWork  []progress.Batch
	last    int64
	// progressed is when a cell was last made or a row met its fate; stalls counts the warnings since.
	progressed time.Time
	stalls     int
	// waited is when a known wait for a provider was last seen.
	waited time.Time
	// limits are the rate limits of providers that were met lately, by the provider's name.
	limits map[string]*limit
	// longWaits are when the wishes of providers for a long wait were last reported, by the provider's name.
	longWaits map[string]time.Time
	// slowReports are what was reported of slow requests lately, by the model's alias.
	slowReports map[string]slowReport
}

// slowReport is the lines about slow requests of a model in a period of the threshold, whose first one came at since.
type slowReport struct {
	since    time.Time
	lines    int
	together bool
}

// pendingRequest is a request of a model that is under way.
type pendingRequest struct {
	column   *plan.Column
	row      table.RowIndex
	attempt  int32
	group    int64
	since    time.Time
	warnings int
	progress *model.Progress
}

// New returns a watch over the lanes with these names, in which nothing has happened yet.
func New(logger *slog.Logger, spec *v1alpha1.DatasetGenerationSpec, lanes []string, now time.Time) *Watch {
	w := &Watch{
		logger: logger, slow: spec.EffectiveSlowRequestThreshold(), deadline: spec.EffectiveStallDeadline(), lanes: lanes,
		pending: make(map[int64]*pendingRequest), progressed: now, longWaits: make(map[string]time.Time), limits: make(map[string]*limit),
		slowReports: make(map[string]slowReport), batches: make(map[int64]progress.Batch),
	}
	w.period = stallPeriod
	if w.deadline > 0 {
		// It is reported before it ends the run.
		w.period = min(stallPeriod, w.deadline/2)
	}
	for i := range spec.Providers {
		w.providers = append(w.providers, spec.Providers[i].Name)
	}
	for i := range spec.Models {
		w.models = append(w.models, spec.Models[i].Alias)
	}
	return w
}

// BeginRequest notes a request of a model, and returns the number by which it ends.
func (w *Watch) BeginRequest(column *plan.Column, task schedule.Task, progress *model.Progress, now time.Time) int64 {
	w.last++
	record := task.Records[0]
	w.pending[w.last] = &pendingRequest{
		column: column, row: record.Row, attempt: record.Attempt, group: task.Group(), since: now, progress: progress,
	}
	return w.last
}

// Progressed notes that something was made.
func (w *Watch) Progressed(now time.Time) {
	if w.stalls > 0 {
		w.logger.Info("the run goes on", "after", now.Sub(w.progressed).Round(time.Second))
		w.stalls = 0
	}
	w.progressed = now
}

// Look warns about what has become slow since the last look, and returns what keeps the run from going on.
func (w *Watch) Look(now time.Time, core *schedule.Core) runreport.Troubles {
	if w.slow > 0 {
		w.lookForSlow(now)
	}
	idle := now.Sub(w.progressed)
	waits := idle >= w.period && w.waits(core.LaneStates(), now)
	if idle >= w.period*time.Duration(w.stalls+1) {
		w.stalls++
		w.stalled(now, core)
	}
	troubles := w.troubles(now, core)
	if idle >= w.period && !waits {
		since := w.progressed.UTC()
		troubles.StalledSince = &since
	}
	return troubles
}

func (w *Watch) lookForSlow(now time.Time) {
	slow, due := map[string][]*pendingRequest{}, map[string][]*pendingRequest{}
	for _, request := range w.inOrder() {
		periods := int(now.Sub(request.since) / w.slow)
		if periods == 0 {
			continue
		}
		alias := request.column.ModelAlias()
		slow[alias] = append(slow[alias], request)
		if periods > request.warnings {
			request.warnings = periods
			due[alias] = append(due[alias], request)
		}
	}
	for _, alias := range w.models {
		if len(due[alias]) > 0 {
			w.reportSlow(alias, slow[alias], due[alias], now)
		}
	}
}

// reportSlow reports the requests of a model that are due, where not too much was reported of it lately: else all its slow ones together.
func (w *Watch) reportSlow(alias string, slow, due []*pendingRequest, now time.Time) {
	report := w.slowReports[alias]
	if now.Sub(report.since)+Interval >= w.slow {
		report = slowReport{since: now}
	}
	oldest := slow[0]
	if report.lines += len(due); report.lines <= slowLines {
		for _, request := range due {
			w.logger.Warn("a request is slow", append([]any{"model", alias, "provider", request.column.Lane.Provider, "column", request.column.Name,
				"row", request.row, "rowAttempt", request.attempt, "rowGroup", request.group,
				"age", now.Sub(request.since).Round(time.Second)},
				request.stage(now)...)...)
		}
	} else if !report.together {
		report.together = true
		w.logger.Warn("requests are slow", "model", alias, "provider", oldest.column.Lane.Provider, "requests", len(slow),
			"oldest", now.Sub(oldest.since).Round(time.Second))
	}
	w.slowReports[alias] = report
}

// inOrder are the requests that are under way, the oldest first.
func (w *Watch) inOrder() []*pendingRequest {
	requests := make([]*pendingRequest, 0, len(w.pending))
	for _, number := range slices.Sorted(maps.Keys(w.pending)) {
		requests = append(requests, w.pending[number])
	}
	return requests
}

// stage says how far a request is, as attributes of a line.
func (r *pendingRequest) stage(now time.Time) []any {
	stage := []any{"phase", r.progress.Phase()}
	exchange := r.progress.Current()
	if exchange == nil {
		return stage
	}
	stage = append(stage, "bytes", exchange.Bytes())
	if last := exchange.LastByte(); !last.IsZero() {
		stage = append(stage, "lastByteAge", now.Sub(last).Round(time.Second))
	}
	return stage
}

// longWait reports that a provider asks for a longer wait than it is given, once in the time of such a wait.
func (w *Watch) longWait(provider string, wish time.Duration, now time.Time) {
	if last, before := w.longWaits[provider]; before && now.Sub(last) < schedule.MaxRetryAfter {
		return
	}
	w.longWaits[provider] = now
	w.logger.Warn("the provider asks for a longer wait than it is given; is its quota used up?", "provider", provider, "retryAfter", wish,
		"waits", schedule.MaxRetryAfter)
}
