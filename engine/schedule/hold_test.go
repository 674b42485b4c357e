package schedule_test

import (
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// held is the chain, with a hold after its first column.
func held() schedule.Config {
	config := chain()
	config.Hold = true
	config.Columns[1].AfterHold, config.Columns[2].AfterHold = true, true
	config.Restarted = func(before *table.Record, attempt int32) *table.Record {
		record := table.NewRecord(schema, before.Row, attempt)
		record.Cells[0] = before.Cells[0]
		return record
	}
	return config
}

// all hands out whatever may start.
func (s *simulation) all() (tasks []schedule.Task) {
	for lane := range s.lanes {
		for {
			task, found := s.core.Next(lane, s.now)
			if !found {
				break
			}
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func TestAHeldRowGroupWaitsForItsRelease(t *testing.T) {
	s := newSimulation(held())
	s.core.Add(0, todo(0, 2))
	s.core.Add(1, todo(2, 4))
	for _, task := range s.all() {
		if groups := s.core.Take().Held; len(groups) > 0 {
			t.Error("a row group is held before all of its rows are there")
		}
		s.core.Succeeded(task, s.now)
	}
	groups := s.core.Take().Held
	if tasks := s.all(); len(groups) != 1 || groups[0].Index != 0 || len(tasks) != 2 || tasks[0].Column != 0 || tasks[0].Group() != 1 {
		t.Fatalf("%d row groups are held, and %+v may start", len(groups), tasks)
	}
	for _, record := range groups[0].Alive() {
		record.Cells[0] = "processed"
	}
	s.core.Released(0)
	tasks := s.all()
	if len(tasks) != 2 || tasks[0].Column != 1 || tasks[0].Group() != 0 {
		t.Fatalf("%+v may start after the release", tasks)
	}
	s.core.Failed(tasks[0], failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "empty"), s.now)
	again := s.all()
	if len(again) != 1 || again[0].Column != 1 || again[0].Records[0].Attempt != 1 || again[0].Records[0].Cells[0] != "processed" {
		t.Errorf("%+v is started again", again)
	}
}

func TestADroppedRowGroupIsFinishedOnceNothingOfItRuns(t *testing.T) {
	s := newSimulation(held())
	s.core.Add(0, todo(0, 2))
	for _, task := range s.all() {
		s.core.Succeeded(task, s.now)
	}
	s.core.Take()
	s.core.Released(0)
	tasks := s.all()
	s.core.DropGroup(0, failure.New(v1alpha1.ReasonProcessorFailed, failure.EndRun, "so sad"))
	s.core.Succeeded(tasks[0], s.now)
	early := s.core.Take()
	if s.core.Wants(tasks[1], 0) || len(early.Finished) > 0 || len(s.all()) > 0 {
		t.Error("the row group is finished while a task of it runs, or goes on")
	}
	s.core.Succeeded(tasks[1], s.now)
	due := s.core.Take()
	finished := due.Finished
	if len(finished) != 1 || len(finished[0].Done) != 0 || len(finished[0].Dropped) != 2 || s.core.Open() != 0 || s.core.Ending() != nil {
		t.Fatalf("%+v is finished, %v", finished, s.core.Ending())
	}
	for _, dropped := range finished[0].Dropped {
		if dropped.Column >= 0 || dropped.Failure.Reason != v1alpha1.ReasonProcessorFailed || dropped.Attempts != 1 {
			t.Errorf("dropped: %+v", dropped)
		}
	}
	if len(early.Dropped) != 1 || len(due.Dropped) != 1 || due.Done != 0 {
		t.Errorf("fates: %+v, then %+v", early.Fates, due.Fates)
	}
}
