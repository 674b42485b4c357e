package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// numberedSpec has three row groups of ten rows, in which a processor gives every row an id that says which row it is.
const numberedSpec = `
numRecords: 30
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 40}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: shout, expression: {expr: "{{ id | upper }}"}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
processors:
- name: number
  starlark:
    stage: PreBatch
    source: |
      def process(rows):
          return [dict(r, id="row %d." % r["_row"]) for r in rows]
`

// starlarkProcessor is the entry of a processor whose function has this body.
func starlarkProcessor(name, stage, policy, body string) string {
	lines := strings.Join(strings.Split(strings.TrimSpace(body), "\n"), "\n          ")
	return fmt.Sprintf("- name: %s\n  failurePolicy: %s\n  starlark:\n    stage: %s\n    source: |\n      def process(rows):\n          %s\n",
		name, policy, stage, lines)
}

// failsInGroupOne fails for the rows 10 to 19.
const failsInGroupOne = `
if rows[0]["_row"] // 10 == 1:
    fail("no such luck")
return rows`

// asked says which rows of numberedSpec a model was asked for.
func (e *endpoint) asked(row int) int {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return e.prompts[fmt.Sprintf("about row %d.", row)]
}

func noLeaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

func (w *world) exists(name string) bool {
	_, err := os.Stat(filepath.Join(w.folder(), name))
	return err == nil
}

func TestAPreBatchProcessorWorksBeforeAnyRequest(t *testing.T) {
	noLeaks(t)
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec, server.URL+"/v1")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	_, rows := w.rows()
	for i, row := range rows {
		want := []any{fmt.Sprintf("row %d.", i), fmt.Sprintf("ROW %d.", i), fmt.Sprintf("answer to about row %d.", i)}
		if difference := cmp.Diff(want, row); difference != "" {
			t.Fatalf("row %d: %s", i, difference)
		}
	}
	if different, all := server.sent(); different != 30 || all != 30 {
		t.Errorf("%d different prompts of %d were sent", different, all)
	}
}

func TestRowsThatAreStartedAgainKeepWhatAPreBatchProcessorMade(t *testing.T) {
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if before == 0 {
			return http.StatusOK, "" // no text: the row is started again
		}
		return echo(prompt, before)
	})
	w := newWorld(t, strings.ReplaceAll(numberedSpec, "rowGroupSize: 10", "rowGroupSize: 10, earlyShutdown: {policy: Disabled}"),
		server.URL+"/v1")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	if different, all := server.sent(); different != 30 || all != 60 {
		t.Errorf("%d different prompts of %d were sent, want 30 of 60", different, all)
	}
}

// B1.1: the processor of a row group fails while requests of others are open.
func TestAFailingPreBatchProcessorEndsTheRunInOrder(t *testing.T) {
	noLeaks(t)
	server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(60_000)}})
	w := newWorld(t, numberedSpec+starlarkProcessor("unlucky", "PreBatch", "FailRun", failsInGroupOne), server.Endpoint())
	start := time.Now()
	ending := w.generate(t.Context(), 0)
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("the run took %s to end", took)
	}
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed, 0, 0)
	for _, part := range []string{`"unlucky"`, "PreBatch", "row group 1", "rows 10 to 19", "no such luck", "source:3"} {
		if !strings.Contains(ending.Result.Message, part) {
			t.Errorf("%q lacks %q", ending.Result.Message, part)
		}
	}
	server.WaitForClients()
	counters := server.Counters()
	if counters.InFlight != 0 || counters.Succeeded != 0 || counters.Cancelled != counters.Requests || counters.Requests > 20 {
		t.Errorf("requests after the end: %+v", counters.Counts)
	}
	for _, prompt := range server.Prompts() {
		for row := 10; row < 20; row++ {
			if strings.Contains(fmt.Sprintf("%+v", prompt), fmt.Sprintf("about row %d.", row)) {
				t.Errorf("row %d was asked for", row)
			}
		}
	}
}

