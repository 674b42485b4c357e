package schedule_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

var schema = table.NewSchema(table.Field{Name: "a"}, table.Field{Name: "b"}, table.Field{Name: "c"})

// simulation runs a scheduler in a time of its own: it never waits.
type simulation struct {
	core  *schedule.Core
	lanes int
	now   time.Time
	// outcome says what a task comes back with.
	outcome func(task schedule.Task, now time.Time) *failure.Error
	// pick chooses which of the running tasks comes back next.
	pick    func(running int) int
	running []schedule.Task
	groups  []*schedule.Group
	started int
	fates   schedule.Fates
	high    map[int]int
}

func newSimulation(config schedule.Config) *simulation {
	config.NewRecord = func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) }
	config.Jitter = func(int, *table.Record, int) float64 { return 0.5 }
	return &simulation{
		core: schedule.New(config), lanes: len(config.Lanes), now: time.Unix(1_000_000, 0), high: map[int]int{},
		outcome: func(schedule.Task, time.Time) *failure.Error { return nil },
		pick:    func(int) int { return 0 },
	}
}

// chain is three columns: a, then b on a model, then c.
func chain() schedule.Config {
	return schedule.Config{
		Columns:   []schedule.Column{{Parts: []string{"a"}}, {Parts: []string{"b"}, Lane: 1, Requires: []int{0}}, {Parts: []string{"c"}, Requires: []int{1}}},
		Lanes:     []schedule.Lane{{Limit: 2, Endpoint: -1}, {Limit: 4, Endpoint: 0}},
		Endpoints: 1, MaxRowAttempts: 2, MaxRequestAttempts: 3,
		Gate:   schedule.GateConfig{Enabled: true, ErrorRate: 0.5, Window: 50},
		Outage: schedule.OutageConfig{First: time.Minute, Later: 30 * time.Minute},
	}
}

func todo(start, end int) []schedule.Todo {
	var rows []schedule.Todo
	for row := start; row < end; row++ {
		rows = append(rows, schedule.Todo{Row: table.RowIndex(row)})
	}
	return rows
}

// run drives the scheduler until nothing is left to do.
func (s *simulation) run(t *testing.T) {
	t.Helper()
	for step := 0; ; step++ {
		if step > 2_000_000 {
			t.Fatal("the scheduler does not come to an end")
		}
		for lane := range s.lanes {
			for {
				task, found := s.core.Next(lane, s.now)
				if !found {
					break
				}
				s.started++
				s.running = append(s.running, task)
				s.high[lane] = max(s.high[lane], s.count(lane))
			}
		}
		if s.core.InFlight() != len(s.running) {
			t.Fatalf("%d tasks are in flight, but %d run", s.core.InFlight(), len(s.running))
		}
		if len(s.running) == 0 {
			next, waits := s.core.NextWake()
			if !waits || s.core.Ending() != nil {
				break
			}
			if !next.After(s.now) {
				t.Fatal("something may run now, and nothing was handed out")
			}
			s.now = next
			continue
		}
		s.finishOne()
	}
	s.collect()
}

func (s *simulation) count(lane int) int {
	count := 0
	for _, task := range s.running {
		if task.Lane == lane {
			count++
		}
	}
	return count
}

func (s *simulation) finishOne() {
	index := s.pick(len(s.running))
	task := s.running[index]
	s.running = append(s.running[:index], s.running[index+1:]...)
	if cause := s.outcome(task, s.now); cause != nil {
		s.core.Failed(task, cause, s.now)
	} else {
		for i, record := range task.Records {
			if s.core.Wants(task, i) {
				record.Cells[task.Column] = task.Column
			}
		}
		s.core.Succeeded(task, s.now)
	}
	s.collect()
}

func (s *simulation) collect() {
	due := s.core.Take()
	s.groups = append(s.groups, due.Finished...)
	s.fates.Done += due.Done
	s.fates.Dropped = append(s.fates.Dropped, due.Dropped...)
}

func (s *simulation) totals() (done, dropped int) {
	for _, group := range s.groups {
		done += len(group.Done)
		dropped += len(group.Dropped)
	}
	return done, dropped
}

func drop() *failure.Error {
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "empty")
}

func later() *failure.Error {
	return failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "too slow")
}

func down() *failure.Error {
	return failure.New(v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint, "refused")
}

