package schedule

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

var (
	simulationSeed      = flag.Uint64("simulation.seed", 0, "run only the schedule of faults with this seed")
	simulationSchedules = flag.Int("simulation.schedules", 10_000, "how many random schedules of faults to run")
)

// regressions are seeds that have found a defect, each with what it was.
var regressions = []uint64{
	5611258272354242834, // a probe that ended the run left its endpoint waiting for it
}

// TestFaultSchedules runs random plans through random faults in a time of their own, and looks at every invariant after every event.
func TestFaultSchedules(t *testing.T) {
	if *simulationSeed != 0 {
		if _, err := simulate(*simulationSeed); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, seed := range regressions {
		if _, err := simulate(seed); err != nil {
			t.Errorf("%v\nagain: go test ./engine/schedule -run TestFaultSchedules -simulation.seed %d", err, seed)
		}
	}
	first := rand.Uint64() | 1
	t.Logf("%d schedules from seed %d on", *simulationSchedules, first)
	hedged := 0
	for i := 0; i < *simulationSchedules && !t.Failed(); i++ {
		seed := first + uint64(i)
		hedges, err := simulate(seed)
		if err != nil {
			t.Errorf("%v\nagain: go test ./engine/schedule -run TestFaultSchedules -simulation.seed %d", err, seed)
		}
		hedged += hedges
	}
	if hedged < *simulationSchedules/10 {
		t.Errorf("%d tasks were started beside others: too few to show anything", hedged)
	}
}

// simulated is a run of a scheduler in virtual time, under faults that a seed decides.
type simulated struct {
	random    *rand.Rand
	core      *Core
	config    Config
	schema    *table.Schema
	now       time.Time
	waiting   [][]Todo
	nextGroup int64
	tasks     []Task
	// processing are the held row groups that somebody works on, and dropped those that were dropped as a whole.
	processing []processing
	dropped    map[int64]bool
	ends       []time.Time // of the tasks, in their order
	fates      map[table.RowIndex]string
	rows       int
	// ahead says that the scheduler is told how many rows are still to be added; added are those that were.
	ahead   bool
	added   int
	latency time.Duration
	rates   []rates
	outages []outage
	stopAt  time.Time
	// skips are the shares of the cells of a column that are left out.
	skips  []float64
	broken []string
	// hedges counts the tasks that were started beside others.
	hedges int
	// skippedRows counts the rows that were told to be done with cells left out.
	skippedRows int
	trail       []string
}

// rates are the shares of the outcomes of a column that are failures, by consequence.
type rates struct{ drop, later, limited, down, end float64 }

type outage struct {
	endpoint   int
	start, end time.Time
}

type processing struct {
	group *Group
	end   time.Time
}

// processed stands for the attempt in a cell that was written while its row group was held.
const processed = -1

// value is what a cell holds: from it follows for which attempt of which row it was made.
type value struct {
	row     table.RowIndex
	attempt int32
	column  int
	skipped bool
}

// holds says what the cell of a column holds when it is there.
func (s *simulated) holds(record *table.Record, column int) value {
	if s.config.Hold && !s.config.Columns[column].AfterHold {
		return value{record.Row, processed, column, false}
	}
	return value{record.Row, record.Attempt, column, s.skipped(record, column)}
}

// input says what the cell of a column holds when another one reads it.
func (s *simulated) input(record *table.Record, column, required int) value {
	if s.config.Hold && !s.config.Columns[column].AfterHold {
		return value{record.Row, record.Attempt, required, false}
	}
	return s.holds(record, required)
}

func (s *simulated) newRecord(row table.RowIndex, attempt int32) *table.Record {
	record := table.NewRecord(s.schema, row, attempt)
	record.Skipped = make([]bool, s.schema.Len())
	return record
}

// skipped draws, for an attempt of a row, whether the cell of a column is left out.
func (s *simulated) skipped(record *table.Record, column int) bool {
	if s.config.Skip == nil {
		return false
	}
	draw := rand.New(rand.NewPCG(uint64(record.Row)<<8|uint64(record.Attempt), uint64(column))).Float64()
	return draw < s.skips[column]
}

// skip leaves out a cell, and notes what it should not have been asked.
func (s *simulated) skip(record *table.Record, column int) bool {
	for _, required := range s.config.Columns[column].Requires {
		if record.Cells[required] != s.input(record, column, required) {
			s.broken = append(s.broken, fmt.Sprintf("whether to skip column %d of row %d was asked without its input %d", column, record.Row,
				required))
		}
	}
	if !s.skipped(record, column) {
		return false
	}
	if record.Skipped[column] {
		s.broken = append(s.broken, fmt.Sprintf("column %d of row %d was skipped twice", column, record.Row))
	}
	record.Skipped[column] = true
	record.Cells[column] = s.holds(record, column)
	return true
}

func newSimulated(seed uint64) *simulated {
	s := &simulated{random: rand.New(rand.NewPCG(seed, 0)), now: time.Unix(1_000_000, 0), fates: map[table.RowIndex]string{}, dropped: map[int64]bool{}}
	s.latency = time.Duration(1+s.random.IntN(3000)) * time.Millisecond
	s.config = Config{
		Lanes: []Lane{{Limit: 1 + s.random.IntN(4), Endpoint: -1}}, Endpoints: 1 + s.random.IntN(2),
		MaxRowAttempts: 1 + s.random.IntN(3), MaxRequestAttempts: 1 + s.random.IntN(4),
		Gate:   GateConfig{Enabled: s.random.IntN(2) == 0, ErrorRate: 0.5, Window: 50},
		Outage: OutageConfig{First: s.duration(time.Minute), Later: s.duration(30 * time.Minute)},
		Jitter: func(int, *table.Record, int) float64 { return s.random.Float64() },
	}
	if s.random.IntN(2) == 0 {
		s.config.Ceilings = s.config.Endpoints
	}
	for range s.random.IntN(4) {
		s.config.Lanes = append(s.config.Lanes, s.randomLane())
	}
	var fields []table.Field
	for i := range 1 + s.random.IntN(6) {
		column := Column{Parts: []string{fmt.Sprint("column-", i)}, Lane: s.random.IntN(len(s.config.Lanes)), Weight: s.random.IntN(5), Batch: s.random.IntN(6) == 0}
		switch {
		case column.Batch:
			column.Lane = Local
		case column.Lane == Local && s.random.IntN(2) == 0:
			column.Parts = append(column.Parts, column.Parts[0]+"-second")
			column.Chunk = 1 + s.random.IntN(5)
		}
		for required := range i {
			if s.random.IntN(2) == 0 {
				column.Requires = append(column.Requires, required)
			}
		}
		s.config.Columns = append(s.config.Columns, column)
		fields = append(fields, table.Field{Name: column.Parts[0]})
		s.rates = append(s.rates, s.randomRates())
		s.skips = append(s.skips, [...]float64{0, 0, 0.3, 1}[s.random.IntN(4)])
	}
	s.schema = table.NewSchema(fields...)
	if s.random.IntN(3) == 0 {
		s.hold()
	}
	s.config.NewRecord = s.newRecord
	for range s.random.IntN(3) {
		start := s.now.Add(s.duration(20 * time.Second))
		s.outages = append(s.outages, outage{s.random.IntN(s.config.Endpoints), start, start.Add(s.duration(2 * time.Minute))})
	}
	if s.random.IntN(6) == 0 {
		s.stopAt = s.now.Add(s.duration(30 * time.Second))
	}
	for range 1 + s.random.IntN(4) {
		var group []Todo
		for range 1 + s.random.IntN(12) {
			group = append(group, Todo{Row: table.RowIndex(s.rows), Attempt: int32(s.random.IntN(2)), Resumed: int32(s.random.IntN(3))})
			s.rows++
		}
		s.waiting = append(s.waiting, group)
	}
	if s.random.IntN(3) == 0 {
		s.config.Recovered = s.recovered
	}
	if s.random.IntN(2) == 0 {
		s.config.Skip = s.skip
	}
	// The two are not drawn, so that older seeds stay what they were.
	s.ahead = seed%2 == 1
	s.hedge(seed)
	s.core = New(s.config)
	return s
}

// hedge has slow cells of some columns of models get another task, soon and often.
func (s *simulated) hedge(seed uint64) {
	for i := range s.config.Columns {
		column := &s.config.Columns[i]
		if seed%3 == 1 && i%3 < 2 && s.config.Lanes[column.Lane].Endpoint >= 0 && (!s.config.Hold || column.AfterHold) {
			column.Hedge = &Hedge{Quantile: 0.5, MaxExtra: 1, After: 2}
		}
	}
}

// hold lets row groups be held before some of the columns.
func (s *simulated) hold() {
	s.config.Hold = true
	first := s.random.IntN(len(s.config.Columns) + 1)
	for i := first; i < len(s.config.Columns); i++ {
		s.config.Columns[i].AfterHold = true
	}
	clear(s.skips[:first])
	s.config.Restarted = func(before *table.Record, attempt int32) *table.Record {
		record := s.newRecord(before.Row, attempt)
		copy(record.Cells, before.Cells[:first])
		return record
	}
}

// randomRates are all zero for many columns, so that faults of one kind are also met alone.
func (s *simulated) randomRates() rates {
	rate := func(chance int, most float64) float64 {
		if s.random.IntN(chance) > 0 {
			return 0
		}
		return s.random.Float64() * most
	}
	return rates{drop: rate(2, 0.4), later: rate(2, 0.5), limited: rate(3, 0.5), down: rate(3, 0.5), end: rate(10, 0.02)}
}

// recovered makes some cells of some attempts known from the start.
func (s *simulated) recovered(record *table.Record) []int {
	var positions []int
	for i, column := range s.config.Columns {
		if !column.Batch && !s.skipped(record, i) && s.random.IntN(3) == 0 && (!s.config.Hold || column.AfterHold) {
			record.Cells[i] = s.holds(record, i)
			positions = append(positions, i)
		}
	}
	return positions
}

func (s *simulated) duration(most time.Duration) time.Duration {
	return time.Duration(s.random.Int64N(int64(most)))
}

func (s *simulated) say(format string, arguments ...any) {
	s.trail = append(s.trail, fmt.Sprintf("%8.3f s  ", s.now.Sub(time.Unix(1_000_000, 0)).Seconds())+fmt.Sprintf(format, arguments...))
}

// simulate runs the schedule of a seed to its end, and returns how many tasks were started beside others. Its error tells the last events
// before an invariant broke.
func simulate(seed uint64) (hedges int, err error) {
	s := newSimulated(seed)
	for step := 0; ; step++ {
		problems := s.step()
		if len(problems) == 0 && step > 100_000 {
			problems = []string{"the run does not come to an end"}
		}
		if len(problems) > 0 {
			return 0, fmt.Errorf("after %d events:\n  %s\nthe last events:\n%s", step, strings.Join(problems, "\n  "),
				strings.Join(s.trail[max(0, len(s.trail)-15):], "\n"))
		}
		if len(s.tasks)+len(s.processing) == 0 && (s.core.Ending() != nil || (s.core.Open() == 0 && len(s.waiting) == 0)) {
			break
		}
	}
	if problems := s.conclusion(); len(problems) > 0 {
		return 0, fmt.Errorf("at the end:\n  %s\nthe last events:\n%s", strings.Join(problems, "\n  "),
			strings.Join(s.trail[max(0, len(s.trail)-15):], "\n"))
	}
	return s.hedges, nil
}

// step starts what may start, lets one event happen, and returns the invariants that do not hold.
func (s *simulated) step() []string {
	if s.ahead {
		s.core.Ahead(s.rows - s.added)
	}
	for len(s.waiting) > 0 && s.core.NeedsRows() {
		s.added += len(s.waiting[0])
		s.core.Add(s.nextGroup, s.waiting[0])
		s.nextGroup++
		s.waiting = s.waiting[1:]
	}
	problems := s.collect()
	if s.config.Ceilings > 0 && s.random.IntN(8) == 0 {
		s.share(0)
	}
	problems = append(problems, s.dispatch()...)
	problems = append(problems, s.collect()...)
	problems = append(problems, s.core.violations(s.tasks)...)
	problems = append(problems, s.core.idle(s.now)...)
	if next, wakes := s.core.NextWake(); wakes && !next.After(s.now) {
		problems = append(problems, "it asks to be woken at once, and has nothing to start: its owner would spin")
	}
	if len(problems) > 0 || (len(s.tasks)+len(s.processing) == 0 && (s.core.Ending() != nil || (s.core.Open() == 0 && len(s.waiting) == 0))) {
		return problems
	}
	if len(s.tasks)+len(s.processing) == 0 && s.core.Open() == 0 && s.core.NeedsRows() {
		return nil // the next row group comes now: what kept it out has been cleared away
	}
	if !s.advance() {
		if s.shut() {
			s.share(1)
			return problems
		}
		return []string{"rows are open, nothing runs, and nothing waits for a time"}
	}
	problems = append(problems, s.collect()...)
	return append(problems, s.core.violations(s.tasks)...)
}

func (s *simulated) dispatch() []string {
	var problems []string
	for lane := range s.config.Lanes {
		for {
			task, found := s.core.Next(lane, s.now)
			if !found {
				task, found = s.core.Hedge(lane, s.now)
			}
			if !found {
				break
			}
			if task.Hedge {
				s.hedges++
			}
			if running, limit := s.core.Load(lane); running > limit || limit < 1 || limit > s.config.Lanes[lane].Limit {
				problems = append(problems, fmt.Sprintf("lane %d starts a task as number %d, with a limit of %d", lane, running, limit))
			}
			problems = append(problems, s.exceeds(lane)...)
			s.say("starts column %d of %s", task.Column, rowsOf(task))
			if s.core.Ending() != nil {
				problems = append(problems, fmt.Sprintf("column %d of %s was started after the end", task.Column, rowsOf(task)))
			}
			for _, record := range task.Records {
				if s.skipped(record, task.Column) {
					problems = append(problems, fmt.Sprintf("column %d of row %d was started, and is to be skipped", task.Column, record.Row))
				}
				for _, required := range s.config.Columns[task.Column].Requires {
					if record.Cells[required] != s.input(record, task.Column, required) {
						problems = append(problems, fmt.Sprintf("column %d of row %d was started without its input %d: %v", task.Column, record.Row, required,
							record.Cells[required]))
					}
				}
			}
			s.tasks = append(s.tasks, task)
			s.ends = append(s.ends, s.now.Add(time.Duration(s.random.ExpFloat64()*float64(s.latency))))
		}
	}
	return problems
}

func rowsOf(task Task) string {
	var rows []string
	for _, record := range task.Records {
		rows = append(rows, fmt.Sprintf("row %d (attempt %d)", record.Row, record.Attempt))
	}
	return strings.Join(rows, ", ")
}

// advance goes to the next event: a task that comes back, a delay that is over, or the stop from outside. It returns false when there is
// none.
func (s *simulated) advance() bool {
	next, wakes := s.core.NextWake()
	first := -1
	for i, end := range s.ends {
		if first < 0 || end.Before(s.ends[first]) {
			first = i
		}
	}
	if at := s.nextProcessed(); at >= 0 && (first < 0 || s.processing[at].end.Before(s.ends[first])) &&
		(!wakes || s.processing[at].end.Before(next)) {
		s.now = later(s.now, s.processing[at].end)
		s.release(at)
		return true
	}
	stopping := !s.stopAt.IsZero() && s.core.Ending() == nil
	switch {
	case stopping && (first < 0 || s.stopAt.Before(s.ends[first])) && (!wakes || s.stopAt.Before(next)):
		s.now = later(s.now, s.stopAt)
		s.say("is stopped from outside")
		s.core.End(failure.New(v1alpha1.ReasonInterrupted, failure.EndRun, "stopped"))
		// Requests that are cancelled come back at once.
		for i := range s.ends {
			s.ends[i] = s.now
		}
	case first >= 0 && (!wakes || !next.Before(s.ends[first]) || s.core.Ending() != nil):
		s.now = later(s.now, s.ends[first])
		task := s.tasks[first]
		s.tasks, s.ends = slices.Delete(s.tasks, first, first+1), slices.Delete(s.ends, first, first+1)
		s.comeBack(task)
	case wakes:
		s.now = next
	default:
		return false
	}
	return true
}

func (s *simulated) nextProcessed() int {
	first := -1
	for i := range s.processing {
		if first < 0 || s.processing[i].end.Before(s.processing[first].end) {
			first = i
		}
	}
	return first
}

// release writes to the rows of a held row group and lets it go on, or drops it.
func (s *simulated) release(at int) {
	group := s.processing[at].group
	s.processing = slices.Delete(s.processing, at, at+1)
	if s.random.IntN(8) == 0 {
		s.drop(group.Index)
		return
	}
	s.say("row group %d is released", group.Index)
	for _, record := range group.Alive() {
		for i, column := range s.config.Columns {
			if !column.AfterHold {
				record.Cells[i] = value{record.Row, processed, i, false}
			}
		}
	}
	s.core.Released(group.Index)
}

func (s *simulated) drop(index int64) {
	s.say("row group %d is dropped", index)
	s.dropped[index] = true
	s.core.DropGroup(index, failure.New(v1alpha1.ReasonProcessorFailed, failure.EndRun, "it failed"))
}

func (s *simulated) comeBack(task Task) {
	if s.random.IntN(200) == 0 {
		s.drop(task.Group())
	}
	for i, record := range task.Records {
		if s.dropped[task.Group()] && s.core.Wants(task, i) {
			s.broken = append(s.broken, fmt.Sprintf("column %d of row %d is wanted after its row group was dropped", task.Column, record.Row))
		}
	}
	if s.random.IntN(4) > 0 {
		task.Cost = Cost{Tokens: 100 + s.random.Int64N(1000), OutputTokens: s.random.Int64N(100)}
	}
	var failures []RowFailure
	if len(s.config.Columns[task.Column].Parts) > 1 {
		// The rows of a chunk have fates of their own.
		for position := range task.Records {
			if cause := s.outcome(task); cause != nil {
				failures = append(failures, RowFailure{Position: position, Part: s.random.IntN(2), Cause: cause})
			}
		}
	} else if cause := s.outcome(task); cause != nil {
		s.say("column %d of %s fails: %s", task.Column, rowsOf(task), cause.Reason)
		s.core.Failed(task, cause, s.now)
		return
	}
	s.say("column %d of %s is there, but for %d rows", task.Column, rowsOf(task), len(failures))
	failed := map[int]bool{}
	for _, problem := range failures {
		failed[problem.Position] = true
	}
	for i, record := range task.Records {
		if s.core.Wants(task, i) && !failed[i] {
			record.Cells[task.Column] = s.input(record, task.Column, task.Column)
		}
	}
	s.core.Returned(task, failures, s.now)
	for i, other := range s.tasks {
		// What is cancelled comes back at once, with a value or without; some owners don't cancel.
		if other.hedged != nil && other.hedged == task.hedged && s.random.IntN(2) == 0 {
			s.ends[i] = s.now
		}
	}
}

func (s *simulated) outcome(task Task) *failure.Error {
	endpoint := s.config.Lanes[task.Lane].Endpoint
	for _, out := range s.outages {
		if out.endpoint == endpoint && !s.now.Before(out.start) && s.now.Before(out.end) {
			return failure.New(v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint, "refused")
		}
	}
	draw := s.random.Float64()
	at := s.rates[task.Column]
	within := func(rate float64) bool {
		draw -= rate
		return draw < 0
	}
	switch {
	case within(at.drop):
		return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "empty")
	case within(at.end / 10):
		return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "who are you?")
	case endpoint < 0:
		return nil
	case within(at.later / 4):
		return failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "too slow")
	case within(at.limited / 4):
		limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
		limited.Overloaded = true
		if s.random.IntN(2) == 0 {
			limited.RetryAfter = s.duration(time.Minute)
		}
		return limited
	case within(at.down / 4):
		return failure.New(v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint, "refused")
	}
	return nil
}

