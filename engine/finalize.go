package engine

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// shardEnding describes a shard of several.
func (p *prepared) shardEnding(ending *failure.Error) Ending {
	shard, shards := p.config.Shard, p.config.Run.Shards
	owned := func(index int64) bool { return plan.Owns(shard, shards, index) }
	groups := p.plan.ShardRowGroups(shard, shards)
	summary, err := p.store.Summarize(p.plan.ShardRows(shard, shards), groups, p.plan.RowGroupSize, owned)
	if err != nil {
		return p.unfinished(failure.Of(err))
	}
	outcome, reason, message := judge(ending, summary, false)
	described := p.ending(ending, summary, outcome, reason, message)
	if err := p.endShard(&described); err != nil {
		return unprepared(p.config, runreport.RoleGenerate, failure.Of(err))
	}
	return described
}

// finalize writes the metadata of the whole dataset, and describes it.
func (p *prepared) finalize(ctx context.Context, ending *failure.Error) Ending {
	var outcome runreport.Outcome
	var cause, message string
	input := store.FinalizeInput{
		Description: p.description(), Exports: p.exports(),
		Judge: func(summary *store.Summary) (runreport.Outcome, string, string) {
			outcome, cause, message = judge(ending, summary, true)
			return outcome, cause, message
		},
	}
	if ending == nil {
		ending = p.shardsEnding()
	}
	if ending == nil || !ending.Temporary {
		input.Publish = p.publisher()
	}
	summary, err := p.store.Finalize(ctx, input)
	// Exports are written of a dataset that is there.
	p.publishStarted = err != nil && input.Publish != nil && failure.Of(err).Reason != v1alpha1.ReasonExportFailed
	if failed := failure.Of(err); failed != nil && !isOfTheOutput(failed) && (input.Publish != nil || len(input.Exports) > 0) {
		// What was generated is kept, and described; the processors may work on it at another attempt.
		p.config.Logger.Error("the dataset can't be made of what was generated", "reason", failed.Reason, "error", failed.Error())
		if ending == nil {
			ending = failed
		}
		input.Publish, input.Exports, input.Description = nil, nil, p.description()
		summary, err = p.store.Finalize(ctx, input)
	}
	if err != nil {
		p.config.Logger.Error("the dataset could not be finalized", "error", err)
		if ending == nil {
			ending = failure.Of(err)
		}
		return p.unfinished(ending)
	}
	if input.Publish != nil && p.tracker != nil {
		p.tracker.Add(published(p.tracker.Snapshot(), summary))
		p.progress = p.tracker.Snapshot()
	}
	return p.ending(ending, summary, outcome, cause, message)
}

// isOfTheOutput says whether a failure is that of the volume, or of the right to write to it, so that nothing can be described either.
func isOfTheOutput(failed *failure.Error) bool {
	subject := failed.Traits().Subject
	return subject == reason.SubjectVolume || subject == reason.SubjectOwner
}

// shardsEnding is why records of some shards are missing, when all that is known of it is what the shards have left. It is nil in a shard.
func (p *prepared) shardsEnding() *failure.Error {
	if p.config.Run.Shards <= 1 {
		return nil
	}
	for _, shard := range p.store.ShardEndings(p.config.Run.Attempt) {
		if reason.Of(shard.Reason).EndsAllShards {
			return failure.New(shard.Reason, failure.EndRun, "%s", shard.Message)
		}
	}
	return nil
}