func TestEveryCellRunsOnceAndLimitsHold(t *testing.T) {
	config := chain()
	config.Lanes[0].Limit = 16
	s := newSimulation(config)
	s.core.Add(0, todo(0, 100))
	s.core.Add(1, todo(100, 150))
	s.core.Add(2, nil)
	s.run(t)
	if done, dropped := s.totals(); done != 150 || dropped != 0 || len(s.groups) != 3 || s.started != 450 {
		t.Errorf("%d rows done, %d dropped, %d groups, %d tasks", done, dropped, len(s.groups), s.started)
	}
	if s.high[0] != 16 || s.high[1] != 4 {
		t.Errorf("high-water marks are %v, want 16 and 4", s.high)
	}
	for _, group := range s.groups {
		for _, record := range group.Done {
			if fmt.Sprint(record.Cells) != "[0 1 2]" {
				t.Fatalf("row %d is %v", record.Row, record.Cells)
			}
		}
	}
}

func TestOlderRowGroupsFinishFirst(t *testing.T) {
	s := newSimulation(chain())
	for group := range 5 {
		s.core.Add(int64(group), todo(group*10, group*10+10))
	}
	s.run(t)
	for position, group := range s.groups {
		if group.Index != int64(position) {
			t.Errorf("row group %d was finished as number %d", group.Index, position)
		}
	}
}

func TestAFailingRowIsTriedAgainAndThenDropped(t *testing.T) {
	s := newSimulation(chain())
	attempts := map[table.RowIndex][]int32{}
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		record := task.Records[0]
		if task.Column == 1 && record.Row%10 == 3 {
			attempts[record.Row] = append(attempts[record.Row], record.Attempt)
			if record.Row == 3 || record.Attempt == 4 {
				return drop()
			}
		}
		return nil
	}
	rows := todo(0, 30)
	rows[13].Attempt = 4 // its earlier attempts have failed in another run
	s.core.Add(0, rows)
	s.run(t)
	if done, dropped := s.totals(); done != 29 || dropped != 1 {
		t.Fatalf("%d rows done, %d dropped", done, dropped)
	}
	if got := s.groups[0].Dropped[0]; got.Row != 3 || got.Column != 1 || got.Attempts != 2 ||
		got.Failure.Reason != v1alpha1.ReasonModelGenerationInvalid {
		t.Errorf("dropped %+v", got)
	}
	if want := "map[3:[0 1] 13:[4 5] 23:[0]]"; fmt.Sprint(attempts) != want {
		t.Errorf("attempts are %v, want %s", attempts, want)
	}
}

func TestARequestIsSentAgainUpToItsBudget(t *testing.T) {
	s := newSimulation(chain())
	sent := map[table.RowIndex]int{}
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column != 1 {
			return nil
		}
		row := task.Records[0].Row
		sent[row]++
		if row == 5 || row == 6 && sent[row] < 3 {
			return later()
		}
		return nil
	}
	s.core.Add(0, todo(0, 20))
	began := s.now
	s.run(t)
	if done, dropped := s.totals(); done != 19 || dropped != 1 {
		t.Fatalf("%d rows done, %d dropped", done, dropped)
	}
	if sent[5] != 6 || sent[6] != 3 || sent[7] != 1 {
		t.Errorf("requests sent for rows 5, 6 and 7: %d, %d, %d; want 6 (3 for each of 2 attempts), 3, 1", sent[5], sent[6], sent[7])
	}
	if got := s.groups[0].Dropped[0].Failure; got.Reason != v1alpha1.ReasonProviderTimeout ||
		got.Message != "gave up after 3 requests: too slow" {
		t.Errorf("dropped by %+v", got)
	}
	if s.now.Equal(began) {
		t.Error("retries did not wait")
	}
}

func TestARetryHoldsNoSlot(t *testing.T) {
	config := chain()
	config.Lanes[1].Limit = 1
	s := newSimulation(config)
	var order []table.RowIndex
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 {
			order = append(order, task.Records[0].Row)
			if task.Records[0].Row == 0 && len(order) == 1 {
				return later()
			}
		}
		return nil
	}
	s.core.Add(0, todo(0, 4))
	s.run(t)
	if fmt.Sprint(order) != "[0 1 2 3 0]" {
		t.Errorf("requests came back in the order %v; the others must not wait for row 0", order)
	}
}