// collect takes the rows that have met their fate: each has one, and what is written is whole and of one attempt.
func (s *simulated) collect() []string {
	problems := s.broken
	s.broken = nil
	note := func(row table.RowIndex, fate string) {
		if before, known := s.fates[row]; known {
			problems = append(problems, fmt.Sprintf("row %d is %s, and was %s before", row, fate, before))
		}
		s.fates[row] = fate
	}
	due := s.core.Take()
	for _, group := range due.Held {
		s.say("row group %d is held", group.Index)
		s.processing = append(s.processing, processing{group, s.now.Add(s.duration(5 * time.Second))})
	}
	s.skippedRows += len(due.Skipped)
	if total := int(due.Done) + len(due.Dropped) + len(s.fates); total > s.rows {
		problems = append(problems, fmt.Sprintf("%d rows have met their fate, of %d", total, s.rows))
	}
	for _, group := range due.Finished {
		if unfinished := group.Unfinished(); len(unfinished) > 0 {
			problems = append(problems, fmt.Sprintf("row group %d is finished without rows %v", group.Index, unfinished))
		}
		problems = append(problems, s.fatesOf(group, note)...)
	}
	return problems
}

func (s *simulated) fatesOf(group *Group, note func(table.RowIndex, string)) []string {
	var problems []string
	for _, record := range group.Done {
		note(record.Row, "done")
		if slices.Contains(record.Skipped, true) {
			s.skippedRows--
		}
		for i, cell := range record.Cells {
			if cell != s.holds(record, i) {
				problems = append(problems, fmt.Sprintf("row %d is done, and its cell %d holds %v", record.Row, i, cell))
			}
		}
	}
	for _, dropped := range group.Dropped {
		note(dropped.Row, "dropped")
		switch {
		case dropped.Failure == nil:
			problems = append(problems, fmt.Sprintf("row %d is dropped without a cause", dropped.Row))
		case dropped.Failure.Overloaded || dropped.Failure.Reason == v1alpha1.ReasonProviderRateLimited:
			problems = append(problems, fmt.Sprintf("row %d is dropped because the provider had too much to do", dropped.Row))
		}
	}
	return problems
}

// conclusion checks that at the end every row is accounted for once.
func (s *simulated) conclusion() []string {
	problems := s.collect()
	note := func(row table.RowIndex, fate string) {
		if before, known := s.fates[row]; known {
			problems = append(problems, fmt.Sprintf("row %d is %s, and was %s before", row, fate, before))
		}
		s.fates[row] = fate
	}
	if s.core.Ending() != nil {
		for _, group := range s.core.TakeUnfinished() {
			problems = append(problems, s.fatesOf(group, note)...)
			for _, row := range group.Unfinished() {
				note(row.Row, "unfinished")
			}
		}
		for _, group := range s.waiting {
			for _, todo := range group {
				note(todo.Row, "not begun")
			}
		}
	}
	if s.skippedRows != 0 {
		problems = append(problems, fmt.Sprintf("of %d rows more than there are, it was told that cells were left out", s.skippedRows))
	}
	if len(s.fates) != s.rows {
		problems = append(problems, fmt.Sprintf("%d of %d rows have a fate", len(s.fates), s.rows))
	}
	return problems
}
