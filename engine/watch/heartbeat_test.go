package watch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/runreport"
)

func newReviewTracker() *progress.Tracker {
	tracker := progress.NewTracker([]progress.ColumnOf{{Name: "stars"}, {Name: "review", Model: "writer"}}, []string{"writer", "unused"}, time.Now)
	tracker.Add(progress.Counts{
		Records: runreport.Records{Target: 200, Actual: 100}, Columns: []runreport.Column{{Name: "stars", Succeeded: 100}, {Name: "review", Succeeded: 100}},
	})
	tracker.Begin()
	tracker.SetWork(&progress.Work{
		InFlight: 4, Columns: []progress.ColumnWork{{Column: 1, Running: 4, Deferred: 2}}, Models: []progress.ModelWork{{InFlight: 4, Limit: 8}},
	})
	return tracker
}

func TestHeartbeatsComeWhetherAnythingHappensOrNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		heart := StartHeartbeat(newReviewTracker(), slog.New(slog.NewJSONHandler(&lines, nil)), true)
		time.Sleep(35 * time.Second)
		heart.Stop()
		count := 0
		decoder := json.NewDecoder(&lines)
		for decoder.More() {
			var line struct {
				Msg, Remaining, Elapsed             string
				Records, Target, Deferred, InFlight int64
				FromEarlier                         int64
				RecordsPerSecond                    float64
				Columns                             []map[string]any
				Models                              []map[string]any
			}
			if err := decoder.Decode(&line); err != nil {
				t.Fatal(err)
			}
			count++
			if line.Msg != "progress" || line.Records != 100 || line.Target != 200 || line.FromEarlier != 100 || line.RecordsPerSecond != 0 ||
				line.Remaining != "unknown" || line.InFlight != 4 || line.Deferred != 2 {
				t.Errorf("got %+v", line)
			}
			if len(line.Columns) != 1 || line.Columns[0]["name"] != "review" || line.Columns[0]["completed"] != 100.0 ||
				line.Columns[0]["deferred"] != 2.0 {
				t.Errorf("the columns are %v", line.Columns)
			}
			if len(line.Models) != 1 || line.Models[0]["alias"] != "writer" || line.Models[0]["inFlight"] != 4.0 || line.Models[0]["limit"] != 8.0 {
				t.Errorf("the models are %v", line.Models)
			}
		}
		if count != 4 {
			t.Errorf("in 35 s and at the end %d lines were written, want 4", count)
		}
	})
}

func TestAHeartbeatAsText(t *testing.T) {
	var lines bytes.Buffer
	beat := &Heartbeat{logs: true, tracker: newReviewTracker(), logger: slog.New(slog.NewTextHandler(&lines, nil))}
	beat.log()
	for _, part := range []string{`columns="review 100/200 (0/s, 4 in flight, 2 deferred)"`, `models="writer 0 requests/min, 0/0 tokens/s in/out, 4 of 8 in flight"`} {
		if !strings.Contains(lines.String(), part) {
			t.Errorf("%s is missing in %s", part, lines.String())
		}
	}
}

func TestAHeartbeatNamesTheWorkOnManyRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		tracker := newReviewTracker()
		beat := &Heartbeat{logs: true, tracker: tracker, logger: slog.New(slog.NewTextHandler(&lines, nil))}
		tracker.SetWork(&progress.Work{Batches: []progress.Batch{{Name: `column "size"`, Rows: 8, Since: time.Now()}}})
		if beat.log(); strings.Contains(lines.String(), "atWork") {
			t.Errorf("what has just begun is told: %s", lines.String())
		}
		time.Sleep(12 * time.Second)
		if beat.log(); !strings.Contains(lines.String(), `atWork="[column \"size\", 8 rows, for 12s]"`) {
			t.Errorf("%s", lines.String())
		}
	})
}

func TestManyFailuresAreToldTogether(t *testing.T) {
	var lines bytes.Buffer
	now := time.Unix(0, 0)
	report := NewFailures(slog.New(slog.NewTextHandler(&lines, nil)), now)
	fail := func(i int) {
		report.Task("text", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "answer %d is empty", i))
	}
	for i := range 10_000 {
		fail(i)
	}
	report.Cell("b", failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "no"))
	report.Task("text", failure.New(v1alpha1.ReasonInterrupted, failure.EndRun, "asked to stop"))
	count := func() int { return strings.Count(lines.String(), "\n") }
	if count() != 2 || !strings.Contains(lines.String(), "column=b") {
		t.Fatalf("got %d lines at once, want the first failure of each of two columns:\n%s", count(), lines.String())
	}
	for range failureInterval / time.Second {
		now = now.Add(time.Second)
		report.Look(now)
	}
	if want := `column=text reason=ModelGenerationInvalid failures=9999 inAll=10000 last="answer 9999 is empty"`; count() != 3 ||
		!strings.Contains(lines.String(), want) {
		t.Fatalf("got %d lines after an interval, want 3 and %s:\n%s", count(), want, lines.String())
	}
	report.Look(now.Add(failureInterval))
	if count() != 3 {
		t.Errorf("nothing has failed since, and %d lines are written", count())
	}
	fail(10_000)
	report.Flush()
	if !strings.Contains(lines.String(), fmt.Sprintf("failures=1 inAll=%d", 10_001)) {
		t.Errorf("the last failure is not told: %s", lines.String())
	}
}
