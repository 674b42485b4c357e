package llm_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// script is a model that gives its answers one after the other, and keeps what it was asked.
type script struct {
	answers []any // texts, answers, or errors
	asked   []model.Request
}

// unusable is an answer that was paid for, and is none.
type unusable struct{ cause error }

var each = runreport.Usage{Succeeded: 1, InputTokens: 10, OutputTokens: 5}

func (s *script) Chat(_ context.Context, request model.Request) (model.Answer, runreport.Usage, error) {
	request.Messages = slices.Clone(request.Messages)
	s.asked = append(s.asked, request)
	if len(s.asked) > len(s.answers) {
		return model.Answer{}, runreport.Usage{Failed: 1}, errors.New("the script is over")
	}
	switch answer := s.answers[len(s.asked)-1].(type) {
	case string:
		return model.Answer{Text: answer}, each, nil
	case model.Answer:
		return answer, each, nil
	case unusable:
		return model.Answer{}, each, answer.cause
	case error:
		return model.Answer{}, runreport.Usage{Failed: 1}, answer
	}
	return model.Answer{}, runreport.Usage{}, errors.New("the script has something unknown")
}

// dialogue are the roles and contents of the messages of a request.
func dialogue(request model.Request) []string {
	var said []string
	for _, message := range request.Messages {
		said = append(said, string(message.Role)+": "+message.Content)
	}
	return said
}

const personSchema = `{"type":"object","required":["name","age"],"properties":{"age":{"type":"integer"},"name":{"type":"string"}}}`

func personColumn(prompt v1alpha1.LLMPrompt) *v1alpha1.Column {
	return &v1alpha1.Column{Name: "out", LLMStructured: &v1alpha1.LLMStructured{LLMPrompt: prompt, Schema: &apiextensionsv1.JSON{Raw: []byte(personSchema)}}}
}

func newGenerator(t *testing.T, config llm.Config) *llm.Generator {
	t.Helper()
	if config.Model == nil {
		config.Model = &v1alpha1.Model{Alias: "m"}
	}
	made, err := llm.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestAnAnswerThatCantBeUsedIsCorrectedAndThenBegunAnew(t *testing.T) {
	client := &script{answers: []any{"no", "```json\n{\"name\": \"Emma\"}\n```", "no", "{\"name\": \"Emma\", \"age\": 21}"}}
	config := llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", SystemPrompt: "S", Prompt: "P"}), Restarts: 1, Corrections: 1, Client: client}
	answer, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(any([]any{"Emma", int64(21)}), answer.Value); difference != "" {
		t.Error(difference)
	}
	if want := (runreport.Usage{Succeeded: 4, InputTokens: 40, OutputTokens: 20, Unusable: runreport.Unusable{3}}); answer.Usage != want || answer.Earlier != (runreport.Usage{}) {
		t.Errorf("usage %+v, earlier %+v; want %+v", answer.Usage, answer.Earlier, want)
	}
	first := dialogue(client.asked[0])
	if first[0] != "system: S" || !strings.HasPrefix(first[1], "user: P\n\nAnswer with one JSON document") ||
		!strings.Contains(first[1], "```json\n"+`{"name":"<name>","age":<integer>}`+"\n```") {
		t.Errorf("the first request says %q", first)
	}
	corrected := append(slices.Clone(first), "assistant: no",
		"user: Your answer can't be used: there is no JSON in the answer. Answer again, in full, and in the form that was asked for.")
	if difference := cmp.Diff(corrected, dialogue(client.asked[1])); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff(first, dialogue(client.asked[2])); difference != "" {
		t.Errorf("a restart must begin from the first messages: %s", difference)
	}
	draws := map[random.Stream]bool{}
	for _, request := range client.asked {
		draws[request.Random] = true
	}
	if len(draws) != 4 {
		t.Errorf("4 requests have %d draws", len(draws))
	}
}

func TestRequestsAreBoundedByCorrectionsAndRestarts(t *testing.T) {
	for _, test := range []struct{ restarts, corrections, want int }{{0, 0, 1}, {5, 0, 6}, {0, 2, 3}, {2, 1, 6}} {
		client := &script{answers: slices.Repeat([]any{"SECRET no"}, 20)}
		config := llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Restarts: test.restarts, Corrections: test.corrections, Client: client}
		answer, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
		failed := failure.Of(err)
		if len(client.asked) != test.want || answer.Usage.Succeeded != int64(test.want) {
			t.Errorf("%+v: %d requests, usage %+v", test, len(client.asked), answer.Usage)
		}
		if failed == nil || failed.Reason != v1alpha1.ReasonModelGenerationInvalid || failed.Consequence != failure.DropRow ||
			strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%+v: got %v", test, err)
		}
	}
}

