package schedule

import (
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Alive returns the records of the rows that are being made, in the order in which the rows were added. While the group is held, its owner
// may write to them.
func (g *Group) Alive() []*table.Record {
	var records []*table.Record
	for i := range g.rows {
		if g.rows[i].state == rowActive {
			records = append(records, g.rows[i].record)
		}
	}
	return records
}

// Released lets a held row group go on. From now on a row that is started again keeps what was made before the hold.
func (c *Core) Released(index int64) {
	group, open := c.groups[index]
	if !open || !group.held {
		return
	}
	group.held = false
	for i := range group.rows {
		if r := &group.rows[i]; r.state == rowActive {
			c.released(r)
		}
	}
	c.queueFormed()
	c.fireBatches(group)
	c.finish(group)
}

func (c *Core) released(r *row) {
	r.attempt = max(r.attempt, r.resumed)
	r.record.Attempt = r.attempt
	if c.config.Recovered != nil {
		c.recover(r)
	}
	for i := range c.config.Columns {
		if c.config.Columns[i].AfterHold {
			r.cells[i].unmet--
		}
	}
	c.begin(r)
}

// DropGroup drops all rows of a row group that are not whole yet, for one reason: the group is finished once what runs of it has come back.
func (c *Core) DropGroup(index int64, cause *failure.Error) {
	group, open := c.groups[index]
	if !open {
		return
	}
	group.held = false
	for i := range group.rows {
		r := &group.rows[i]
		if r.state == rowDone || r.state == rowDropped {
			continue
		}
		if r.state == rowActive {
			c.withdraw(r)
		}
		r.tries = max(r.tries, c.config.MaxRowAttempts)
		r.state = rowFailing
		r.failed, r.part, r.cause = noColumn, 0, cause
		c.restartOrDrop(r)
	}
	c.finish(group)
}

// noColumn stands for the column of a drop that no column has caused.
const noColumn = -1

// resolvedBeforeHold notes that a row has one more of the cells that are made before the hold.
func (c *Core) resolvedBeforeHold(r *row, column int) {
	if !r.group.held || c.config.Columns[column].AfterHold {
		return
	}
	r.beforeHold--
	if r.beforeHold == 0 {
		c.arrived(r.group)
	}
}

// arrived notes that one more row of a held group waits for the release, or never will.
func (c *Core) arrived(group *Group) {
	group.beforeHold--
	if group.beforeHold > 0 {
		return
	}
	for i := range group.rows {
		if group.rows[i].state == rowActive {
			c.harvest.Held = append(c.harvest.Held, group)
			return
		}
	}
}

// keep marks what was made before the hold as done, in a row that is started again after it.
func (c *Core) keep(r *row) {
	for column := range c.config.Columns {
		if c.config.Columns[column].AfterHold {
			continue
		}
		if c.config.Columns[column].Batch {
			r.group.batchUnmet[column]--
		}
		r.cells[column].state = cellDone
		c.counts[column].Completed++
		r.remaining--
		for _, dependent := range c.dependents[column] {
			r.cells[dependent].unmet--
		}
	}
}
