package admission

import (
	"math"
	"time"
)

const (
	// slowness is how many times its baseline the pace may be before the limit is cut; above unease times it, the limit does not grow.
	slowness, unease = 2, 1.5
	// change is how many times the pace of the first requests it must be too, before it has been seen that a cut makes it lower.
	change = 1.25
	// response is the share of the pace before a cut that it must have come down to. If it has not, it was not this limit's requests
	// that have made the provider slow.
	response = 0.9
	// steady is up to how many times the pace of the window before a pace counts as the same.
	steady = 1.1
	// overhead is what an answer costs before its first token, in tokens.
	overhead = 16
	// leastDuration is what shorter requests count for: whether they are slower is of no interest.
	leastDuration = time.Millisecond
	// leastWindow and mostWindow bound the number of requests that the pace is taken over.
	leastWindow, mostWindow = 32, 256
	// mostFirst bounds the number of requests that are taken for the first ones. One in stragglers of them is not waited for.
	mostFirst, stragglers = 64, 32
	// settling is how many mean durations pass after a cut before the pace is taken: the shortest requests come back first.
	settling = 3
	// drift is the share by which a baseline that is not met any more rises in a minute.
	drift = 0.01
)

// pace is what a limiter knows of the provider's latency: the time for each token of an answer, or for a whole answer where its tokens are
// not known, since how long an answer takes depends on its length. Each class has a baseline of its own, the lowest pace that was seen. A
// pace is the mean of logarithms, so that the few answers that take very long, as they do everywhere, count for little: a queue makes all
// of them longer.
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

// class is one kind of requests, with the window that its pace is taken over. Paces are logarithms of seconds.
//
// What comes back first is what was answered fastest, be it that it met no queue or that answers differ. So the first window is the
// baseline to hold later ones to, which are never slower without a queue than the requests that were started first, all of which are
// waited for: only a pace that is far above both is taken for a queue.
type class struct {
	// baseline is the pace at its best, as of at, and last that of the window before. known says that there is a baseline.
	baseline, last float64
	known          bool
	at             time.Time
	// plain is the pace of the requests that were started first, started and back how many of them were started and are back, and first
	// what is known of them. hasPlain says that there are enough.
	plain         float64
	hasPlain      bool
	started, back int
	first         window
	// queues says that a cut has made the pace lower, as it does where requests wait for each other.
	queues bool
	// tokens says that the length of answers is known.
	tokens bool
	window
}

// window has the sum of what was added, and that of its squares.
type window struct {
	count        int
	sum, squares float64
}

// pace returns the mean, and its standard error.
func (w *window) pace() (pace, deviation float64) {
	n := float64(w.count)
	pace = w.sum / n
	return pace, math.Sqrt(max(0, w.squares/n-pace*pace) / n)
}

func (w *window) add(value float64) {
	w.count++
	w.sum += value
	w.squares += value * value
}

// isFirst says of a request that starts whether it is one of the first of its class.
func (l *Limiter) isFirst(index int, now time.Time) bool {
	if index >= len(l.classes) || now.Before(l.after) {
		return false
	}
	current := &l.classes[index]
	if current.hasPlain || current.started == l.firsts() {
		return false
	}
	current.started++
	return true
}

// firsts is how many requests are the first ones.
func (l *Limiter) firsts() int { return min(max(leastWindow, l.config.Cap), mostFirst) }

// restart begins all windows anew after a cut.
func (l *Limiter) restart(now time.Time) {
	l.after = now.Add(settling * l.mean)
	l.slow, l.verifying = false, 0
	for i := range l.classes {
		current := &l.classes[i]
		current.window = window{}
		current.beginFirst()
	}
}

// beginFirst has the first requests begin anew.
func (c *class) beginFirst() { c.first, c.started, c.back = window{}, 0, 0 }

// sample notes the duration of a request that has passed, and says whether the limit has changed for it.
func (l *Limiter) sample(lease Lease, now time.Time, result Result) bool {
	took := now.Sub(lease.start)
	if l.mean == 0 {
		l.mean = took
	}
	l.mean += (took - l.mean) / 16
	if lease.class >= len(l.classes) || now.Before(l.after) {
		return false
	}
	current := &l.classes[lease.class]
	length := 1.0
	if result.OutputTokens > 0 {
		if !current.tokens {
			// What was taken without them is no measure for what comes.
			*current = class{tokens: true, started: current.started, back: current.back}
		}
		length = float64(result.OutputTokens) + overhead
	} else if current.tokens {
		return false
	}
	value := math.Log(max(took, leastDuration).Seconds() / length)
	if lease.first && !current.hasPlain {
		current.first.add(value)
	}
	current.add(value)
	full := min(max(leastWindow, l.limit), mostWindow)
	if !current.known {
		full = leastWindow
	}
	if current.count < full {
		return false
	}
	return l.judge(lease.class, now)
}

// firstBack notes that one of the first requests of a class is back, with an answer or without. When few were answered, others are waited
// for.
func (l *Limiter) firstBack(index int) {
	current := &l.classes[index]
	if current.hasPlain {
		return
	}
	firsts := l.firsts()
	if current.back++; current.back < firsts-firsts/stragglers {
		return
	}
	if current.first.count < firsts/2 {
		current.beginFirst()
		return
	}
	pace, deviation := current.first.pace()
	current.plain, current.hasPlain = pace+deviation, true
}

// judge compares the pace of a full window with the baseline, and says whether the limit has changed for it.
func (l *Limiter) judge(index int, now time.Time) bool {
	current := &l.classes[index]
	pace, deviation := current.pace()
	current.window = window{}
	if l.verifying == index+1 {
		l.verifying = 0
		if current.queues = pace+deviation <= l.before+math.Log(response); !current.queues {
			current.baseline, current.plain = pace, max(current.plain, pace)
			l.limit = max(l.limit, l.good)
		}
	}
	switch {
	case !current.known || pace+deviation < current.baseline:
		current.baseline, current.known = pace+deviation, true
	case pace > current.baseline:
		current.baseline += math.Log1p(drift * min(1, now.Sub(current.at).Minutes()))
	}
	current.at = now
	surely, last := pace-2*deviation, current.last
	current.last = pace
	// While a queue still grows, the pace says nothing of what a lower limit would change.
	isQueue := current.queues || current.hasPlain && surely > current.plain+math.Log(change)
	l.slow = isQueue && surely > current.baseline+math.Log(unease)
	if !isQueue || surely <= current.baseline+math.Log(slowness) || pace > last+math.Log(steady) || l.limit == 1 {
		return false
	}
	l.hold = 0
	l.good = l.limit
	l.cut(l.limit, now)
	l.slow, l.verifying, l.before = true, index+1, pace
	return true
}
