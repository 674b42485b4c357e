package schedule_test

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// reply is what a simulated server does with a request: after a time it answers, with so many tokens, or refuses.
type reply struct {
	after      time.Duration
	tokens     int64
	refused    bool
	retryAfter time.Duration
}

// server is a simulated model server. begin is told of each request when it comes, done of each that was answered.
type server interface {
	begin(now time.Duration) reply
	done(now time.Duration)
}

// answers are the lengths of the answers: a long tail, and a time for each token.
type answers struct {
	random *rand.Rand
	mean   time.Duration
	sigma  float64
}

func (a *answers) draw() (time.Duration, int64) {
	// The mean of a lognormal distribution is exp(sigma²/2) times its median.
	tokens := int64(1 + 200*math.Exp(a.sigma*a.random.NormFloat64()-a.sigma*a.sigma/2))
	return time.Duration(float64(a.mean) * float64(tokens) / 200), tokens
}

// refusing has a capacity that changes with time, and refuses what is beyond it within a few milliseconds.
type refusing struct {
	answers
	capacity   func(now time.Duration) int
	retryAfter func(now time.Duration) time.Duration
	serving    int
}

func (s *refusing) begin(now time.Duration) reply {
	if s.serving >= s.capacity(now) {
		refusal := reply{after: time.Duration(5+s.random.IntN(30)) * time.Millisecond, refused: true}
		if s.retryAfter != nil {
			refusal.retryAfter = s.retryAfter(now)
		}
		return refusal
	}
	s.serving++
	took, tokens := s.draw()
	return reply{after: took, tokens: tokens}
}

func (s *refusing) done(time.Duration) { s.serving-- }

// queueing serves so many requests at once, and has all others wait, first come first served. It never refuses.
type queueing struct {
	answers
	// free are the times at which its slots become free.
	free []time.Duration
}

func (s *queueing) begin(now time.Duration) reply {
	first := 0
	for i := range s.free {
		if s.free[i] < s.free[first] {
			first = i
		}
	}
	took, tokens := s.draw()
	s.free[first] = max(now, s.free[first]) + took
	return reply{after: s.free[first] - now, tokens: tokens}
}

func (s *queueing) done(time.Duration) {}

// load is one engine at a server, with more rows to make than it will ever get to.
type load struct {
	core   *schedule.Core
	random *rand.Rand
	from   time.Duration
	group  int64
	// groups is how many row groups there are, as many as it can get to where it is 0.
	groups int64
	// answered and refused count requests, tokens those of answers; waited is the sum of the times of the answered.
	answered, refused int
	waited            time.Duration
	dropped           int
	// lastAnswer is when the last answer came.
	lastAnswer time.Duration
	highest    int
}

func newLoad(limit int, from time.Duration) *load {
	return newLoadOf(loadConfig(schedule.Lane{Limit: limit, Endpoint: 0, Adaptive: true}), from)
}

func newGentleLoad(limit int, gentle bool) *load {
	return newLoadOf(loadConfig(schedule.Lane{Limit: limit, Endpoint: 0, Adaptive: true, Gentle: gentle}), 0)
}

func loadConfig(lane schedule.Lane) schedule.Config {
	config := chain()
	config.Columns = []schedule.Column{{Parts: []string{"a"}, Lane: 1}}
	config.Lanes[1] = lane
	config.MaxRequestAttempts, config.MaxRowAttempts = 8, 2
	return config
}

func newLoadOf(config schedule.Config, from time.Duration) *load {
	random := rand.New(rand.NewPCG(uint64(from), 99))
	config.NewRecord = func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) }
	config.Jitter = func(int, *table.Record, int) float64 { return random.Float64() }
	return &load{core: schedule.New(config), from: from, random: random}
}

