package admission

import "time"

const (
	// cutShare is what is left of the limit after a cut.
	cutShare = 0.75
	// yieldShare is what is gone back to when a request is refused though no more are under way than the provider has taken before: then
	// another client wants its share, and the one that has more gives more.
	yieldShare = 0.9
	// For so many cuts after it has yielded, a client gives up one in contendedDivisor at each cut, which brings it to its fair share.
	contendedCuts, contendedDivisor = 24, 32
	// muchGrown is after how many steps of growth the limit has grown by much.
	muchGrown = 4
	// mostHold bounds the number of rounds between two attempts to have more under way, as a power of 2. So few requests are refused.
	mostHold = 3
	// After longestHold and leastHold requests those rounds are over too: with long answers, they would take minutes.
	longestHold, leastHold = 4 * time.Second, 56
	// attemptShare is how many times the time that an attempt costs, in which little is sent, passes between attempts that fail at once, but
	// for longestHold: where answers are quick, those rounds are over before.
	attemptShare = 40
	// smallStep is up to which step of growth a refusal says no more than that this step was too much.
	smallStep = 2
	// restPauses is how many times the length of a pause has to pass before the next attempt.
	restPauses = 20
	// probePauses is that where the pause was one request's alone.
	probePauses = 5
	// fallenPauses is that of a provider that has just become much smaller than it was.
	fallenPauses = 4
	// Once such a provider has taken one more, fallenBurst are sent at once, then twice as many, and so on.
	fallenBurst = 4
	// leastProbe is how long it takes at least until it is sent one more, which grows to one in probeDivisor of the time since it has
	// become smaller: one that is smaller for a second is found out in a fraction of it, and one that stays so is not asked often.
	leastProbe, probeDivisor = 200 * time.Millisecond, 4
	// For so long after a provider that has taken much more refuses, each round finds out at least whether it is as large again.
	plateauTime = 30 * time.Second
	// firstPause and longestPause bound the pauses while everything is refused. Each is an eighth of the time since the first refusal.
	firstPause   = 200 * time.Millisecond
	pauseDivisor = 8
	longestPause = 30 * time.Second
	// A request that is not refused within so many times the time that refusals take is taken for accepted.
	patienceFactor = 3
	leastPatience  = 50 * time.Millisecond
	// A gentle start sends one in startDivisor of the limit, and leastStart at least.
	startDivisor, leastStart = 8, 8
	// Each request that is sent takes doubtDrain from the doubt, to which each refusal adds 1; at mostDoubt, the provider is full. So
	// refusals that are much rarer than doubtDrain, whatever the load, are no reason for fewer requests.
	doubtDrain, mostDoubt = 0.06, 3
	// moodyAfter is after how many doubts that came to nothing the provider is known to refuse now and then without a reason.
	moodyAfter = 3
	// timeOutWindow is over how many results the share of time-outs is taken; above one in timeOutShare, the provider is overloaded.
	timeOutWindow = 200
	timeOutShare  = 10
)

// gentleStart is how many requests of a limit are sent first, where a limiter begins gently.
func gentleStart(limit int) int { return max(leastStart, limit/startDivisor) }

// adaptation is what a limiter knows of the provider's capacity. After a refusal the limit is cut, requests are sent by and by, and as soon
// as one is accepted the limit goes back to just below the number that was refused. From there on it grows by 1, 2, 4 and so on, each
// after a round (as many requests as the limit) without a refusal.
type adaptation struct {
	// generation counts the cuts. Only requests that were started after the last one count for the next.
	generation int64
	// good is the number of requests under way that the provider could take last.
	good int
	// learning says that good follows from the refusals of the last cut's burst.
	learning bool
	// grew says that the last cut came because the limit had grown.
	grew bool
	// yields says that the last cut came though the limit had not grown just before.
	yields bool
	// contended is for how many more cuts others are taken to want their share.
	contended int
	// taken is how many the provider could take before it began to refuse.
	taken int
	// plateau is the limit that was in use for a while before the provider became smaller, as of plateauAt; 0 where there is none.
	plateau   int
	plateauAt time.Time
	// fallenAt is when the provider has become smaller, zero since it is as large again. returning says that the limit goes back there.
	fallenAt  time.Time
	returning bool
	// refusedSince is when the first refusal came since anything was accepted.
	refusedSince time.Time
	// patience is after how long a request that is not refused is taken for accepted; refusals take the time refusal.
	patience, refusal time.Duration

	// doubt is how far refusals in a series have led towards a cut, unfounded how many doubts in a row have come to nothing.
	doubt     float64
	unfounded int

	// recovering: of the requests since triedSince, up to burst may be sent; tried were.
	recovering   bool
	burst, tried int
	triedSince   time.Time

	// saturated says that the limit was what kept requests from starting.
	saturated bool
	// round counts the requests that have passed since the limit has changed.
	round int
	// step is by how much the limit grows next, grown how often it has since the last cut, the last time at grownAt. It stays at good for
	// 1<<hold rounds, and until restUntil.
	step, grown, hold         int
	grownAt, cutAt, restUntil time.Time
	// results and timeOuts count the latest results.
	results, timeOuts int
}