// B1.2: the processor of a row group fails once it is made. What is whole of the others is kept.
func TestAFailingPostBatchProcessorKeepsTheOtherRowGroups(t *testing.T) {
	noLeaks(t)
	var w *world
	journalled := func() int {
		data, _ := os.ReadFile(filepath.Join(w.folder(), ".seedloom/journal", "00002.jsonl"))
		return bytes.Count(data, []byte("\n"))
	}
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		switch prompt {
		case "about row 29.":
			<-t.Context().Done()
		case "about row 19.":
			// The last of its row group, once the first is committed and the third has all but one.
			for (!w.exists(".seedloom/row-groups/00000.json") || journalled() < 9) && t.Context().Err() == nil {
				time.Sleep(5 * time.Millisecond)
			}
		}
		return echo(prompt, before)
	})
	w = newWorld(t, numberedSpec+starlarkProcessor("unlucky", "PostBatch", "FailRun", failsInGroupOne), server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed, 19, 0)
	if w.exists("parquet-files/batch_00001.parquet") || w.succeeded() {
		t.Error("the row group whose processor has failed is in the dataset, or the run has the mark of success")
	}
	if run := w.metadata()["run"].(map[string]any); run["reason"] != v1alpha1.ReasonProcessorFailed || run["outcome"] != "Failed" {
		t.Errorf("the metadata says %v", run)
	}
	_, asked := server.sent()
	// Corrected, or lucky this time: what was paid for is not paid for again.
	w.spec.Processors[1].Starlark.Source = w.spec.Processors[0].Starlark.Source
	if before, after := asked, w.spec.Processors[0]; before != 30 || after.Name != "number" {
		t.Errorf("%d requests were sent", before)
	}
}

// B1.4: the loss is limited to the row group, counted once, and told.
func TestAFailingProcessorMayLeadToTheLossOfItsRowGroup(t *testing.T) {
	for _, stage := range []string{"PreBatch", "PostBatch"} {
		t.Run(stage, func(t *testing.T) {
			noLeaks(t)
			server := newEndpoint(t, echo)
			w := newWorld(t, numberedSpec+starlarkProcessor("unlucky", stage, "FailRowGroup", failsInGroupOne), server.URL+"/v1")
			ending := w.generate(t.Context(), 0)
			checkEnding(t, ending, runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, 0, 20, 10)
			if _, rows := w.rows(); len(rows) != 20 {
				t.Errorf("%d rows are in the files", len(rows))
			}
			dropped := ending.Result.Dropped
			if len(dropped) != 1 || dropped[0].Reason != v1alpha1.ReasonProcessorFailed || dropped[0].Count != 10 ||
				!strings.Contains(dropped[0].Message, "no such luck") {
				t.Errorf("dropped: %+v", dropped)
			}
			ledger, err := os.ReadFile(filepath.Join(w.folder(), "dropped-rows.jsonl"))
			if err != nil || bytes.Count(ledger, []byte("\n")) != 10 {
				t.Errorf("the ledger is %s, %v", ledger, err)
			}
			for _, column := range ending.Result.Columns {
				if column.Succeeded != 20 || column.Dropped != 10 || column.Failed != 0 {
					t.Errorf("column %+v", column)
				}
			}
			if records := ending.Progress.Records; records.Actual != 20 || records.Dropped != 10 {
				t.Errorf("the progress says %+v", records)
			}
			for row := 10; row < 20 && stage == "PreBatch"; row++ {
				if server.asked(row) > 0 {
					t.Errorf("row %d was asked for", row)
				}
			}
		})
	}
}

// B5 and P18: whatever a processor does to the rows is noticed, or does no harm.
func TestAProcessorReturnsTheRowsThatItWasGiven(t *testing.T) {
	for name, test := range map[string]struct {
		body, reason string
		parts        []string
	}{
		"fewer":       {`return rows[:9]`, v1alpha1.ReasonProcessorResized, []string{`"changes"`, "10 rows and returned 9", "AfterGeneration"}},
		"more":        {`return rows + rows[:1]`, v1alpha1.ReasonProcessorResized, []string{`"changes"`, "10 rows and returned 11", "allowResize"}},
		"another":     {`return rows[:9] + rows[:1]`, v1alpha1.ReasonProcessorResized, []string{"10 rows and returned 10, but row", "more than once"}},
		"unknown":     {`return rows[:9] + [dict(rows[9], _row=77)]`, v1alpha1.ReasonProcessorFailed, []string{"_row is 77, which is none of the rows"}},
		"less of one": {`return [{"_row": r["_row"]} for r in rows]`, v1alpha1.ReasonProcessorFailed, []string{`column "id" is missing`}},
		"more of one": {`return [dict(r, text="x") for r in rows]`, v1alpha1.ReasonProcessorFailed, []string{`column "text" is not made yet`}},
		"no column":   {`return [dict(r, nonsense=1) for r in rows]`, v1alpha1.ReasonProcessorFailed, []string{`"nonsense"`, "can't add columns"}},
		"no list":     {`return None`, v1alpha1.ReasonProcessorFailed, []string{"must return a list of dicts"}},
		"other order": {`return reversed(rows)`, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newEndpoint(t, echo)
			w := newWorld(t, numberedSpec+starlarkProcessor("changes", "PreBatch", "FailRowGroup", test.body), server.URL+"/v1")
			if test.reason == v1alpha1.ReasonProcessorFailed {
				w.spec.Processors[1].FailurePolicy = v1alpha1.ProcessorFailRun
			}
			ending := w.generate(t.Context(), 0)
			if test.reason == "" {
				checkEnding(t, ending, runreport.OutcomeComplete, "", 0, 30, 0)
				_, rows := w.rows()
				for i, row := range rows {
					if row[0] != fmt.Sprintf("row %d.", i) || row[2] != fmt.Sprintf("answer to about row %d.", i) {
						t.Fatalf("row %d is %v", i, row)
					}
				}
				return
			}
			checkEnding(t, ending, runreport.OutcomeFailed, test.reason, runreport.ExitFailed, 0, 0)
			for _, part := range append(test.parts, "row group", "PreBatch") {
				if !strings.Contains(ending.Result.Message, part) {
					t.Errorf("%q lacks %q", ending.Result.Message, part)
				}
			}
			if _, all := server.sent(); all != 0 {
				t.Errorf("%d requests were sent", all)
			}
		})
	}
}

