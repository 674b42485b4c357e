package schedule

import (
	"time"

	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/table"
)

// LaneState is what a lane is doing, and what it waits for.
type LaneState struct {
	// Limit is how many tasks may run now, Cap how many may at most.
	Limit, Cap, Running int
	// Ready is how many cells could start if there were a slot and the endpoint allowed it.
	Ready int
	// Deferred is how many cells wait for their next try; NextTry is when the first of them is due.
	Deferred int
	NextTry  time.Time
	// PausedUntil is when an endpoint that seems to be down is asked again; zero when it is not paused.
	PausedUntil time.Time
	// Waits is what keeps ready cells from starting.
	Waits admission.Wait
	// Share is how many tasks of all lanes under the same ceiling may run, where Shared says that there is one.
	Share  int
	Shared bool
	// LeftAloneUntil is until when nothing is sent because the provider has refused too much, or has asked for it; it may be past.
	LeftAloneUntil time.Time
	// Stats are what has happened since the beginning.
	admission.Stats
}

// LaneStates looks at all lanes. It takes time for each cell that is deferred, so it is for the rare moment when somebody wants to know.
func (c *Core) LaneStates() []LaneState {
	states := make([]LaneState, len(c.lanes))
	for i := range c.lanes {
		current := &c.lanes[i]
		limiter := current.limiter
		states[i] = LaneState{
			Limit: limiter.Limit(), Cap: current.Limit, Running: limiter.Running(), Ready: current.wanted,
			Waits: limiter.Waits(), LeftAloneUntil: limiter.PausedUntil(), Stats: limiter.Stats(),
		}
		if current.Endpoint >= 0 {
			states[i].PausedUntil = c.endpoints[current.Endpoint].pausedUntil
			states[i].Share, states[i].Shared = c.Share(i)
		}
	}
	for _, late := range c.deferred.items {
		if late.row.state != rowActive || late.row.epoch != late.epoch {
			continue
		}
		state := &states[c.config.Columns[late.column].Lane]
		state.Deferred++
		if state.NextTry.IsZero() || late.until.Before(state.NextTry) {
			state.NextTry = late.until
		}
	}
	return states
}

// Deferred says, of a task for one cell that has come back, whether it waits for its next try.
func (c *Core) Deferred(task Task) bool {
	r := task.rows[0]
	return len(task.rows) == 1 && r.epoch == task.epochs[0] && r.state == rowActive && r.cells[task.Column].state == cellDeferred && !c.closed
}

// EndpointState is the health of an endpoint.
type EndpointState struct {
	// Paused says that nothing gets through: it is only asked, now and then, whether it is back.
	Paused bool
	// Since is when the first of the Failed requests failed, without any success since.
	Since  time.Time
	Failed int
	// Until is when it is asked again; it is past while it is being asked.
	Until time.Time
}

// EndpointState looks at an endpoint.
func (c *Core) EndpointState(index int) EndpointState {
	health := &c.endpoints[index]
	return EndpointState{Paused: health.paused(), Since: health.failingSince, Failed: health.unsuccessful, Until: health.pausedUntil}
}

// RunningCell is a cell that is being made.
type RunningCell struct {
	Column int
	// Row is that of the record, which in a batch is not its position.
	Row table.RowIndex
}

// RunningCells lists the cells that are being made, a chunk by its first one, in the order of their row groups. It looks at all rows.
func (c *Core) RunningCells() []RunningCell {
	var groups []*Group
	for _, group := range c.groups {
		groups = append(groups, group)
	}
	sortGroups(groups)
	var running []RunningCell
	for _, group := range groups {
		for column := range c.config.Columns {
			for i := range group.rows {
				if row := &group.rows[i]; row.cells[column].state == cellRunning {
					running = append(running, RunningCell{column, row.record.Row})
					if c.config.Columns[column].Chunk > 1 || c.config.Columns[column].Batch {
						break
					}
				}
			}
		}
	}
	return running
}
