package watch

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
)

// dumpBytes bounds what is written of the goroutines of a run that has stalled.
const dumpBytes = 8 << 20

// waits says whether a wait for a provider is known that explains why nothing is made: cells are put off, a provider is left alone for a
// while, others have all that may be sent to it, or it is paused and all that runs are the questions whether it is back.
func (w *Watch) waits(states []schedule.LaneState, now time.Time) bool {
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

// Overdue says whether the run has made no progress, and known of no wait for a provider, for so long that it is to be ended.
func (w *Watch) Overdue(now time.Time, core *schedule.Core) bool {
	if w.deadline == 0 || now.Sub(w.progressed) < min(w.deadline, time.Second) || w.waits(core.LaneStates(), now) {
		return false
	}
	since := w.progressed
	if w.waited.After(since) {
		since = w.waited
	}
	return now.Sub(since) >= w.deadline
}

// Stalled is the end of a run that makes no progress. What it was doing is written where a person finds it: write returns the name of the
// file.
func (w *Watch) Stalled(now time.Time, core *schedule.Core, write func(text []byte) (name string, err error)) *failure.Error {
	batches := linesOf(w.atWork, now, 0)
	where := "what its process was doing is in the output, in "
	name, err := write(w.stallText(now, core.LaneStates(), batches))
	if err != nil {
		where, name = "what its process was doing could not be written: ", err.Error()
	}
	doing := ""
	if len(batches) > 0 {
		doing = "; at work: " + strings.Join(batches, "; ")
	}
	ending := failure.New(v1alpha1.ReasonStalled, failure.EndRun,
		"nothing was made for %s, and no wait for a provider explains it (run.stallDeadlineSeconds is %d)%s; %s%s",
		now.Sub(w.progressed).Round(time.Second), int(w.deadline/time.Second), doing, where, name)
	ending.Temporary = true
	return ending
}

// stallText says what each lane and each goroutine does.
func (w *Watch) stallText(now time.Time, states []schedule.LaneState, batches []string) []byte {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s: no progress since %s\n", now.UTC().Format(time.RFC3339), w.progressed.UTC().Format(time.RFC3339))
	for i, state := range states {
		fmt.Fprintf(&text, "%s: %s\n", w.lanes[i], stateText(state, now))
	}
	for _, line := range batches {
		fmt.Fprintf(&text, "at work: %s\n", line)
	}
	text.WriteByte('\n')
	stacks := make([]byte, dumpBytes)
	text.Write(stacks[:runtime.Stack(stacks, true)])
	return text.Bytes()
}

// stalled reports what each lane waits for.
func (w *Watch) stalled(now time.Time, core *schedule.Core) {
	running := 0
	var lanes []any
	var until time.Time
	for i, state := range core.LaneStates() {
		running += state.Running
		if state.Running+state.Ready+state.Deferred == 0 {
			continue
		}
		lanes = append(lanes, slog.String(w.lanes[i], stateText(state, now)))
		for _, moment := range []time.Time{state.NextTry, state.PausedUntil, state.Waits.Until} {
			if moment.After(now) && (until.IsZero() || moment.Before(until)) {
				until = moment
			}
		}
	}
	since := now.Sub(w.progressed).Round(time.Second)
	details := []any{slog.Group("lanes", lanes...)}
	if batches := linesOf(w.atWork, now, 0); len(batches) > 0 {
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

// stateText describes a lane.
func stateText(state schedule.LaneState, now time.Time) string {
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
