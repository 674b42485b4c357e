package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// skipping leaves out the cells of one column in the rows for which skips is true.
func skipping(config schedule.Config, column int, skips func(table.RowIndex) bool) schedule.Config {
	config.Skip = func(record *table.Record, at int) bool {
		if at != column || !skips(record.Row) {
			return false
		}
		record.Cells[at] = "skipped"
		return true
	}
	return config
}

func every(n int) func(table.RowIndex) bool {
	return func(row table.RowIndex) bool { return int(row)%n == 0 }
}

func TestASkippedCellIsDoneWithoutATask(t *testing.T) {
	s := newSimulation(skipping(chain(), 1, every(4)))
	s.core.Add(0, todo(0, 100))
	s.run(t)
	if done, dropped := s.totals(); done != 100 || dropped != 0 || s.started != 275 {
		t.Errorf("%d rows done, %d dropped, %d tasks; want 100, 0 and 275", done, dropped, s.started)
	}
	for _, record := range s.groups[0].Done {
		if want := fmt.Sprint([]any{0, map[bool]any{true: "skipped", false: 1}[record.Row%4 == 0], 2}); fmt.Sprint(record.Cells) != want {
			t.Errorf("row %d is %v, want %s", record.Row, record.Cells, want)
		}
	}
}

func TestARowGroupOfWhichEverythingIsSkippedIsFinishedAtOnce(t *testing.T) {
	config := chain()
	config.Skip = func(*table.Record, int) bool { return true }
	s := newSimulation(config)
	s.core.Add(0, todo(0, 10))
	s.core.Add(1, todo(10, 20))
	s.run(t)
	if done, _ := s.totals(); done != 20 || len(s.groups) != 2 || s.started != 0 || s.fates.Done != 20 || s.core.Open() != 0 {
		t.Errorf("%d rows done in %d groups, %d tasks, %d fates", done, len(s.groups), s.started, s.fates.Done)
	}
}

func TestSkippedRowsAreWithheldFromABatch(t *testing.T) {
	for name, test := range map[string]struct {
		skips func(table.RowIndex) bool
		want  string
	}{"some": {every(4), "[7]"}, "all": {every(1), "[]"}, "none": {func(table.RowIndex) bool { return false }, "[10]"}} {
		s := newSimulation(skipping(batched(), 2, test.skips))
		batches := []int{}
		s.outcome = func(task schedule.Task, _ time.Time) *failure.Error {
			if task.Column == 2 {
				batches = append(batches, len(task.Records))
			}
			return nil
		}
		s.core.Add(0, todo(0, 10))
		s.run(t)
		if done, _ := s.totals(); done != 10 || fmt.Sprint(batches) != test.want {
			t.Errorf("%s: %d rows done, batches of %v, want %s", name, done, batches, test.want)
		}
	}
}

// Nine of ten cells are skipped, and the others all fail: the column fails always.
func TestSkippedCellsDoNotDiluteTheGate(t *testing.T) {
	shutsDownEarly(t, newSimulation(skipping(chain(), 1, func(row table.RowIndex) bool { return row%10 > 0 })), 2000)
}

// The same for a part of a task that makes several columns.
func TestSkippedPartsDoNotDiluteTheGate(t *testing.T) {
	config := chain()
	config.Columns = []schedule.Column{{Parts: []string{"a", "b"}, Chunk: 8, Cells: []int{0, 1}}}
	s := newSimulation(config)
	s.core.Add(0, todo(0, 2000))
	began := 0
	for s.core.Ending() == nil {
		task, found := s.core.Next(0, s.now)
		if !found {
			break
		}
		var failures []schedule.RowFailure
		for position, record := range task.Records {
			record.Skipped = make([]bool, schema.Len())
			if record.Row%10 > 0 {
				record.Skipped[1] = true
				continue
			}
			began++
			failures = append(failures, schedule.RowFailure{Position: position, Part: 1, Cause: drop()})
		}
		s.core.Returned(task, failures, s.now)
	}
	if ending := s.core.Ending(); ending == nil || ending.Reason != v1alpha1.ReasonEarlyShutdown || began > 30 {
		t.Errorf("ended with %v after %d failures", ending, began)
	}
}