const resizingColumn = `- {name: half, allowResize: true, custom: {strategy: Batch, type: int,
    starlark: {source: "def generate(rows):\n    return [{'_row': r['_row'], 'half': h} for r in rows for h in [1, 2]]\n"}}}
output:`

// B5.5: in sync mode, processors may resize, before and after.
func TestInSyncModeProcessorsMayResize(t *testing.T) {
	server := newEndpoint(t, echo)
	text := strings.Replace(numberedSpec, "output:", resizingColumn, 1) +
		starlarkProcessor("fewer", "PreBatch", "FailRun", `return [r for r in rows if r["_row"] % 2 == 0]`) +
		starlarkProcessor("more", "PostBatch", "FailRun", `return [r for r in rows for again in range(2)]`)
	w := newWorld(t, text, server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", 0, 60, 0)
	if records := ending.Result.Records; records.Filtered != 15 || records.Added != 45 || records.Missing != 0 {
		t.Errorf("records: %+v", records)
	}
	_, rows := w.rows()
	if len(rows) != 60 || rows[0][0] != "row 0." || rows[4][0] != "row 2." {
		t.Errorf("%d rows: %v", len(rows), rows)
	}
	if different, all := server.sent(); different != 15 || all > 30 {
		t.Errorf("%d different prompts of %d were sent", different, all)
	}
}

// In sync mode several schedulers work one after another.
func TestInSyncModeEveryTaskOfATraceHasItsOwnNumber(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, strings.Replace(numberedSpec, "output:", resizingColumn, 1)+starlarkProcessor("same", "PreBatch", "FailRun",
		"return rows"), server.URL+"/v1")
	if w.spec.Run == nil {
		w.spec.Run = &v1alpha1.RunSettings{}
	}
	w.spec.Run.Trace = v1alpha1.TraceEnabled
	config, spans := w.config(0), trace.NewRing(1000)
	config.Trace = spans
	checkEnding(t, engine.Generate(t.Context(), config), runreport.OutcomeComplete, "", 0, 60, 0)
	numbers, columns := map[int64]bool{}, map[string]bool{}
	for _, span := range spans.Spans() {
		numbers[span.Task], columns[span.Column] = true, true
	}
	if len(numbers) != len(spans.Spans()) || len(columns) < 2 {
		t.Errorf("%d spans, of %d columns, have %d numbers", len(spans.Spans()), len(columns), len(numbers))
	}
}

func TestInSyncModeAFailingProcessorHasTheSameConsequences(t *testing.T) {
	for _, stage := range []string{"PreBatch", "PostBatch"} {
		t.Run(stage, func(t *testing.T) {
			server := newEndpoint(t, echo)
			text := strings.Replace(numberedSpec, "output:", resizingColumn, 1)
			w := newWorld(t, text+starlarkProcessor("unlucky", stage, "FailRun", failsInGroupOne), server.URL+"/v1")
			checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed, 20, 0)
			w = newWorld(t, text+starlarkProcessor("unlucky", stage, "FailRowGroup", failsInGroupOne), server.URL+"/v1")
			ending := w.generate(t.Context(), 0)
			if records := ending.Result.Records; ending.Result.Outcome != runreport.OutcomePartial || records.Actual != 40 || records.Dropped < 10 ||
				records.Missing != 0 {
				t.Errorf("ended as %s with %+v", ending.Result.Outcome, records)
			}
		})
	}
}

