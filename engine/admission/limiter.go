// Package admission decides how many requests to a model may be under way: a limit that follows what the provider can take, pauses that
// the provider asks for, and budgets for a minute. It is pure: it starts no goroutine, reads no clock and does no input or output; its
// owner tells it what happened and when, and every operation takes constant time.
package admission

import "time"

// MaxRetryAfter is up to where a server's own wish is honoured.
const MaxRetryAfter = 5 * time.Minute

// Config says how a limiter works.
type Config struct {
	// Cap is the largest number of requests under way.
	Cap int
	// Adaptive has the limit follow what the provider can take, from 1 to Cap. Without it, the limit is always Cap.
	Adaptive bool
	// Ramp is the time over which the limit grows from 1 to Cap when the first request is sent; 0 is at once.
	Ramp time.Duration
	// Gentle has an adaptive limiter send few requests at first, and twice as many each time that none of them was refused.
	Gentle bool
	// Classes is the number of kinds of requests; each has a latency of its own.
	Classes int
}

// Outcome is what the end of a request says of the load of the provider.
type Outcome int

// The outcomes.
const (
	// Nothing: the request failed for a reason of its own, or was cancelled.
	Nothing Outcome = iota
	// Passed: the request was answered.
	Passed
	// Refused: the provider has more to do than it wants.
	Refused
	// TimedOut: no answer came in time.
	TimedOut
)

// Result is how a request has ended.
type Result struct {
	Outcome Outcome
	// RetryAfter is the time for which a refusing provider wants to be left alone; 0 when it has not said.
	RetryAfter time.Duration
	// Requests is how many were sent, if more than one.
	Requests int64
	// Tokens is how many the request has used, and OutputTokens how many of them the answer has; 0 when that is not known.
	Tokens, OutputTokens int64
}

// Lease is the right to have one request under way. It is given back once.
type Lease struct {
	start time.Time
	// running is how many were under way with it when it started, refusals how many had been refused until then.
	running  int
	refusals int64
	// generation is the number of cuts before the start.
	generation int64
	tokens     float64
	// class is the kind of the request; first says that the latency of its class is learnt from it.
	class int
	first bool
}

// Reason is what a limiter waits for.
type Reason int

// The reasons for which a request may not start.
const (
	// NoReason: a request may start.
	NoReason Reason = iota
	// Limit: one that is under way has to come back first.
	Limit
	// Pause: the provider wants to be left alone, or has refused everything for a while.
	Pause
	// Recovery: after a refusal, requests are sent by and by.
	Recovery
	// Ramp: the run has just begun.
	Ramp
	// Requests and Tokens: the budget for a minute is used up.
	Requests
	Tokens
	// Share: as many are under way as this engine may send to the endpoint, which it shares with others.
	Share
)

// Wait is what a limiter waits for, and until when. Until is zero for Limit and Share.
type Wait struct {
	Reason Reason
	Until  time.Time
}

// Stats are what has happened since the beginning.
type Stats struct {
	// Passed and Refused count requests.
	Passed, Refused int64
	// Cuts counts the times that the limit was lowered, Pauses those that the provider was left alone.
	Cuts, Pauses int64
}

// Limiter is the limit of one kind of requests to one model.
type Limiter struct {
	config  Config
	pool    *Pool
	ceiling *Ceiling
	limit   int
	running int
	wait    Wait
	stats   Stats

	rampStart   time.Time
	ramping     bool
	pausedUntil time.Time
	// pause is the length of the last pause.
	pause time.Duration
	adaptation
	pace
}

// New returns a limiter. Limiters of the same model share a pool, those of the same endpoint a ceiling; nil stands for one without limits.
func New(config Config, pool *Pool, ceiling *Ceiling) *Limiter {
	if pool == nil {
		pool = NewPool(PoolConfig{})
	}
	if ceiling == nil {
		ceiling = &Ceiling{}
	}
	limiter := &Limiter{config: config, pool: pool, ceiling: ceiling, limit: config.Cap, ramping: config.Ramp > 0 && config.Cap > 1}
	limiter.adaptation = adaptation{good: config.Cap, step: 1, patience: leastPatience}
	if config.Gentle && config.Adaptive {
		limiter.recovering, limiter.burst = true, gentleStart(config.Cap)
	}
	limiter.classes = make([]class, config.Classes)
	return limiter
}

