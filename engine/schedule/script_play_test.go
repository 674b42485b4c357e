package schedule_test

import (
	"slices"
	"strings"
	"time"
)

// fault says which tasks fail: those of a column, of some rows, every so many, up to so many, until some time.
type fault struct {
	words
	column      int
	rows        []int
	every, most int
	count, hits int
	until       time.Duration
}

func (f *fault) meets(task scriptTask, now time.Duration) bool {
	if task.Column != f.column || now >= f.until || f.hits >= f.most {
		return false
	}
	if len(f.rows) > 0 && !slices.Contains(f.rows, int(task.Records[0].Row)) {
		return false
	}
	f.count++
	if f.count%f.every != 0 {
		return false
	}
	f.hits++
	return true
}

func (s *script) faultsOf(input string) []*fault {
	var faults []*fault
	for line := range strings.Lines(input) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		w := words{s.t, rest}
		if s.columnNamed(name) < 0 || w.cause() == nil {
			s.t.Fatalf("%q is no fault", line)
		}
		faults = append(faults, &fault{
			words: w, column: s.columnNamed(name), rows: w.rows("rows"), every: w.number("every", 1), most: w.number("times", 1<<30),
			until: w.duration("until", time.Hour*1000),
		})
	}
	return faults
}

// play runs tasks for as long as they take, with the faults of its input, until nothing is left to do or the time is over. With quiet, it
// leaves out what becomes of tasks and rows, and counts them.
func (s *script) play(w words, input string) {
	s.faults = s.faultsOf(input)
	stop := s.now + w.duration("for", 1000*time.Hour)
	quiet := w.has("quiet")
	s.whole, s.dropped = 0, 0
	tasks := 0
	for {
		s.refill(w.has("ahead"))
		started := slices.Concat(s.hand(1<<20, "")...)
		tasks += len(started)
		if len(started) > 0 && !quiet {
			s.say("%6s  start %s", s.clock(s.now), strings.Join(started, " "))
		}
		if !s.pass(stop) {
			break
		}
		s.returnDue(quiet)
	}
	if quiet {
		s.say("%s: %s, %s whole, %d dropped", s.clock(s.now), times(tasks, "task"), times(s.whole, "row"), s.dropped)
	}
}

// refill adds row groups that wait, as many as are needed.
func (s *script) refill(ahead bool) {
	if ahead {
		s.core.Ahead(s.planned - s.added)
	}
	for len(s.groups) > 0 && s.core.NeedsRows() {
		s.core.Add(s.next, s.groups[0])
		s.next++
		s.added += len(s.groups[0])
		s.groups = s.groups[1:]
	}
}

// pass lets time pass until a task comes back, or the scheduler wants to be woken; it says whether anything of the two happens.
func (s *script) pass(stop time.Duration) bool {
	next := time.Duration(-1)
	for _, task := range s.running {
		if next < 0 || task.ends < next {
			next = task.ends
		}
	}
	if wake, wakes := s.core.NextWake(); wakes && (next < 0 || wake.Sub(beginning) < next) {
		next = wake.Sub(beginning)
	}
	if next < 0 || next > stop {
		return false
	}
	s.now = next
	return true
}

// returnDue returns the tasks whose time is over.
func (s *script) returnDue(quiet bool) {
	var back []scriptTask
	s.running = slices.DeleteFunc(s.running, func(task scriptTask) bool {
		if task.ends <= s.now {
			back = append(back, task)
			return true
		}
		return false
	})
	var names []string
	before := s.out.String()
	s.out.Reset()
	for _, task := range back {
		outcome := words{s.t, ""}
		name := task.name
		for _, each := range s.faults {
			if each.meets(task, s.now) {
				outcome = each.words
				name += "(" + outcome.kind() + ")"
				break
			}
		}
		names = append(names, name)
		s.give(task, outcome)
	}
	s.due()
	after := s.out.String()
	s.out.Reset()
	s.out.WriteString(before)
	if quiet {
		after = withoutLines(withoutLines(after, "waits for its next request"), "is dropped by")
	} else if len(names) > 0 {
		s.say("%6s  back  %s", s.clock(s.now), strings.Join(names, " "))
	}
	for line := range strings.Lines(after) {
		s.out.WriteString(strings.Repeat(" ", 8) + line)
	}
}

func withoutLines(text, with string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		if !strings.Contains(line, with) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
