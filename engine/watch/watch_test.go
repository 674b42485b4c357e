package watch

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var watched = &plan.Column{
	Name: "text", Execution: plan.Remote, Lane: plan.Lane{Provider: "local"}, Model: &v1alpha1.Model{Alias: "writer", Provider: "local"},
}

// watchedCore has a lane of a model with four slots, and eight rows.
func watchedCore() *schedule.Core {
	schema := table.NewSchema(table.Field{Name: "text"})
	core := schedule.New(schedule.Config{
		Columns: []schedule.Column{{Parts: []string{"text"}, Lane: 1}}, Lanes: []schedule.Lane{{Limit: 1, Endpoint: -1}, {Limit: 4, Endpoint: 0, Adaptive: true}},
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
	*Watch
	core  *schedule.Core
	now   time.Time
	lines bytes.Buffer
	tasks []schedule.Task
	found runreport.Troubles
}

func newWatching(slow time.Duration) *watching {
	w := &watching{core: watchedCore(), now: time.Unix(1_000_000, 0)}
	seconds := int32(slow / time.Second)
	spec := &v1alpha1.DatasetGenerationSpec{Run: &v1alpha1.RunSettings{SlowRequestThresholdSeconds: &seconds}, Providers: []v1alpha1.Provider{{Name: "local"}}, Models: []v1alpha1.Model{{Alias: "writer"}, {Alias: "critic"}}}
	w.Watch = New(slog.New(slog.NewTextHandler(&w.lines, nil)), spec, []string{"local", "writer"}, w.now)
	return w
}

func (w *watching) start(count int) (numbers []int64) {
	for range count {
		task, found := w.core.Next(1, w.now)
		if !found {
			return numbers
		}
		w.tasks = append(w.tasks, task)
		numbers = append(numbers, w.BeginRequest(watched, task, w.progressOf(), w.now))
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
		w.found = w.Look(w.now, w.core)
	}
	slow = int(w.found.SlowRequests)
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
	w.Ended(numbers[0])
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

// B15.4: requests that become slow one after the other, as those of a model that thinks for long always do, don't fill the log.
func TestRequestsThatBecomeSlowOneAfterTheOtherAreToldInOneLine(t *testing.T) {
	w := newWatching(60 * time.Second)
	w.pass(60)
	var lines []string
	for second := range 240 {
		for number := range 2 {
			w.last++
			w.pending[w.last] = &pendingRequest{column: watched, row: table.RowIndex(2*second + number), since: w.now, progress: w.progressOf()}
		}
		if number := w.last - 2*90; number > 0 { // each takes a minute and a half
			w.Ended(number)
			w.Ended(number - 1)
		}
		told, _ := w.pass(1)
		lines = append(lines, slices.DeleteFunc(told, func(line string) bool { return !strings.Contains(line, "slow") })...)
	}
	// In three minutes: the first one by itself or not, and then all of them together.
	if len(lines) < 3 || len(lines) > 3*(slowLines+1) || !strings.Contains(strings.Join(lines, ""), "requests are slow") {
		t.Errorf("%d lines: %q", len(lines), lines)
	}
}

// Aliases of one model share a lane, whose name is made of both.
func TestEachAliasOfALaneIsToldOfInItsOrder(t *testing.T) {
	w := newWatching(5 * time.Second)
	w.lanes = []string{"local", "critic+writer"}
	critic := &plan.Column{
		Name: "critique", Execution: plan.Remote, Lane: plan.Lane{Provider: "local"}, Model: &v1alpha1.Model{Alias: "critic", Provider: "local"},
	}
	for i, column := range []*plan.Column{critic, watched, watched, critic} {
		task, found := w.core.Next(1, w.now)
		if !found {
			t.Fatalf("there is no task %d", i)
		}
		w.BeginRequest(column, task, w.progressOf(), w.now)
	}
	lines, _ := w.pass(5)
	var told []string
	for _, line := range lines {
		for _, part := range strings.Fields(line) {
			if strings.HasPrefix(part, "model=") || strings.HasPrefix(part, "row=") {
				told = append(told, part)
			}
		}
	}
	if want := []string{"model=writer", "row=1", "model=writer", "row=2", "model=critic", "row=0", "model=critic", "row=3"}; !slices.Equal(told, want) {
		t.Errorf("the log tells of %q", told)
	}
	if slow := w.found.Slow; len(slow) != 2 || slow[0].Model != "writer" || slow[0].Requests != 2 || slow[1].Model != "critic" ||
		slow[1].Requests != 2 {
		t.Errorf("the report tells of %+v", slow)
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
	w.Progressed(w.now)
	if !strings.Contains(w.lines.String(), "the run goes on") || !strings.Contains(w.lines.String(), "after=1m30s") {
		t.Errorf("after a recovery: %q", w.lines.String())
	}
	if lines, _ := w.pass(29); lines[0] != "" {
		t.Errorf("29 s after the recovery: %q", lines)
	}
}

func TestAStallIsToldBeforeItEndsTheRun(t *testing.T) {
	spec := &v1alpha1.DatasetGenerationSpec{Run: &v1alpha1.RunSettings{StallDeadlineSeconds: new(int32(8))}, Providers: []v1alpha1.Provider{{Name: "local"}}}
	w := &watching{core: watchedCore(), now: time.Unix(1_000_000, 0)}
	w.Watch = New(slog.New(slog.NewTextHandler(&w.lines, nil)), spec, []string{"local", "writer"}, w.now)
	w.start(4)
	if lines, _ := w.pass(3); lines[0] != "" {
		t.Errorf("within 3 s: %q", lines)
	}
	if lines, _ := w.pass(4); len(lines) != 1 || !strings.Contains(lines[0], `for=4s`) || w.found.StalledSince == nil ||
		w.Overdue(w.now, w.core) {
		t.Errorf("within 7 s: %q, %+v", lines, w.found)
	}
	if w.pass(1); !w.Overdue(w.now, w.core) {
		t.Error("8 s are not enough")
	}
}

func TestAStallNamesTheWorkOnManyRows(t *testing.T) {
	w := newWatching(0)
	first := w.BeginBatch(`column "size"`, 8, w.now)
	w.pass(10)
	w.BeginBatch("PostBatch processors of row group 1", 5, w.now)
	lines, _ := w.pass(20)
	if want := `atWork="[column \"size\", 8 rows, for 30s PostBatch processors of row group 1, 5 rows, for 20s]"`; len(lines) != 1 ||
		!strings.Contains(lines[0], "makes no progress") || !strings.Contains(lines[0], want) {
		t.Errorf("within 30 s: %q", lines)
	}
	w.Ended(first)
	if lines, _ := w.pass(30); len(lines) != 1 ||
		!strings.Contains(lines[0], `atWork="[PostBatch processors of row group 1, 5 rows, for 50s]"`) {
		t.Errorf("30 s later: %q", lines)
	}
}

func TestAKnownWaitIsNoStall(t *testing.T) {
	w := newWatching(0)
	w.start(8)
	limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
	limited.RetryAfter, limited.Overloaded = 2*time.Minute, true
	for len(w.tasks) > 0 {
		w.core.Failed(w.tasks[0], limited, w.now)
		w.tasks = w.tasks[1:]
		w.start(1)
	}
	lines, _ := w.pass(30)
	if len(lines) != 1 || !strings.Contains(lines[0], "the run waits") ||
		!strings.Contains(lines[0], "8 ready, 0 deferred, the limit is lowered from 4 because the provider has too much to do, "+
			"left alone after refusals for 1m30s") {
		t.Errorf("%q", lines)
	}
}

func TestALongRetryAfterIsToldOnce(t *testing.T) {
	w := newWatching(0)
	w.longWait("local", 24*time.Hour, w.now)
	w.longWait("local", 24*time.Hour, w.now.Add(time.Minute))
	if text := w.lines.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "provider=local") ||
		!strings.Contains(text, "retryAfter=24h0m0s waits=5m0s") {
		t.Errorf("%q", text)
	}
}

func TestAWishOfAToolServerIsNotTheProviders(t *testing.T) {
	w := newWatching(0)
	away := failure.New(v1alpha1.ReasonToolFailed, failure.RetryLater, "the tool server is busy")
	away.RetryAfter = 24 * time.Hour
	w.Refused("local", away, w.now)
	if w.lines.Len() > 0 {
		t.Errorf("it says %s", w.lines.String())
	}
}

func TestTroublesNameModelsAndProviders(t *testing.T) {
	w := newWatching(5 * time.Second)
	began := w.now.UTC()
	w.start(3)
	limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
	limited.RetryAfter = time.Minute
	w.core.Failed(w.tasks[0], limited, w.now)
	w.Ended(1)
	w.Refused("local", limited, w.now)
	w.pass(9)
	want := runreport.Troubles{
		SlowRequests: 2, OldestRequestSeconds: 9,
		Slow:      []runreport.SlowModel{{Model: "writer", Provider: "local", Requests: 2, Since: began}},
		Endpoints: []runreport.Endpoint{{Provider: "local", State: runreport.EndpointRateLimited, Since: began, Until: began.Add(time.Minute), Refused: 1}},
	}
	if difference := cmp.Diff(want, w.found); difference != "" {
		t.Error(difference)
	}
	if w.Ended(2); w.tasks != nil {
		w.Ended(3)
	}
	w.Progressed(w.now)
	w.pass(60)
	if len(w.found.Endpoints) != 0 || w.found.SlowRequests != 0 || w.found.OldestRequestSeconds != 0 {
		t.Errorf("a minute later: %+v", w.found)
	}
}

func TestAPausedProviderIsATrouble(t *testing.T) {
	w := newWatching(0)
	down := failure.New(v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint, "refused")
	began := w.now.UTC()
	w.start(4)
	for range 5 {
		w.core.Failed(w.tasks[0], down, w.now)
		w.tasks = w.tasks[1:]
		w.start(1)
	}
	w.pass(1)
	if len(w.found.Endpoints) != 1 || w.found.Endpoints[0].State != runreport.EndpointPaused || w.found.Endpoints[0].Refused != 5 ||
		!w.found.Endpoints[0].Since.Equal(began) || w.found.Endpoints[0].Until.IsZero() {
		t.Errorf("%+v", w.found)
	}
}

func TestAStallIsATroubleAndAWaitIsNot(t *testing.T) {
	w := newWatching(0)
	w.deadline = 40 * time.Second
	began := w.now.UTC()
	w.start(1)
	w.pass(29)
	if w.found.StalledSince != nil {
		t.Errorf("after 29 s: %+v", w.found)
	}
	w.pass(1)
	if w.found.StalledSince == nil || !w.found.StalledSince.Equal(began) {
		t.Errorf("after 30 s: %+v", w.found)
	}
	if w.pass(9); w.Overdue(w.now, w.core) {
		t.Error("39 s are 40")
	}
	if w.pass(1); !w.Overdue(w.now, w.core) {
		t.Error("40 s are not enough")
	}
	// The only request comes back, refused for two minutes: so all wait.
	limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
	limited.RetryAfter = 2 * time.Minute
	w.core.Failed(w.tasks[0], limited, w.now)
	for range 7 {
		w.tasks = nil
		w.start(1)
		w.core.Failed(w.tasks[0], limited, w.now)
	}
	for range 100 {
		if w.pass(1); w.found.StalledSince != nil || w.Overdue(w.now, w.core) {
			t.Fatalf("during a known wait: %+v", w.found)
		}
	}
	// When it is over and the next request hangs, the time counts from then on.
	w.pass(21)
	w.tasks = nil
	if w.start(1); len(w.tasks) != 1 {
		t.Fatal("the wait is not over")
	}
	if w.pass(30); w.Overdue(w.now, w.core) {
		t.Error("the time of the wait is counted as a stall")
	}
	if w.pass(15); !w.Overdue(w.now, w.core) {
		t.Error("the stall after the wait is not seen")
	}
}
