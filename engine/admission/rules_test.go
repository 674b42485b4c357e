package admission_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/admission"
)

var beginning = time.Unix(1_000_000, 0)

// at is a moment so many milliseconds after the beginning.
func at(milliseconds int) time.Time {
	return beginning.Add(time.Duration(milliseconds) * time.Millisecond)
}

// fill starts requests as long as there is room.
func fill(l *admission.Limiter, now time.Time) []admission.Lease {
	var leases []admission.Lease
	for l.Room(now) {
		leases = append(leases, l.Start(now, 0))
	}
	return leases
}

func adaptive(limit int) *admission.Limiter {
	return admission.New(admission.Config{Cap: limit, Adaptive: true, Classes: 1}, nil, nil)
}

func TestABurstOfRefusalsCutsOnce(t *testing.T) {
	l := adaptive(64)
	leases := fill(l, at(0))
	if len(leases) != 64 {
		t.Fatalf("%d requests started, want 64", len(leases))
	}
	for _, lease := range leases[48:] {
		l.Done(lease, at(20), admission.Result{Outcome: admission.Refused})
	}
	if stats := l.Stats(); stats.Cuts != 1 || stats.Refused != 16 || l.Limit() != 36 {
		t.Errorf("16 refusals of 64 gave %d cuts, and a limit of %d; want 1, and three quarters of the 49 that were too many", stats.Cuts,
			l.Limit())
	}
}

func TestARefusalNowAndThenChangesNothing(t *testing.T) {
	l := adaptive(8)
	now, sent := at(0), 0
	one := func(outcome admission.Outcome) {
		if !l.Room(now) {
			t.Fatalf("after %d requests it waits for %+v", sent, l.Waits())
		}
		lease := l.Start(now, 0)
		now = now.Add(10 * time.Millisecond)
		sent++
		l.Done(lease, now, admission.Result{Outcome: outcome})
	}
	for range 500 {
		outcome := admission.Passed
		if sent%50 == 49 {
			outcome = admission.Refused
		}
		one(outcome)
	}
	if stats := l.Stats(); stats.Refused != 10 || stats.Cuts != 0 || l.Limit() != 8 {
		t.Errorf("10 refusals of 500 gave %d cuts and a limit of %d", stats.Cuts, l.Limit())
	}
	for range 3 {
		one(admission.Refused)
	}
	if stats := l.Stats(); stats.Cuts != 1 {
		t.Errorf("3 more in a row gave %d cuts", stats.Cuts)
	}
}

func TestTheLimitComesBackWhenARequestIsAccepted(t *testing.T) {
	l := adaptive(64)
	leases := fill(l, at(0))
	for _, lease := range leases[48:] {
		l.Done(lease, at(20), admission.Result{Outcome: admission.Refused})
	}
	for _, lease := range leases[:13] {
		l.Done(lease, at(1000), admission.Result{Outcome: admission.Passed})
	}
	if len(fill(l, at(1000))) != 1 || l.Waits().Reason != admission.Limit && l.Waits().Reason != admission.Recovery {
		t.Fatalf("after a refusal one request is sent first; it waits for %+v", l.Waits())
	}
	// Refusals take 20 ms: silence for three times as long, and at least 50 ms, tells that it was accepted.
	if wait := l.Waits(); wait.Reason == admission.Recovery && !wait.Until.Equal(at(1060)) {
		t.Errorf("it waits until %s after the beginning", wait.Until.Sub(beginning))
	}
	if more := len(fill(l, at(1060))); more != 12 || l.Limit() != 48 {
		t.Errorf("then %d more were sent, with a limit of %d; want 12 and 48", more, l.Limit())
	}
}

func TestRetryAfterPausesAndIsCapped(t *testing.T) {
	for _, policy := range []bool{true, false} {
		l := admission.New(admission.Config{Cap: 4, Adaptive: policy, Classes: 1}, nil, nil)
		leases := fill(l, at(0))
		l.Done(leases[0], at(10), admission.Result{Outcome: admission.Refused, RetryAfter: time.Hour})
		l.Done(leases[1], at(10), admission.Result{Outcome: admission.Refused, RetryAfter: time.Second})
		if until := l.PausedUntil(); !until.Equal(at(10).Add(5 * time.Minute)) {
			t.Errorf("adaptive %t: it pauses until %s after the beginning", policy, until.Sub(beginning))
		}
		if l.Room(at(200_000)) || l.Waits().Reason != admission.Pause {
			t.Errorf("adaptive %t: in the pause it waits for %+v", policy, l.Waits())
		}
		for _, lease := range leases[2:] {
			l.Done(lease, at(300_000), admission.Result{Outcome: admission.Passed})
		}
		if !l.Room(at(310_000)) {
			t.Errorf("adaptive %t: after the pause it waits for %+v", policy, l.Waits())
		}
		if !policy && l.Limit() != 4 {
			t.Errorf("a fixed limit has become %d", l.Limit())
		}
	}
}

