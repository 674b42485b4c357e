package schedule

import (
	"math"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/reason"
)

// GateConfig says when cells fail too often to go on.
type GateConfig struct {
	Enabled bool
	// ErrorRate is the share of failed cells, from 0 to 1, above which the run ends.
	ErrorRate float64
	// Window is how many of a column's latest outcomes are looked at.
	Window int
}

const (
	// alwaysFailing is after how many failures without any success a column is given up.
	alwaysFailing = 25
	// hopelessRequests is after how many requests of failed cells a column without any success is given up, once so many cells have failed:
	// where each costs many requests, waiting for as many cells would cost too much.
	hopelessRequests = 25
	hopelessCells    = 5
	// confidence is the number of standard deviations of the lower confidence bound. The bound is looked at after every outcome,
	// so it has to be wide: 3 keeps random failures of a healthy run from ever adding up.
	confidence = 3
)

// gate watches the latest outcomes of a column.
type gate struct {
	config    GateConfig
	outcomes  []bool
	next      int
	count     int
	failures  int
	total     int
	succeeded bool
	// requests are those of the cells that have failed before the first success.
	requests int64
}

func newGate(config GateConfig) gate {
	return gate{config: config, outcomes: make([]bool, max(config.Window, alwaysFailing))}
}

// add notes an outcome, and says whether the run must end.
func (g *gate) add(failed bool) bool {
	if g.count == len(g.outcomes) {
		if g.outcomes[g.next] {
			g.failures--
		}
	} else {
		g.count++
	}
	g.outcomes[g.next] = failed
	g.next = (g.next + 1) % len(g.outcomes)
	g.total++
	if !failed {
		g.succeeded = true
		return false
	}
	g.failures++
	if !g.config.Enabled {
		return false
	}
	if !g.succeeded {
		return g.total >= alwaysFailing || g.total >= hopelessCells && g.requests >= hopelessRequests
	}
	return g.count >= g.config.Window && lowerBound(g.failures, g.count) > g.config.ErrorRate
}

// lowerBound is the lower end of the Wilson score interval (E. B. Wilson, 1927) for a share.
func lowerBound(hits, count int) float64 {
	n, share, z2 := float64(count), float64(hits)/float64(count), float64(confidence*confidence)
	centre := share + z2/(2*n)
	margin := confidence * math.Sqrt(share*(1-share)/n+z2/(4*n*n))
	return (centre - margin) / (1 + z2/n)
}

// OutageConfig says how long an endpoint may be unreachable before the run ends, resumable.
type OutageConfig struct {
	// First holds until the first answer ever, Later afterwards.
	First, Later time.Duration
}

const (
	// pauseAfter is how many failures in a row, of those that tell of the endpoint and not of the request, pause it.
	pauseAfter = 5
	// doubtAfter is the same for failures that may tell of either: time-outs, status 500. Each has to be of another cell.
	doubtAfter = 10
)

// endpoint is the health of an endpoint: a circuit breaker. While it is paused, one probe at a time finds out when it is back.
type endpoint struct {
	successes    int64
	failures     int
	doubts       int
	unsuccessful int // all of them, since the last success
	failingSince time.Time
	pausedUntil  time.Time
	// probing says that a probe is under way; probes counts those that have failed since the pause began.
	probing bool
	probes  int
}

func (e *endpoint) paused() bool { return e.failures >= pauseAfter }

func (e *endpoint) allows(now time.Time) bool {
	return !e.paused() || (!e.probing && !now.Before(e.pausedUntil))
}

// start notes that a request starts, and says whether it is a probe.
func (e *endpoint) start() bool {
	e.probing = e.paused()
	return e.probing
}

func (e *endpoint) succeeded() {
	e.successes++
	e.failures, e.doubts, e.unsuccessful, e.probes, e.probing = 0, 0, 0, 0, false
	e.failingSince, e.pausedUntil = time.Time{}, time.Time{}
}

// probeFailed makes the pause longer. Only a probe does: the requests that were under way when the pause began tell nothing new.
func (e *endpoint) probeFailed(now time.Time) {
	if !e.probing {
		return // the endpoint has come back in the meantime
	}
	e.probing = false
	e.probes++
	e.pausedUntil = now.Add(min(maxBackoff, firstBackoff<<min(e.probes, 6)))
}

// failed notes a failure, and returns the end of the run when the outage lasts for too long. first says that it is the first of its cell.
func (e *endpoint) failed(now time.Time, probe, first bool, config OutageConfig, cause *failure.Error) *failure.Error {
	if e.unsuccessful == 0 {
		e.failingSince = now
	}
	e.unsuccessful++
	before := e.paused()
	switch {
	case cause.Consequence == failure.PauseEndpoint:
		e.failures++
	case first:
		e.doubts++
		if e.doubts >= doubtAfter {
			e.failures = max(e.failures, pauseAfter)
		}
	}
	switch {
	case probe:
		e.probeFailed(now)
	case !before && e.paused():
		e.pausedUntil = now.Add(firstBackoff)
	}
	limit := config.Later
	if e.successes == 0 {
		limit = config.First
	}
	outage := now.Sub(e.failingSince)
	if !e.paused() || outage < limit {
		return nil
	}
	if cause.Traits().Subject == reason.SubjectTools {
		// The provider has waited with the cells whose tools are away, and is not to blame.
		ending := failure.New(cause.Reason, failure.EndRun, "no cell has got past its tools for %s (%d tries in a row); the last failure: %s",
			outage.Round(time.Second), e.unsuccessful, cause.Message)
		ending.Temporary = true
		return ending
	}
	ending := failure.New(v1alpha1.ReasonProviderUnavailable, failure.EndRun,
		"nothing has got through to the provider for %s (%d requests in a row); "+
			"check that its endpoint is right and that it is up; the last failure: %s",
		outage.Round(time.Second), e.unsuccessful, cause.Message)
	ending.Temporary = true
	return ending
}
