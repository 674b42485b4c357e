package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

const documentSpec = `
numRecords: 12
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: documents/writer, parameters: {maxTokens: 16}}
- {alias: native, provider: local, model: documents/native, structuredOutput: Native}
- {alias: caller, provider: local, model: documents/caller, structuredOutput: Tool}
columns:
- {name: topic, sampler: {type: UUID}}
- {name: code, llmCode: {model: writer, language: python, prompt: "Code about {{ topic }}"}}
- name: product
  llmStructured:
    model: writer
    systemPrompt: You invent things.
    prompt: A product about {{ topic }}
    trace: AllMessages
    extractReasoning: true
    schema:
      type: object
      required: [name, price, parts]
      properties:
        name: {type: string, maxLength: 20}
        price: {type: number, minimum: 0}
        stock: {type: integer}
        parts: {type: array, minItems: 1, maxItems: 2, items: {type: object, required: [label],
          properties: {label: {type: string}, size: {type: [integer, "null"]}}}}
        extra: {type: object, additionalProperties: {type: integer}}
- name: verdict
  llmJudge:
    model: native
    prompt: "Judge {{ product.name }} with {{ product.parts[0].label }} and {{ code }}"
    scores:
    - {name: realism, description: "Is it real?", options: {"1": "no", "2": partly, "3": "yes"}}
    - {name: tone, description: "How does it sound?", options: {warm: friendly, cold: not so}}
- name: place
  llmStructured: {model: caller, prompt: "Where is {{ topic }}?", trace: LastMessage,
    schema: {type: object, required: [city], properties: {city: {type: string}}}}
- {name: summary, expression: {expr: "{{ verdict.realism.score }}/{{ verdict.tone.score }}/{{ product.parts | length }}/\
    {{ product__trace[0].role }}/{{ product__trace[-1].role }}/{{ product__reasoning_content }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 5}
`

// typesIn are the names and types of the columns in the dataset's first file.
func (w *world) typesIn() map[string]string {
	w.t.Helper()
	files, err := filepath.Glob(filepath.Join(w.folder(), "parquet-files", "*.parquet"))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no files: %v", err)
	}
	file, err := os.Open(files[0])
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		w.t.Fatal(err)
	}
	schema, _, err := parquetfile.Read(file, info.Size())
	if err != nil {
		w.t.Fatal(err)
	}
	types := map[string]string{}
	for _, field := range schema.Fields() {
		types[field.Name] = field.Type.String()
	}
	return types
}

func newDocuments(t *testing.T, faults ...llmsim.Fault) (*world, *simtest.Server) {
	t.Helper()
	server := simtest.Start(t, llmsim.Config{Faults: faults})
	return newWorld(t, documentSpec, server.Endpoint()), server
}

func TestDocumentsCodeAndJudgementsAreTypedColumns(t *testing.T) {
	w, server := newDocuments(t)
	requireComplete(t, w, w.generate(t.Context(), 0))
	const trace = "list<struct<role: string, content: string, reasoning_content: string, " +
		"tool_calls: list<struct<id: string, name: string, arguments: string>>, tool_call_id: string>>"
	for name, want := range map[string]string{
		"code":                       "string",
		"product":                    "struct<name: string, price: double, parts: list<struct<label: string, size: int64>>, extra: string, stock: int64>",
		"product__trace":             trace,
		"product__reasoning_content": "string",
		"verdict":                    "struct<realism: struct<reasoning: string, score: int64>, tone: struct<reasoning: string, score: string>>",
		"place":                      "struct<city: string>",
		"place__trace":               trace,
	} {
		if got := w.typesIn()[name]; got != want {
			t.Errorf("column %s has the type %s, want %s", name, got, want)
		}
	}
	names, rows := w.rows()
	at := map[string]int{}
	for i, name := range names {
		at[name] = i
	}
	summary := regexp.MustCompile(`^[123]/(warm|cold)/[12]/system/assistant/$`)
	for i, row := range rows {
		if code := row[at["code"]].(string); code == "" || strings.Contains(code, "```") {
			t.Errorf("row %d: code %q", i, code)
		}
		if text := row[at["summary"]].(string); !summary.MatchString(text) {
			t.Errorf("row %d: summary %q", i, text)
		}
		place := row[at["place"]].([]any)
		said := row[at["place__trace"]].([]any)[0].([]any)
		call := said[3].([]any)[0].([]any)
		var arguments struct{ City string }
		if err := json.Unmarshal([]byte(call[2].(string)), &arguments); err != nil || said[0] != "assistant" || call[1] != "hand_over_answer" ||
			arguments.City != place[0] {
			t.Errorf("row %d: place %v, said %v, %v", i, place, said, err)
		}
	}
	// Not one request is sent that need not be.
	if counters := server.Counters(); counters.Requests != 4*12 || counters.Repetitions != 0 {
		t.Errorf("%d requests, %d repetitions", counters.Requests, counters.Repetitions)
	}
}

