package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// moody refuses a share of all requests, however little it has to do, as some gateways do, and what is beyond its capacity.
type moody struct {
	refusing
	share float64
}

func (s *moody) begin(now time.Duration) reply {
	if s.random.Float64() < s.share {
		return reply{after: time.Duration(5+s.random.IntN(30)) * time.Millisecond, refused: true}
	}
	return s.refusing.begin(now)
}

func TestRefusalsWithoutAReasonDoNotLowerTheLimit(t *testing.T) {
	for _, test := range []struct {
		share           float64
		limit, capacity int
		// least is what is got of what the server could give, in percent.
		least float64
	}{
		{0.001, 64, 1000, 98}, {0.001, 256, 1000, 98}, {0.005, 256, 1000, 97}, {0.02, 16, 1000, 95}, {0.02, 64, 1000, 95}, {0.02, 256, 1000, 90},
		// It has a capacity too.
		{0.01, 128, 64, 93}, {0.02, 256, 64, 90},
	} {
		t.Run(fmt.Sprintf("%g of %d at %d", test.share, test.limit, test.capacity), func(t *testing.T) {
			to := &moody{share: test.share, refusing: refusing{
				answers: answers{rand.New(rand.NewPCG(6, 1)), time.Second, 0.5}, capacity: func(time.Duration) int { return test.capacity },
			}}
			l := newLoad(test.limit, 0)
			least := test.limit
			serve(t, to, loadTime, func(time.Duration) {
				_, limit := l.core.Load(1)
				least = min(least, limit)
			}, l)
			got := 100 * float64(l.answered) / float64(300*min(test.limit, test.capacity))
			t.Logf("%.1f %% of what the server could give, %.2f %% refused, %d cuts, the limit was %d at least",
				got, l.refusedShare(), l.core.LaneStates()[1].Cuts, least)
			if got < test.least {
				t.Errorf("%.1f %% of what the server could give, want %.0f %%", got, test.least)
			}
			if most := 100*test.share + 3; l.refusedShare() > most {
				t.Errorf("%.2f %% were refused, want %.2f %% at most", l.refusedShare(), most)
			}
			if l.dropped > 0 {
				t.Errorf("%d rows were dropped", l.dropped)
			}
		})
	}
}
