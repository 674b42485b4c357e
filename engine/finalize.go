package engine

import (
	"context"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/run"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

// shardEnding describes a shard of several.
func (p *prepared) shardEnding(ending *failure.Error) Ending {
	shard, shards := p.config.Shard, p.config.Run.Shards
	groups := int64(0)
	for range p.plan.ShardGroups(shard, shards) {
		groups++
	}
	summary, err := p.store.Summarize(p.plan.ShardRows(shard, shards), groups, p.plan.RowGroupSize, func(index int64) bool { return index%int64(shards) == int64(shard) })
	if err != nil {
		return unprepared(p.config, RoleGenerate, failure.Of(err))
	}
	outcome, reason, message := judge(ending, summary, false)
	if err := p.store.EndShard(store.ShardEnding{Shard: shard, Attempt: p.config.Run.Attempt, Outcome: outcome, Reason: reason, Message: message}); err != nil {
		return unprepared(p.config, RoleGenerate, failure.Of(err))
	}
	return p.ending(RoleGenerate, ending, summary, outcome, reason, message)
}

// finalize writes the metadata of the whole dataset, and describes it.
func (p *prepared) finalize(ctx context.Context, role string, ending *failure.Error) Ending {
	resolved := p.config.Run
	var outcome runreport.Outcome
	var reason, message string
	input := store.FinalizeInput{
		Namespace: resolved.Namespace, Name: resolved.Name, RunID: resolved.RunID, ConfigHash: resolved.ConfigHash, Attempt: resolved.Attempt,
		Mode: string(p.plan.Mode), Engine: p.config.Version, Target: p.plan.NumRecords, RowGroups: p.plan.RowGroups(), RowGroupSize: p.plan.RowGroupSize,
		Spec: resolved.Spec, UpdatedAt: time.Now(),
		Judge: func(summary *store.Summary) (runreport.Outcome, string, string) {
			outcome, reason, message = judge(ending, summary, true)
			return outcome, reason, message
		},
		Cost: p.cost, ColumnCost: p.columnCost,
	}
	if ending == nil {
		ending = p.shardsEnding()
	}
	input.SideEffects = map[string]string{}
	for _, column := range p.plan.Columns {
		for _, index := range column.SideEffects {
			input.SideEffects[p.plan.Schema.Fields()[index].Name] = column.Name
		}
	}
	if p.seed != nil {
		for _, field := range p.seed.Schema().Fields() {
			input.SeedColumns = append(input.SeedColumns, field.Name)
		}
	}
	if ending == nil || !ending.Temporary {
		input.Publish = p.publisher()
	}
	summary, err := p.store.Finalize(ctx, input)
	if failed := failure.Of(err); failed != nil && input.Publish != nil && failed.Reason != v1alpha1.ReasonStorageFailed {
		// What was generated is kept, and described; the processors may work on it at another attempt.
		p.config.Logger.Error("the dataset can't be made of what was generated", "reason", failed.Reason, "error", failed.Error())
		if ending == nil {
			ending = failed
		}
		input.Publish, input.PublishStarted = nil, true
		summary, err = p.store.Finalize(ctx, input)
	}
	if err != nil {
		p.config.Logger.Error("the metadata could not be written", "error", err)
		if ending == nil {
			ending = failure.Of(err)
		}
		return unprepared(p.config, role, ending)
	}
	if input.Publish != nil && p.tracker != nil {
		p.tracker.Add(published(p.tracker.Snapshot(), summary))
		p.progress = p.tracker.Snapshot()
	}
	return p.ending(role, ending, summary, outcome, reason, message)
}

// shardsEnding is why records of some shards are missing, when all that is known of it is what the shards have left. It is nil in a shard.
func (p *prepared) shardsEnding() *failure.Error {
	if p.config.Run.Shards <= 1 {
		return nil
	}
	for _, shard := range p.store.ShardEndings(p.config.Run.Attempt) {
		switch shard.Reason {
		case v1alpha1.ReasonBudgetExhausted, v1alpha1.ReasonProcessorFailed, v1alpha1.ReasonProcessorResized,
			v1alpha1.ReasonModelAuthentication, v1alpha1.ReasonModelNotFound, v1alpha1.ReasonModelQuotaExhausted, v1alpha1.ReasonToolFailed:
			return failure.New(shard.Reason, failure.EndRun, "%s", shard.Message)
		}
	}
	return nil
}

// cost is what a model has cost; empty where no model has a price.
func (p *prepared) cost(models ...runreport.Model) string {
	if !p.plan.Spec.HasPrices() {
		return ""
	}
	return run.Cost(p.plan.Spec, models...).String()
}

// columnCost is what a column has cost; empty where its model has no price.
func (p *prepared) columnCost(column runreport.Column) string {
	if p.plan.Spec.PriceOfColumn(column.Name) == nil {
		return ""
	}
	return run.ColumnCost(p.plan.Spec, column).String()
}
