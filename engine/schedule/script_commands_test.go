package schedule_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

func (s *script) add(w words) {
	s.core.Add(s.next, w.todo("rows"))
	s.next++
	s.due()
}

// plan has row groups wait until the scheduler needs rows.
func (s *script) plan(w words) {
	for range w.number("groups", 1) {
		rows := todo(s.planned, s.planned+w.number("rows", 1))
		s.planned += len(rows)
		s.groups = append(s.groups, rows)
	}
}

// start hands out what may start, or as many tasks as count says.
func (s *script) start(w words) {
	started := s.hand(w.number("count", 1<<20), w.value("lane"))
	for i, tasks := range started {
		if len(tasks) > 0 {
			s.say("%s starts %s", s.names[i], strings.Join(tasks, " "))
		}
	}
	if len(slices.Concat(started...)) == 0 {
		s.say("nothing starts")
	}
}

// hand hands out tasks, and returns their names for each lane.
func (s *script) hand(most int, only string) [][]string {
	started := make([][]string, len(s.names))
	for lane, name := range s.names {
		for most > 0 && (only == "" || only == name) {
			task, found := s.core.Next(lane, s.time())
			if !found {
				task, found = s.core.Hedge(lane, s.time())
			}
			if !found {
				break
			}
			most--
			one := scriptTask{task, s.taskName(task), s.now + s.columns[task.Column].takes}
			if task.Hedge {
				one.name += "+"
			} else if slices.Contains(s.columns[task.Column].slow, int(task.Records[0].Row)) {
				one.ends += 10 * s.columns[task.Column].takes
			}
			s.running = append(s.running, one)
			started[lane] = append(started[lane], one.name)
		}
	}
	return started
}

// taskName is the column with the row, such as b3, and b3' for its second attempt, or with all rows, such as b{3,4'}.
func (s *script) taskName(task schedule.Task) string {
	var rows []string
	for _, record := range task.Records {
		rows = append(rows, rowName(record))
	}
	name := s.nameOf(task.Column)
	if column := s.config.Columns[task.Column]; column.Batch || column.Chunk > 1 {
		return name + "{" + strings.Join(rows, ",") + "}"
	}
	return name + rows[0]
}

func rowName(record *table.Record) string {
	return fmt.Sprint(record.Row) + strings.Repeat("'", int(record.Attempt))
}

// comeBack returns tasks, one a line: a name, and how it has failed. In a task for several rows, "row=3" says which of them has.
func (s *script) comeBack(input string) {
	for line := range strings.Lines(input) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		at := slices.IndexFunc(s.running, func(task scriptTask) bool { return task.name == name })
		if at < 0 {
			s.t.Fatalf("%q is not running", name)
		}
		task := s.running[at]
		s.running = slices.Delete(s.running, at, at+1)
		s.give(task, words{s.t, rest})
		s.due()
	}
}

// give gives a task back to the scheduler.
func (s *script) give(task scriptTask, w words) {
	cause := w.cause()
	var failures []schedule.RowFailure
	for position, record := range task.Records {
		if cause != nil && (!w.has("row") || int(record.Row) == w.number("row", 0)) {
			failures = append(failures, schedule.RowFailure{Position: position, Part: w.number("part", 0), Cause: cause})
		} else if s.core.Wants(task.Task, position) {
			record.Cells[task.Column] = task.name
		}
	}
	s.core.Returned(task.Task, failures, s.time())
	s.cancelSlower(task, cause)
	if s.core.Deferred(task.Task) {
		s.say("%s waits for its next request", task.name)
	}
}

// cancelSlower brings back at once what else runs for a cell whose column has a hedge, where a task has brought its value.
func (s *script) cancelSlower(task scriptTask, cause *failure.Error) {
	if cause != nil || s.config.Columns[task.Column].Hedge == nil {
		return
	}
	same := func(other scriptTask) bool { return other.Column == task.Column && other.Records[0] == task.Records[0] }
	for at := slices.IndexFunc(s.running, same); at >= 0; at = slices.IndexFunc(s.running, same) {
		slower := s.running[at]
		s.running = slices.Delete(s.running, at, at+1)
		s.say("%s is cancelled", slower.name)
		s.core.Failed(slower.Task, failure.Of(context.Canceled), s.time())
	}
}