// refused cuts the limit, once for all requests that were under way together.
func (l *Limiter) refused(lease Lease, now time.Time, pauses bool) {
	l.noteRefusal(now.Sub(lease.start))
	tooMany := l.tooMany(lease)
	if lease.generation != l.generation {
		if l.learning && lease.generation == l.generation-1 {
			l.good = min(l.good, l.below(tooMany))
			if l.limit = min(l.limit, l.good); !l.grew {
				l.limit = min(l.limit, share(tooMany))
			}
		}
		return
	}
	if !pauses && l.doubts() {
		return
	}
	if l.refusedSince.IsZero() {
		l.firstRefused(now, tooMany, pauses)
	} else {
		l.learning = false
		if !pauses {
			// Nothing was accepted since the last refusal: there is no limit to be found just now, and it was no other client.
			l.good, l.contended = max(l.good, l.taken), 0
			rest := l.restUntil
			l.leaveAlone(now, min(max(firstPause, now.Sub(l.refusedSince)/pauseDivisor), longestPause))
			l.restUntil = rest
		}
	}
	l.grew = l.learning && !l.yields && l.grown > 0
	l.cut(min(l.limit, tooMany), now)
	l.recovering, l.returning, l.burst, l.tried = true, false, 1, 0
	if l.grew {
		// Nothing has to come back first, and others need not wait for one to be accepted: the provider is as large as before. When it is
		// not, the first refusal says so.
		l.limit = max(l.limit, l.good)
		l.burst = l.limit
	}
}

// isProbe says of a request that is refused, before this is noted, that it was the one more by which the limit had grown just before. That
// it was too much says nothing of the others.
func (l *Limiter) isProbe(refused Lease) bool {
	return l.config.Adaptive && refused.generation == l.generation && l.refusedSince.IsZero() &&
		l.grown > 0 && l.grown <= smallStep && !l.sustained()
}

// tooMany is how many requests the provider had with one that it has refused. What is still under way was accepted, as far as is known, and
// so was what was under way when it started and has come back since, unless it was refused: where answers take hardly longer than refusals,
// that is much.
func (l *Limiter) tooMany(refused Lease) int {
	return max(l.running+1, refused.running-int(l.stats.Refused-1-refused.refusals))
}

// doubts says that a refusal may be one of those that some providers and gateways give now and then, however little they have to do. Where
// the limit had grown just before, it is taken for the reason, unless the provider is known to do so.
func (l *Limiter) doubts() bool {
	if l.recovering || !l.sustained() && l.unfounded < moodyAfter {
		return false
	}
	if l.doubt++; l.doubt < mostDoubt {
		return true
	}
	l.doubt, l.unfounded = 0, 0
	return false
}

// relieve notes that a request was sent.
func (l *Limiter) relieve() {
	if l.doubt == 0 {
		return
	}
	if l.doubt -= doubtDrain; l.doubt <= 0 {
		l.doubt = 0
		l.unfounded++
	}
}

// sustained says that the provider has taken as much before.
func (l *Limiter) sustained() bool {
	return l.round >= l.limit || l.grown == 0 && l.generation > 0
}

// firstRefused learns from the first refusal after others were accepted.
func (l *Limiter) firstRefused(now time.Time, tooMany int, pauses bool) {
	l.refusedSince = now
	sustained := l.round >= l.limit
	l.yields = l.sustained()
	if l.taken = tooMany - 1; l.yields {
		l.taken = l.limit
		l.notePlateau(now)
	}
	// A provider that wants to be left alone after it has taken as much for a while has not become smaller.
	l.learning = !pauses || !sustained
	if l.learning {
		l.good = l.below(tooMany)
	}
	l.contended = max(0, l.contended-1)
	// An attempt that has failed at once makes the next one come later. Where there was far more to have, nobody else wants it.
	if l.hold++; l.grown > muchGrown {
		l.hold = 0
	}
	if l.grown > muchGrown+1 {
		l.contended = 0
	}
	if l.yields {
		l.hold, l.contended = mostHold, contendedCuts
	}
}

// notePlateau notes the limit that was in use before a refusal.
func (l *Limiter) notePlateau(now time.Time) {
	if !l.hasFallen(now) {
		l.plateau, l.plateauAt = l.limit, now
		if l.fallenAt.IsZero() || now.Sub(l.fallenAt) > plateauTime {
			l.fallenAt = now
		}
	}
}

// hasFallen says that the provider has just become much smaller than it was.
func (l *Limiter) hasFallen(now time.Time) bool {
	return 3*l.plateau > 5*l.limit && now.Sub(l.plateauAt) <= plateauTime
}

// below is what to go back to from a number of requests that was too much.
func (l *Limiter) below(tooMany int) int {
	switch {
	case l.yields:
		return max(1, int(yieldShare*float64(tooMany)))
	case l.contended > 0:
		return max(1, tooMany-1-(tooMany-1)/contendedDivisor)
	}
	return max(1, tooMany-1)
}

