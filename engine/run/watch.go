package run

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
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
	// slowLines is how many slow requests to a model are told one by one in a period of the threshold; more are told in one line.
	slowLines = 3
)

// watch warns about requests that take long and about runs that don't go on. It belongs to the driver's goroutine: one look at all requests
// every second, whatever their number.
type watch struct {
	logger *slog.Logger
	// slow is after how long a request is warned about, and how often it is again; 0 is never.
	slow time.Duration
	// deadline is after how long a stall ends the run, 0 is never; period is after how long it is told, and how often it is again.
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
	// told is when a provider's wish for a long wait was last told.
	told map[string]time.Time
	// slowTold is what was told of slow requests lately, by the model's alias.
	slowTold map[string]slowTold
}

// slowTold are the lines about slow requests of a model in a period of the threshold, whose first one came at since.
type slowTold struct {
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

func newWatch(logger *slog.Logger, spec *v1alpha1.DatasetGenerationSpec, lanes []string, now time.Time) *watch {
	made := &watch{
		logger: logger, slow: spec.EffectiveSlowRequestThreshold(), deadline: spec.EffectiveStallDeadline(), lanes: lanes,
		pending: make(map[int64]*pendingRequest), progressed: now, told: make(map[string]time.Time), limits: make(map[string]*limit),
		slowTold: make(map[string]slowTold), batches: make(map[int64]progress.Batch),
	}
	made.period = stallPeriod
	if made.deadline > 0 {
		// It is told before it ends the run.
		made.period = min(stallPeriod, made.deadline/2)
	}
	for i := range spec.Providers {
		made.providers = append(made.providers, spec.Providers[i].Name)
	}
	for i := range spec.Models {
		made.models = append(made.models, spec.Models[i].Alias)
	}
	return made
}

// started notes a request, and returns the number by which it ends.
func (w *watch) started(column *plan.Column, task schedule.Task, progress *model.Progress, now time.Time) int64 {
	w.last++
	record := task.Records[0]
	w.pending[w.last] = &pendingRequest{column: column, row: record.Row, attempt: record.Attempt, group: task.Group(), since: now, progress: progress}
	return w.last
}

// progress notes that something was made.
func (w *watch) progress(now time.Time) {
	if w.stalls > 0 {
		w.logger.Info("the run goes on", "after", now.Sub(w.progressed).Round(time.Second))
		w.stalls = 0
	}
	w.progressed = now
}

// look warns about what has become slow since the last look, and returns what keeps the run from going on.
func (w *watch) look(now time.Time, core *schedule.Core) runreport.Troubles {
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

func (w *watch) lookForSlow(now time.Time) {
	slow, due := map[string][]*pendingRequest{}, map[string][]*pendingRequest{}
	for _, request := range w.inOrder() {
		periods := int(now.Sub(request.since) / w.slow)
		if periods == 0 {
			continue
		}
		alias := request.column.Model.Alias
		slow[alias] = append(slow[alias], request)
		if periods > request.warnings {
			request.warnings = periods
			due[alias] = append(due[alias], request)
		}
	}
	for _, alias := range w.models {
		if len(due[alias]) > 0 {
			w.tellSlow(alias, slow[alias], due[alias], now)
		}
	}
}

// tellSlow tells of the requests of a model that are due, where not too much was told of it lately: else of all its slow ones together.
func (w *watch) tellSlow(alias string, slow, due []*pendingRequest, now time.Time) {
	told := w.slowTold[alias]
	if now.Sub(told.since)+sampleInterval >= w.slow {
		told = slowTold{since: now}
	}
	oldest := slow[0]
	if told.lines += len(due); told.lines <= slowLines {
		for _, request := range due {
			w.logger.Warn("a request is slow", append([]any{"model", alias, "provider", request.column.Model.Provider, "column", request.column.Name,
				"row", request.row, "attempt", request.attempt, "rowGroup", request.group, "age", now.Sub(request.since).Round(time.Second)},
				request.told(now)...)...)
		}
	} else if !told.together {
		told.together = true
		w.logger.Warn("requests are slow", "model", alias, "provider", oldest.column.Model.Provider, "requests", len(slow),
			"oldest", now.Sub(oldest.since).Round(time.Second))
	}
	w.slowTold[alias] = told
}

// inOrder are the requests that are under way, the oldest first.
func (w *watch) inOrder() []*pendingRequest {
	requests := make([]*pendingRequest, 0, len(w.pending))
	for _, number := range slices.Sorted(maps.Keys(w.pending)) {
		requests = append(requests, w.pending[number])
	}
	return requests
}

// told says how far a request is.
func (r *pendingRequest) told(now time.Time) []any {
	told := []any{"phase", r.progress.Phase()}
	exchange := r.progress.Current()
	if exchange == nil {
		return told
	}
	told = append(told, "bytes", exchange.Bytes())
	if last := exchange.LastByte(); !last.IsZero() {
		told = append(told, "lastByteAge", now.Sub(last).Round(time.Second))
	}
	return told
}

// longWait tells that a provider asks for a longer wait than it is given, once in the time of such a wait.
func (w *watch) longWait(provider string, wish time.Duration, now time.Time) {
	if told, before := w.told[provider]; before && now.Sub(told) < schedule.MaxRetryAfter {
		return
	}
	w.told[provider] = now
	w.logger.Warn("the provider asks for a longer wait than it is given; is its quota used up?", "provider", provider, "retryAfter", wish, "waits", schedule.MaxRetryAfter)
}

// stalled tells what each lane waits for.
func (w *watch) stalled(now time.Time, core *schedule.Core) {
	running := 0
	var lanes []any
	var until time.Time
	for i, state := range core.LaneStates() {
		running += state.Running
		if state.Running+state.Ready+state.Deferred == 0 {
			continue
		}
		lanes = append(lanes, slog.String(w.lanes[i], describe(state, now)))
		for _, moment := range []time.Time{state.NextTry, state.PausedUntil, state.Waits.Until} {
			if moment.After(now) && (until.IsZero() || moment.Before(until)) {
				until = moment
			}
		}
	}
	since := now.Sub(w.progressed).Round(time.Second)
	details := []any{slog.Group("lanes", lanes...)}
	if batches := told(w.atWork, now, 0); len(batches) > 0 {
		details = append(details, "atWork", batches)
	}
	if running == 0 && len(w.atWork) == 0 && !until.IsZero() {
		w.logger.Warn("the run waits", "withoutProgress", since, "until", until.UTC().Format(time.RFC3339), details[0])
		return
	}
	w.logger.Warn("the run makes no progress", append([]any{"for", since, "rowGroups", core.Open()}, details...)...)
}

// waitText says what a lane waits for, with a time after it.
var waitText = map[admission.Reason]string{
	admission.Pause:    "left alone after refusals",
	admission.Recovery: "the next one after a refusal waits",
	admission.Ramp:     "the next one of the ramp waits",
	admission.Requests: "requestsPerMinute is used up",
	admission.Tokens:   "tokensPerMinute is used up",
}

func describe(state schedule.LaneState, now time.Time) string {
	text := fmt.Sprintf("%d of %d slots in use, %d ready, %d deferred", state.Running, state.Limit, state.Ready, state.Deferred)
	if state.Deferred > 0 {
		text += fmt.Sprintf(" (the next for %s)", max(0, state.NextTry.Sub(now)).Round(time.Second))
	}
	if state.PausedUntil.After(now) {
		text += fmt.Sprintf(", the provider is asked again in %s", state.PausedUntil.Sub(now).Round(time.Second))
	}
	if state.Limit < state.Cap {
		text += fmt.Sprintf(", the limit is lowered from %d because the provider has too much to do", state.Cap)
	}
	if state.Ready > 0 && state.Waits.Reason == admission.Share {
		text += fmt.Sprintf(", this Pod's share of the provider's maxParallelRequests is %d", state.Share)
	}
	if waits := state.Waits; state.Ready > 0 && waits.Until.After(now) {
		text += fmt.Sprintf(", %s for %s", waitText[waits.Reason], waits.Until.Sub(now).Round(100*time.Millisecond))
	}
	return text
}
