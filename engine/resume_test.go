package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// TestARunGoesOnWhatever interrupts a run with whole row groups, a partial one and journals, changes something, and lets it go on: then the
// dataset is that of a run that was never interrupted, and nothing is paid for twice but what was in flight or is damaged.
func TestARunGoesOnWhatever(t *testing.T) {
	spec := strings.NewReplacer("numRecords: 25", "numRecords: 45", "rowGroupSize: 10", "rowGroupSize: 5").Replace(basicSpec)
	for name, test := range map[string]struct {
		change func(t *testing.T, w *world)
		// damaged is how many rows have to be made again at most, warning what is logged of it.
		damaged int
		warning string
	}{
		"nothing":         {change: func(*testing.T, *world) {}},
		"more shards":     {change: func(_ *testing.T, w *world) { w.shards = 4 }},
		"another attempt": {change: func(_ *testing.T, w *world) { w.attempt++ }},
		"more records":    {change: func(_ *testing.T, w *world) { w.spec.NumRecords = 58 }},
		"other settings of the execution": {change: func(_ *testing.T, w *world) {
			model := &w.spec.Models[0]
			model.MaxParallelRequests, model.TimeoutSeconds, model.Streaming = new(int32(2)), new(int32(77)), v1alpha1.StreamingDisabled
			w.spec.Run.SlowRequestThresholdSeconds, w.spec.Run.MaxRequestAttempts = new(int32(3)), new(int32(4))
			w.spec.Run.Trace = v1alpha1.TraceEnabled
			w.spec.Run.EarlyShutdown = &v1alpha1.EarlyShutdown{Policy: v1alpha1.EarlyShutdownDisabled}
		}},
		"more shards, records and another attempt": {change: func(_ *testing.T, w *world) {
			w.shards, w.spec.NumRecords = 3, 58
			w.attempt++
		}},
		"a file that was cut": {damaged: 5, warning: "a row group is made again", change: func(t *testing.T, w *world) {
			truncate(t, filepath.Join(w.folder(), "parquet-files", "batch_00000.parquet"))
		}},
		"a file that is gone": {damaged: 5, warning: "a row group is made again", change: func(t *testing.T, w *world) {
			if err := os.Remove(filepath.Join(w.folder(), "parquet-files", "batch_00000.parquet")); err != nil {
				t.Fatal(err)
			}
		}},
		"a manifest that can't be read": {damaged: 5, warning: "a row group is made again", change: func(t *testing.T, w *world) {
			truncate(t, filepath.Join(w.folder(), ".seedloom/row-groups", "00000.json"))
		}},
		"a file with other bytes": {damaged: 5, warning: "a row group is made again", change: func(t *testing.T, w *world) {
			name := filepath.Join(w.folder(), "parquet-files", "batch_00000.parquet")
			data, err := os.ReadFile(name)
			if err == nil {
				data[len(data)/2] ^= 0xff
				err = os.WriteFile(name, data, 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var answered atomic.Int64
			var w *world
			server := newEndpoint(t, func(prompt string, before int) (int, string) {
				if answered.Add(1) == 23 {
					for deadline := time.Now().Add(10 * time.Second); !w.exists(".seedloom/row-groups/00000.json") &&
						time.Now().Before(deadline); time.Sleep(time.Millisecond) {
					}
					stop()
				}
				return echo(prompt, before)
			})
			w = newWorld(t, spec, server.URL)
			if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted || ending.Result.Records.Actual < 5 {
				t.Fatalf("the first process ended as %s with %+v", ending.Result.Outcome, ending.Result.Records)
			}
			test.change(t, w)

			var log bytes.Buffer
			var ending engine.Ending
			for shard := range w.shards {
				config := w.config(shard)
				config.Logger = slog.New(slog.NewTextHandler(&log, nil))
				ending = engine.Generate(t.Context(), config)
				if ending.ExitCode != runreport.ExitOK {
					t.Fatalf("shard %d ended as %s: %s", shard, ending.Result.Outcome, ending.Result.Message)
				}
			}
			if w.shards > 1 {
				ending = engine.Finalize(t.Context(), w.config(0))
			}
			checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, w.spec.NumRecords, 0)
			if test.warning != "" && !strings.Contains(log.String(), test.warning) ||
				test.warning == "" && strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log is %s", log.String())
			}
			different, all := server.sent()
			if different != int(w.spec.NumRecords) || all > different+4+test.damaged {
				t.Errorf("%d requests for %d prompts and %d records were sent", all, different, w.spec.NumRecords)
			}
			undisturbed := newWorld(t, spec, newEndpoint(t, echo).URL)
			undisturbed.spec.NumRecords = w.spec.NumRecords
			undisturbed.generate(t.Context(), 0)
			_, rows := w.rows()
			if _, want := undisturbed.rows(); !reflect.DeepEqual(rows, want) {
				t.Errorf("the rows are %v, those of an undisturbed run %v", rows, want)
			}
		})
	}
}

func truncate(t *testing.T, name string) {
	t.Helper()
	if err := os.Truncate(name, 100); err != nil {
		t.Fatal(err)
	}
}

