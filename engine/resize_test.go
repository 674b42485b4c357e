package engine_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/logtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// hangs takes hours within its limit of steps, and can be cancelled between two of them.
const hangs = "for i in range(100000000):\n    max(range(10000))"

// codeFirst returns resizeSpec, whose code does something first, in row groups of 8, 8 and 4 rows.
func codeFirst(body string) string {
	indented := "            " + strings.ReplaceAll(body, "\n", "\n            ")
	return strings.Replace(resizeSpec, "            made = []", indented+"\n            made = []", 1)
}

// watchedRun is a run whose log and spans are kept, and which ends in a second when nothing is made.
type watchedRun struct {
	*world
	log     logtest.Buffer
	spans   *trace.Ring
	tracker *progress.Tracker
}

func newWatchedRun(t *testing.T, text, address string) *watchedRun {
	t.Helper()
	w := &watchedRun{world: newWorld(t, text, address), spans: trace.NewRing(1000)}
	w.spec.Run.Trace = v1alpha1.TraceEnabled
	return w
}

// start starts the run, and returns once it has begun.
func (w *watchedRun) start(ctx context.Context) <-chan engine.Ending {
	config := w.config(0)
	config.Logger, config.Trace, config.Drain.Stop = slog.New(slog.NewTextHandler(&w.log, nil)), w.spans, 200*time.Millisecond
	observed := make(chan *progress.Tracker, 1)
	config.Observe = func(tracker *progress.Tracker) func() { observed <- tracker; return nil }
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(ctx, config) }()
	w.tracker = <-observed
	return ended
}

// atWork says whether something on many rows is under way whose name has this part.
func (w *watchedRun) atWork(part string) bool {
	for _, batch := range w.tracker.Snapshot().Batches {
		if strings.Contains(batch.Name, part) {
			return true
		}
	}
	return false
}

func (w *watchedRun) spansOf(column string) (found []trace.Span) {
	for _, span := range w.spans.Spans() {
		if span.Column == column {
			found = append(found, span)
		}
	}
	return found
}

func TestAResizeIsInTheTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, resizeSpec, newEndpoint(t, echo).URL)
	w.spec.Run.Trace = v1alpha1.TraceEnabled
	if ending := w.generate(t.Context(), 0); ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	spans, _ := w.spans(w.traceFiles("*.jsonl")[0])
	checkSpans(t, spans)
	rows := map[int64]int{}
	for _, span := range spans {
		if span.Column != "size" {
			continue
		}
		rows[span.RowGroup] = span.Rows
		if span.Kind != trace.KindBatch || span.Lane != "local" || span.Status != trace.StatusOK || span.Row != 8*span.RowGroup ||
			len(span.Tries) != 1 || span.ReadyAt.IsZero() {
			t.Errorf("the span is %+v", span)
		}
	}
	if len(rows) != 3 || rows[0] != 8 || rows[1] != 8 || rows[2] != 4 {
		t.Errorf("the resizes have spans for the row groups with so many rows: %v", rows)
	}
	events, err := os.ReadFile(w.traceFiles("*.perfetto.json")[0])
	if count := strings.Count(string(events), `"name":"size"`); err != nil || count != 3 {
		t.Errorf("the file for a viewer has %d resizes, %v", count, err)
	}
}

func TestAResizeThatFailsIsInTheTrace(t *testing.T) {
	t.Parallel()
	w := newWatchedRun(t, codeFirst(`fail("so sad")`), newEndpoint(t, echo).URL)
	if ending := <-w.start(t.Context()); ending.Result.Reason != v1alpha1.ReasonCustomCodeError ||
		!strings.Contains(ending.Result.Message, "so sad") {
		t.Errorf("the run ended as %s: %s", ending.Result.Reason, ending.Result.Message)
	}
	spans := w.spansOf("size")
	if len(spans) != 1 || spans[0].Status != trace.StatusError || spans[0].Reason != v1alpha1.ReasonCustomCodeError ||
		spans[0].FailedRows != 8 {
		t.Errorf("the spans are %+v", spans)
	}
}

// B16.6 for the code of a resize, and for processors.
func TestWhatHangsBesideTheModelsEndsAtTheStallDeadline(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ spec, told string }{
		"a resize":                {codeFirst(hangs), `column "size", 8 rows`},
		"a processor before":      {resizeSpec + processorsOf("PreBatch"), "PreBatch processors of row group 0, 8 rows"},
		"a processor at the end":  {resizeSpec + processorsOf("PostBatch"), "PostBatch processors of row group 0, "},
		"a processor, async mode": {numberedSpec + starlarkProcessor("hang", "PostBatch", "FailRun", hangs+"\nreturn rows"), "PostBatch processors of row group "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWatchedRun(t, test.spec, newEndpoint(t, echo).URL)
			w.spec.Run.StallDeadlineSeconds = new(int32(1))
			ending := <-w.start(t.Context())
			if ending.Result.Reason != v1alpha1.ReasonStalled || ending.ExitCode != runreport.ExitRetry {
				t.Fatalf("the run ended as %s with exit code %d: %s", ending.Result.Reason, ending.ExitCode, ending.Result.Message)
			}
			dump, err := os.ReadFile(w.folder() + "/traces/stall-00000-attempt-1.txt")
			if err != nil || !strings.Contains(string(dump), "at work: "+test.told) ||
				!strings.Contains(ending.Result.Message, "at work: "+test.told) {
				t.Errorf("%v: the message is %q, the dump %.300s", err, ending.Result.Message, dump)
			}
			if spans := w.spansOf("size"); name == "a resize" && (len(spans) != 1 || spans[0].Status != trace.StatusCancelled) {
				t.Errorf("the spans are %+v", spans)
			}
		})
	}
}

func processorsOf(stage string) string {
	return "processors:\n" + starlarkProcessor("hang", stage, "FailRun", hangs+"\nreturn rows")
}

func TestASyncRunThatIsAskedToStopLeavesNothingBehind(t *testing.T) {
	for name, test := range map[string]struct{ spec, work string }{
		"a resize":               {codeFirst(hangs), `column "size"`},
		"a processor before":     {resizeSpec + processorsOf("PreBatch"), "PreBatch"},
		"a processor at the end": {resizeSpec + processorsOf("PostBatch"), "PostBatch"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWatchedRun(t, test.spec, newEndpoint(t, echo).URL)
			noLeaks(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := w.start(ctx)
			waitFor(t, "the code to be called", func() bool { return w.atWork(test.work) })
			cancel()
			ending := <-ended
			if ending.Result.Outcome != runreport.OutcomeInterrupted || ending.ExitCode != runreport.ExitInterrupted ||
				ending.Result.Records.Actual != 0 {
				t.Errorf("the run ended as %s with %+v", ending.Result.Outcome, ending.Result.Records)
			}
			if strings.Contains(w.log.String(), "did not stop") {
				t.Errorf("code that can be cancelled was left behind:\n%s", w.log.String())
			}
		})
	}
}
