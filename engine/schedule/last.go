package schedule

import (
	"math/bits"
	"time"
)

// lastRows is how many rows for each slot of the models count as the last ones of a run.
const lastRows = 2

// Ahead says how many rows are still to be added, or a little more. When the rows that are ahead and those in work are few beside the slots
// of the models, the order changes: not the rows that are closest to their end come first, but those that have the longest way to go, so
// that no slot is empty before the end. Without it, that never happens.
func (c *Core) Ahead(rows int) {
	c.ahead, c.aheadKnown = rows, true
	c.lookAtLast()
}

// work is how long the tasks of a column have taken.
type work struct {
	total time.Duration
	count int
}

// lookAtLast finds out whether the last rows of the run are in work, and orders what is queued accordingly.
func (c *Core) lookAtLast() {
	last := c.aheadKnown && c.ahead+c.openRows <= lastRows*c.slots
	if last == c.last {
		return
	}
	c.last = last
	c.orderByWay()
}

// orderByWay gives all that is queued its place, by what is known now of the way that each column has to go.
func (c *Core) orderByWay() {
	clear(c.ways)
	if c.last {
		usual := c.usualTime()
		for column := len(c.ways) - 1; column >= 0; column-- {
			c.way(column, usual)
		}
	}
	for i := range c.backlogs {
		ready := &c.backlogs[i].ready
		for at := range ready.items {
			ready.items[at].way = c.ways[i]
		}
		ready.order()
	}
}

// way is how many milliseconds there are from the start of a column's task to the end of its row, at least.
func (c *Core) way(column int, usual time.Duration) int32 {
	if c.ways[column] > 0 {
		return c.ways[column]
	}
	var after int32
	for _, dependent := range c.dependents[column] {
		after = max(after, c.way(dependent, usual))
	}
	took := usual
	if done := c.work[column]; done.count > 0 {
		took = done.total / time.Duration(done.count)
	}
	c.ways[column] = after + int32(min(max(took.Milliseconds(), 1), int64(longestTask/time.Millisecond)))
	return c.ways[column]
}

// longestTask bounds what a task counts for, so that the ways of long chains can be added up.
const longestTask = 24 * time.Hour / 16

// usualTime stands for the time of a column that none is known of.
func (c *Core) usualTime() time.Duration {
	var all work
	for i := range c.work {
		if c.lanes[c.config.Columns[i].Lane].Endpoint >= 0 {
			all.total += c.work[i].total
			all.count += c.work[i].count
		}
	}
	if all.count == 0 {
		return time.Second
	}
	return all.total / time.Duration(all.count)
}

// worked notes how long a task has taken. The order of the last rows follows what is known by then, ever more rarely.
func (c *Core) worked(task Task, now time.Time) {
	done := &c.work[task.Column]
	done.total += now.Sub(task.started)
	done.count++
	if c.last && bits.OnesCount(uint(done.count)) == 1 {
		c.orderByWay()
	}
}
