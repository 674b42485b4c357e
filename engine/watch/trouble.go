package watch

import (
	"time"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// limitForgotten is after how long without a refusal a provider is no longer said to be rate-limited.
const limitForgotten = 30 * time.Second

// limit is a time in which a provider refuses requests because there are too many.
type limit struct {
	since, last, until time.Time
	refused            int64
}

// Refused notes what a failure says of the provider.
func (w *Watch) Refused(provider string, cause *failure.Error, now time.Time) {
	if cause.Traits().Signal == reason.SignalAnswered {
		w.limited(provider, cause.RetryAfter, now)
	}
	if cause.RetryAfter > schedule.MaxRetryAfter && cause.Traits().Subject != reason.SubjectTools {
		w.longWait(provider, cause.RetryAfter, now)
	}
}

// limited notes that a provider has refused a request because there are too many.
func (w *Watch) limited(provider string, wish time.Duration, now time.Time) {
	current := w.limits[provider]
	if current == nil {
		current = &limit{since: now}
		w.limits[provider] = current
	}
	current.last = now
	current.refused++
	if until := now.Add(min(wish, schedule.MaxRetryAfter)); until.After(current.until) {
		current.until = until
	}
}

// troubles describes the slow requests and the providers that refuse them.
func (w *Watch) troubles(now time.Time, core *schedule.Core) (found runreport.Troubles) {
	slow := map[string]*runreport.SlowModel{}
	for _, request := range w.pending {
		age := now.Sub(request.since)
		found.OldestRequestSeconds = max(found.OldestRequestSeconds, int64(age/time.Second))
		if w.slow == 0 || age < w.slow {
			continue
		}
		found.SlowRequests++
		alias, since := request.column.ModelAlias(), request.since.UTC().Truncate(time.Second)
		if slow[alias] == nil {
			slow[alias] = &runreport.SlowModel{Model: alias, Provider: request.column.Lane.Provider, Since: since}
		}
		slow[alias].Requests++
		if since.Before(slow[alias].Since) {
			slow[alias].Since = since
		}
	}
	for _, alias := range w.models {
		if slow[alias] != nil {
			found.Slow = append(found.Slow, *slow[alias])
		}
	}
	for i, name := range w.providers {
		if state := core.EndpointState(i); state.Paused {
			found.Endpoints = append(found.Endpoints, endpointOf(name, runreport.EndpointPaused, state.Since, state.Until, int64(state.Failed)))
		}
		current := w.limits[name]
		switch {
		case current == nil:
		case now.Sub(current.last) > limitForgotten && now.After(current.until):
			delete(w.limits, name)
		default:
			found.Endpoints = append(found.Endpoints, endpointOf(name, runreport.EndpointRateLimited, current.since, current.until, current.refused))
		}
	}
	return found
}

func endpointOf(provider string, state runreport.EndpointState, since, until time.Time, refused int64) runreport.Endpoint {
	return runreport.Endpoint{
		Provider: provider, State: state, Since: since.UTC().Truncate(time.Second), Until: until.UTC().Truncate(time.Second), Refused: refused,
	}
}
