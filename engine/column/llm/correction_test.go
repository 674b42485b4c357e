package llm_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// refuses finds every value not valid that has a part in it.
type refuses struct {
	part        string
	corrections int
	keeps       bool
	err         error
}

func (r refuses) Problem(_ context.Context, _ *table.Record, value any) (string, error) {
	if text, _ := value.(string); strings.Contains(text, r.part) {
		return "it has " + r.part + " in it\nand that is wrong", r.err
	}
	return "", r.err
}

func (r refuses) Corrections() int { return r.corrections }
func (r refuses) Keeps() bool      { return r.keeps }

func TestValuesThatAreNotValidAreCorrected(t *testing.T) {
	for name, test := range map[string]struct {
		answers    []any
		validators []llm.Validator
		want       string
		counted    runreport.Corrections
		// unusable is how many answers were paid for in vain, requests how many there were in all.
		unusable, requests int64
	}{
		"valid at once":      {[]any{"good"}, []llm.Validator{refuses{"bad", 2, true, nil}}, "good", runreport.Corrections{}, 0, 1},
		"valid at the third": {[]any{"bad", "bad", "good"}, []llm.Validator{refuses{"bad", 2, true, nil}}, "good", runreport.Corrections{Corrected: 1}, 2, 3},
		"kept":               {[]any{"bad", "bad 2", "bad 3"}, []llm.Validator{refuses{"bad", 2, true, nil}}, "bad 3", runreport.Corrections{Kept: 1}, 2, 3},
		"given up":           {[]any{"bad", "bad"}, []llm.Validator{refuses{"bad", 1, false, nil}}, "", runreport.Corrections{GivenUp: 1}, 2, 2},
		"two validators, of which the second has more to say": {[]any{"bad", "worse", "good"},
			[]llm.Validator{refuses{"bad", 1, true, nil}, refuses{"worse", 2, true, nil}}, "good", runreport.Corrections{Corrected: 1}, 2, 3},
		"one that keeps and one that does not": {[]any{"bad worse", "bad worse"},
			[]llm.Validator{refuses{"bad", 1, true, nil}, refuses{"worse", 1, false, nil}}, "", runreport.Corrections{GivenUp: 1}, 2, 2},
		"no room for a correction": {[]any{model.Answer{Text: "bad", Finish: model.FinishContext}}, []llm.Validator{refuses{"bad", 2, true, nil}}, "bad",
			runreport.Corrections{Kept: 1}, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			client := &script{answers: test.answers}
			prompt := v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}
			column := &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: prompt, OnTruncation: v1alpha1.TruncationKeep}}
			config := llm.Config{Column: column, Client: client, Validators: test.validators}
			answer, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
			if used := answer.Usage; used.Corrections != test.counted || used.Unusable.Total() != test.unusable ||
				used.Succeeded != test.requests {
				t.Errorf("the usage is %+v", answer.Usage)
			}
			if test.want != "" {
				if err != nil || answer.Value != test.want {
					t.Errorf("got %v, %v", answer.Value, err)
				}
				return
			}
			failed := failure.Of(err)
			if err == nil || failed.Reason != v1alpha1.ReasonValidationFailed || failed.Consequence != failure.DropRow ||
				!strings.Contains(failed.Message, `column "out" is not valid after 1 correction: it has`) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheModelGetsItsOwnErrors(t *testing.T) {
	client := &script{answers: []any{"bad worse", "good"}}
	validators := []llm.Validator{refuses{"bad", 1, true, nil}, refuses{"worse", 1, true, nil}}
	column := &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}}}
	if _, err := newGenerator(t, llm.Config{Column: column, Client: client, Validators: validators}).Ask(t.Context(), record(), nil); err != nil {
		t.Fatal(err)
	}
	said := client.asked[1].Messages
	const want = "Your answer is not valid:\nit has bad in it\nand that is wrong\nit has worse in it\nand that is wrong\nCorrect this"
	if len(said) != 3 || said[1].Content != "bad worse" || !strings.HasPrefix(said[2].Content, want) {
		t.Errorf("said %+v", said)
	}
}

func TestAnErrorOfAValidatorIsThatOfTheCell(t *testing.T) {
	cause := failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun, "code")
	column := &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}}}
	config := llm.Config{Column: column, Client: &script{answers: []any{"x"}}, Validators: []llm.Validator{refuses{"x", 1, true, cause}}}
	answer, err := newGenerator(t, config).Ask(t.Context(), record(), nil)
	if !errors.Is(err, cause) || answer.Usage.Succeeded != 1 {
		t.Errorf("got %+v, %v", answer, err)
	}
}
