// Package run holds the two executors: one runs the cells of many row groups at once (async), the other one batch after the other, and may
// resize (sync). They connect the scheduler, the generators, the store and the progress; what a cell is made of, or a file looks like, is
// not known here.
//
// Execute builds an executor for a Job, and a driver runs the tasks of a scheduler for it: it owns the row groups in work and their
// commits, and takes the next ones from a source.
package run

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// Execute makes all rows of the shard that are not in the store yet, in the plan's mode. It returns nil when every row has met its
// fate, or else what has ended the run; then the rows that were whole are in the store all the same.
func Execute(ctx context.Context, job *Job) *failure.Error {
	executor, err := newExecutor(job)
	if err != nil {
		return err
	}
	defer executor.close()
	if job.Plan.Mode == v1alpha1.ExecutionSync {
		batches, err := newSyncRun(ctx, executor)
		if err != nil {
			return err
		}
		return batches.run(ctx)
	}
	groups, err := newAsyncRun(ctx, executor)
	if err != nil {
		return err
	}
	return groups.run(ctx)
}
