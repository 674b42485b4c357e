package run

import (
	"fmt"
	"math"
	"math/bits"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// budget is what a shard may use of spec.limits: an equal share. It counts what all attempts have used, and belongs to the executor's
// goroutine.
type budget struct {
	spec *v1alpha1.DatasetGenerationSpec
	// maxTokens and maxCost are the shard's share; without a limit, limited and priced are false.
	maxTokens       int64
	maxCost         v1alpha1.Cost
	limited, priced bool
	// share ends a message where there are several shards.
	share string

	tokens int64
	cost   v1alpha1.Cost
	// requests are those that were counted, whatever came of them.
	requests int64
}

func newBudget(spec *v1alpha1.DatasetGenerationSpec, shards int32) *budget {
	b := &budget{spec: spec}
	limits := spec.Limits
	if limits == nil {
		return b
	}
	parts := int64(max(1, shards))
	if parts > 1 {
		b.share = fmt.Sprintf(", divided among %d shards,", parts)
	}
	if limits.MaxTokens != nil {
		b.limited = true
		b.maxTokens = max(1, *limits.MaxTokens/parts)
	}
	if limits.MaxCost != nil {
		b.priced = true
		b.maxCost = v1alpha1.NewCost(limits.MaxCost).Times(1, parts)
	}
	return b
}

func (b *budget) spend(models []runreport.Model) {
	for _, model := range models {
		b.tokens = runreport.Sum(b.tokens, runreport.Sum(model.InputTokens, model.OutputTokens))
		b.requests = runreport.Sum(b.requests, runreport.Sum(model.Succeeded, model.Failed))
		if b.priced {
			b.cost = b.cost.Plus(runreport.Cost(b.spec, model))
		}
	}
}

// average is what so many requests would use, as those before them did; as much as can be counted where it is more.
func (b *budget) average(requests int64) int64 {
	high, low := bits.Mul64(uint64(max(0, b.tokens)), uint64(requests))
	if high >= uint64(b.requests) {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, uint64(b.requests))
	return int64(min(quotient, math.MaxInt64))
}

// exhausted returns what ends the run when another request, beside so many that are under way, would use more than is left: each is taken
// to use what those before it did on the average. Requests that are under way are not given up, since they are paid for.
func (b *budget) exhausted(inFlight int) *failure.Error {
	if b.requests == 0 {
		return nil
	}
	next := int64(inFlight) + 1
	if b.limited && runreport.Sum(b.tokens, b.average(next)) > b.maxTokens {
		return failure.New(v1alpha1.ReasonBudgetExhausted, failure.EndRun,
			"%d of the %d tokens of spec.limits.maxTokens%s are used, and the next requests would need more; raise it to go on",
			b.tokens, b.maxTokens, b.share)
	}
	if b.priced && b.cost.Plus(b.cost.Times(next, b.requests)).Exceeds(b.maxCost) {
		return failure.New(v1alpha1.ReasonBudgetExhausted, failure.EndRun,
			"%s of the %s of spec.limits.maxCost%s are used, and the next requests would need more; raise it to go on",
			b.cost, b.maxCost, b.share)
	}
	return nil
}