// A run that is stopped goes on as if it had not been: processors get the row groups as they would have, and nothing is paid for twice.
func TestAStoppedRunWithProcessorsGoesOn(t *testing.T) {
	noLeaks(t)
	shuffle := starlarkProcessor("shuffle", "PreBatch", "FailRun", `
values = [r["id"] for r in rows]
return [dict(r, id=values[(i + 3) % len(rows)]) for i, r in enumerate(rows)]`) +
		starlarkProcessor("rank", "PostBatch", "FailRun",
			`return [dict(r, text="%d of %d: %s" % (i, len(rows), r["text"])) for i, r in enumerate(rows)]`)
	undisturbed := newWorld(t, numberedSpec+shuffle, newEndpoint(t, echo).URL+"/v1")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if prompt == "about row 23." && ctx.Err() == nil {
			stop()
			<-t.Context().Done()
		}
		return echo(prompt, before)
	})
	stopped := newWorld(t, numberedSpec+shuffle, server.URL+"/v1")
	stopped.spec.Models[0].MaxParallelRequests = new(int32)
	*stopped.spec.Models[0].MaxParallelRequests = 4
	first := stopped.generate(ctx, 0)
	if first.Result.Outcome != runreport.OutcomeInterrupted {
		t.Fatalf("the first run ended as %s: %s", first.Result.Outcome, first.Result.Message)
	}
	checkEnding(t, stopped.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	checkEnding(t, undisturbed.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	_, want := undisturbed.rows()
	_, got := stopped.rows()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	if _, all := server.sent(); all > 38 {
		t.Errorf("%d requests were sent for 30 rows, with at most 4 under way at the stop, and as many on their way", all)
	}
}

const transformed = `
- name: chat
  schemaTransform:
    template: {messages: [{role: user, content: "About {{ id }}"}, {role: assistant, content: "{{ text }}", final: true}],
      row: "{{ id }}", weight: 1.5, tags: []}
- name: few
  dropColumns: {columnNames: ["sh*t", text, "nothing*"]}
`

func TestProcessorsWriteAnotherFormAndDropColumns(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec+transformed, server.URL+"/v1")
	w.spec.NumRecords = 15
	var log bytes.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	checkEnding(t, engine.Generate(t.Context(), config), runreport.OutcomeComplete, "", 0, 15, 0)
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "nothing*") || strings.Contains(log.String(), "sh*t") {
		t.Errorf("the log is %s", log.String())
	}
	// The dataset grows: the second row group, which has five rows, is filled up.
	w.spec.NumRecords = 25
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 25, 0)

	if names, rows := w.rows(); len(rows) != 25 || !cmp.Equal(names, []string{"id"}) {
		t.Errorf("the dataset has %v and %d rows", names, len(rows))
	}
	if names, rows := w.rowsIn("dropped-columns-parquet-files"); len(rows) != 25 || !cmp.Equal(names, []string{"shout", "text"}) {
		t.Errorf("the dropped columns are %v in %d rows", names, len(rows))
	}
	names, rows := w.rowsIn("processors-files/chat")
	// The members stand in the order of the document, which a decoder of YAML has sorted.
	if len(rows) != 25 || !cmp.Equal(names, []string{"messages", "row", "tags", "weight"}) {
		t.Fatalf("the form has %v and %d rows", names, len(rows))
	}
	for i, row := range rows {
		id := fmt.Sprintf("row %d.", i)
		want := []any{[]any{[]any{"About " + id, "user", nil}, []any{"answer to about " + id, "assistant", true}}, id, []any{}, 1.5}
		if difference := cmp.Diff(want, row); difference != "" {
			t.Fatalf("row %d: %s", i, difference)
		}
	}
	paths := w.metadata()["file_paths"].(map[string]any)
	want := map[string]any{"chat": []any{"processors-files/chat/batch_00000.parquet", "processors-files/chat/batch_00001.parquet", "processors-files/chat/batch_00002.parquet"}}
	if difference := cmp.Diff(want, paths["processor-files"]); difference != "" {
		t.Error(difference)
	}
	if raw, err := json.Marshal(w.metadata()["schema"]); err != nil || string(raw) != `{"id":"string"}` {
		t.Errorf("the schema is %s, %v", raw, err)
	}
}

