package trace

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var start = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// spanOf has one try with two requests, the second half as long as the first.
func spanOf(task int64) *Span {
	at := func(milliseconds int) time.Time { return start.Add(time.Duration(milliseconds) * time.Millisecond) }
	return &Span{
		Task: task, Kind: KindCell, Column: "text", RowGroup: 1, Row: 1000 + task, Rows: 1, Lane: "writer", Status: StatusOK,
		ReadyAt: at(0), AdmittedAt: at(5), StartedAt: at(6), FinishedAt: at(40),
		Tries: []Try{{Slot: 2, AdmittedAt: at(5), StartedAt: at(6), FinishedAt: at(40), Status: StatusOK, Requests: []Request{
			{StartedAt: at(7), AnsweredAt: at(10), FinishedAt: at(27), Status: StatusError, HTTPStatus: 429, Bytes: 12},
			{StartedAt: at(28), FinishedAt: at(38), Status: StatusOK, HTTPStatus: 200, Bytes: 100},
		}}},
	}
}

func TestARingKeepsTheLatest(t *testing.T) {
	ring := NewRing(10_000)
	for task := range int64(25_000) {
		ring.Add(&Span{Task: task})
	}
	spans := ring.Spans()
	if len(spans) != 10_000 || spans[0].Task != 15_000 || spans[9999].Task != 24_999 || ring.Dropped() != 15_000 {
		t.Errorf("%d spans, from %d to %d, and %d dropped", len(spans), spans[0].Task, spans[len(spans)-1].Task, ring.Dropped())
	}
}

// pair is an output whose parts a test chooses.
type pair struct {
	lines, events io.Writer
	closed        string
}

func (p *pair) Lines() io.Writer  { return p.lines }
func (p *pair) Events() io.Writer { return p.events }
func (p *pair) Close() error      { p.closed += "closed "; return nil }
func (p *pair) Discard() error    { p.closed += "discarded "; return nil }

func logTo(lines *bytes.Buffer) *slog.Logger { return slog.New(slog.NewTextHandler(lines, nil)) }

func TestFilesHaveEverySpanOnceAndOpenInAViewer(t *testing.T) {
	var lines, events, log bytes.Buffer
	output := &pair{lines: &lines, events: &events}
	files := NewFiles(output, logTo(&log))
	for task := range int64(100) {
		files.Add(spanOf(task))
	}
	files.Close()
	if output.closed != "closed " || log.Len() > 0 || files.Dropped() != 0 {
		t.Errorf("the output was %s, the log is %q", output.closed, log.String())
	}
	decoder := json.NewDecoder(&lines)
	for task := range int64(100) {
		var span Span
		if err := decoder.Decode(&span); err != nil || span.Task != task || len(span.Tries) != 1 || len(span.Tries[0].Requests) != 2 {
			t.Fatalf("line %d is %+v, %v", task, span, err)
		}
	}
	var found []event
	if err := json.Unmarshal(events.Bytes(), &found); err != nil {
		t.Fatal(err)
	}
	// The names of the lane and of the slot, and for each task one event and two of its requests.
	if len(found) != 2+100*3 || found[0].Name != "process_name" || found[0].Arguments["name"] != "writer" || found[1].Name != "thread_name" {
		t.Fatalf("%d events, beginning with %+v", len(found), found[:2])
	}
	task, request := found[2], found[3]
	if task.Phase != "X" || task.Name != "text" || task.Duration != 35_000 || task.Thread != 2 || task.Arguments["waitedMilliseconds"] != 5.0 {
		t.Errorf("a task is %+v", task)
	}
	if request.Time < task.Time || request.Time+request.Duration > task.Time+task.Duration || request.Thread != task.Thread ||
		request.Process != task.Process {
		t.Errorf("the request %+v is not within the task %+v", request, task)
	}
}

func TestAFullDiskEndsTheTraceAndNotTheRun(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this machine has no /dev/full")
	}
	defer full.Close()
	for name, output := range map[string]*pair{"lines": {lines: full, events: io.Discard}, "events": {lines: io.Discard, events: full}} {
		var log bytes.Buffer
		files := NewFiles(output, logTo(&log))
		for task := range int64(50_000) {
			files.Add(spanOf(task))
		}
		files.Close()
		if output.closed != "discarded " || files.Dropped() == 0 || strings.Count(log.String(), "no space left on device") != 1 {
			t.Errorf("%s: the output was %s, %d spans were dropped, the log is %q", name, output.closed, files.Dropped(), log.String())
		}
	}
}

func TestATraceHasALargestSize(t *testing.T) {
	var lines, events, log bytes.Buffer
	output := &pair{lines: &lines, events: &events}
	files := newFiles(output, logTo(&log), 20_000)
	for task := range int64(5000) {
		files.Add(spanOf(task))
	}
	files.Close()
	var found []event
	if err := json.Unmarshal(events.Bytes(), &found); err != nil {
		t.Error(err)
	}
	if size := lines.Len() + events.Len(); size < 20_000 || size > 25_000 || output.closed != "closed " ||
		!strings.Contains(log.String(), "largest size") {
		t.Errorf("%d bytes were written, the output was %s, the log is %q", size, output.closed, log.String())
	}
}

// blocked is a file system that does not answer.
type blocked chan struct{}

func (b blocked) Write(data []byte) (int, error) { <-b; return len(data), nil }

func TestADiskThatHangsSlowsNobody(t *testing.T) {
	hangs := make(blocked)
	var log bytes.Buffer
	files := NewFiles(&pair{lines: hangs, events: io.Discard}, logTo(&log))
	for task := range int64(100_000) {
		files.Add(spanOf(task)) // would block for ever
	}
	if files.Dropped() < 50_000 {
		t.Errorf("only %d spans were dropped", files.Dropped())
	}
	close(hangs)
	files.Close()
	if !strings.Contains(log.String(), "the trace is not whole") {
		t.Errorf("the log is %q", log.String())
	}
}
