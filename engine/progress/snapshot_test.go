package progress_test

import (
	"encoding/json"
	"math"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// check says what a snapshot contradicts itself in.
func check(t *testing.T, snapshot progress.Snapshot) {
	t.Helper()
	for _, column := range snapshot.Columns {
		if column.Succeeded+column.Failed+column.Dropped != column.Completed || column.Completed > column.Total ||
			column.Open > column.Succeeded {
			t.Fatalf("column %+v does not add up", column)
		}
		accounted := column.Accounted()
		if accounted.Succeeded+accounted.Failed+accounted.Dropped != snapshot.Accounted() {
			t.Fatalf("column %+v has other accounted rows than the records %+v", accounted, snapshot.Records)
		}
	}
}

func TestEverySnapshotIsOfOneMoment(t *testing.T) {
	tracker := progress.NewTracker([]progress.ColumnOf{{Name: "review", Model: "writer"}, {Name: "summary"}}, []string{"writer"}, time.Now)
	tracker.Add(progress.Counts{Records: runreport.Records{Target: 64 * 200}})
	tracker.Begin()
	var writing, reading sync.WaitGroup
	for range 64 {
		writing.Go(func() {
			for i := range 200 {
				change := progress.Counts{
					Records: runreport.Records{Actual: 1},
					Columns: []runreport.Column{{Name: "review", Succeeded: 1}, {Name: "summary", Succeeded: 1}},
					Work:    &progress.Work{InFlight: 3, Columns: []progress.ColumnWork{{Column: 0, Open: int64(i) * 50}}},
				}
				if i%10 == 0 {
					change.Records = runreport.Records{Dropped: 1}
					change.Columns = []runreport.Column{{Name: "review", Failed: 1}, {Name: "summary", Dropped: 1}}
				}
				tracker.Add(change)
				tracker.Sample()
			}
		})
	}
	done := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			for {
				check(t, tracker.Snapshot())
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	if last := tracker.Snapshot(); last.Accounted() != 64*200 || last.Percent() != 100 || !last.Remaining.Known {
		t.Errorf("got %+v", last)
	}
}

func TestASnapshotIsAValueOfItsOwn(t *testing.T) {
	tracker := progress.NewTracker(review, []string{"writer"}, (&clock{time.Unix(0, 0)}).now)
	tracker.Add(counts(5, 1))
	first := tracker.Snapshot()
	first.Columns[0].Succeeded, first.Models[0].Succeeded, first.Dropped[0].Count = 99, 99, 99
	if second := tracker.Snapshot(); second.Columns[0].Succeeded != 5 || second.Models[0].Succeeded != 5 || second.Dropped[0].Count != 1 {
		t.Errorf("changing a snapshot has changed the tracker: %+v", second)
	}
	kept := tracker.Snapshot()
	before := tracker.Snapshot()
	tracker.Add(counts(7, 2))
	if !reflect.DeepEqual(kept, before) {
		t.Errorf("counting has changed a snapshot: %+v", kept)
	}
}

func TestTheFormOfASnapshot(t *testing.T) {
	time0 := &clock{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	tracker := progress.NewTracker(review, []string{"writer"}, time0.now)
	tracker.Add(progress.Counts{Records: runreport.Records{Target: 100, Actual: 10}, Columns: []runreport.Column{{Name: "review", Succeeded: 10}}})
	tracker.Begin()
	time0.at = time0.at.Add(10 * time.Second)
	change := counts(30, 2)
	change.Work = &progress.Work{InFlight: 4, Columns: []progress.ColumnWork{{Open: 3, Recovered: 1, Running: 4, Deferred: 5}}, Models: []progress.ModelWork{{InFlight: 4, Limit: 8}}}
	tracker.Add(change)
	got, err := json.MarshalIndent(tracker.Snapshot(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/snapshot.json"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("the form has changed (UPDATE_GOLDEN=1 takes it over); got\n%s\nwant\n%s", got, want)
	}
}

func TestWithoutAnythingToDoEverythingIsDone(t *testing.T) {
	tracker := progress.NewTracker(review, []string{"writer"}, (&clock{time.Unix(0, 0)}).now)
	for _, begun := range []bool{false, true} {
		if begun {
			tracker.Begin()
		}
		snapshot := tracker.Snapshot()
		column, model := &snapshot.Columns[0], snapshot.Models[0]
		if column.Percent() != 100 || snapshot.Percent() != 100 || !snapshot.Remaining.Known || snapshot.Remaining.Time != 0 {
			t.Errorf("begun %v: got %+v", begun, snapshot)
		}
		for _, rate := range []float64{snapshot.RecordsPerSecond, snapshot.AverageRecordsPerSecond, column.PerSecond, column.AveragePerSecond, model.RequestsPerMinute, model.InputTokensPerSecond} {
			if rate != 0 || math.IsNaN(rate) {
				t.Errorf("begun %v: a rate is %g", begun, rate)
			}
		}
	}
}

// made is a second in which so many cells of the column are made, and so many records become whole.
func made(tracker *progress.Tracker, at *clock, open *int64, cells, records int64) {
	*open += cells - records
	change := progress.Counts{Records: runreport.Records{Actual: records}, Columns: []runreport.Column{{Name: "review", Succeeded: records}, {Name: "summary", Succeeded: records}}}
	change.Work = &progress.Work{Columns: []progress.ColumnWork{{Column: 0, Open: *open}}}
	at.at = at.at.Add(time.Second)
	tracker.Add(change)
	tracker.Sample()
}

func TestTheEstimateIsThatOfTheSlowestColumn(t *testing.T) {
	at := &clock{time.Unix(0, 0)}
	tracker := progress.NewTracker([]progress.ColumnOf{{Name: "review", Model: "writer"}, {Name: "summary", Model: "writer"}, {Name: "stars"}}, []string{"writer"}, at.now)
	tracker.Add(progress.Counts{Records: runreport.Records{Target: 1000}})
	tracker.Begin()
	open := int64(0)
	for second := range 100 {
		made(tracker, at, &open, 10, 5)
		snapshot := tracker.Snapshot()
		switch {
		case second < 3 && snapshot.Remaining.Known:
			t.Errorf("after %d s and %d cells the end is known to be in %s", second+1, snapshot.Columns[1].Completed, snapshot.Remaining.Time)
		case second >= 25:
			// 5 records a second are made, so that the last comes after 200 s.
			if want := time.Duration(200-second-1) * time.Second; (snapshot.Remaining.Time - want).Abs() > want/5 {
				t.Errorf("after %d s the end is said to be in %s, and is in %s", second+1, snapshot.Remaining.Time, want)
			}
		}
	}
	tracker.SetPhase(runreport.PhaseDraining)
	if tracker.Snapshot().Remaining.Known {
		t.Error("a run that is ended early has an estimate")
	}
}

func TestWhatEarlierProcessesMadeIsInNoRate(t *testing.T) {
	at := &clock{time.Unix(0, 0)}
	tracker := progress.NewTracker(review, []string{"writer"}, at.now)
	tracker.Add(progress.Counts{Records: runreport.Records{Target: 1000}})
	tracker.Add(counts(600, 0))
	tracker.Begin()
	// Twenty more cells come from a journal, with what they cost.
	tracker.Add(progress.Counts{
		Earlier: []runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 20, OutputTokens: 40}}},
		Work:    &progress.Work{Columns: []progress.ColumnWork{{Open: 20, Recovered: 20}}},
	})
	at.at = at.at.Add(10 * time.Second)
	tracker.Add(counts(10, 0))
	snapshot := tracker.Snapshot()
	column, model := snapshot.Columns[0], snapshot.Models[0]
	if snapshot.Initial != 600 || snapshot.Records.Actual != 610 || column.Initial != 620 || column.Completed != 630 ||
		model.Succeeded != 630 {
		t.Errorf("got %+v", snapshot)
	}
	if snapshot.RecordsPerSecond != 1 || snapshot.AverageRecordsPerSecond != 1 || column.PerSecond != 1 || model.RequestsPerMinute != 60 ||
		model.OutputTokensPerSecond != 2 {
		t.Errorf("10 records in 10 s are counted as %g records/s, %g cells/s, %g requests/min, %g tokens/s",
			snapshot.RecordsPerSecond, column.PerSecond, model.RequestsPerMinute, model.OutputTokensPerSecond)
	}
}

func BenchmarkTellingTheWork(b *testing.B) {
	columns := make([]progress.ColumnOf, 20)
	work := progress.Work{}
	for i := range columns {
		columns[i] = progress.ColumnOf{Name: string(rune('a' + i))}
		work.Columns = append(work.Columns, progress.ColumnWork{Column: i})
	}
	tracker := progress.NewTracker(columns, nil, time.Now)
	b.ReportAllocs()
	for b.Loop() {
		tracker.SetWork(&work)
	}
}