const afterGeneration = `
- name: even
  starlark:
    stage: AfterGeneration
    source: |
      def process(rows):
          kept = [dict(r, shout=r["text"].upper()) for r in rows if r["_row"] % 2 == 0]
          return kept + [dict(r, id="again " + r["id"]) for r in kept if r["_row"] % 10 == 0]
- name: few
  dropColumns: {columnNames: [text]}
`

// datasetOf checks that the dataset is what the processors of afterGeneration make of so many rows.
func (w *world) requireAfterGeneration(rows int) {
	w.t.Helper()
	names, got := w.rows()
	_, dropped := w.rowsIn("dropped-columns-parquet-files")
	var want, wantDropped [][]any
	for row := 0; row < rows; row += 2 {
		text := fmt.Sprintf("answer to about row %d.", row)
		want = append(want, []any{fmt.Sprintf("row %d.", row), strings.ToUpper(text)})
		wantDropped = append(wantDropped, []any{text})
		if row%10 == 0 {
			want = append(want, []any{fmt.Sprintf("again row %d.", row), strings.ToUpper(text)})
			wantDropped = append(wantDropped, []any{text})
		}
	}
	if difference := cmp.Diff(want, got); difference != "" || !cmp.Equal(names, []string{"id", "shout"}) {
		w.t.Fatalf("%v: %s", names, difference)
	}
	if difference := cmp.Diff(wantDropped, dropped); difference != "" {
		w.t.Fatal(difference)
	}
	metadata := w.metadata()
	if metadata["post_generation_state"] != "complete" || metadata["post_generation_processed"] != true ||
		metadata["actual_num_records"] != float64(len(want)) {
		w.t.Errorf("the metadata says %v, %v, %v", metadata["post_generation_state"], metadata["post_generation_processed"],
			metadata["actual_num_records"])
	}
}

func TestProcessorsAfterTheGenerationMakeTheDataset(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec+afterGeneration, server.URL+"/v1")
	w.spec.NumRecords = 15
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", 0, 10, 0)
	if records := ending.Result.Records; records.Filtered != 7 || records.Added != 2 || records.Missing != 0 {
		t.Errorf("records: %+v", records)
	}
	w.requireAfterGeneration(15)

	// Again, with nothing to do; then larger.
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 10, 0)
	w.requireAfterGeneration(15)
	w.spec.NumRecords = 25
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 16, 0)
	w.requireAfterGeneration(25)
	if different, all := server.sent(); different != 25 || all != 25 {
		t.Errorf("%d different prompts of %d were sent", different, all)
	}
	if !w.succeeded() {
		t.Error("the mark of success is missing")
	}

	sharded := newWorld(t, numberedSpec+afterGeneration, server.URL+"/v1")
	sharded.shards = 3
	for shard := range int32(3) {
		if ending := sharded.generate(t.Context(), shard); ending.Result.Outcome != runreport.OutcomeComplete {
			t.Fatalf("shard %d ended as %s: %s", shard, ending.Result.Outcome, ending.Result.Message)
		}
	}
	checkEnding(t, engine.Finalize(t.Context(), sharded.config(0)), runreport.OutcomeComplete, "", 0, 18, 0)
	sharded.requireAfterGeneration(30)
}

func TestAFailureAfterTheGenerationLosesNothing(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec+starlarkProcessor("unlucky", "AfterGeneration", "FailRun", failsInGroupOne), server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed, 30, 0)
	if !strings.Contains(ending.Result.Message, "AfterGeneration") || w.succeeded() {
		t.Errorf("the message is %q, the mark of success is there: %t", ending.Result.Message, w.succeeded())
	}
	if metadata := w.metadata(); metadata["post_generation_state"] != "started" || metadata["post_generation_processed"] != false {
		t.Errorf("the metadata says %v, %v", metadata["post_generation_state"], metadata["post_generation_processed"])
	}
	// What a failure leads to does not shape rows: with another policy the same run goes on from there, without a request.
	w.spec.Processors[1].FailurePolicy = v1alpha1.ProcessorFailRowGroup
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, 0, 20, 10)
	if _, rows := w.rows(); len(rows) != 20 {
		t.Errorf("%d rows are in the dataset", len(rows))
	}
	if _, all := server.sent(); all != 30 {
		t.Errorf("%d requests were sent", all)
	}
}

