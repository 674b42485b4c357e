package run

import (
	"math"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The budget is looked at before every request.
func TestALimitOfTokensCostsARequestNoAllocation(t *testing.T) {
	limited := newBudget(&v1alpha1.DatasetGenerationSpec{Limits: &v1alpha1.Limits{MaxTokens: new(int64(1000))}}, 1)
	limited.spend([]runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 10, InputTokens: 60, OutputTokens: 40}}})
	if allocations := testing.AllocsPerRun(1000, func() { _ = limited.exhausted(88) }); allocations != 0 {
		t.Errorf("a look costs %v allocations", allocations)
	}
	if ending := limited.exhausted(88); ending != nil {
		t.Errorf("with 89 more requests: %v", ending)
	}
	if limited.exhausted(90) == nil {
		t.Error("91 more requests would need more than is left, and the run goes on")
	}
}

// A server that counts as many tokens as there are numbers ends a run, and turns no limit off.
func TestALimitOfTokensHoldsForAnyNumber(t *testing.T) {
	limited := newBudget(&v1alpha1.DatasetGenerationSpec{Limits: &v1alpha1.Limits{MaxTokens: new(int64(100))}}, 1)
	for range 3 {
		limited.spend([]runreport.Model{{Alias: "writer", Usage: runreport.Usage{Succeeded: 1, InputTokens: math.MaxInt64, OutputTokens: math.MaxInt64}}})
		if limited.exhausted(1000) == nil {
			t.Errorf("the run goes on with %d tokens", limited.tokens)
		}
	}
}