// unusable is an answer of a model without the JSON that it was asked for.
const unusable = `{"choices":[{"message":{"role":"assistant","content":"SECRET: I would rather not."},"finish_reason":"stop"}],` +
	`"usage":{"prompt_tokens":10,"completion_tokens":5}}`

func TestAnswersThatCantBeUsedAreCorrected(t *testing.T) {
	w, server := newDocuments(t, llmsim.Fault{Kind: llmsim.FaultWrongJSON, Body: unusable, PromptContains: "A product about", ToRequest: 4})
	one, none := int32(4), int32(0)
	w.spec.Run.MaxConversationCorrectionSteps, w.spec.Run.MaxConversationRestarts = &one, &none
	requireComplete(t, w, w.generate(t.Context(), 0))
	if counters := server.Counters(); counters.Requests != 4*12+4 {
		t.Errorf("%d requests, want %d", counters.Requests, 4*12+4)
	}
	corrected := 0
	for _, prompt := range server.Prompts() {
		if strings.Contains(prompt.Text, "Your answer can't be used: there is no JSON in the answer") {
			corrected += prompt.Count
		}
	}
	if corrected != 4 {
		t.Errorf("%d corrections were sent, want 4", corrected)
	}
	names, rows := w.rows()
	longer := 0
	for _, row := range rows {
		for i, name := range names {
			if name == "product__trace" {
				longer += (len(row[i].([]any)) - 3) / 2
			}
		}
	}
	if longer != 4 {
		t.Errorf("the traces have %d corrections, want 4", longer)
	}
}

func TestConversationsBeginAnewAndThenTheRowIsDropped(t *testing.T) {
	w, server := newDocuments(t, llmsim.Fault{Kind: llmsim.FaultWrongJSON, Body: unusable, PromptContains: "A product about"})
	w.spec.NumRecords = 3
	two, single := int32(2), int32(1)
	w.spec.Run.MaxConversationRestarts, w.spec.Run.MaxRowAttempts = &two, &single
	ending := w.generate(t.Context(), 0)
	if ending.Result.Reason != v1alpha1.ReasonNoRecords || ending.Result.Records.Dropped != 3 {
		t.Fatalf("got %+v", ending.Result)
	}
	drop := ending.Result.Dropped[0]
	if drop.Reason != v1alpha1.ReasonModelGenerationInvalid || drop.Column != "product" ||
		!strings.Contains(drop.Message, "after 3 requests: there is no JSON in the answer") || strings.Contains(drop.Message, "SECRET") {
		t.Errorf("got %+v", drop)
	}
	for _, model := range ending.Result.Models {
		if model.Alias == "writer" && (model.Succeeded < 9 || model.InputTokens < 90) {
			t.Errorf("usage %+v", model)
		}
	}
	if products := requestsAbout(server, "A product about"); products != 9 {
		t.Errorf("%d requests for 3 rows with 2 restarts each", products)
	}
}

func requestsAbout(server *simtest.Server, text string) int {
	total := 0
	for _, prompt := range server.Prompts() {
		if strings.Contains(prompt.Text, text) {
			total += prompt.Count
		}
	}
	return total
}

