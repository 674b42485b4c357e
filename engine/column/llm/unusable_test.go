package llm_test

import (
	"slices"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/runreport"
)

// Each answer that was paid for and can't be used is counted when it comes, with its cause, whatever becomes of the cell.
func TestUnusableAnswersAreCountedAtOnce(t *testing.T) {
	empty := unusable{failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "an empty text")}
	refused := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
	answers := &script{answers: []any{
		"no document", model.Answer{Text: `{"a": "cut o`, Finish: model.FinishLength}, empty, refused,
	}}
	config := llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Restarts: 2, Corrections: 1, Client: answers}
	generator := newGenerator(t, config)
	var counted []string
	ctx := column.WithUnusable(t.Context(), func(name, reason string) { counted = append(counted, name+" "+reason) })
	answer, _ := generator.Ask(ctx, record(), nil)
	want := []string{
		"out " + v1alpha1.ReasonModelGenerationInvalid, "out " + v1alpha1.ReasonOutputTruncated, "out " + v1alpha1.ReasonModelGenerationInvalid,
	}
	if !slices.Equal(counted, want) {
		t.Errorf("counted %q, want %q (%d requests)", counted, want, len(answers.asked))
	}
	if counts := answer.Usage.Unusable.Counts(); counts[v1alpha1.ReasonModelGenerationInvalid] != 2 ||
		counts[v1alpha1.ReasonOutputTruncated] != 1 || answer.Usage.Succeeded != 3 {
		t.Errorf("the usage is %+v", answer.Usage)
	}
}

// Whatever the kind of column and the cause, what was paid for is the value of the cell, or it is counted under one cause.
func TestEachPaidAnswerIsAValueOrUnusable(t *testing.T) {
	cut := func(text string, finish model.Finish) model.Answer { return model.Answer{Text: text, Finish: finish} }
	call := model.Answer{ToolCalls: []model.ToolCall{{ID: "1", Name: "add", Arguments: "1"}}, Finish: model.FinishTools}
	refusal := unusable{failure.New(v1alpha1.ReasonContentRefused, failure.DropRow, "refused")}
	prompt := v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}
	text := func(policy v1alpha1.TruncationPolicy) *v1alpha1.Column {
		return &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: prompt, OnTruncation: policy}}
	}
	code := &v1alpha1.Column{Name: "out", LLMCode: &v1alpha1.LLMCode{LLMPrompt: prompt, Language: "python"}}
	judge := &v1alpha1.Column{Name: "out", LLMJudge: &v1alpha1.LLMJudge{LLMPrompt: prompt, Scores: []v1alpha1.JudgeScore{
		{Name: "s", Description: "d", Options: map[string]string{"1": "no", "2": "yes"}}}}}
	for name, test := range map[string]struct {
		column *v1alpha1.Column
		answer any
		reason string // empty for a value
		kept   int64
	}{
		"a text":                         {text(""), "whole", "", 0},
		"a text that is cut off":         {text(""), cut("half", model.FinishLength), v1alpha1.ReasonOutputTruncated, 0},
		"a text at the window's end":     {text(""), cut("half", model.FinishContext), v1alpha1.ReasonContextOverflow, 0},
		"a text that is kept":            {text(v1alpha1.TruncationKeep), cut("half", model.FinishLength), "", 1},
		"one at the window's end, kept":  {text(v1alpha1.TruncationKeep), cut("half", model.FinishContext), "", 1},
		"nothing to keep":                {text(v1alpha1.TruncationKeep), cut(" ", model.FinishLength), v1alpha1.ReasonOutputTruncated, 0},
		"a whole one where some is kept": {text(v1alpha1.TruncationKeep), "whole", "", 0},
		"a refusal":                      {text(""), refusal, v1alpha1.ReasonContentRefused, 0},
		"code":                           {code, "```python\na\n```", "", 0},
		"code with chatter cut off":      {code, cut("```python\na\n```\nThis", model.FinishLength), "", 0},
		"code cut off":                   {code, cut("```python\na", model.FinishLength), v1alpha1.ReasonOutputTruncated, 0},
		"no code":                        {code, "I can't", v1alpha1.ReasonModelGenerationInvalid, 0},
		"a document cut off":             {personColumn(prompt), cut(`{"name": "E`, model.FinishLength), v1alpha1.ReasonOutputTruncated, 0},
		"a document with chatter cut": {
			personColumn(prompt), cut(`{"name": "E", "age": 1} which`, model.FinishLength), "", 0,
		},
		"a judgement":                {judge, `{"s": {"reasoning": "r", "score": 2}}`, "", 0},
		"a judgement of no option":   {judge, `{"s": {"reasoning": "r", "score": 9}}`, v1alpha1.ReasonModelGenerationInvalid, 0},
		"tools instead of an answer": {text(""), call, v1alpha1.ReasonModelGenerationInvalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			config := llm.Config{Column: test.column, Client: &script{answers: []any{test.answer}}}
			if name == "tools instead of an answer" {
				config.Tools = &exhausted{}
			}
			live := map[string]int{}
			ctx := column.WithUnusable(t.Context(), func(_, reason string) { live[reason]++ })
			answer, err := newGenerator(t, config).Ask(ctx, record(), nil)
			var want runreport.Unusable
			if test.reason != "" {
				want.Count(test.reason)
			}
			if (err == nil) != (test.reason == "") || answer.Usage.Unusable != want || answer.Usage.TruncatedKept != test.kept ||
				answer.Usage.Succeeded != 1 || int64(len(live)) != want.Total() || live[test.reason] != int(want.Total()) {
				t.Errorf("got %v, %v, usage %+v, live %v; want %q, %d kept", answer.Value, err, answer.Usage, live, test.reason, test.kept)
			}
		})
	}
}

// exhausted are tools that can't be called once.
type exhausted struct{ calculator }

func (*exhausted) MaxTurns() int { return 0 }