// Limit is the number of requests that may be under way now, at most.
func (l *Limiter) Limit() int { return l.limit }

// Running is the number of requests under way.
func (l *Limiter) Running() int { return l.running }

// Adaptive says whether the limit follows what the provider can take.
func (l *Limiter) Adaptive() bool { return l.config.Adaptive }

// Stats returns what has happened since the beginning.
func (l *Limiter) Stats() Stats { return l.stats }

// PausedUntil is until when the provider is left alone; it lies in the past, or is zero, when it is not.
func (l *Limiter) PausedUntil() time.Time { return l.pausedUntil }

// Waits returns what the last call of Room has found to wait for.
func (l *Limiter) Waits() Wait { return l.wait }

// Room says whether a request may start now.
func (l *Limiter) Room(now time.Time) bool {
	l.wait = l.room(now)
	return l.wait.Reason == NoReason
}

func (l *Limiter) room(now time.Time) Wait {
	if now.Before(l.pausedUntil) {
		return Wait{Pause, l.pausedUntil}
	}
	l.acceptOverdue(now)
	if l.running >= l.limit {
		l.saturated = true
		return Wait{Reason: Limit}
	}
	if l.ramping {
		if until := l.ramp(now); !until.IsZero() {
			return Wait{Ramp, until}
		}
	}
	if l.recovering && l.tried >= l.burst {
		return Wait{Recovery, l.triedSince.Add(l.patience)}
	}
	if wait := l.pool.room(now); wait.Reason != NoReason {
		return wait
	}
	return l.ceiling.room()
}

// ramp returns when the next request may start while the limit still grows from 1; zero stands for now.
func (l *Limiter) ramp(now time.Time) time.Time {
	if l.rampStart.IsZero() {
		return time.Time{}
	}
	if now.Sub(l.rampStart) >= l.config.Ramp {
		l.ramping = false
		return time.Time{}
	}
	share := float64(l.running) / float64(l.config.Cap-1)
	if due := l.rampStart.Add(time.Duration(share * float64(l.config.Ramp))); due.After(now) {
		return due
	}
	return time.Time{}
}

// Start notes that a request of a class, from 0 to Config.Classes-1, starts. Room must have said that it may.
func (l *Limiter) Start(now time.Time, class int) Lease {
	l.running++
	l.ceiling.running++
	l.relieve()
	if l.ramping && l.rampStart.IsZero() {
		l.rampStart = now
	}
	if l.recovering {
		if l.tried == 0 {
			l.triedSince = now
		}
		l.tried++
	}
	return Lease{
		start: now, running: l.running, refusals: l.stats.Refused, generation: l.generation,
		tokens: l.pool.start(now), class: class, first: l.isFirst(class, now),
	}
}

// Done notes that a request has ended.
func (l *Limiter) Done(lease Lease, now time.Time, result Result) {
	l.running--
	l.ceiling.running--
	l.pool.done(now, lease.tokens, result)
	switch result.Outcome {
	case Passed:
		l.stats.Passed++
		if l.config.Adaptive {
			l.passed(lease, now, result)
		}
	case Refused:
		l.stats.Refused++
		switch pause := min(result.RetryAfter, MaxRetryAfter); {
		case !l.isProbe(lease):
			l.leaveAlone(now, pause)
		case pause > 0 && now.Add(probePauses*pause).After(l.restUntil):
			l.restFor(now, pause, probePauses) // only the request itself has to wait
		}
		if l.config.Adaptive {
			l.refused(lease, now, result.RetryAfter > 0)
		}
	case TimedOut:
		if l.config.Adaptive {
			l.timedOut(lease, now)
		}
	case Nothing:
	}
	if lease.first && lease.generation == l.generation {
		l.firstBack(lease.class)
	}
}

// leaveAlone sends nothing for a while. A shorter wish does not end a longer one.
func (l *Limiter) leaveAlone(now time.Time, pause time.Duration) {
	until := now.Add(pause)
	if pause <= 0 || !until.After(l.pausedUntil) {
		return
	}
	if !l.pausedUntil.After(now) {
		l.stats.Pauses++
	}
	l.pausedUntil = until
	l.restFor(now, pause, restPauses)
}

// restFor has it be found out only after so many pauses whether there is room for more: that may cost one more, and must be rare.
func (l *Limiter) restFor(now time.Time, pause, pauses time.Duration) {
	l.restUntil, l.pause = now.Add(pauses*pause), pause
}