// A rate limit in the middle of a conversation costs no answer that was paid for.
func TestARateLimitWithinAConversationLosesNothing(t *testing.T) {
	w, server := newDocuments(t,
		llmsim.Fault{Kind: llmsim.FaultStatus, Status: 429, PromptContains: "Your answer can't be used", ToRequest: 3},
		llmsim.Fault{Kind: llmsim.FaultWrongJSON, Body: unusable, PromptContains: "A product about", ToRequest: 12})
	w.spec.NumRecords = 1
	w.spec.Models[0].MaxParallelRequests = new(int32)
	*w.spec.Models[0].MaxParallelRequests = 1
	twelve, none := int32(11), int32(0)
	w.spec.Run.MaxConversationCorrectionSteps, w.spec.Run.MaxConversationRestarts = &twelve, &none
	ending := w.generate(t.Context(), 0)
	requireComplete(t, w, ending)
	// The three refused requests count among the matches of the second fault too, so the model sends nine answers that can't be used.
	if products := requestsAbout(server, "A product about"); products != 1 {
		t.Errorf("the conversation was begun %d times", products)
	}
	usage := map[string]runreport.Column{}
	for _, column := range ending.Result.Columns {
		usage[column.Name] = column
	}
	if got := usage["product"].Usage; got.Failed != 3 || got.Succeeded != 10 {
		t.Errorf("the usage of the column is %+v, want 10 requests that succeeded and 3 that failed", got)
	}
}

func TestDocumentsComeBackFromTheJournal(t *testing.T) {
	w, server := newDocuments(t, llmsim.Fault{Kind: llmsim.FaultHang, Models: []string{"documents/native"}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// Everything but the judgements is made, and then the engine is stopped.
	go func() {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			kept := 0
			journals, _ := filepath.Glob(filepath.Join(w.folder(), ".seedloom/journal", "*.jsonl"))
			for _, name := range journals {
				lines, _ := os.ReadFile(name)
				kept += bytes.Count(lines, []byte("\n"))
			}
			if kept == 3*12 {
				break
			}
		}
		cancel()
	}()
	if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted || ending.Result.Records.Actual != 0 {
		t.Fatalf("got %+v", ending.Result)
	}
	made := server.Counters().Succeeded
	server.Configure(llmsim.Config{})
	server.WaitForClients()
	before := server.Counters().Requests
	ending := w.generate(t.Context(), 0)
	requireComplete(t, w, ending)
	if sent := server.Counters().Requests - before; sent != 4*12-made {
		t.Errorf("%d requests after %d answers that were kept, want %d", sent, made, 4*12-made)
	}
	fresh, _ := newDocuments(t)
	requireComplete(t, fresh, fresh.generate(t.Context(), 0))
	_, want := fresh.rows()
	_, got := w.rows()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the rows differ from those of a run that was not stopped:\n%v\n%v", got, want)
	}
}

func TestWhatShapesDocumentsIsInTheHash(t *testing.T) {
	base, _ := newDocuments(t)
	hash := plan.ConfigHash(&base.spec)
	for name, change := range map[string]struct {
		change func(*v1alpha1.DatasetGenerationSpec)
		same   bool
	}{
		"restarts and corrections": {func(s *v1alpha1.DatasetGenerationSpec) {
			three := int32(3)
			s.Run.MaxConversationRestarts, s.Run.MaxConversationCorrectionSteps = &three, &three
		}, true},
		"the default method written out": {func(s *v1alpha1.DatasetGenerationSpec) { s.Models[0].StructuredOutput = "Prompt" }, true},
		"another method":                 {func(s *v1alpha1.DatasetGenerationSpec) { s.Models[0].StructuredOutput = "Tool" }, false},
		"no trace written out":           {func(s *v1alpha1.DatasetGenerationSpec) { s.Columns[3].LLMJudge.Trace = "None" }, true},
		"a trace":                        {func(s *v1alpha1.DatasetGenerationSpec) { s.Columns[3].LLMJudge.Trace = "LastMessage" }, false},
		"another schema": {func(s *v1alpha1.DatasetGenerationSpec) {
			s.Columns[4].LLMStructured.Schema.Raw = []byte(`{"type":"object"}`)
		}, false},
		"the same schema, sorted otherwise": {func(s *v1alpha1.DatasetGenerationSpec) {
			s.Columns[4].LLMStructured.Schema.Raw = []byte(`{"required":["city"], "properties":{"city":{"type":"string"}}, "type":"object"}`)
		}, true},
	} {
		spec := base.spec.DeepCopy()
		change.change(spec)
		if got := plan.ConfigHash(spec); (got == hash) != change.same {
			t.Errorf("%s: the hash is the same: %t, want %t", name, got == hash, change.same)
		}
	}
}
