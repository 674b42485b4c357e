package llm_test

import (
	"slices"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
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
	_, _ = generator.Ask(ctx, record(), nil)
	want := []string{
		"out " + v1alpha1.ReasonModelGenerationInvalid, "out " + v1alpha1.ReasonOutputTruncated, "out " + v1alpha1.ReasonModelGenerationInvalid,
	}
	if !slices.Equal(counted, want) {
		t.Errorf("counted %q, want %q (%d requests)", counted, want, len(answers.asked))
	}
}