// An empty answer is one that can't be used, and is paid for all the same.
func TestAnEmptyAnswerBeginsTheConversationAnew(t *testing.T) {
	empty := failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "empty")
	refused := failure.New(v1alpha1.ReasonContentRefused, failure.DropRow, "refused")
	for _, test := range []struct {
		answers []any
		want    error
		asked   int
	}{
		{[]any{unusable{empty}, unusable{empty}, `{"name": "Emma", "age": 21}`}, nil, 3},
		{[]any{unusable{empty}, unusable{empty}, unusable{empty}, "no"}, empty, 3},
		{[]any{unusable{refused}, "no"}, refused, 1},
		{[]any{empty, "no"}, empty, 1},
	} {
		client := &script{answers: test.answers}
		made := newGenerator(t, llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Restarts: 2, Corrections: 1, Client: client})
		answer, err := made.Ask(t.Context(), record(), nil)
		if !errors.Is(err, test.want) || len(client.asked) != test.asked {
			t.Errorf("%v: %d requests, and then %v", test.answers, len(client.asked), err)
		}
		if paid := int64(test.asked); test.answers[0] != any(empty) && answer.Usage.Succeeded != paid {
			t.Errorf("%v: the usage is %+v, want %d answers", test.answers, answer.Usage, paid)
		}
		for _, request := range client.asked {
			if len(request.Messages) != 1 {
				t.Errorf("a request says %q", dialogue(request))
			}
		}
	}
}

func TestTruncatedAnswersSayWhatWouldHelp(t *testing.T) {
	for finish, want := range map[model.Finish]struct{ reason, hint string }{
		model.FinishLength:  {v1alpha1.ReasonOutputTruncated, "raise parameters.maxTokens"},
		model.FinishContext: {v1alpha1.ReasonContextOverflow, "shorten the prompts"},
		model.FinishStop:    {v1alpha1.ReasonModelGenerationInvalid, "ends before it is complete"},
	} {
		client := &script{answers: slices.Repeat([]any{model.Answer{Text: `{"name": "Em`, Finish: finish}}, 2)}
		_, err := newGenerator(t, llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Restarts: 1, Client: client}).Ask(t.Context(), record(), nil)
		if failed := failure.Of(err); failed == nil || failed.Reason != want.reason || failed.Consequence != failure.DropRow ||
			!strings.Contains(err.Error(), want.hint) {
			t.Errorf("finish %d: got %v", finish, err)
		}
	}
}

func TestAFailureThatPassesLosesNothingThatWasPaidFor(t *testing.T) {
	late := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "429")
	earlier := func(failed int64) runreport.Usage {
		return runreport.Usage{Succeeded: 1, Failed: failed, InputTokens: 10, OutputTokens: 5, Unusable: runreport.Unusable{1}}
	}
	client := &script{answers: []any{"no", late, late, `{"name": "Emma", "age": 21}`}}
	made := newGenerator(t, llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Corrections: 1, Client: client})
	row := record()
	first, err := made.Ask(t.Context(), row, nil)
	if failure.Of(err) != late || first.Usage != earlier(1) {
		t.Fatalf("got %+v, %v", first, err)
	}
	second, err := made.Ask(t.Context(), row, first.Kept)
	if failure.Of(err) != late || second.Usage != (runreport.Usage{Failed: 1}) {
		t.Fatalf("got %+v, %v", second, err)
	}
	third, err := made.Ask(t.Context(), row, second.Kept)
	if err != nil || third.Usage != each || third.Earlier != earlier(2) {
		t.Fatalf("got %+v, %v", third, err)
	}
	if len(client.asked) != 4 || len(client.asked[3].Messages) != 3 {
		t.Errorf("%d requests, the last with %d messages", len(client.asked), len(client.asked[3].Messages))
	}
	if client.asked[1].Random != client.asked[3].Random {
		t.Error("a request that is sent again must have the same draw")
	}
}

func TestNothingIsKeptOfACellThatFailsForGood(t *testing.T) {
	for name, problem := range map[string]error{
		"the row is dropped":  failure.New(v1alpha1.ReasonRequestRejected, failure.DropRow, "400"),
		"the run ends":        failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "401"),
		"it is interrupted":   context.Canceled,
		"nothing can be used": nil,
	} {
		client := &script{answers: []any{"no", "no"}}
		if problem != nil {
			client.answers[1] = problem
		}
		row := record()
		config := llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Corrections: 1, Client: client}
		answer, err := newGenerator(t, config).Ask(t.Context(), row, nil)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if answer.Kept != nil || row.Cells[2] != nil {
			t.Errorf("%s: kept are %T and, in the cell, %T", name, answer.Kept, row.Cells[2])
		}
	}
}