// noteRefusal learns how fast the provider refuses.
func (l *Limiter) noteRefusal(took time.Duration) {
	if l.refusal == 0 {
		l.refusal = took
	}
	l.refusal += (took - l.refusal) / 8
	l.patience = max(leastPatience, patienceFactor*max(l.refusal, took))
}

func share(of int) int { return max(1, int(cutShare*float64(of))) }

// cut lowers the limit to a share of a number of requests.
func (l *Limiter) cut(from int, now time.Time) {
	l.limit = share(from)
	l.stats.Cuts++
	l.generation++
	l.ramping, l.returning = false, false
	l.round, l.step, l.grown, l.saturated, l.cutAt = 0, 1, 0, false, now
	l.results, l.timeOuts = 0, 0
	l.restart(now)
}

// acceptOverdue takes the requests that were not refused for a while for accepted.
func (l *Limiter) acceptOverdue(now time.Time) {
	if l.recovering && l.tried > 0 && !now.Before(l.triedSince.Add(l.patience)) {
		l.accepted()
	}
}

// accepted goes back to the last good limit, with twice as many requests at once as before.
func (l *Limiter) accepted() {
	l.refusedSince = time.Time{}
	l.limit = max(l.limit, l.good)
	l.burst *= 2
	l.tried = 0
	// Where good was learnt just now there is nothing to find out by and by.
	l.recovering = l.burst < l.limit && !l.learning
	if l.returning && !l.recovering {
		// It takes as much as before: no other client has wanted a share of it.
		l.returning, l.contended, l.fallenAt = false, 0, time.Time{}
	}
}

func (l *Limiter) passed(lease Lease, now time.Time, result Result) {
	if lease.generation != l.generation {
		return
	}
	l.count()
	if l.recovering && l.tried > 0 && !lease.start.Before(l.triedSince) {
		l.accepted()
	}
	if l.sample(lease, now, result) {
		return
	}
	l.grow(now)
}

// goBack sends requests by and by up to where the limit was before the provider has become smaller: one that is refused ends it.
func (l *Limiter) goBack() {
	l.limit = l.plateau
	l.recovering, l.returning, l.learning, l.burst, l.tried = true, true, false, fallenBurst, 0
}

// grow raises the limit where it is what keeps requests from starting.
func (l *Limiter) grow(now time.Time) {
	l.round++
	if l.recovering || l.limit >= l.config.Cap || l.slow || !l.saturated {
		return
	}
	if l.limit < l.good {
		l.limit++
		return
	}
	if !l.isDue(now) || now.Before(l.rest(now)) {
		return
	}
	if l.hasFallen(now) && l.grown > 0 {
		l.goBack()
	} else {
		l.limit = min(l.config.Cap, l.limit+l.growth())
	}
	if l.grown++; l.grown > 1 {
		l.step = min(2*l.step, l.limit)
	}
	l.round, l.saturated, l.grownAt = 0, false, now
}

// isDue says whether it is time for the limit to grow.
func (l *Limiter) isDue(now time.Time) bool {
	switch {
	case l.grown > 0:
		// A provider that is known to refuse says soon that it has enough.
		return l.round >= l.limit || l.refusal > 0 && !now.Before(l.grownAt.Add(l.patience))
	case l.hasFallen(now):
		return l.round >= l.limit || now.Sub(l.cutAt) >= max(leastProbe, now.Sub(l.fallenAt)/probeDivisor)
	}
	need := l.limit << min(l.hold, mostHold)
	if !now.Before(l.cutAt.Add(longestHold)) {
		need = min(need, max(l.limit, leastHold))
	}
	if l.hold >= mostHold && now.Before(l.cutAt.Add(min(longestHold, attemptShare*l.patience))) {
		return false
	}
	return l.round >= need
}

// rest is until when nothing more is tried.
func (l *Limiter) rest(now time.Time) time.Time {
	if l.hasFallen(now) {
		return l.restUntil.Add(-(restPauses - fallenPauses) * l.pause)
	}
	return l.restUntil
}

// growth is by how much the limit grows now: not beyond the plateau in one step.
func (l *Limiter) growth() int {
	if beyond := l.limit + l.step - l.plateau; l.limit < l.plateau && beyond > 0 {
		l.step = 1
		return l.plateau - l.limit
	}
	return l.step
}

// timedOut cuts the limit when too many of the latest requests got no answer: a single one may have hung for a reason of its own.
func (l *Limiter) timedOut(lease Lease, now time.Time) {
	if lease.generation != l.generation {
		return
	}
	l.count()
	l.timeOuts++
	if l.timeOuts < 2 || l.timeOuts*timeOutShare <= l.results {
		return
	}
	l.hold = 0
	l.good = share(l.limit)
	l.cut(l.limit, now)
}

func (l *Limiter) count() {
	if l.results++; l.results >= timeOutWindow {
		l.results /= 2
		l.timeOuts /= 2
	}
}
