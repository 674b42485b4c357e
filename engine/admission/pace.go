package admission

import (
	"math"
	"time"
)

const (
	// slowness is how many times its baseline the pace may be before the limit is cut; above unease times it, the limit does not grow.
	slowness, unease = 2, 1.5
	// response is the share of the pace before a cut that it must have come down to. If it has not, it was not this limit's requests
	// that have made the provider slow.
	response = 0.9
	// steady is up to how many times the pace of the window before a pace counts as the same.
	steady = 1.1
	// overhead is what an answer costs before its first token, in tokens.
	overhead = 16
	// leastWindow and mostWindow bound the number of requests that the pace is taken over.
	leastWindow, mostWindow = 32, 256
	// settling is how many mean durations pass after a cut before the pace is taken: the shortest requests come back first.
	settling = 3
	// drift is the share by which a baseline that is not met any more rises in a minute.
	drift = 0.01
)

// pace is what a limiter knows of the provider's latency: the time for each token of an answer, or for a whole answer where its tokens are
// not known, since how long an answer takes depends on its length. Each class has a baseline of its own, the lowest pace that was seen.
type pace struct {
	classes []class
	// mean is the mean duration of requests.
	mean time.Duration
	// after is when the next window may begin.
	after time.Time
	// slow says that the pace is well above its baseline.
	slow bool
	// verifying is the class, plus one, that has caused the last cut, and before its pace then.
	verifying int
	before    float64
}

// class is one kind of requests, with the window that its pace is taken over.
type class struct {
	// baseline is the pace at its best, as of at, and last that of the window before.
	baseline, last float64
	at             time.Time
	// tokens says that the length of answers is known.
	tokens bool
	window
}

// window has sums of durations in seconds, d, and lengths, w.
type window struct {
	count            int
	d, w, dd, dw, ww float64
}

// pace returns the time for each unit of length, and its standard error.
func (w *window) pace() (pace, deviation float64) {
	pace = w.d / w.w
	rest := w.dd - 2*pace*w.dw + pace*pace*w.ww
	return pace, math.Sqrt(max(0, rest)) / w.w
}

// restart begins all windows anew after a cut.
func (l *Limiter) restart(now time.Time) {
	l.after = now.Add(settling * l.mean)
	l.slow, l.verifying = false, 0
	for i := range l.classes {
		l.classes[i].window = window{}
	}
}

// sample notes the duration of a request that has passed, and says whether the limit has changed for it.
func (l *Limiter) sample(lease Lease, now time.Time, result Result) bool {
	took := now.Sub(lease.start)
	if l.mean == 0 {
		l.mean = took
	}
	l.mean += (took - l.mean) / 16
	if result.Class >= len(l.classes) || now.Before(l.after) {
		return false
	}
	current := &l.classes[result.Class]
	length := 1.0
	if result.OutputTokens > 0 {
		if !current.tokens {
			*current = class{tokens: true}
		}
		length = float64(result.OutputTokens) + overhead
	} else if current.tokens {
		return false
	}
	current.add(took.Seconds(), length)
	full := min(max(leastWindow, l.limit), mostWindow)
	if current.baseline == 0 {
		// The first requests meet an empty queue.
		full = leastWindow
	}
	if current.count < full {
		return false
	}
	return l.judge(result.Class, now)
}

func (w *window) add(d, length float64) {
	w.count++
	w.d += d
	w.w += length
	w.dd += d * d
	w.dw += d * length
	w.ww += length * length
}

// judge compares the pace of a full window with the baseline, and says whether the limit has changed for it.
func (l *Limiter) judge(index int, now time.Time) bool {
	current := &l.classes[index]
	pace, deviation := current.pace()
	current.window = window{}
	if l.verifying == index+1 {
		l.verifying = 0
		if pace > response*l.before {
			current.baseline = pace
			l.limit = max(l.limit, l.good)
		}
	}
	switch {
	case current.baseline == 0 || pace+deviation < current.baseline:
		current.baseline = pace + deviation
	case pace > current.baseline:
		current.baseline *= 1 + drift*min(1, now.Sub(current.at).Minutes())
	}
	current.at = now
	surely, last := pace-2*deviation, current.last
	current.last = pace
	l.slow = pace-deviation > unease*current.baseline
	if !current.tokens {
		l.slow = surely > unease*current.baseline
	}
	// While a queue still grows, the pace says nothing of what a lower limit would change.
	if surely <= slowness*current.baseline || pace > steady*last || l.limit == 1 {
		return false
	}
	l.hold = 0
	l.good = l.limit
	l.cut(l.limit, now)
	l.slow, l.verifying, l.before = true, index+1, pace
	return true
}