// calculator is a tool that fails once in a way that passes.
type calculator struct {
	failures int
	calls    []string
}

func (c *calculator) List() []model.Tool { return []model.Tool{{Name: "add"}} }

func (c *calculator) MaxTurns() int { return 5 }

func (c *calculator) Call(_ context.Context, calls []model.ToolCall) ([]model.Message, runreport.Usage, error) {
	if c.failures > 0 {
		c.failures--
		return nil, runreport.Usage{}, failure.New(v1alpha1.ReasonToolFailed, failure.RetryLater, "the tool is busy")
	}
	c.calls = append(c.calls, calls[0].Arguments)
	return []model.Message{{Role: model.RoleTool, Content: "3", ToolCallID: calls[0].ID}}, runreport.Usage{ToolCalls: 1}, nil
}

func TestAToolIsCalledOnceForEachTurnAndRestartsKeepItsResults(t *testing.T) {
	call := model.Answer{ToolCalls: []model.ToolCall{{ID: "1", Name: "add", Arguments: "1+2"}}, Finish: model.FinishTools}
	client := &script{answers: []any{call, "no", `{"name": "Emma", "age": 3}`}}
	tools := &calculator{failures: 1}
	prompt := v1alpha1.LLMPrompt{Model: "m", Prompt: "P", Trace: v1alpha1.ConversationTraceAllMessages}
	made := newGenerator(t, llm.Config{Column: personColumn(prompt), Restarts: 1, Client: client, Tools: tools})
	row := record()
	failed, err := made.Ask(t.Context(), row, nil)
	if err == nil {
		t.Fatal("the failure of the tool is lost")
	}
	answer, err := made.Ask(t.Context(), row, failed.Kept)
	if err != nil || answer.Usage.ToolCalls != 1 || answer.Usage.Succeeded != 2 || answer.Earlier != each {
		t.Fatalf("got %+v, %v", answer, err)
	}
	if !slices.Equal(tools.calls, []string{"1+2"}) {
		t.Errorf("calls %q", tools.calls)
	}
	if got := dialogue(client.asked[2]); len(got) != 3 || got[2] != "tool: 3" {
		t.Errorf("the restart says %q", got)
	}
	trace := answer.SideEffects[0].([]any)
	want := []any{"assistant", "", nil, []any{[]any{"1", "add", "1+2"}}, nil}
	if len(trace) != 4 || cmp.Diff(any(want), trace[1]) != "" || cmp.Diff(any([]any{"tool", "3", nil, nil, "1"}), trace[2]) != "" {
		t.Errorf("trace %v", trace)
	}
}

func TestTheDocumentMayBeTheArgumentsOfATool(t *testing.T) {
	wrong := model.Answer{ToolCalls: []model.ToolCall{{ID: "7", Name: "hand_over_answer", Arguments: `{"name": "Emma"}`}}, Finish: model.FinishTools}
	right := model.Answer{ToolCalls: []model.ToolCall{{ID: "8", Name: "hand_over_answer", Arguments: `{"name": "Emma", "age": 21}`}}, Finish: model.FinishTools}
	client := &script{answers: []any{wrong, right}}
	made := newGenerator(t, llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Corrections: 1, Client: client,
		Model: &v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputTool}})
	answer, err := made.Ask(t.Context(), record(), nil)
	if err != nil || cmp.Diff(any([]any{"Emma", int64(21)}), answer.Value) != "" {
		t.Fatalf("got %+v, %v", answer, err)
	}
	request := client.asked[0]
	if request.ForcedTool != "hand_over_answer" || len(request.Tools) != 1 ||
		!strings.Contains(string(request.Tools[0].Parameters), `"age"`) || request.Messages[0].Content != "P" {
		t.Errorf("got %+v", request)
	}
	if result := client.asked[1].Messages[2]; result.Role != model.RoleTool || result.ToolCallID != "7" ||
		!strings.Contains(result.Content, "missing property 'age'") {
		t.Errorf("the correction is %+v", result)
	}
}

// An answer that calls a tool which it was not given says so, to the model and to people, rather than that it is empty.
func TestACallOfAToolThatIsNotThereIsReportedAsOne(t *testing.T) {
	wrong := model.Answer{ToolCalls: []model.ToolCall{{ID: "7", Name: "hand_over_anser", Arguments: `{"name": "Emma", "age": 21}`}}, Finish: model.FinishTools}
	for name, config := range map[string]llm.Config{
		"a document by a tool": {Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}),
			Model: &v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputTool}},
		"a document in text": {Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"})},
		"a text":             {Column: &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}}}},
	} {
		client := &script{answers: []any{wrong, wrong}}
		config.Corrections, config.Client = 1, client
		_, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
		const want = `it calls "hand_over_anser", which is no tool that it has, in place of an answer`
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		result := client.asked[1].Messages[2]
		if result.Role != model.RoleTool || result.ToolCallID != "7" || !strings.Contains(result.Content, want) {
			t.Errorf("%s: the correction is %+v", name, result)
		}
	}
}

