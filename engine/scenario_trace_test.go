package engine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/llmsim"
)

// newTracedScenario has three columns of a model, one of which needs another, and one that is computed.
func newTracedScenario(t *testing.T, faults ...llmsim.Fault) *world {
	t.Helper()
	w, _ := newScenario(t, 10, 4, llmsim.Config{Faults: faults})
	text := w.spec.Columns[1]
	more := *text.DeepCopy()
	more.Name, more.LLMText.Prompt = "more", "secretword {{ text }}"
	third := *text.DeepCopy()
	third.Name = "third"
	w.spec.Columns = append(w.spec.Columns, more, third)
	w.spec.Run = &v1alpha1.RunSettings{Trace: v1alpha1.TraceEnabled}
	return w
}

func (w *world) traceFiles(pattern string) []string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.folder(), "traces", pattern))
	if err != nil {
		w.t.Fatal(err)
	}
	return files
}

func (w *world) spans(file string) (spans []trace.Span, text string) {
	w.t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	for decoder.More() {
		var span trace.Span
		if err := decoder.Decode(&span); err != nil {
			w.t.Fatal(err)
		}
		spans = append(spans, span)
	}
	return spans, string(data)
}

// requestsOf are all requests of a task, those of its first try first.
func requestsOf(span trace.Span) (requests []trace.Request) {
	for _, try := range span.Tries {
		requests = append(requests, try.Requests...)
	}
	return requests
}

// checkSpans checks what holds of every span, and counts them by column.
func checkSpans(t *testing.T, spans []trace.Span) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for _, span := range spans {
		counts[span.Column]++
		moments := []time.Time{span.ReadyAt, span.AdmittedAt, span.StartedAt}
		for _, request := range requestsOf(span) {
			moments = append(moments, request.StartedAt, request.FinishedAt)
		}
		moments = append(moments, span.FinishedAt)
		for i := 1; i < len(moments); i++ {
			if moments[i].Before(moments[i-1]) {
				t.Errorf("the moments of %+v are not in their order", span)
			}
		}
	}
	return counts
}

// B6.1, B6.5
func TestATraceHasEveryTaskWithItsRequests(t *testing.T) {
	t.Parallel()
	w := newTracedScenario(t, llmsim.Fault{Kind: llmsim.FaultStatus, Status: 503, FromRequest: 5, ToRequest: 6})
	requireComplete(t, w, w.generate(t.Context(), 0))
	files := w.traceFiles("*.jsonl")
	if len(files) != 1 {
		t.Fatalf("the traces are %q", files)
	}
	spans, text := w.spans(files[0])
	counts := checkSpans(t, spans)
	if counts["text"] != 10 || counts["more"] != 10 || counts["third"] != 10 || counts["id"] == 0 {
		t.Errorf("spans by column: %v", counts)
	}
	requests, tries := 0, 0
	for _, span := range spans {
		if span.Status != trace.StatusOK {
			t.Errorf("%+v has not ended well", span)
		}
		requests += len(requestsOf(span))
		if len(span.Tries) > 1 {
			tries += len(span.Tries) - 1
			if first := span.Tries[0]; first.Reason != v1alpha1.ReasonProviderUnavailable || first.Requests[0].HTTPStatus != 503 ||
				first.Status != trace.StatusError {
				t.Errorf("the first try is %+v", first)
			}
		}
	}
	if requests != 32 || tries != 2 {
		t.Errorf("%d requests, %d of them after a failure", requests, tries)
	}
	if strings.Contains(text, "secretword") || strings.Contains(text, "about ") {
		t.Error("the trace holds prompts")
	}
	var events []map[string]any
	if data, err := os.ReadFile(w.traceFiles("*.perfetto.json")[0]); err != nil || json.Unmarshal(data, &events) != nil || len(events) < 60 {
		t.Errorf("the file for a viewer has %d events, %v", len(events), err)
	}
	// A second process gets files of its own.
	more := w.spec.NumRecords + 1
	w.spec.NumRecords = more
	requireComplete(t, w, w.generate(t.Context(), 0))
	if files := w.traceFiles("*.jsonl"); len(files) != 2 {
		t.Errorf("after a second run the traces are %q", files)
	}
}

func TestShardsAreTracedEach(t *testing.T) {
	t.Parallel()
	w := newTracedScenario(t)
	size := int32(5)
	w.spec.Run.RowGroupSize = &size
	w.shards = 2
	for shard := range int32(2) {
		if ending := w.generate(t.Context(), shard); ending.ExitCode != 0 {
			t.Fatalf("%+v", ending)
		}
		files := w.traceFiles(fmt.Sprintf("shard-%05d-*.jsonl", shard))
		if len(files) != 1 {
			t.Fatalf("the traces are %q", w.traceFiles("*"))
		}
		spans, _ := w.spans(files[0])
		if counts := checkSpans(t, spans); counts["text"] != 5 {
			t.Errorf("shard %d: %v", shard, counts)
		}
	}
}

func TestATraceGoesToTheSinkOfTheCaller(t *testing.T) {
	t.Parallel()
	w := newTracedScenario(t)
	ring := trace.NewRing(12)
	config := w.config(0)
	config.Trace = ring
	requireComplete(t, w, engine.Generate(t.Context(), config))
	if spans := ring.Spans(); len(spans) != 12 || ring.Dropped() < 18 || len(w.traceFiles("*")) != 0 {
		t.Errorf("%d spans, %d dropped, files %q", len(spans), ring.Dropped(), w.traceFiles("*"))
	}
}

// B6.2
func TestWithoutATraceThereIsNone(t *testing.T) {
	t.Parallel()
	w := newTracedScenario(t)
	w.spec.Run = nil
	ring := trace.NewRing(100)
	config := w.config(0)
	config.Trace = ring
	requireComplete(t, w, engine.Generate(t.Context(), config))
	if len(ring.Spans()) != 0 || len(w.traceFiles("*")) != 0 {
		t.Errorf("%d spans, files %q", len(ring.Spans()), w.traceFiles("*"))
	}
}

func TestATraceThatCannotBeMadeFailsNoRun(t *testing.T) {
	t.Parallel()
	w := newTracedScenario(t)
	if err := os.MkdirAll(w.folder(), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.folder(), "traces"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	requireComplete(t, w, w.generate(t.Context(), 0))
}
