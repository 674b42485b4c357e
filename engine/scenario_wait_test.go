package engine_test

import (
	"testing"
	"time"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/llmsim"
)

// P11: 512 requests are refused with a Retry-After of three seconds. Until then nothing is sent, and nothing is computed.
func TestManyRowsThatWaitCostNothing(t *testing.T) {
	// Nothing else runs in this process: the test is not parallel.
	const slots, rows, wish = 512, 600, 6 * time.Second
	// All are under way before the first one is refused.
	w, server := newScenario(t, rows, slots, llmsim.Config{Faults: []llmsim.Fault{
		{Kind: llmsim.FaultStatus, Status: 429, RetryAfter: llmsim.Duration(wish), Delay: milliseconds(2000), ToRequest: slots},
	}})
	config := w.config(0)
	observed := make(chan *progress.Tracker, 1)
	config.Observe = func(tracker *progress.Tracker) func() { observed <- tracker; return nil }
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(t.Context(), config) }()
	tracker := <-observed
	waitUpTo(t, time.Minute, "all requests to be refused", func() bool {
		snapshot := tracker.Snapshot()
		return snapshot.InFlight == 0 && snapshot.Models[0].Failed == slots
	})
	var first time.Time
	for _, request := range server.Requests().Requests {
		if refused := request.Start.Add(time.Duration(request.DurationMillis * float64(time.Millisecond))); first.IsZero() ||
			refused.Before(first) {
			first = refused
		}
	}
	earliest := first.Add(wish)
	began, before := time.Now(), processorTime(t)
	<-time.After(time.Until(earliest) - 100*time.Millisecond)
	waited, used := time.Since(began), processorTime(t)-before
	t.Logf("a wait of %s has cost %s of processor time", waited.Round(time.Millisecond), used)
	if waited < time.Second || used > waited/50 {
		t.Errorf("a wait of %s for %d rows has cost %s of processor time", waited, slots, used)
	}
	requireComplete(t, w, <-ended)
	for _, request := range server.Requests().Requests {
		if request.Number > slots && request.Start.Before(earliest) {
			t.Fatalf("request %d was sent %s before the server wanted the next one", request.Number, earliest.Sub(request.Start))
		}
	}
	if counters := server.Counters(); counters.Requests != rows+slots || counters.Succeeded != rows {
		t.Errorf("%d requests were sent, and %d answered", counters.Requests, counters.Succeeded)
	}
}
