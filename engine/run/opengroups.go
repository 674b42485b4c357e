package run

import (
	"fmt"
	"math"
	"time"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/watch"
	"seedloom.dev/seedloom/internal/runreport"
)

// maxOpenBytes bounds the values of row groups in work, those that are being committed among them: above it no other one is opened, be it
// that lanes have nothing to do, and above half of it none while some are being committed. A single row group may be larger.
const maxOpenBytes = 256 << 20

// openGroups are the row groups that a driver has in work, and their commits. They belong to the driver's goroutine.
type openGroups struct {
	executor *executor
	steps    []*step
	byIndex  map[int64]*rowGroup
	// rows is how many rows they have, those that are being committed among them; maxRows bounds that.
	rows, maxRows int
	// bytes is how large the values are that were made for them.
	bytes int64
	// commits are nil where row groups are not written as soon as they are finished: then they are kept in finished.
	commits  *commits
	finished []finishedGroup
	// unprocessed are the commits that processors have failed on.
	unprocessed []*commitRequest
}

// finishedGroup is a row group all of whose rows have met their fate, or that was in work when the run ended.
type finishedGroup struct {
	*schedule.Group
	opened *rowGroup
}

func newOpenGroups(e *executor, steps []*step) *openGroups {
	return &openGroups{executor: e, steps: steps, byIndex: make(map[int64]*rowGroup), maxRows: math.MaxInt}
}

// room is how many rows the next row group may have.
func (g *openGroups) room() int {
	if g.rows == 0 {
		return math.MaxInt
	}
	return g.maxRows - g.rows
}

// full says that the next row group has to wait until one that is in work is written.
func (g *openGroups) full() bool {
	if g.commits.full() {
		return true
	}
	committing := g.commits.busy()
	return (g.rows > 0 || committing) && (g.bytes >= maxOpenBytes || g.bytes >= maxOpenBytes/2 && committing)
}

// grow notes that values were made for a row group.
func (g *openGroups) grow(index int64, bytes int64) {
	if group := g.byIndex[index]; group != nil {
		group.bytes += bytes
		g.bytes += bytes
	}
}

// add notes that a row group is in work.
func (g *openGroups) add(group *rowGroup) {
	g.byIndex[group.index] = group
	g.rows += len(group.todo)
}

// spend counts what a task of a row group has used.
func (g *openGroups) spend(index int64, used runreport.Column) {
	if group := g.byIndex[index]; group != nil {
		group.usage = runreport.AddColumns(group.usage, used)
	}
	g.executor.ledger.spend(used)
}

// draw counts the draws of a task of a row group.
func (g *openGroups) draw(index int64, drawn []runreport.Column) {
	if group := g.byIndex[index]; group != nil {
		group.drawn = runreport.AddColumns(group.drawn, drawn...)
	}
	g.executor.ledger.draw(drawn)
}

// take takes a row group out of those in work.
func (g *openGroups) take(group *schedule.Group) finishedGroup {
	opened := g.byIndex[group.Index]
	delete(g.byIndex, group.Index)
	return finishedGroup{group, opened}
}

// finish commits a finished row group, which the watch then knows of, or keeps it for whoever runs the driver.
func (g *openGroups) finish(finished *schedule.Group, watch *watch.Watch) {
	group := g.take(finished)
	if g.commits == nil {
		g.finished = append(g.finished, group)
		return
	}
	number := watch.BeginBatch(g.commits.nameOf(group.Index), len(group.Done), time.Now())
	g.commits.begin(commitRequest{group: group.opened, fresh: g.outputOf(group), number: number})
}

// beginWhole has a row group made and committed beside the scheduler. It has no rows in work, but what the seed has for it counts.
func (g *openGroups) beginWhole(group *rowGroup, by *columnar, watch *watch.Watch) {
	if group.values != nil {
		group.bytes = group.values.bytes
		g.bytes += group.bytes
	}
	number := watch.BeginBatch(fmt.Sprintf("row group %d", group.index), len(group.todo), time.Now())
	g.commits.begin(commitRequest{group: group, whole: by, number: number})
}

// takeOnly takes the only row group that there was: finished, or in work when the run ended; false when it was not begun.
func (g *openGroups) takeOnly(core *schedule.Core) (group finishedGroup, begun bool) {
	for _, unfinished := range core.TakeUnfinished() {
		g.finished = append(g.finished, g.take(unfinished))
	}
	g.rows, g.bytes = 0, 0
	if len(g.finished) == 0 {
		return finishedGroup{}, false
	}
	group, g.finished = g.finished[0], nil
	return group, true
}

// committed takes what a commit came to.
func (g *openGroups) committed(back commitResult) {
	g.commits.ended(back)
	g.rows -= back.rows
	g.bytes -= back.bytes
	g.executor.ledger.givenUp(back.givenUp, back.dropped)
	if back.unprocessed != nil {
		g.unprocessed = append(g.unprocessed, back.unprocessed)
	}
}

// outputOf is what was made of a row group.
func (g *openGroups) outputOf(group finishedGroup) output {
	return output{records: group.Done, dropped: g.droppedRows(group.Dropped), usage: group.opened.usage,
		drawn: group.opened.drawn}
}

// droppedRows describes the rows that the scheduler has given up.
func (g *openGroups) droppedRows(rows []schedule.Dropped) []store.DroppedRow {
	var dropped []store.DroppedRow
	for _, row := range rows {
		if row.Column < 0 {
			dropped = append(dropped, g.executor.droppedByProcessor(row.Row, row.Attempts, row.Failure))
			continue
		}
		dropped = append(dropped, g.executor.droppedRow(row.Row, g.columnOf(row).Name, row.Attempts, row.Failure))
	}
	return dropped
}

// columnOf is the one that caused the drop of a row.
func (g *openGroups) columnOf(dropped schedule.Dropped) *plan.Column {
	return g.steps[dropped.Column].columns[dropped.Part]
}