// due takes what has become due.
func (s *script) due() {
	due := s.core.Take()
	s.whole += int(due.Done)
	s.dropped += len(due.Dropped)
	for _, dropped := range due.Dropped {
		by := "the row group"
		if dropped.Column >= 0 {
			by = s.config.Columns[dropped.Column].Parts[dropped.Part]
		}
		s.say("row %d is dropped by %s after %s: %s", dropped.Row, by, times(int(dropped.Attempts), "attempt"), dropped.Failure.Message)
	}
	for _, group := range due.Held {
		s.say("row group %d is held with %s", group.Index, rowNames(group.Alive()))
	}
	for _, group := range due.Finished {
		s.say("row group %d is finished with %s", group.Index, rowNames(group.Done))
	}
	if ending := s.core.Ending(); ending != nil && !s.ended {
		s.ended = true
		s.say("the run ends, %s: %s", ending.Reason, ending.Message)
	}
}

func times(count int, of string) string {
	if count == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", count, of)
}

// rowNames are the names of rows in their order.
func rowNames(records []*table.Record) string {
	if len(records) == 0 {
		return "no rows"
	}
	sorted := slices.SortedFunc(slices.Values(records), func(a, b *table.Record) int { return cmp.Compare(a.Row, b.Row) })
	if len(sorted) > 12 {
		return fmt.Sprintf("%d rows", len(sorted))
	}
	var names []string
	for _, record := range sorted {
		names = append(names, rowName(record))
	}
	if len(names) == 1 {
		return "row " + names[0]
	}
	return "rows " + strings.Join(names, " ")
}

// advance lets time pass: so much, or until the scheduler wants to be woken.
func (s *script) advance(w words) {
	if w.line != "" {
		length, err := time.ParseDuration(w.line)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now += length
	} else if next, wakes := s.core.NextWake(); wakes {
		s.now = next.Sub(beginning)
	} else {
		s.say("nothing waits for time")
		return
	}
	s.say("it is %s", s.clock(s.now))
}

func (s *script) release(w words) {
	s.core.Released(int64(w.number("group", 0)))
	s.due()
}

func (s *script) drop(w words) {
	s.core.DropGroup(int64(w.number("group", 0)), failure.New(v1alpha1.ReasonProcessorFailed, failure.EndRun, "its processors have failed"))
	s.due()
}

func (s *script) ceiling(w words) {
	s.core.SetCeiling(w.number("endpoint", 0), w.number("limit", 0), w.has("limit"))
}

func (s *script) end(words) {
	s.core.End(failure.New(v1alpha1.ReasonInterrupted, failure.EndRun, "it was asked to stop"))
	s.due()
}

// unfinished says what is left after the end.
func (s *script) unfinished(words) {
	for _, group := range s.core.TakeUnfinished() {
		var rows []string
		for _, todo := range group.Unfinished() {
			rows = append(rows, fmt.Sprint(todo.Row)+strings.Repeat("'", int(todo.Attempt)))
		}
		s.say("row group %d: %s whole; rows %s unfinished", group.Index, rowNames(group.Done), strings.Join(rows, " "))
	}
}

func (s *script) needsRows(words) { s.say("%t", s.core.NeedsRows()) }

var reasons = []string{
	"nothing", "a slot", "the end of a pause", "recovery", "the ramp", "the requests of a minute",
	"the tokens of a minute", "the share of its endpoint",
}

// state says what the lanes and endpoints are doing, and how many cells there are.
func (s *script) state(words) {
	for i, lane := range s.core.LaneStates() {
		s.say("%s: %d of %d run, %d are ready, %d deferred%s", s.names[i], lane.Running, lane.Limit, lane.Ready, lane.Deferred,
			s.until(lane.NextTry))
		if i > 0 && lane.Ready > 0 && lane.Waits.Reason > 0 {
			s.say("  waits for %s%s", reasons[lane.Waits.Reason], s.until(lane.Waits.Until))
		}
	}
	for i := range s.config.Endpoints {
		if state := s.core.EndpointState(i); state.Failed > 0 {
			paused := ""
			if state.Paused {
				paused = ", it is paused" + s.until(state.Until)
			}
			s.say("endpoint %d: failed requests in a row: %d%s", i, state.Failed, paused)
		}
	}
	for i, counts := range s.core.CellCounts() {
		s.say("%s: %d made, %d running, %d deferred", s.nameOf(i), counts.Completed, counts.Running, counts.Deferred)
	}
}

func (s *script) until(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf(" until %s", s.clock(at.Sub(beginning)))
}
