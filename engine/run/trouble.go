package run

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// limitForgotten is after how long without a refusal a provider is no longer said to be rate-limited.
	limitForgotten = 30 * time.Second
	// dumpBytes bounds what is written of the goroutines of a run that has stalled.
	dumpBytes = 8 << 20
)

// limit is a time in which a provider refuses requests because there are too many.
type limit struct {
	since, last, until time.Time
	refused            int64
}

// refused notes what a failure says of the provider.
func (w *watch) refused(provider string, cause *failure.Error, now time.Time) {
	if cause.Reason == v1alpha1.ReasonProviderRateLimited {
		w.limited(provider, cause.RetryAfter, now)
	}
	if cause.RetryAfter > schedule.MaxRetryAfter && cause.Reason != v1alpha1.ReasonToolFailed {
		w.longWait(provider, cause.RetryAfter, now)
	}
}

// limited notes that a provider has refused a request because there are too many.
func (w *watch) limited(provider string, wish time.Duration, now time.Time) {
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
func (w *watch) troubles(now time.Time, core *schedule.Core) (found runreport.Troubles) {
	slow := map[string]*runreport.SlowModel{}
	for _, request := range w.pending {
		age := now.Sub(request.since)
		found.OldestRequestSeconds = max(found.OldestRequestSeconds, int64(age/time.Second))
		if w.slow == 0 || age < w.slow {
			continue
		}
		found.SlowRequests++
		alias, since := request.column.Model.Alias, request.since.UTC().Truncate(time.Second)
		if slow[alias] == nil {
			slow[alias] = &runreport.SlowModel{Model: alias, Provider: request.column.Model.Provider, Since: since}
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
	return runreport.Endpoint{Provider: provider, State: state, Since: since.UTC().Truncate(time.Second), Until: until.UTC().Truncate(time.Second), Refused: refused}
}

// waits says whether a wait for a provider is known that explains why nothing is made: cells are put off, a provider is left alone for a
// while, others have all that may be sent to it, or it is paused and all that runs are the questions whether it is back.
func (w *watch) waits(states []schedule.LaneState, now time.Time) bool {
	known := false
	for _, state := range states {
		paused := !state.PausedUntil.IsZero()
		if state.Running > 0 && !paused {
			return false
		}
		others := state.Ready > 0 && state.Waits.Reason == admission.Share && state.Share == 0
		known = known || paused || others || (state.Deferred > 0 && state.NextTry.After(now)) || (state.Ready > 0 && state.Waits.Until.After(now))
	}
	if known {
		w.waited = now
	}
	return known
}

// overdue says whether the run has made no progress, and known of no wait for a provider, for so long that it is to be ended.
func (w *watch) overdue(now time.Time, core *schedule.Core) bool {
	if w.deadline == 0 || now.Sub(w.progressed) < min(w.deadline, time.Second) || w.waits(core.LaneStates(), now) {
		return false
	}
	since := w.progressed
	if w.waited.After(since) {
		since = w.waited
	}
	return now.Sub(since) >= w.deadline
}

// endStalled ends a run that makes no progress, and leaves what it was doing in the output.
func (d *driver) endStalled(now time.Time) {
	var text strings.Builder
	fmt.Fprintf(&text, "%s: no progress since %s\n", now.UTC().Format(time.RFC3339), d.watch.progressed.UTC().Format(time.RFC3339))
	for i, state := range d.core.LaneStates() {
		fmt.Fprintf(&text, "%s: %s\n", d.names[i], describe(state, now))
	}
	atWork := told(d.watch.atWork, now, 0)
	for _, line := range atWork {
		fmt.Fprintf(&text, "at work: %s\n", line)
	}
	text.WriteByte('\n')
	stacks := make([]byte, dumpBytes)
	text.Write(stacks[:runtime.Stack(stacks, true)])
	where := "what its process was doing is in the output, in "
	name, err := d.job.Store.WriteStall(d.job.Shard, d.job.Attempt, []byte(text.String()))
	if err != nil {
		where, name = "what its process was doing could not be written: ", err.Error()
	}
	doing := ""
	if len(atWork) > 0 {
		doing = "; at work: " + strings.Join(atWork, "; ")
	}
	ending := failure.New(v1alpha1.ReasonStalled, failure.EndRun,
		"nothing was made for %s, and no wait for a provider explains it (run.stallDeadlineSeconds is %d)%s; %s%s",
		now.Sub(d.watch.progressed).Round(time.Second), int(d.watch.deadline/time.Second), doing, where, name)
	ending.Temporary = true
	d.core.End(ending)
}