// A crash at any moment of the processing after the generation is as if it had not been.
func TestProcessingAfterTheGenerationGoesOnAfterACrash(t *testing.T) {
	w := newWorld(t, numberedSpec+afterGeneration, newEndpoint(t, echo).URL+"/v1")
	w.generate(t.Context(), 0)
	w.requireAfterGeneration(30)
	path := func(name string) string { return filepath.Join(w.folder(), name) }
	for name, crash := range map[string]func() error{
		"before a commit": func() error { return os.Remove(path(".seedloom/row-groups/00001.published.json")) },
		"between the files and the manifest": func() error {
			return os.Rename(path(".seedloom/row-groups/00002.published.json"), path(".seedloom/row-groups/00002.published.json.next"))
		},
		"between the manifest's next and the files": func() error {
			if err := os.Rename(path(".seedloom/row-groups/00000.published.json"), path(".seedloom/row-groups/00000.published.json.next")); err != nil {
				return err
			}
			return os.Rename(path("parquet-files/batch_00000.parquet"), path("parquet-files/batch_00000.parquet.next"))
		},
		"half a file":  func() error { return os.Truncate(path("parquet-files/batch_00001.parquet"), 100) },
		"no files":     func() error { return os.RemoveAll(path("parquet-files")) },
		"all is there": func() error { return nil },
	} {
		if err := crash(); err != nil {
			t.Fatal(name, err)
		}
		ending := w.generate(t.Context(), 0)
		if ending.Result.Outcome != runreport.OutcomeComplete {
			t.Fatalf("%s: ended as %s: %s", name, ending.Result.Outcome, ending.Result.Message)
		}
		w.requireAfterGeneration(30)
		for _, pattern := range []string{"*/*.next", ".seedloom/*/*.next"} {
			if left, err := filepath.Glob(path(pattern)); err != nil || len(left) > 0 {
				t.Errorf("%s: %v is left over, %v", name, left, err)
			}
		}
	}
}

// The end of a shard by a processor is that of the run, also in what the finalizing process writes.
func TestAFailedProcessorOfAShardFailsTheRun(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec+starlarkProcessor("unlucky", "PostBatch", "FailRun", failsInGroupOne), server.URL+"/v1")
	w.shards = 3
	for shard, want := range []runreport.Outcome{runreport.OutcomeComplete, runreport.OutcomeFailed, runreport.OutcomeComplete} {
		if ending := w.generate(t.Context(), int32(shard)); ending.Result.Outcome != want {
			t.Errorf("shard %d ended as %s: %s", shard, ending.Result.Outcome, ending.Result.Message)
		}
	}
	checkEnding(t, engine.Finalize(t.Context(), w.config(0)), runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed,
		20, 0)
	if run := w.metadata()["run"].(map[string]any); run["reason"] != v1alpha1.ReasonProcessorFailed || w.succeeded() {
		t.Errorf("the metadata says %v, the mark of success is there: %t", run, w.succeeded())
	}
}

// B5.4: a preview goes the same way, and shows what processors have made.
func TestAPreviewHasProcessorsToo(t *testing.T) {
	server := newEndpoint(t, echo)
	chat := transformed[:strings.Index(transformed, "- name: few")]
	w := newWorld(t, numberedSpec+chat+afterGeneration[1:], server.URL+"/v1")
	preview, err := engine.Preview(t.Context(), w.config(0), 4)
	if err != nil || preview.Ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("got %+v, %v", preview.Ending.Result, err)
	}
	if difference := cmp.Diff([][]any{
		{"row 0.", "ANSWER TO ABOUT ROW 0."}, {"again row 0.", "ANSWER TO ABOUT ROW 0."}, {"row 2.", "ANSWER TO ABOUT ROW 2."},
	}, preview.Dataset.Rows); difference != "" {
		t.Error(difference)
	}
	if forms := preview.Dataset.Forms; len(forms) != 1 || forms[0].Processor != "chat" || len(forms[0].Rows) != 4 {
		t.Errorf("forms: %+v", forms)
	}
	w = newWorld(t, numberedSpec+starlarkProcessor("fewer", "PreBatch", "FailRun", "return rows[1:]"), server.URL+"/v1")
	preview, err = engine.Preview(t.Context(), w.config(0), 4)
	if err != nil || preview.Ending.Result.Reason != v1alpha1.ReasonProcessorResized ||
		!strings.Contains(preview.Ending.Result.Message, "4 rows and returned 3") {
		t.Errorf("got %+v, %v", preview.Ending.Result, err)
	}
}
