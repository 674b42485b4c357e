package engine_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// careless is a model server whose first answer to each prompt is good for nothing, in a way that the prompt names; the next one is good.
type careless struct {
	*httptest.Server
	mutex sync.Mutex
	asked map[string]int
}

// carelessAnswers are the bad and the good answer, each with its reason to stop, by the first word of the prompt.
var carelessAnswers = map[string][2][2]string{
	"cut":   {{"half a sen", "length"}, {"a sentence", "stop"}},
	"kept":  {{"half a sen", "MAX_TOKENS"}, {"half a sen", "MAX_TOKENS"}},
	"doc":   {{"no document", "stop"}, {`{"k": 1}`, "stop"}},
	"code":  {{"```python\nprint(", "length"}, {"```python\nprint(1)\n```", "stop"}},
	"judge": {{`{"s": {"reasoning": "r", "score": 7}}`, "stop"}, {`{"s": {"reasoning": "r", "score": 1}}`, "stop"}},
}

func newCareless(t *testing.T) *careless {
	t.Helper()
	made := &careless{asked: map[string]int{}}
	made.Server = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		var body struct {
			Messages []struct{ Content string }
		}
		_ = json.NewDecoder(request.Body).Decode(&body)
		text := request.URL.Path
		if len(body.Messages) > 0 {
			text = body.Messages[0].Content
		}
		made.mutex.Lock()
		before := made.asked[text] % 2
		made.asked[text]++
		made.mutex.Unlock()
		var answer any
		switch request.URL.Path {
		case "/v1/embeddings":
			data := []any{map[string]any{"embedding": []float64{1}}}
			answer = map[string]any{"data": data[:before]}
		case "/v1/images/generations":
			answer = map[string]any{"data": []any{map[string]any{"b64_json": []any{"bm8gaW1hZ2U=", painting("p")}[before]}}}
		default:
			word, _, _ := strings.Cut(text, " ")
			said := carelessAnswers[word][before]
			answer = map[string]any{"choices": []any{map[string]any{"message": map[string]any{"content": said[0]}, "finish_reason": said[1]}}}
		}
		_ = json.NewEncoder(writer).Encode(answer)
	}))
	t.Cleanup(made.Close)
	return made
}

const carelessSpec = `
numRecords: 6
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT/v1}]
models: [{alias: m, provider: local, model: m}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: cut, llmText: {model: m, prompt: "cut {{ id }}"}}
- {name: kept, llmText: {model: m, prompt: "kept {{ id }}", onTruncation: Keep}}
- {name: doc, llmStructured: {model: m, prompt: "doc {{ id }}", schema: {type: object, required: [k], properties: {k: {type: integer}}}}}
- {name: code, llmCode: {model: m, prompt: "code {{ id }}", language: python}}
- {name: judge, llmJudge: {model: m, prompt: "judge {{ id }}", scores: [{name: s, description: d, options: {"1": a, "2": b}}]}}
output: {persistentVolumeClaim: {claimName: c}}
`

// resizing is a column that has a run in sync mode.
const resizing = "- {name: same, allowResize: true, custom: {strategy: Batch, type: int, starlark: {source: " +
	"\"def generate(rows):\\n    return [{'_row': r['_row'], 'same': 1} for r in rows]\"}}}\n"

// Answers that were paid for and not used are in the result and the metadata, by column and reason, and the last line of the log has them;
// so are the texts that were cut off and kept. It is so in both modes, and the counts are those of the whole run when it goes on.
func TestUnusableAnswersAreInWhatIsLeftOfARun(t *testing.T) {
	lost := map[string]string{
		"cut": v1alpha1.ReasonOutputTruncated, "doc": v1alpha1.ReasonModelGenerationInvalid, "code": v1alpha1.ReasonOutputTruncated,
		"judge": v1alpha1.ReasonModelGenerationInvalid,
	}
	for mode, more := range map[v1alpha1.ExecutionMode]string{
		v1alpha1.ExecutionAsync: "",
		v1alpha1.ExecutionSync:  resizing,
	} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, strings.ReplaceAll(carelessSpec, "output:", more+"output:"), newCareless(t).URL)
			w.spec.NumRecords = 2
			w.generate(t.Context(), 0)
			w.spec.NumRecords, w.attempt = 6, 2
			ending, lines := w.logged(t.Context(), nil)
			checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 6, 0)
			last := lines[len(lines)-1]
			for _, column := range ending.Result.Columns {
				want, requests := map[string]int64{}, map[bool]int64{true: 12, false: 6}[lost[column.Name] != ""]
				if reason := lost[column.Name]; reason != "" {
					want[reason] = 6
					if entry := fmt.Sprintf("unusable.%s.%s=6", column.Name, reason); !strings.Contains(last, entry) {
						t.Errorf("the last line lacks %s: %s", entry, last)
					}
				}
				if difference := cmp.Diff(want, column.Usage.Unusable.Counts()); difference != "" ||
					column.Name != "id" && column.Name != "same" && column.Usage.Succeeded != requests {
					t.Errorf("%s: %+v: %s", column.Name, column.Usage, difference)
				}
				if kept := map[bool]int64{true: 6}[column.Name == "kept"]; column.Usage.TruncatedKept != kept {
					t.Errorf("%s: %d texts were cut off and kept, want %d", column.Name, column.Usage.TruncatedKept, kept)
				}
				checkUnusable(t, w.metadata()["columns"], column)
			}
			if !strings.Contains(last, "truncatedKept.kept=6") {
				t.Errorf("the last line does not say what was kept: %s", last)
			}
		})
	}
}