func TestRetryAfterIsHonouredAndCapped(t *testing.T) {
	for _, test := range []struct {
		retry      int
		wish       time.Duration
		least, max time.Duration
	}{
		{1, 0, 0, 500 * time.Millisecond}, {3, 0, 0, 2 * time.Second}, {60, 0, 0, 30 * time.Second},
		{1, 7 * time.Second, 7 * time.Second, 8 * time.Second}, {1, time.Hour, 5 * time.Minute, 6 * time.Minute},
	} {
		for _, jitter := range []float64{0, 0.5, 0.999} {
			if got := schedule.Backoff(test.retry, jitter, test.wish); got < test.least || got > test.max {
				t.Errorf("retry %d with jitter %g and wish %s waits %s", test.retry, jitter, test.wish, got)
			}
		}
	}
}

func TestAnOutageDropsNothing(t *testing.T) {
	s := newSimulation(chain())
	began := s.now
	probes := 0
	s.outcome = func(task schedule.Task, now time.Time) *failure.Error {
		if task.Column == 1 && now.Sub(began) < 50*time.Second {
			probes++
			return down()
		}
		return nil
	}
	s.core.Add(0, todo(0, 40))
	s.run(t)
	if done, dropped := s.totals(); done != 40 || dropped != 0 {
		t.Fatalf("%d rows done, %d dropped", done, dropped)
	}
	if probes > 20 {
		t.Errorf("%d requests were sent to an endpoint that was down for 50 s", probes)
	}
}

func TestAnEndpointThatNeverAnswersEndsTheRun(t *testing.T) {
	s := newSimulation(chain())
	began := s.now
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 {
			return down()
		}
		return nil
	}
	s.core.Add(0, todo(0, 40))
	s.run(t)
	ending := s.core.Ending()
	if ending == nil || ending.Reason != v1alpha1.ReasonProviderUnavailable || !ending.Temporary {
		t.Fatalf("ended with %v", ending)
	}
	if waited := s.now.Sub(began); waited < time.Minute || waited > 3*time.Minute {
		t.Errorf("it ended after %s, want about a minute", waited)
	}
	unfinished := s.core.TakeUnfinished()
	if len(unfinished) != 1 || len(unfinished[0].Unfinished()) != 40 {
		t.Errorf("unfinished: %v", unfinished)
	}
}

// D.T5: when nothing but time-outs comes back, the endpoint is paused, no row is lost, and the run ends resumable.
func TestAnEndpointThatOnlyTimesOutEndsTheRun(t *testing.T) {
	s := newSimulation(chain())
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 {
			return failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "late")
		}
		return nil
	}
	s.core.Add(0, todo(0, 40))
	s.run(t)
	if ending := s.core.Ending(); ending == nil || ending.Reason != v1alpha1.ReasonProviderUnavailable || !ending.Temporary {
		t.Fatalf("ended with %v", ending)
	}
	if done, dropped := s.totals(); done != 0 || dropped != 0 {
		t.Errorf("%d rows done, %d dropped", done, dropped)
	}
}

func TestAColumnThatAlwaysFailsEndsTheRun(t *testing.T) {
	shutsDownEarly(t, newSimulation(chain()), 1000)
}

// shutsDownEarly has every task of column 1 fail, and wants the run to end before many of them have run.
func shutsDownEarly(t *testing.T, s *simulation, rows int) {
	t.Helper()
	calls := 0
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 {
			calls++
			return drop()
		}
		return nil
	}
	s.core.Add(0, todo(0, rows))
	s.run(t)
	if ending := s.core.Ending(); ending == nil || ending.Reason != v1alpha1.ReasonEarlyShutdown || calls > 30 {
		t.Errorf("ended with %v after %d calls, want an early shutdown within 30", s.core.Ending(), calls)
	}
}

func TestRareFailuresNeverEndTheRun(t *testing.T) {
	s := newSimulation(chain())
	random := rand.New(rand.NewPCG(1, 2))
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 && random.Float64() < 0.05 {
			return drop()
		}
		return nil
	}
	for group := range 20 {
		s.core.Add(int64(group), todo(group*5000, group*5000+5000))
	}
	s.run(t)
	if done, dropped := s.totals(); s.core.Ending() != nil || done+dropped != 100_000 {
		t.Errorf("ended with %v; %d rows done, %d dropped", s.core.Ending(), done, dropped)
	}
}

func TestManyFailuresEndTheRunUnlessDisabled(t *testing.T) {
	for _, enabled := range []bool{true, false} {
		config := chain()
		config.Gate.Enabled = enabled
		s := newSimulation(config)
		calls := 0
		s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
			if task.Column == 1 {
				if calls++; calls > 100 && calls%10 != 0 {
					return drop()
				}
			}
			return nil
		}
		s.core.Add(0, todo(0, 2000))
		s.run(t)
		if ended := s.core.Ending() != nil; ended != enabled {
			t.Errorf("enabled %t: ended with %v", enabled, s.core.Ending())
		}
		if enabled && calls > 200 {
			t.Errorf("it ended after %d calls", calls)
		}
	}
}

