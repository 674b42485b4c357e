package run

import (
	"fmt"
	"math"
	"math/bits"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// budget is what a shard may use of spec.limits: an equal share. It counts what all attempts have used, and belongs to the executor's goroutine.
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

func newBudget(job *Job) *budget {
	b := &budget{spec: job.Plan.Spec}
	limits := b.spec.Limits
	if limits == nil {
		return b
	}
	shards := int64(max(1, job.Shards))
	if shards > 1 {
		b.share = fmt.Sprintf(", divided among %d shards,", shards)
	}
	if limits.MaxTokens != nil {
		b.limited = true
		b.maxTokens = max(1, *limits.MaxTokens/shards)
	}
	if limits.MaxCost != nil {
		b.priced = true
		b.maxCost = v1alpha1.NewCost(limits.MaxCost).Times(1, shards)
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

// exhausted returns what ends the run when another request, beside so many that are under way, would use more than is left: each is taken to
// use what those before it did on the average. Requests that are under way are not given up, since they are paid for.
func (b *budget) exhausted(inFlight int) *failure.Error {
	if b.requests == 0 {
		return nil
	}
	next := int64(inFlight) + 1
	if b.limited && runreport.Sum(b.tokens, b.average(next)) > b.maxTokens {
		return failure.New(v1alpha1.ReasonBudgetExhausted, failure.EndRun,
			"%d of the %d tokens of spec.limits.maxTokens%s are used, and the next requests would need more; raise it to go on", b.tokens, b.maxTokens, b.share)
	}
	if b.priced && b.cost.Plus(b.cost.Times(next, b.requests)).Exceeds(b.maxCost) {
		return failure.New(v1alpha1.ReasonBudgetExhausted, failure.EndRun,
			"%s of the %s of spec.limits.maxCost%s are used, and the next requests would need more; raise it to go on", b.cost, b.maxCost, b.share)
	}
	return nil
}
