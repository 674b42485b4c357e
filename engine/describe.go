package engine

import (
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// description is what metadata says beyond what the row groups tell.
func (o *opened) description() store.Description {
	resolved := o.config.Run
	counts := countsOf(o.spec)
	return store.Description{
		Namespace: resolved.Namespace, Name: resolved.Name, RunID: resolved.RunID, ConfigHash: resolved.ConfigHash, Attempt: resolved.Attempt,
		Mode: string(o.spec.ExecutionMode()), Engine: o.config.Version, Target: counts.NumRecords, RowGroups: counts.RowGroups(),
		RowGroupSize: counts.RowGroupSize, SeedColumns: o.seedColumns, SideEffects: plan.SideEffects(o.spec), Spec: resolved.Spec,
		PublishStarted: o.publishStarted, UpdatedAt: time.Now(), Documents: o.documents, SeedRepository: o.repository,
		Cost: o.cost, ColumnCost: o.columnCost,
	}
}

// countsOf is the plan of a spec, valid or not, with its counts alone.
func countsOf(spec *v1alpha1.DatasetGenerationSpec) *plan.Plan {
	return &plan.Plan{NumRecords: spec.NumRecords, RowGroupSize: spec.EffectiveRowGroupSize()}
}

// describes says whether this process writes the metadata: of several shards the first one does, for all of them, until the run is
// finalized.
func (o *opened) describes() bool { return o.role == runreport.RoleFinalize || o.config.Shard == 0 }

// isShardOfSeveral says whether this process makes a part of the dataset, so that it can't say how the run has ended.
func (o *opened) isShardOfSeveral() bool {
	return o.role == runreport.RoleGenerate && o.config.Run.Shards > 1
}

// begin notes that the run has begun, whatever the output says of an earlier one.
func (o *opened) begin() {
	if o.isShardOfSeveral() {
		if err := o.store.BeginShard(o.config.Shard, o.config.Run.Attempt); err != nil {
			o.config.Logger.Warn("that the shard has begun could not be noted", "error", err)
		}
	}
	// Who finalizes a run does not read the seed again.
	o.documents, o.repository = o.store.Seed(o.config.Run.ConfigHash)
	phase := runreport.PhasePreparing
	if o.role == runreport.RoleFinalize {
		phase = runreport.PhaseFinalizing
	}
	o.describeRunning(phase)
}

// describeRunning writes the metadata of a run that goes on. That it can't be written now is no reason not to go on: it is tried again
// whenever there is something new to tell.
func (o *opened) describeRunning(phase string) {
	if !o.describes() {
		return
	}
	description := o.description()
	o.tolerate(o.store.Describe(&description, store.State{Phase: phase, Outcome: store.OutcomeRunning}))
}

// tolerate tells once that the metadata of a running run can't be written. Who has lost the right to write it ends for that reason anyhow.
func (o *opened) tolerate(err error) {
	if failed := failure.Of(err); failed != nil && failed.Traits().Subject != reason.SubjectOwner {
		o.undescribed.Do(func() {
			o.config.Logger.Warn("the metadata could not be written while the run goes on; it is tried again", "error", err)
		})
	}
}

// unfinished describes a run that can't begin, or can't be finalized, in the output too: that is another process's where the right to write
// it is lost.
func (o *opened) unfinished(cause *failure.Error) Ending {
	ending := unprepared(o.config, o.role, cause)
	if cause.Traits().Subject == reason.SubjectOwner {
		return ending
	}
	if o.isShardOfSeveral() {
		if err := o.endShard(&ending); err != nil {
			o.config.Logger.Error("how the shard has ended could not be written", "error", err)
		}
		return ending
	}
	description := o.description()
	result := &ending.Result
	state := store.State{Phase: runreport.PhaseEnded, Outcome: result.Outcome, Reason: result.Reason, Message: result.Message}
	if err := o.store.Describe(&description, state); err != nil {
		o.config.Logger.Error("how the run has ended could not be written", "error", err)
	}
	return ending
}

// endShard notes how a shard of several has ended. The first one says so in the metadata too, where the others may go on: only an end that
// ends them as well is that of the run.
func (o *opened) endShard(ending *Ending) error {
	result := &ending.Result
	err := o.store.EndShard(store.ShardEnding{
		Shard: o.config.Shard, Attempt: o.config.Run.Attempt, Outcome: result.Outcome, Reason: result.Reason, Message: result.Message,
	})
	if err != nil || !o.describes() {
		return err
	}
	state := store.State{Phase: runreport.PhaseEnded, Outcome: store.OutcomeRunning, Reason: result.Reason}
	if ending.ExitCode == runreport.ExitInvalid {
		state.Outcome = result.Outcome
	}
	if result.Message != "" {
		state.Message = fmt.Sprintf("shard %d of %d: %s", o.config.Shard, o.config.Run.Shards, result.Message)
	}
	description := o.description()
	o.tolerate(o.store.Describe(&description, state))
	return nil
}

// cost is what a model has cost; empty where no model has a price.
func (o *opened) cost(models ...runreport.Model) string {
	if !o.spec.HasPrices() {
		return ""
	}
	return runreport.Cost(o.spec, models...).String()
}

// columnCost is what a column has cost; empty where its model has no price.
func (o *opened) columnCost(column runreport.Column) string {
	if o.spec.PriceOfColumn(column.Name) == nil {
		return ""
	}
	return runreport.ColumnCost(o.spec, column).String()
}