func TestTheServerMaySeeToTheSchema(t *testing.T) {
	client := &script{answers: []any{`{"name": "Emma", "age": 21}`}}
	made := newGenerator(t, llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Client: client,
		Model: &v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputNative}})
	if _, err := made.Ask(t.Context(), record(), nil); err != nil {
		t.Fatal(err)
	}
	request := client.asked[0]
	if request.Schema == nil || request.Schema.Name != "out" || !strings.Contains(string(request.Schema.Document), `"age"`) ||
		strings.Contains(request.Messages[0].Content, "```") {
		t.Errorf("got %+v", request)
	}
}

func TestTracesAndReasoning(t *testing.T) {
	yes := true
	for name, test := range map[string]struct {
		answer    model.Answer
		trace     v1alpha1.ConversationTrace
		reasoning *bool
		value     string
		want      []any
	}{
		"neither":              {model.Answer{Text: " yes "}, "", nil, "yes", nil},
		"separate reasoning":   {model.Answer{Text: "yes", Reasoning: " hm "}, "", &yes, "yes", []any{"hm"}},
		"reasoning in tags":    {model.Answer{Text: "<think>\nhm\n</think>\n\nyes"}, "", &yes, "yes", []any{"hm"}},
		"without a first tag":  {model.Answer{Text: "hm\n</think>\nyes"}, "", &yes, "yes", []any{"hm"}},
		"no reasoning":         {model.Answer{Text: "yes"}, "None", &yes, "yes", []any{nil}},
		"the last message":     {model.Answer{Text: "yes", Reasoning: "hm"}, "LastMessage", &yes, "yes", []any{[]any{[]any{"assistant", "yes", "hm", nil, nil}}, "hm"}},
		"all messages":         {model.Answer{Text: "yes"}, "AllMessages", nil, "yes", []any{[]any{[]any{"user", "P", nil, nil, nil}, []any{"assistant", "yes", nil, nil, nil}}}},
		"tags within the text": {model.Answer{Text: "use <think> tags"}, "", nil, "use <think> tags", nil},
	} {
		spec := v1alpha1.LLMPrompt{Model: "m", Prompt: "P", Trace: test.trace, ExtractReasoning: test.reasoning}
		answer, err := generator(t, spec, &script{answers: []any{test.answer}}).Ask(t.Context(), record(), nil)
		if err != nil || answer.Value != test.value || cmp.Diff(test.want, answer.SideEffects) != "" {
			t.Errorf("%s: got %#v, %v", name, answer, err)
		}
	}
}

func TestAThoughtThatDoesNotEndIsNoText(t *testing.T) {
	client := &script{answers: slices.Repeat([]any{model.Answer{Text: "<think>let me see", Finish: model.FinishLength}}, 2)}
	config := configOf(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, client)
	config.Restarts = 1
	_, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonOutputTruncated || len(client.asked) != 2 {
		t.Errorf("got %v after %d requests", err, len(client.asked))
	}
}

func TestDrawsAreAFunctionOfTheCellAndTheRequest(t *testing.T) {
	draws := func(seed int64, name string, row table.RowIndex, attempt, ordinal int32) []random.Stream {
		client := &script{answers: []any{"no", "no"}}
		column := personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"})
		column.Name = name
		made := table.NewRecord(table.NewSchema(table.Field{Name: "out"}), row, attempt)
		made.Ordinal = ordinal
		_, _ = newGenerator(t, llm.Config{Column: column, Seed: seed, Restarts: 1, Client: client}).Ask(t.Context(), made, nil)
		return []random.Stream{client.asked[0].Random, client.asked[1].Random}
	}
	base := draws(1, "out", 2, 3, 0)
	if again := draws(1, "out", 2, 3, 0); !slices.Equal(base, again) {
		t.Errorf("%v and then %v", base, again)
	}
	seen := slices.Clone(base)
	for _, other := range [][]random.Stream{draws(2, "out", 2, 3, 0), draws(1, "other", 2, 3, 0), draws(1, "out", 3, 3, 0), draws(1, "out", 2, 4, 0), draws(1, "out", 2, 3, 1)} {
		seen = append(seen, other...)
	}
	different := map[random.Stream]bool{}
	for _, stream := range seen {
		different[stream] = true
	}
	if len(different) != 12 {
		t.Errorf("of 12 streams some are the same: %v", seen)
	}
}
