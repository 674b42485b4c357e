package run

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var watched = &plan.Column{Name: "text", Model: &v1alpha1.Model{Alias: "writer", Provider: "local"}}

// watchedCore has a lane of a model with four slots, and eight rows.
func watchedCore() *schedule.Core {
	schema := table.NewSchema(table.Field{Name: "text"})
	core := schedule.New(schedule.Config{
		Columns: []schedule.Column{{Parts: []string{"text"}, Lane: 1}}, Lanes: []schedule.Lane{{Limit: 1, Endpoint: -1}, {Limit: 4, Endpoint: 0}},
		Endpoints: 1, MaxRowAttempts: 2, MaxRequestAttempts: 8, Outage: schedule.OutageConfig{First: time.Hour, Later: time.Hour},
		NewRecord: func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) },
		Jitter:    func(int, *table.Record, int) float64 { return 0.5 },
	})
	var rows []schedule.Todo
	for row := range 8 {
		rows = append(rows, schedule.Todo{Row: table.RowIndex(row)})
	}
	core.Add(0, rows)
	return core
}

type watching struct {
	*watch
	core  *schedule.Core
	now   time.Time
	lines bytes.Buffer
	tasks []schedule.Task
}

func newWatching(slow time.Duration) *watching {
	w := &watching{core: watchedCore(), now: time.Unix(1_000_000, 0)}
	w.watch = newWatch(slog.New(slog.NewTextHandler(&w.lines, nil)), slow, []string{"local", "writer"}, w.now)
	return w
}

func (w *watching) start(count int) (numbers []int64) {
	for range count {
		task, found := w.core.Next(1, w.now)
		if !found {
			return numbers
		}
		w.tasks = append(w.tasks, task)
		numbers = append(numbers, w.started(watched, task, w.progressOf(), w.now))
	}
	return numbers
}

// progressOf is that of a request that was not sent yet.
func (w *watching) progressOf() *model.Progress {
	_, progress := model.WithProgress(context.Background(), false)
	return progress
}

// pass looks once a second for so many seconds, and returns the lines and the last number of slow requests.
func (w *watching) pass(seconds int) (lines []string, slow int) {
	w.lines.Reset()
	for range seconds {
		w.now = w.now.Add(time.Second)
		slow = w.look(w.now, w.core)
	}
	return strings.Split(strings.TrimSuffix(w.lines.String(), "\n"), "\n"), slow
}

func TestASlowRequestIsToldAgainAndAgain(t *testing.T) {
	w := newWatching(5 * time.Second)
	numbers := w.start(1)
	if lines, slow := w.pass(4); lines[0] != "" || slow != 0 {
		t.Errorf("after 4 s: %q, %d slow", lines, slow)
	}
	lines, slow := w.pass(1)
	if len(lines) != 1 || slow != 1 {
		t.Fatalf("after 5 s: %q, %d slow", lines, slow)
	}
	for _, part := range []string{"level=WARN", "a request is slow", "model=writer", "provider=local", "column=text", "row=0", "age=5s", "phase=preparing"} {
		if !strings.Contains(lines[0], part) {
			t.Errorf("%q lacks %s", lines[0], part)
		}
	}
	if lines, _ := w.pass(10); len(lines) != 2 {
		t.Errorf("10 s later: %q", lines)
	}
	w.ended(numbers[0])
	if lines, slow := w.pass(10); lines[0] != "" || slow != 0 {
		t.Errorf("after its end: %q, %d slow", lines, slow)
	}
}

func TestManySlowRequestsAreToldInOneLine(t *testing.T) {
	w := newWatching(5 * time.Second)
	w.start(4)
	lines, slow := w.pass(5)
	if len(lines) != 1 || slow != 4 || !strings.Contains(lines[0], "requests=4") || !strings.Contains(lines[0], "oldest=5s") {
		t.Errorf("%q, %d slow", lines, slow)
	}
}

func TestNoThresholdMeansNoWarning(t *testing.T) {
	w := newWatching(0)
	w.start(4)
	if lines, slow := w.pass(29); lines[0] != "" || slow != 0 {
		t.Errorf("%q, %d slow", lines, slow)
	}
}

func TestAStallIsToldWithWhatEachLaneWaitsFor(t *testing.T) {
	w := newWatching(0)
	w.start(4)
	if lines, _ := w.pass(29); lines[0] != "" {
		t.Errorf("after 29 s: %q", lines)
	}
	lines, _ := w.pass(61)
	if len(lines) != 3 || !strings.Contains(lines[0], "makes no progress") || !strings.Contains(lines[0], "for=30s") ||
		!strings.Contains(lines[0], `lanes.writer="4 of 4 slots in use, 4 ready, 0 deferred"`) || strings.Contains(lines[0], "lanes.local") {
		t.Errorf("within 90 s: %q", lines)
	}
	w.lines.Reset()
	w.progress(w.now)
	if !strings.Contains(w.lines.String(), "the run goes on") || !strings.Contains(w.lines.String(), "after=1m30s") {
		t.Errorf("after a recovery: %q", w.lines.String())
	}
	if lines, _ := w.pass(29); lines[0] != "" {
		t.Errorf("29 s after the recovery: %q", lines)
	}
}

func TestAKnownWaitIsNoStall(t *testing.T) {
	w := newWatching(0)
	w.start(8)
	limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
	limited.RetryAfter = 2 * time.Minute
	for len(w.tasks) > 0 {
		w.core.Failed(w.tasks[0], limited, w.now)
		w.tasks = w.tasks[1:]
		w.start(1)
	}
	lines, _ := w.pass(30)
	if len(lines) != 1 || !strings.Contains(lines[0], "the run waits") || !strings.Contains(lines[0], "8 deferred (the next for 1m30s)") {
		t.Errorf("%q", lines)
	}
}

func TestALongRetryAfterIsToldOnce(t *testing.T) {
	w := newWatching(0)
	w.longWait("local", 24*time.Hour, w.now)
	w.longWait("local", 24*time.Hour, w.now.Add(time.Minute))
	if text := w.lines.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "provider=local") || !strings.Contains(text, "retryAfter=24h0m0s waits=5m0s") {
		t.Errorf("%q", text)
	}
}