func TestAfterTheEndNothingStarts(t *testing.T) {
	s := newSimulation(chain())
	ended := false
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 1 && task.Records[0].Row == 30 {
			ended = true
			return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "refused")
		}
		return nil
	}
	s.core.Add(0, todo(0, 20))
	s.core.Add(1, todo(20, 100))
	s.run(t)
	if !ended || s.core.Ending().Reason != v1alpha1.ReasonModelAuthentication {
		t.Fatalf("ended with %v", s.core.Ending())
	}
	before := s.started
	for lane := range 2 {
		if _, found := s.core.Next(lane, s.now.Add(time.Hour)); found {
			t.Error("a task started after the end")
		}
	}
	if s.started != before || s.core.NeedsRows() {
		t.Error("the scheduler wants more after its end")
	}
	done, dropped := s.totals()
	unfinished := 0
	for _, group := range s.core.TakeUnfinished() {
		done += len(group.Done)
		dropped += len(group.Dropped)
		unfinished += len(group.Unfinished())
	}
	if done+dropped+unfinished != 100 || dropped != 0 {
		t.Errorf("%d done, %d dropped and %d unfinished rows of 100", done, dropped, unfinished)
	}
}

// batched has a batch column that needs b, and c after it.
func batched() schedule.Config {
	config := chain()
	config.Columns = []schedule.Column{{Parts: []string{"a"}}, {Parts: []string{"b"}, Requires: []int{0}, Lane: 1}, {Parts: []string{"c"}, Requires: []int{1}, Batch: true}}
	return config
}

func TestABatchWaitsForTheRowsThatAreAlive(t *testing.T) {
	s := newSimulation(batched())
	var batches []int
	s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
		if task.Column == 2 {
			batches = append(batches, len(task.Records))
		}
		if task.Column == 1 && (task.Records[0].Row == 4 || task.Records[0].Row == 5 && task.Records[0].Attempt == 0) {
			return drop()
		}
		return nil
	}
	s.core.Add(0, todo(0, 10))
	s.run(t)
	if done, dropped := s.totals(); done != 9 || dropped != 1 || fmt.Sprint(batches) != "[9]" {
		t.Errorf("%d rows done, %d dropped, batches of %v; want 9, 1 and one batch of 9", done, dropped, batches)
	}
}

func TestWhateverFailsEveryRowHasOneFate(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		config := chain()
		if seed%2 == 1 {
			config = batched()
		}
		config.Gate.Enabled = seed%3 == 0
		s := newSimulation(config)
		s.pick = func(running int) int { return random.IntN(running) }
		s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
			switch draw := random.IntN(100); {
			case draw < 10:
				return drop()
			case draw < 20:
				return later()
			case draw < 25:
				return down()
			}
			return nil
		}
		for group := range 5 {
			s.core.Add(int64(group), todo(group*20, group*20+20))
		}
		s.run(t)
		ended := s.core.Ending() != nil
		if ended {
			s.groups = append(s.groups, s.core.TakeUnfinished()...)
		}
		done, dropped := s.totals()
		if s.fates.Done != int64(done) || len(s.fates.Dropped) != dropped {
			t.Errorf("seed %d: fates say %d and %d, the groups %d and %d", seed, s.fates.Done, len(s.fates.Dropped), done, dropped)
		}
		if !ended && (done+dropped != 100 || len(s.groups) != 5 || s.core.Open() != 0) {
			t.Errorf("seed %d: %d rows done and %d dropped of 100, %d groups, %d open", seed, done, dropped, len(s.groups), s.core.Open())
		}
	}
}

func BenchmarkCell(b *testing.B) {
	s := newSimulation(chain())
	b.ReportAllocs()
	cells := 0
	for group := int64(0); b.Loop(); {
		if s.core.Open() < 3 {
			s.core.Add(group, todo(int(group)*1000, int(group)*1000+1000))
			group++
		}
		for lane := range s.lanes {
			for {
				task, found := s.core.Next(lane, s.now)
				if !found {
					break
				}
				s.running = append(s.running, task)
			}
		}
		for len(s.running) > 0 {
			task := s.running[len(s.running)-1]
			s.running = s.running[:len(s.running)-1]
			s.core.Succeeded(task, s.now)
			cells++
		}
		s.core.Take()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(cells), "ns/cell")
}