// atCapacity is a limiter of a provider that has refused half of the first requests, with a wish to be left alone, and has the others.
func atCapacity(capacity int, wish time.Duration) (*admission.Limiter, []admission.Lease) {
	l := adaptive(2 * capacity)
	leases := fill(l, at(0))
	for _, lease := range leases[capacity:] {
		l.Done(lease, at(20), admission.Result{Outcome: admission.Refused, RetryAfter: wish})
	}
	return l, leases[:capacity]
}

func TestAProbeThatIsRefusedHoldsUpNoOthers(t *testing.T) {
	const capacity, wish = 8, 10 * time.Second
	l, leases := atCapacity(capacity, 0)
	refused := admission.Result{Outcome: admission.Refused, RetryAfter: wish}
	now := 100
	for ; len(leases) <= capacity; now += 100 {
		if now > 60_000 {
			t.Fatal("no more was asked for in a minute")
		}
		l.Done(leases[0], at(now), admission.Result{Outcome: admission.Passed})
		leases = append(leases[1:], fill(l, at(now))...)
	}
	l.Done(leases[capacity], at(now), refused)
	l.Done(leases[0], at(now), admission.Result{Outcome: admission.Passed})
	l.Done(leases[1], at(now), admission.Result{Outcome: admission.Passed})
	more := fill(l, at(now))
	if len(more) != 2 || l.Limit() != capacity || !l.PausedUntil().IsZero() {
		t.Fatalf("after one more than %d was refused, and two answered, %d were sent, with a limit of %d; it pauses until %s", capacity,
			len(more), l.Limit(), l.PausedUntil())
	}
	// Of what the provider has taken before, one that is refused is a reason for all to wait.
	l.Done(more[0], at(now+20), refused)
	if until := l.PausedUntil(); !until.Equal(at(now+20).Add(wish)) || len(fill(l, at(now+20))) != 0 {
		t.Errorf("after one more that was refused, it pauses until %s", until)
	}
}

// TestProbesAreRareWhereTheProviderAsksForALongPause has one refused, each of which puts a request aside for as long as the provider asks.
func TestProbesAreRareWhereTheProviderAsksForALongPause(t *testing.T) {
	const capacity, wish = 8, 10 * time.Second
	l, leases := atCapacity(capacity, 0)
	var refused []int
	for now := 100; now < 300_000; now += 100 {
		l.Done(leases[0], at(now), admission.Result{Outcome: admission.Passed})
		leases = append(leases[1:], fill(l, at(now))...)
		for len(leases) > capacity {
			refused = append(refused, now)
			l.Done(leases[capacity], at(now), admission.Result{Outcome: admission.Refused, RetryAfter: wish})
			leases = leases[:len(leases)-1]
		}
	}
	if len(refused) < 3 || len(refused) > 6 {
		t.Errorf("in five minutes, one more was refused after %v ms", refused)
	}
	for i, now := range refused[1:] {
		if passed := time.Duration(now-refused[i]) * time.Millisecond; passed < 4*wish {
			t.Errorf("%s after one that was refused there was another", passed)
		}
	}
}

// TestTheLatestPauseSaysWhenMoreIsTried has a long one, and after that a short one.
func TestTheLatestPauseSaysWhenMoreIsTried(t *testing.T) {
	const capacity = 8
	l, leases := atCapacity(capacity, time.Minute)
	for _, lease := range leases {
		l.Done(lease, at(100), admission.Result{Outcome: admission.Passed})
	}
	leases = fill(l, at(61_000))
	for _, lease := range leases {
		l.Done(lease, at(61_100), admission.Result{Outcome: admission.Refused, RetryAfter: time.Second})
	}
	leases = nil
	now := 63_000
	for ; len(leases) <= capacity && now < 300_000; now += 100 {
		if len(leases) > 0 {
			l.Done(leases[0], at(now), admission.Result{Outcome: admission.Passed})
			leases = leases[1:]
		}
		leases = append(leases, fill(l, at(now))...)
	}
	if len(leases) <= capacity {
		t.Errorf("four minutes after a pause of a second, no more than %d were sent", len(leases))
	}
}

