package admission_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/admission"
)

// operations is how often the property test acquires or releases.
const operations = 10_000_000

// TestNoLeaseIsLostAndTheCapHolds acquires and releases ten million times, with all outcomes, and looks at every step.
func TestNoLeaseIsLostAndTheCapHolds(t *testing.T) {
	count := operations
	if testing.Short() {
		count /= 20
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const limit, shared = 48, 64
	pool := admission.NewPool(admission.PoolConfig{Cap: shared})
	config := admission.Config{Cap: limit, Adaptive: true, Ramp: time.Second, Classes: 3}
	limiters := []*admission.Limiter{admission.New(config, pool, nil), admission.New(config, pool, nil)}
	leases := make([][]admission.Lease, len(limiters))
	now := time.Unix(1_000_000, 0)
	acquired, released := 0, 0
	for step := range count {
		index := random.IntN(len(limiters))
		limiter := limiters[index]
		if step%4 == 0 {
			now = now.Add(time.Duration(random.IntN(20)) * time.Millisecond)
		}
		if held := leases[index]; len(held) > 0 && random.IntN(2) == 0 {
			at := random.IntN(len(held))
			limiter.Done(held[at], now, result(random))
			held[at] = held[len(held)-1]
			leases[index] = held[:len(held)-1]
			released++
		} else if limiter.Room(now) {
			leases[index] = append(held, limiter.Start(now, random.IntN(3)))
			acquired++
			if limiter.Running() > limiter.Limit() {
				t.Fatalf("step %d: number %d started with a limit of %d", step, limiter.Running(), limiter.Limit())
			}
		} else if wait := limiter.Waits(); wait.Reason != admission.Limit && !wait.Until.After(now) {
			t.Fatalf("step %d: it waits for %d until a time that is past", step, wait.Reason)
		}
		if limiter.Running() != len(leases[index]) || limiter.Limit() < 1 || limiter.Limit() > limit || len(leases[0])+len(leases[1]) > shared {
			t.Fatalf("step %d: %d and %d leases are held, %d counted, and the limit is %d", step, len(leases[0]), len(leases[1]), limiter.Running(),
				limiter.Limit())
		}
	}
	held := len(leases[0]) + len(leases[1])
	if acquired != released+held {
		t.Errorf("%d leases were acquired, %d released, and %d are held", acquired, released, held)
	}
	t.Logf("%d operations: %d acquired, %d released, %d held at the end", count, acquired, released, held)
}

func result(random *rand.Rand) admission.Result {
	made := admission.Result{Tokens: random.Int64N(1000), OutputTokens: random.Int64N(500)}
	switch draw := random.IntN(100); {
	case draw < 3:
		made.Outcome = admission.Refused
		if draw == 0 {
			made.RetryAfter = time.Duration(random.IntN(200)) * time.Millisecond
		}
	case draw < 5:
		made.Outcome = admission.TimedOut
	case draw < 7:
		made.Outcome = admission.Nothing
	default:
		made.Outcome = admission.Passed
	}
	return made
}

func BenchmarkAcquireAndRelease(b *testing.B) {
	limiter := admission.New(admission.Config{Cap: 64, Adaptive: true, Classes: 1}, admission.NewPool(admission.PoolConfig{Cap: 64, RequestsPerMinute: 1e9, TokensPerMinute: 1e12}), nil)
	now := time.Unix(1_000_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Millisecond)
		if limiter.Room(now) {
			limiter.Done(limiter.Start(now, 0), now.Add(time.Millisecond), admission.Result{Outcome: admission.Passed, Tokens: 10, OutputTokens: 5})
		}
	}
}