// event is a request that comes to the server, or back from it, or a load that wants to be woken.
type event struct {
	at    time.Duration
	load  *load
	task  *schedule.Task
	came  bool
	reply reply
	start time.Duration
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(a, b int) bool { return e[a].at < e[b].at }
func (e events) Swap(a, b int)      { e[a], e[b] = e[b], e[a] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	*e = old[:len(old)-1]
	return last
}

var beginning = time.Unix(1_000_000, 0)

// serve runs loads against a server for a time; every is called each second.
func serve(t *testing.T, to server, length time.Duration, every func(now time.Duration), loads ...*load) {
	t.Helper()
	var pending events
	for _, one := range loads {
		heap.Push(&pending, event{at: one.from, load: one})
	}
	second := time.Duration(0)
	for pending.Len() > 0 {
		next := heap.Pop(&pending).(event)
		for ; second <= next.at && second <= length; second += time.Second {
			if every != nil {
				every(second)
			}
		}
		if next.at > length {
			return
		}
		one, now := next.load, beginning.Add(next.at)
		switch {
		case next.task != nil && !next.came:
			next.came, next.reply = true, to.begin(next.at)
			next.at += next.reply.after
			heap.Push(&pending, next)
			continue
		case next.task != nil:
			one.end(to, next)
		}
		for one.core.NeedsRows() && one.core.Open() < 64 && (one.groups == 0 || one.group < one.groups) {
			if one.groups > 0 {
				one.core.Ahead(500 * int(one.groups-one.group-1))
			}
			one.core.Add(one.group, todo(int(one.group)*500, int(one.group)*500+500))
			one.group++
		}
		for {
			task, found := one.core.Next(1, now)
			if !found {
				break
			}
			way := time.Duration(1+one.random.IntN(4)) * time.Millisecond
			heap.Push(&pending, event{at: next.at + way, load: one, task: &task, start: next.at})
		}
		if wake, waits := one.core.NextWake(); waits {
			if !wake.After(now) {
				t.Fatal("it asks to be woken at once")
			}
			heap.Push(&pending, event{at: wake.Sub(beginning), load: one})
		}
		running, limit := one.core.Load(1)
		one.highest = max(one.highest, running)
		if limit < 1 {
			t.Fatalf("the limit is %d", limit)
		}
	}
}

func (l *load) end(to server, ended event) {
	now := beginning.Add(ended.at)
	task := *ended.task
	if ended.reply.refused {
		l.refused++
		refusal := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
		refusal.Overloaded, refusal.RetryAfter = true, ended.reply.retryAfter
		l.core.Failed(task, refusal, now)
	} else {
		to.done(ended.at)
		l.answered++
		l.lastAnswer = ended.at
		l.waited += ended.at - ended.start
		task.Cost = schedule.Cost{Tokens: ended.reply.tokens + 50, OutputTokens: ended.reply.tokens}
		l.core.Succeeded(task, now)
	}
	l.dropped += len(l.core.Take().Dropped)
}

// refusedShare is in percent of all requests.
func (l *load) refusedShare() float64 {
	return 100 * float64(l.refused) / float64(max(1, l.answered+l.refused))
}

const loadTime = 5 * time.Minute

// requireGood checks the share of what the server could give, and of the requests that were refused.
func requireGood(t *testing.T, l *load, could float64) {
	t.Helper()
	requireShare(t, l, could, 95)
}

// requireShare is requireGood with another share, in percent.
func requireShare(t *testing.T, l *load, could, least float64) {
	t.Helper()
	state := l.core.LaneStates()[1]
	got := 100 * float64(l.answered) / could
	t.Logf("%.1f %% of what the server could give, %.2f %% refused (%d of %d), %d cuts, %d pauses, the limit is %d at the end",
		got, l.refusedShare(), l.refused, l.answered+l.refused, state.Cuts, state.Pauses, state.Limit)
	if got < least {
		t.Errorf("the server could give %.0f answers, and gave %d", could, l.answered)
	}
	if l.refusedShare() > 2 {
		t.Errorf("%d of %d requests were refused", l.refused, l.answered+l.refused)
	}
	if l.dropped > 0 {
		t.Errorf("%d rows were dropped though the provider was just full", l.dropped)
	}
}

func TestTheLimitFollowsTheCapacity(t *testing.T) {
	for _, test := range []struct {
		mean  time.Duration
		sigma float64
		limit int
	}{{time.Second, 0, 128}, {time.Second, 0.5, 128}, {time.Second, 0.5, 256}, {500 * time.Millisecond, 1, 128}, {2 * time.Second, 0.5, 128}} {
		t.Run(fmt.Sprint(test.mean, " ", test.sigma, " ", test.limit), func(t *testing.T) {
			capacity := func(now time.Duration) int {
				switch {
				case now < 100*time.Second:
					return 64
				case now < 200*time.Second:
					return 16
				}
				return 128
			}
			to := &refusing{answers: answers{rand.New(rand.NewPCG(1, 1)), test.mean, test.sigma}, capacity: capacity}
			l := newLoad(test.limit, 0)
			serve(t, to, loadTime, nil, l)
			requireGood(t, l, 100*float64(64+16+128)/test.mean.Seconds())
		})
	}
}

func TestAQueueingServerIsKeptBusyAndNotFlooded(t *testing.T) {
	for _, test := range []struct {
		sigma float64
		limit int
	}{{0, 128}, {0.5, 128}, {1, 128}, {0.5, 400}} {
		t.Run(fmt.Sprint(test.sigma, " ", test.limit), func(t *testing.T) {
			to := &queueing{answers: answers{rand.New(rand.NewPCG(2, 1)), time.Second, test.sigma}, free: make([]time.Duration, 32)}
			l := newLoad(test.limit, 0)
			var before, waited int
			serve(t, to, loadTime, func(now time.Duration) {
				if now == 3*time.Minute {
					before, waited = l.answered, int(l.waited)
				}
			}, l)
			requireGood(t, l, 32*300)
			mean := time.Duration((int(l.waited) - waited) / (l.answered - before))
			t.Logf("an answer takes %s after three minutes, of which 1 s is work", mean.Round(time.Millisecond))
			if mean > 2500*time.Millisecond {
				t.Errorf("requests wait for %s in the server's queue", mean-time.Second)
			}
		})
	}
}

func TestWindowsOfRefusalsCostLittle(t *testing.T) {
	for _, test := range []struct {
		name       string
		retryAfter func(left time.Duration) time.Duration
	}{
		{"without Retry-After", nil},
		{"with Retry-After", func(time.Duration) time.Duration { return time.Second }},
		{"with the right Retry-After", func(left time.Duration) time.Duration { return left }},
	} {
		t.Run(test.name, func(t *testing.T) {
			const period, closed = 30 * time.Second, 3 * time.Second
			// Every half minute the server refuses everything for three seconds, from the tenth second on.
			left := func(now time.Duration) time.Duration { return 10*time.Second + closed - now%period }
			shut := func(now time.Duration) bool { return now%period >= 10*time.Second && left(now) > 0 }
			to := &refusing{answers: answers{rand.New(rand.NewPCG(3, 1)), time.Second, 0.5}, capacity: func(now time.Duration) int {
				if shut(now) {
					return 0
				}
				return 64
			}}
			if test.retryAfter != nil {
				to.retryAfter = func(now time.Duration) time.Duration {
					if shut(now) {
						return test.retryAfter(left(now))
					}
					return 0
				}
			}
			l := newLoad(64, 0)
			serve(t, to, loadTime, nil, l)
			requireGood(t, l, 64*270)
		})
	}
}

func TestTwoEnginesShareAServerFairly(t *testing.T) {
	for seed := range uint64(6) {
		for _, test := range []struct {
			name  string
			first int
			later time.Duration
			other int
		}{{"together", 64, 0, 64}, {"one after the other", 64, 60 * time.Second, 64}, {"with unequal caps", 128, 30 * time.Second, 64}} {
			t.Run(fmt.Sprint(test.name, ", seed ", seed), func(t *testing.T) {
				to := &refusing{answers: answers{rand.New(rand.NewPCG(4, seed)), time.Second, 0.5}, capacity: func(time.Duration) int { return 64 }}
				a, b := newLoad(test.first, 0), newLoad(test.other, test.later)
				const settled = 2 * time.Minute
				var fromA, fromB int
				serve(t, to, settled+loadTime, func(now time.Duration) {
					if now == settled {
						fromA, fromB = a.answered, b.answered
					}
				}, a, b)
				x, y := float64(a.answered-fromA), float64(b.answered-fromB)
				jain := (x + y) * (x + y) / (2 * (x*x + y*y))
				t.Logf("%.0f and %.0f answers in 5 minutes: Jain's index %.3f; %.1f %% of what the server could give; %.2f %% and %.2f %% refused",
					x, y, jain, 100*(x+y)/(64*300), a.refusedShare(), b.refusedShare())
				if jain < 0.95 {
					t.Errorf("Jain's index is %.3f", jain)
				}
				if x+y < 0.95*64*300 {
					t.Errorf("the server was not busy: %.0f answers", x+y)
				}
			})
		}
	}
}

// unbounded answers everything at once, however much it is.
type unbounded struct {
	answers
	// untold leaves out how many tokens an answer has. Every n-th request is so many times as long.
	untold bool
	n      int
	times  time.Duration
	count  int
}

func (s *unbounded) begin(time.Duration) reply {
	took, tokens := s.draw()
	if s.count++; s.n > 0 && s.count%s.n == 0 {
		took, tokens = took*s.times, tokens*int64(s.times)
	}
	if s.untold {
		tokens = -50
	}
	return reply{after: took, tokens: tokens}
}

func (s *unbounded) done(time.Duration) {}

// What takes long because it is long is no reason for fewer requests.
func TestLatenciesThatDifferDoNotLowerTheLimit(t *testing.T) {
	for name, to := range map[string]*unbounded{
		"all alike":                 {answers: answers{mean: time.Second}},
		"a long tail":               {answers: answers{mean: time.Second, sigma: 1}},
		"a long tail, untold":       {answers: answers{mean: time.Second, sigma: 1}, untold: true},
		"now and then a long one":   {answers: answers{mean: time.Second, sigma: 0.5}, n: 10, times: 10},
		"long ones, untold lengths": {answers: answers{mean: time.Second, sigma: 0.5}, n: 10, times: 10, untold: true},
	} {
		t.Run(name, func(t *testing.T) {
			to.random = rand.New(rand.NewPCG(5, 1))
			l := newLoad(64, 0)
			full, seconds := 0, 0
			serve(t, to, loadTime, func(time.Duration) {
				_, limit := l.core.Load(1)
				full += limit
				seconds++
			}, l)
			share := 100 * float64(full) / float64(64*seconds)
			t.Logf("the limit was %.1f %% of the cap on average, after %d cuts", share, l.core.LaneStates()[1].Cuts)
			if share < 95 {
				t.Errorf("the limit was %.1f %% of the cap on average", share)
			}
		})
	}
}