func TestTheLimitNeverFallsBelowOne(t *testing.T) {
	l := adaptive(8)
	now := at(0)
	for range 1000 {
		for !l.Room(now) {
			if until := l.Waits().Until; until.After(now) {
				now = until
				continue
			}
			t.Fatalf("nothing is under way, and it waits for %+v", l.Waits())
		}
		l.Done(l.Start(now, 0), now.Add(time.Millisecond), admission.Result{Outcome: admission.Refused})
		now = now.Add(time.Millisecond)
	}
	if l.Limit() != 1 {
		t.Errorf("the limit is %d", l.Limit())
	}
	// Pauses grow to half a minute: a provider that refuses everything is not asked often.
	if passed := now.Sub(beginning); passed < 5*time.Hour {
		t.Errorf("a thousand refusals took %s", passed)
	}
}

func TestManyTimeOutsCutAndASingleOneDoesNot(t *testing.T) {
	l := adaptive(16)
	leases := fill(l, at(0))
	for i, lease := range leases[:11] {
		result := admission.Result{Outcome: admission.Passed}
		if i == 5 {
			result.Outcome = admission.TimedOut
		}
		l.Done(lease, at(1000), result)
	}
	if l.Limit() != 16 {
		t.Errorf("one time-out of 11 has lowered the limit to %d", l.Limit())
	}
	for _, lease := range leases[11:] {
		l.Done(lease, at(2000), admission.Result{Outcome: admission.TimedOut})
	}
	if l.Limit() != 12 || l.Stats().Cuts != 1 {
		t.Errorf("6 time-outs of 16 gave a limit of %d, and %d cuts", l.Limit(), l.Stats().Cuts)
	}
}

func TestTheRampIsLinear(t *testing.T) {
	l := admission.New(admission.Config{Cap: 11, Ramp: 10 * time.Second}, nil, nil)
	for _, test := range []struct{ at, more int }{{0, 1}, {500, 0}, {1000, 1}, {5000, 4}, {9999, 4}, {10_000, 1}, {20_000, 0}} {
		if more := len(fill(l, at(test.at))); more != test.more {
			t.Errorf("after %d ms %d more requests were sent, want %d", test.at, more, test.more)
		}
	}
}

func TestNoMinuteHasMoreRequestsThanItsBudget(t *testing.T) {
	for _, most := range []int64{1, 7, 60, 599, 6000, 60_000} {
		l := admission.New(admission.Config{Cap: 1000}, admission.NewPool(admission.PoolConfig{RequestsPerMinute: most}), nil)
		random := rand.New(rand.NewPCG(uint64(most), 0))
		var starts []time.Time
		for now := at(0); now.Before(at(300_000)); {
			for l.Room(now) {
				starts = append(starts, now)
				l.Done(l.Start(now, 0), now, admission.Result{Outcome: admission.Passed})
			}
			// Timers are late.
			now = l.Waits().Until.Add(time.Duration(random.IntN(2000)) * time.Microsecond)
		}
		first, highest := 0, 0
		for i, start := range starts {
			for start.Sub(starts[first]) >= time.Minute {
				first++
			}
			highest = max(highest, i-first+1)
		}
		if int64(highest) > most {
			t.Errorf("a minute had %d requests, and may have %d", highest, most)
		}
		if len(starts) < int(most)*5*9/10 {
			t.Errorf("5 minutes had %d requests, and could have %d", len(starts), 5*most)
		}
	}
}

func TestTokensAreEstimatedAndCorrected(t *testing.T) {
	l := admission.New(admission.Config{Cap: 8}, admission.NewPool(admission.PoolConfig{TokensPerMinute: 60_000}), nil)
	used, requests := int64(0), 0
	now := at(0)
	for now.Before(at(300_000)) {
		for !l.Room(now) {
			now = l.Waits().Until
		}
		lease := l.Start(now, 0)
		now = now.Add(10 * time.Millisecond)
		tokens := int64(300 + 200*(requests%3))
		used += tokens
		requests++
		l.Done(lease, now, admission.Result{Outcome: admission.Passed, Tokens: tokens})
	}
	if used < 285_000 || used > 303_000 {
		t.Errorf("%d requests have used %d tokens in 5 minutes of 60000", requests, used)
	}
}

func TestRequestsOnTheWayAreTakenOffAfterwards(t *testing.T) {
	l := admission.New(admission.Config{Cap: 8}, admission.NewPool(admission.PoolConfig{RequestsPerMinute: 60}), nil)
	if !l.Room(at(0)) {
		t.Fatal("the first request may not start")
	}
	l.Done(l.Start(at(0), 0), at(0), admission.Result{Outcome: admission.Passed, Requests: 4})
	if l.Room(at(3900)) || !l.Room(at(4001)) {
		t.Errorf("after four requests at once, the next one of one a second waits until %s after the beginning", l.Waits().Until.Sub(beginning))
	}
}
