package run

import (
	"context"

	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/reason"
)

// minOpenRows is how many rows may be open at least, so that the lanes don't starve while some rows wait for a retry. Row groups are only
// opened when a lane has nothing to do, so that many are open after failures alone.
const minOpenRows = 16_384

// asyncRun makes the cells of many row groups at once: as many as memory and the lanes want, in their order. Each is committed as soon as
// it is finished.
type asyncRun struct {
	executor *executor
	driver   *driver
	backlog  *backlog
}

func newAsyncRun(ctx context.Context, e *executor) (*asyncRun, *failure.Error) {
	waiting, err := e.openBacklog(ctx)
	if err != nil {
		return nil, err
	}
	a := &asyncRun{executor: e, backlog: waiting, driver: newDriver(e, assignment{e.Plan.Columns, e.newRecord, e.holdsRowGroups()})}
	a.driver.groups.maxRows = max(minOpenRows, 4*a.driver.slots, 2*int(e.Plan.RowGroupSize))
	a.driver.columnar = newColumnar(e)
	return a, nil
}

// run makes all row groups. When it has ended early, the rows that were whole are in the store all the same.
func (a *asyncRun) run(ctx context.Context) *failure.Error {
	// Every open group has a row at least, so that the commits always have room for another one.
	mostOpen := int(min(a.backlog.left, int64(a.driver.groups.maxRows)+a.executor.Plan.RowGroupSize))
	commits := startCommits(ctx, a.executor, mostOpen)
	a.driver.groups.commits = commits
	if a.executor.Seed != nil {
		a.backlog.reader = startAhead(ctx, a.executor.Seed, a.executor.Plan.Schema.Len(), a.driver.columnar.takesColumns())
	}
	ending := a.driver.run(ctx, a.backlog)
	a.backlog.reader.stop()
	commits.stop()
	if ending != nil && ending.Traits().Subject != reason.SubjectOwner {
		a.salvage(ctx, ending)
	}
	return ending
}

// salvage commits the whole rows of the groups that were in work, and notes which rows are missing. Where processors or the code of batches
// look at whole row groups, and the run is to be started again, they are left to their journals: so these get the row groups as they would
// have.
func (a *asyncRun) salvage(ctx context.Context, ending *failure.Error) {
	e := a.executor
	if ending.Temporary && needsWholeGroups(e.Job) {
		return
	}
	for _, request := range a.driver.groups.unprocessed {
		e.keepUsage(request.group, request.fresh)
	}
	for _, unfinished := range a.driver.core.TakeUnfinished() {
		group := a.driver.groups.take(unfinished)
		if len(group.Done) == 0 && len(group.Dropped) == 0 && len(group.opened.usage) == 0 {
			continue
		}
		fresh := a.driver.groups.outputOf(group)
		fresh.missing = group.Unfinished()
		givenUp, err := e.postBatch(ctx, group.Index, &fresh, false)
		e.ledger.givenUp(givenUp, fresh.dropped[len(fresh.dropped)-len(givenUp):])
		if err == nil {
			err = e.commit(group.opened, fresh)
		} else {
			e.keepUsage(group.opened, fresh)
		}
		if err != nil {
			e.Logger.Error("the whole rows of an unfinished row group could not be written", "rowGroup", group.Index,
				"rows", len(group.Done), "error", err)
		}
	}
}
