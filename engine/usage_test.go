package engine_test

import (
	"net/http"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// Every request of endpoint uses three tokens of input and two of output.
const usageSpec = `
numRecords: 40
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: m, maxParallelRequests: 4, price: {inputPerMillionTokens: 1000, outputPerMillionTokens: 4000}}
- {alias: editor, provider: local, model: brief, maxParallelRequests: 4}
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
- {name: summary, llmText: {model: editor, prompt: "sum up {{ text }}"}}
- {name: title, llmText: {model: editor, prompt: "a title for {{ text }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

func limited(t *testing.T, limits *v1alpha1.Limits) (*world, *endpoint) {
	t.Helper()
	server := newEndpoint(t, echo)
	w := newWorld(t, usageSpec, server.URL+"/v1")
	w.spec.Limits = limits
	return w, server
}

func TestUsageIsCountedForModelsAndColumns(t *testing.T) {
	w, _ := limited(t, nil)
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 40, 0)
	for _, model := range ending.Result.Models {
		want := runreport.Usage{Succeeded: 40, InputTokens: 120, OutputTokens: 80}
		if model.Alias == "editor" {
			want = runreport.Usage{Succeeded: 80, InputTokens: 240, OutputTokens: 160}
		}
		if model.Usage != want {
			t.Errorf("%s has used %+v, want %+v", model.Alias, model.Usage, want)
		}
	}
	for _, column := range ending.Result.Columns {
		want := runreport.Usage{Succeeded: 40, InputTokens: 120, OutputTokens: 80}
		if column.Name == "id" {
			want = runreport.Usage{}
		}
		if column.Usage != want {
			t.Errorf("%s has used %+v, want %+v", column.Name, column.Usage, want)
		}
	}
	usage := w.metadata()["usage"].(map[string]any)
	// 120 tokens at a thousandth and 80 at four thousandths; the editor has no price.
	if usage["input_tokens"] != 360.0 || usage["output_tokens"] != 240.0 || usage["cost"] != "0.44" {
		t.Errorf("metadata.json has the usage %v", usage)
	}
}

func TestTheMetadataHasTheCostOfEachColumn(t *testing.T) {
	w, _ := limited(t, nil)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 40, 0)
	want := map[string][3]any{"id": {0.0, 0.0, ""}, "text": {40.0, 120.0, "0.44"}, "summary": {40.0, 120.0, ""}, "title": {40.0, 120.0, ""}}
	for _, entry := range w.metadata()["columns"].([]any) {
		column := entry.(map[string]any)
		got := [3]any{column["requests_succeeded"], column["input_tokens"], column["cost"]}
		if name := column["name"].(string); got != want[name] {
			t.Errorf("%s has the usage %v, want %v", name, got, want[name])
		}
	}
}

func TestABudgetEndsTheRunWithWholeRows(t *testing.T) {
	tokens, cost := int64(300), mustDecimal(t, "0.25")
	for name, test := range map[string]struct {
		limits *v1alpha1.Limits
		words  string
		// most is how many requests the budget is good for, whatever they were for.
		most int
	}{
		"tokens": {&v1alpha1.Limits{MaxTokens: &tokens}, "of the 300 tokens of spec.limits.maxTokens", 60},
		"cost":   {&v1alpha1.Limits{MaxCost: &cost}, "of the 0.25 of spec.limits.maxCost", 22 + 2*22 + 8},
	} {
		t.Run(name, func(t *testing.T) {
			w, server := limited(t, test.limits)
			ending := w.generate(t.Context(), 0)
			result := ending.Result
			if result.Outcome != runreport.OutcomePartial || result.Reason != v1alpha1.ReasonBudgetExhausted || ending.ExitCode != runreport.ExitOK {
				t.Fatalf("the run ended as %s, %s, exit code %d: %s", result.Outcome, result.Reason, ending.ExitCode, result.Message)
			}
			if !strings.Contains(result.Message, test.words) {
				t.Errorf("the message is %q", result.Message)
			}
			// The first requests go out before it is known what one uses.
			if _, all := server.sent(); all > test.most+8 {
				t.Errorf("%d requests were sent, and the budget is good for %d", all, test.most)
			}
			if result.Records.Actual == 0 || result.Records.Actual+result.Records.Missing != 40 || result.Records.Dropped != 0 {
				t.Errorf("records: %+v", result.Records)
			}
			if _, rows := w.rows(); int64(len(rows)) != result.Records.Actual || !w.succeeded() {
				t.Errorf("%d rows are on the disk", len(rows))
			}

			// What earlier attempts have used counts: another one has no more to spend.
			_, before := server.sent()
			w.attempt++
			if again := w.generate(t.Context(), 0).Result; again.Reason != v1alpha1.ReasonBudgetExhausted {
				t.Errorf("another attempt ended as %s with %d records: %s", again.Reason, again.Records.Actual, again.Message)
			}
			// There may be just enough for a few: what is left depends on which answers came last, and the first go out at once, as above.
			if _, after := server.sent(); after > before+8 {
				t.Errorf("another attempt sent %d requests", after-before)
			}

			// With more to spend, another attempt makes the rest, and pays for nothing twice.
			w.spec.Limits = nil
			w.attempt++
			checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 40, 0)
			if different, all := server.sent(); all != 120 || different != 120 {
				t.Errorf("%d requests, %d different, for 120 cells", all, different)
			}
		})
	}
}

func TestABudgetWithoutARecordHasFailed(t *testing.T) {
	tokens := int64(5)
	w, _ := limited(t, &v1alpha1.Limits{MaxTokens: &tokens})
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeFailed, v1alpha1.ReasonBudgetExhausted, runreport.ExitFailed, 0, 0)
}

func TestABudgetIsDividedAmongShards(t *testing.T) {
	tokens := int64(320)
	w, server := limited(t, &v1alpha1.Limits{MaxTokens: &tokens})
	w.shards = 2
	for shard := range w.shards {
		result := w.generate(t.Context(), shard).Result
		if result.Reason != v1alpha1.ReasonBudgetExhausted || !strings.Contains(result.Message, "divided among 2 shards") {
			t.Errorf("shard %d ended as %s: %s", shard, result.Reason, result.Message)
		}
	}
	if _, all := server.sent(); all > 64+2*8 {
		t.Errorf("%d requests were sent, and the budget is good for 64", all)
	}
	ending := engine.Finalize(t.Context(), w.config(0))
	if ending.Result.Outcome != runreport.OutcomePartial || ending.Result.Reason != v1alpha1.ReasonBudgetExhausted ||
		ending.ExitCode != runreport.ExitOK {
		t.Errorf("the dataset is %s, %s: %s", ending.Result.Outcome, ending.Result.Reason, ending.Result.Message)
	}
}

func TestModelsThatCantWorkAreToldTogetherBeforeTheRun(t *testing.T) {
	server := newEndpoint(t, func(string, int) (int, string) { return http.StatusNotFound, "" })
	w := newWorld(t, usageSpec, server.URL+"/v1")
	for i := range w.spec.Models {
		w.spec.Models[i].HealthCheck = v1alpha1.HealthCheckEnabled
	}
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonModelNotFound, runreport.ExitInvalid, 0, 0)
	for _, part := range []string{"2 models can't be used", `model "writer" (ModelNotFound): `, `model "editor" (ModelNotFound): `, `does not know model "brief"`} {
		if !strings.Contains(ending.Result.Message, part) {
			t.Errorf("the message lacks %q: %s", part, ending.Result.Message)
		}
	}
	if check := ending.Result.ModelCheck; check == nil || check.Asked != 2 || len(check.Problems) != 2 ||
		check.Problems[1].Alias != "editor" || check.Problems[1].Reason != v1alpha1.ReasonModelNotFound {
		t.Errorf("the report says of the models' answers: %+v", check)
	}
	if _, all := server.sent(); all != 2 {
		t.Errorf("%d requests were sent for two models", all)
	}
}

func TestModelsAreAskedBeforeTheFirstRowOnly(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, usageSpec, server.URL+"/v1")
	for i := range w.spec.Models {
		w.spec.Models[i].HealthCheck = v1alpha1.HealthCheckEnabled
	}
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 40, 0)
	if check := ending.Result.ModelCheck; check == nil || check.Asked != 2 || len(check.Problems) != 0 {
		t.Errorf("the report says of the models' answers: %+v", check)
	}
	w.spec.NumRecords = 50
	ending = w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 50, 0)
	if ending.Result.ModelCheck != nil {
		t.Errorf("models that were not asked again have answered: %+v", ending.Result.ModelCheck)
	}
	if _, all := server.sent(); all != 150+2 {
		t.Errorf("%d requests were sent for 150 cells and two questions", all)
	}
}

func TestAModelThatIsDownIsWaitedFor(t *testing.T) {
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if prompt == "Hello!" {
			return http.StatusServiceUnavailable, ""
		}
		return echo(prompt, before)
	})
	w := newWorld(t, usageSpec, server.URL+"/v1")
	for i := range w.spec.Models {
		w.spec.Models[i].HealthCheck = v1alpha1.HealthCheckEnabled
	}
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 40, 0)
	check := ending.Result.ModelCheck
	if check == nil || len(check.Problems) != 2 || check.Problems[0].Reason != v1alpha1.ReasonProviderUnavailable {
		t.Errorf("the report says of the models' answers: %+v", check)
	}
}

func mustDecimal(t *testing.T, text string) v1alpha1.Decimal {
	t.Helper()
	number, err := v1alpha1.NewDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// What was paid for is counted, also where processors fail and none of it is in the output; and another attempt counts nothing of it again.
func TestUsageIsWhatWasPaidWhenAProcessorFails(t *testing.T) {
	for _, mode := range []string{"async", "sync"} {
		spec := usageSpec
		if mode == "sync" {
			spec = strings.Replace(spec, "- {name: id,",
				"- {name: twice, allowResize: true, custom: {strategy: Batch, type: int, starlark: {source: "+
					"\"def generate(rows):\\n    return [{'_row': r['_row'], 'twice': 1} for r in rows]\"}}}\n- {name: id,", 1)
		}
		server := newEndpoint(t, echo)
		w := newWorld(t, spec+"processors:\n"+starlarkProcessor("unlucky", "PostBatch", "FailRun", `fail("no such luck")`), server.URL+"/v1")
		ending := w.generate(t.Context(), 0)
		checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonProcessorFailed, runreport.ExitFailed, 0, 0)
		_, sent := server.sent()
		counted := int64(0)
		for _, model := range ending.Result.Models {
			counted += model.Succeeded + model.Failed
		}
		// One that is cancelled before it was sent counts as failed.
		if sent == 0 || counted < int64(sent) || counted > int64(sent)+8 {
			t.Errorf("%s: %d requests were counted of %d that were sent", mode, counted, sent)
		}
	}
}