// Images and vectors have no second try of their own: their rows have. What each answer came to is counted all the same.
func TestUnusableImagesAndVectorsAreCounted(t *testing.T) {
	for path, column := range map[string]string{
		"/v1/images/generations": `{name: made, image: {model: m, prompt: "{{ id }}"}}`,
		"/v1/embeddings":         `{name: made, embedding: {model: m, targetColumn: id}}`,
	} {
		server := newCareless(t)
		spec, _, _ := strings.Cut(carelessSpec, "- {name: cut")
		spec = strings.ReplaceAll(spec, "model: m}", "model: dall-e-3, maxParallelRequests: 1}") + "- " + column + "\n"
		w := newWorld(t, spec+"output: {persistentVolumeClaim: {claimName: c}}\n", server.URL)
		ending := w.generate(t.Context(), 0)
		sent := int64(server.asked[path])
		for _, counted := range ending.Result.Columns {
			checkUnusable(t, w.metadata()["columns"], counted)
			bad := counted.Usage.Unusable.Counts()[v1alpha1.ReasonModelGenerationInvalid]
			if counted.Name == "made" && (sent < 6 || bad != (sent+1)/2 || counted.Usage.Succeeded != sent) {
				t.Errorf("%s: %d requests, usage %+v", path, sent, counted.Usage)
			}
		}
	}
}

// checkUnusable holds what the metadata say of a column to what the result does.
func checkUnusable(t *testing.T, columns any, want runreport.Column) {
	t.Helper()
	for _, entry := range columns.([]any) {
		described := entry.(map[string]any)
		if described["name"] != want.Name {
			continue
		}
		counts := map[string]int64{}
		for reason, count := range described["unusable_answers"].(map[string]any) {
			counts[reason] = int64(count.(float64))
		}
		if difference := cmp.Diff(want.Usage.Unusable.Counts(), counts); difference != "" ||
			described["truncated_answers_kept"] != float64(want.Usage.TruncatedKept) {
			t.Errorf("the metadata say of %s %v: %s", want.Name, described, difference)
		}
		return
	}
	t.Errorf("the metadata lack %s", want.Name)
}

// A run that is ended before the first row was dropped says by column and cause what its requests came to.
func TestAnEarlyShutdownBeforeTheFirstDropSaysWhatHappened(t *testing.T) {
	for name, test := range map[string]struct {
		change func(string) string
		reason string
	}{
		"cut off":   {nil, v1alpha1.ReasonOutputTruncated},
		"in sync":   {func(spec string) string { return strings.ReplaceAll(spec, "output:", resizing+"output:") }, v1alpha1.ReasonOutputTruncated},
		"no answer": {nil, v1alpha1.ReasonModelGenerationInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			finish, content := "length", "half a sen"
			if test.reason == v1alpha1.ReasonModelGenerationInvalid {
				finish, content = "stop", ""
			}
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(writer).Encode(map[string]any{
					"choices": []any{map[string]any{"message": map[string]any{"content": content}, "finish_reason": finish}},
				})
			}))
			t.Cleanup(server.Close)
			spec := basicSpec
			if test.change != nil {
				spec = test.change(spec)
			}
			w := newWorld(t, spec, server.URL)
			w.spec.NumRecords = 1000
			// More than the failures that end the run, so that no row has used them up by then, whatever comes back first.
			w.spec.Run.MaxRowAttempts = new(int32(6))
			ending, lines := w.logged(t.Context(), nil)
			if ending.Result.Reason != v1alpha1.ReasonEarlyShutdown || ending.Result.Records.Dropped != 0 {
				t.Fatalf("the run ended as %s with %+v: %s", ending.Result.Reason, ending.Result.Records, ending.Result.Message)
			}
			for _, column := range ending.Result.Columns {
				checkUnusable(t, w.metadata()["columns"], column)
				if column.Name != "text" {
					continue
				}
				if counts := column.Usage.Unusable.Counts(); counts[test.reason] < 25 || counts[test.reason] != column.Usage.Succeeded {
					t.Errorf("the usage is %+v", column.Usage)
				}
				want := fmt.Sprintf("unusable.text.%s=%d", test.reason, column.Usage.Succeeded)
				if last := lines[len(lines)-1]; !strings.Contains(last, want) {
					t.Errorf("the last line lacks %s: %s", want, last)
				}
			}
		})
	}
}