// TestARaisedTargetChangesWhatProcessorsGet interrupts a run in its last, short row group, and raises the number of records: then
// processors and code that resizes get other rows than before, and cells that were made from what they had made of those are not used.
func TestARaisedTargetChangesWhatProcessorsGet(t *testing.T) {
	const rotate = `
values = [r["id"] for r in rows]
return [dict(r, id=values[(i + 1) % len(rows)] + " of %d" % len(rows)) for i, r in enumerate(rows)]`
	for name, test := range map[string]struct {
		text string
		// cells are so many lines of the journal that some are of what processors or the resize have made.
		cells int
	}{
		"PreBatch": {strings.Replace(numberedSpec, "numRecords: 30", "numRecords: 25", 1) + starlarkProcessor("rotate", "PreBatch", "FailRun", rotate), 2},
		"resize":   {strings.NewReplacer("numRecords: 40", "numRecords: 25", "rowGroupSize: 40", "rowGroupSize: 10").Replace(ofTheBatch()), 7},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var w *world
			server := newEndpoint(t, func(prompt string, before int) (int, string) {
				if lines, _ := os.ReadFile(filepath.Join(w.folder(), ".seedloom/journal", "00002.jsonl")); bytes.Count(lines,
					[]byte("\n")) >= test.cells {
					stop()
				}
				return echo(prompt, before)
			})
			w = newWorld(t, test.text, server.URL)
			w.spec.Models[0].MaxParallelRequests = new(int32(2))
			if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted {
				t.Fatalf("the first process ended as %s with %+v: %s", ending.Result.Outcome, ending.Result.Records, ending.Result.Message)
			}
			w.spec.NumRecords = 30
			if ending := w.generate(t.Context(), 0); ending.Result.Outcome != runreport.OutcomeComplete {
				t.Fatalf("the second process ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
			}
			undisturbed := newWorld(t, test.text, newEndpoint(t, echo).URL)
			undisturbed.spec.NumRecords = 30
			undisturbed.generate(t.Context(), 0)
			_, rows := w.rows()
			if _, want := undisturbed.rows(); !reflect.DeepEqual(rows, want) {
				t.Errorf("the rows are %v, those of an undisturbed run %v", rows, want)
			}
		})
	}
}

// TestCellsOfABatchThatHasChangedAreMadeAgain ends a run between two models of which the first was asked about what code has made of its
// whole row group. However it goes on, no row has a text that was made of another rank than its own.
func TestCellsOfABatchThatHasChangedAreMadeAgain(t *testing.T) {
	const spec = `
numRecords: 25
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: id, sampler: {type: UUID}}
- name: rank
  custom:
    strategy: Batch
    requiredColumns: [id]
    starlark:
      source: |
        def generate(rows):
            return [{"_row": r["_row"], "rank": "%d of %d" % (i, len(rows))} for i, r in enumerate(rows)]
- {name: text, llmText: {model: writer, prompt: "{{ id }} is {{ rank }}"}}
- {name: more, llmText: {model: writer, prompt: "more of {{ text }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`
	tokens := int64(5 * 47)
	for name, test := range map[string]struct {
		limits *v1alpha1.Limits
		change func(w *world)
		// same says that the rows are those of a run that was not disturbed: what is there of a row group stays, so that a batch may have got less.
		same bool
	}{
		"interrupted":             {nil, func(*world) {}, true},
		"interrupted, and raised": {nil, func(w *world) { w.spec.NumRecords = 30 }, true},
		"out of budget":           {&v1alpha1.Limits{MaxTokens: &tokens}, func(w *world) { w.spec.Limits = nil; w.attempt++ }, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var answered atomic.Int64
			server := newEndpoint(t, func(prompt string, before int) (int, string) {
				if test.limits == nil {
					if answered.Add(1) == 43 {
						stop()
					}
					// The last row group isn't whole when the first process ends, since a group that is whole stays as short as it was.
					if before == 0 && strings.HasPrefix(prompt, "more") && strings.HasSuffix(prompt, "4 of 5") {
						<-ctx.Done()
						return http.StatusServiceUnavailable, ""
					}
				}
				return echo(prompt, before)
			})
			w := newWorld(t, spec, server.URL)
			w.spec.Limits = test.limits
			if ending := w.generate(ctx, 0); ending.Result.Records.Missing == 0 {
				t.Fatalf("the first process ended as %s with %+v: %s", ending.Result.Outcome, ending.Result.Records, ending.Result.Message)
			}
			test.change(w)
			checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, w.spec.NumRecords, 0)
			_, rows := w.rows()
			for i, row := range rows {
				if row[2] != "answer to "+row[0].(string)+" is "+row[1].(string) || row[3] != "answer to more of "+row[2].(string) {
					t.Errorf("row %d is %v", i, row)
				}
			}
			undisturbed := newWorld(t, spec, newEndpoint(t, echo).URL)
			undisturbed.spec.NumRecords = w.spec.NumRecords
			undisturbed.generate(t.Context(), 0)
			_, want := undisturbed.rows()
			for i := range want {
				if test.same && !reflect.DeepEqual(rows[i], want[i]) {
					t.Errorf("row %d is %v, in an undisturbed run %v", i, rows[i], want[i])
				}
			}
			if _, all := server.sent(); all > 2*int(w.spec.NumRecords)+20 {
				t.Errorf("%d requests were sent", all)
			}
		})
	}
}
