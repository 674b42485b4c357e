package schedule_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// drawn answers everything at once, each after a time that a distribution says.
type drawn struct {
	random *rand.Rand
	// draw returns how long an answer takes, and its tokens; 0 where the provider does not tell them.
	draw func(random *rand.Rand, now time.Duration) (time.Duration, int64)
}

func (s *drawn) begin(now time.Duration) reply {
	took, tokens := s.draw(s.random, now)
	if tokens == 0 {
		tokens = -50 // what a load adds for its prompt
	}
	return reply{after: took, tokens: tokens}
}

func (s *drawn) done(time.Duration) {}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// latencies are servers without a queue: how long an answer takes does not depend on how many requests are under way.
func latencies() map[string]func(*rand.Rand, time.Duration) (time.Duration, int64) {
	untold := func(draw func(*rand.Rand) float64) func(*rand.Rand, time.Duration) (time.Duration, int64) {
		return func(random *rand.Rand, _ time.Duration) (time.Duration, int64) { return seconds(draw(random)), 0 }
	}
	lognormal := func(sigma float64) func(*rand.Rand) float64 {
		return func(random *rand.Rand) float64 { return 0.3 * math.Exp(sigma*random.NormFloat64()-sigma*sigma/2) }
	}
	exponential := func(random *rand.Rand) float64 { return 0.3 * random.ExpFloat64() }
	return map[string]func(*rand.Rand, time.Duration) (time.Duration, int64){
		"constant":        untold(func(*rand.Rand) float64 { return 0.3 }),
		"uniform":         untold(func(random *rand.Rand) float64 { return 0.6 * random.Float64() }),
		"exponential":     untold(exponential),
		"lognormal 0.5":   untold(lognormal(0.5)),
		"lognormal 1":     untold(lognormal(1)),
		"lognormal 1.5":   untold(lognormal(1.5)),
		"Pareto 1.5":      untold(func(random *rand.Rand) float64 { return 0.1 * math.Pow(1-random.Float64(), -1/1.5) }),
		"Pareto 3":        untold(func(random *rand.Rand) float64 { return 0.2 * math.Pow(1-random.Float64(), -1.0/3) }),
		"bimodal, 1 in 2": untold(func(random *rand.Rand) float64 { return [...]float64{0.1, 0.5}[random.IntN(2)] }),
		"bimodal, 1 in 10": untold(func(random *rand.Rand) float64 {
			return [...]float64{0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 2}[random.IntN(10)]
		}),
		"exponential beside tokens that are all alike": func(random *rand.Rand, _ time.Duration) (time.Duration, int64) {
			return seconds(exponential(random)), 20
		},
		"exponential beside tokens that say nothing of it": func(random *rand.Rand, _ time.Duration) (time.Duration, int64) {
			return seconds(exponential(random)), 1 + int64(100*random.ExpFloat64())
		},
		"by tokens": func(random *rand.Rand, _ time.Duration) (time.Duration, int64) {
			tokens := 1 + int64(200*math.Exp(random.NormFloat64()-0.5))
			return seconds(0.05 + 0.002*float64(tokens)), tokens
		},
		"slow drift": func(random *rand.Rand, now time.Duration) (time.Duration, int64) {
			return seconds(0.3 * (1 + now.Minutes()/5) * (0.5 + random.Float64())), 0
		},
	}
}

// A server without a queue is asked as much as a fixed limit would ask it: that its latency is random is no reason for less.
func TestRandomLatenciesCostNothing(t *testing.T) {
	const length = time.Minute
	for name, draw := range latencies() {
		limits := []int{16, 64}
		if name == "exponential" || name == "bimodal, 1 in 10" || name == "Pareto 1.5" {
			limits = append(limits, 256)
		}
		for _, limit := range limits {
			t.Run(fmt.Sprint(name, ", ", limit), func(t *testing.T) {
				var missing float64
				l := newLoad(limit, 0)
				serve(t, &drawn{rand.New(rand.NewPCG(1, 8)), draw}, length, func(time.Duration) {
					_, now := l.core.Load(1)
					missing += float64(limit-now) / float64(limit)
				}, l)
				missing /= length.Seconds()
				t.Logf("%.2f %% of the limit are missing on average", 100*missing)
				if missing > 0.01 {
					t.Errorf("%.2f %% of the limit are missing on average", 100*missing)
				}
			})
		}
	}
}
