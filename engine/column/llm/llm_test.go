package llm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// scripted is a model that answers with what it was made with, and notes what it was asked.
type scripted struct {
	answer string
	usage  runreport.Usage
	err    error
	asked  [][]model.Message
}

func (s *scripted) Chat(_ context.Context, request model.Request) (model.Answer, runreport.Usage, error) {
	s.asked = append(s.asked, request.Messages)
	return model.Answer{Text: s.answer}, s.usage, s.err
}

func record() *table.Record {
	made := table.NewRecord(table.NewSchema(table.Field{Name: "title"}, table.Field{Name: "mood"}, table.Field{Name: "out"}), 0, 0)
	made.Cells[0] = "Emma"
	return made
}

func configOf(spec v1alpha1.LLMPrompt, client llm.Model) llm.Config {
	return llm.Config{
		Column: &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: spec}}, Model: &v1alpha1.Model{Alias: "m"}, Seed: 42, Client: client,
	}
}

func generator(t *testing.T, spec v1alpha1.LLMPrompt, client llm.Model) *llm.Generator {
	t.Helper()
	made, err := llm.New(configOf(spec, client))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheModelIsAskedOnceWithTheRowsPrompts(t *testing.T) {
	for name, test := range map[string]struct {
		spec v1alpha1.LLMPrompt
		want []model.Message
	}{
		"a prompt": {
			v1alpha1.LLMPrompt{Prompt: "Review {{ title }}, in a mood of {{ mood }}"},
			[]model.Message{{Role: "user", Content: "Review Emma, in a mood of "}},
		},
		"a system prompt too": {
			v1alpha1.LLMPrompt{SystemPrompt: "You know {{ title }}.", Prompt: "Review it"},
			[]model.Message{{Role: "system", Content: "You know Emma."}, {Role: "user", Content: "Review it"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := &scripted{answer: " good\n", usage: runreport.Usage{Succeeded: 1, InputTokens: 3, OutputTokens: 4}}
			answer, err := generator(t, test.spec, client).Ask(t.Context(), record(), nil)
			if err != nil || answer.Value != "good" || answer.Usage != client.usage {
				t.Errorf("got %#v, %v", answer, err)
			}
			if difference := cmp.Diff([][]model.Message{test.want}, client.asked); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestATemplateThatFailsAsksNoModel(t *testing.T) {
	for field, spec := range map[string]v1alpha1.LLMPrompt{
		"prompt":       {SystemPrompt: "x", Prompt: "{{ title.nowhere }}"},
		"systemPrompt": {SystemPrompt: "{{ title.nowhere }}", Prompt: "x"},
	} {
		client := &scripted{answer: "x"}
		answer, err := generator(t, spec, client).Ask(t.Context(), record(), nil)
		var failed *failure.Error
		if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonTemplateError || failed.Consequence != failure.DropRow {
			t.Fatalf("%s: got %#v, %v", field, answer, err)
		}
		if !strings.Contains(err.Error(), "the "+field+` of column "out"`) || strings.Contains(err.Error(), "Emma") {
			t.Errorf("%s: the message must name the field and no values, but is %q", field, err)
		}
		if len(client.asked) != 0 || answer.Usage != (runreport.Usage{}) {
			t.Errorf("%s: the model was asked %v, usage %+v", field, client.asked, answer.Usage)
		}
	}
}

func TestAFailedRequestKeepsItsUsageAndItsCause(t *testing.T) {
	cause := failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "late")
	client := &scripted{answer: "half", usage: runreport.Usage{Failed: 1}, err: cause}
	answer, err := generator(t, v1alpha1.LLMPrompt{Prompt: "x"}, client).Ask(t.Context(), record(), nil)
	if answer.Value != nil || answer.Usage.Failed != 1 || failure.Of(err) != cause {
		t.Errorf("got %#v, %v", answer, err)
	}
}

func TestACancelledRenderingIsNoFailureOfTheTemplate(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	long := v1alpha1.LLMPrompt{Prompt: "{% for i in range(100000) %}{{ i }}{% endfor %}"}
	if _, err := generator(t, long, &scripted{}).Ask(ctx, record(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNewRefusesWhatDoesNotParse(t *testing.T) {
	for field, spec := range map[string]v1alpha1.LLMPrompt{
		"prompt":       {Prompt: "{{ title"},
		"systemPrompt": {Prompt: "x", SystemPrompt: "{% if %}"},
	} {
		_, err := llm.New(configOf(spec, nil))
		if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid ||
			!strings.Contains(err.Error(), `column "out": `+field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

func TestAPromptThatRendersToNothingIsNotSent(t *testing.T) {
	for name, spec := range map[string]v1alpha1.LLMPrompt{
		"nothing":     {Model: "m", Prompt: "{{ title if title == 'x' }}"},
		"white space": {Model: "m", Prompt: " {% if title == 'x' %}{{ title }}{% endif %}\n", SystemPrompt: "S"},
	} {
		client := &script{answers: []any{"yes"}}
		_, err := generator(t, spec, client).Ask(t.Context(), record(), nil)
		failed := failure.Of(err)
		if err == nil || failed.Reason != v1alpha1.ReasonTemplateError || failed.Consequence != failure.DropRow || len(client.asked) != 0 {
			t.Errorf("%s: %d requests, and then %v", name, len(client.asked), err)
		}
	}
	client := &script{answers: []any{"yes"}}
	spec := v1alpha1.LLMPrompt{Model: "m", Prompt: "P", SystemPrompt: "{{ title if title == 'x' }}"}
	if _, err := generator(t, spec, client).Ask(t.Context(), record(), nil); err != nil || len(client.asked[0].Messages) != 1 {
		t.Errorf("an empty system prompt was sent: %v, %v", client.asked, err)
	}
}
