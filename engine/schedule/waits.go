package schedule

import "time"

// LaneState is what a lane is doing, and what it waits for.
type LaneState struct {
	Limit, Running int
	// Ready is how many cells could start if there were a slot and the endpoint allowed it.
	Ready int
	// Deferred is how many cells wait for their next try; NextTry is when the first of them is due.
	Deferred int
	NextTry  time.Time
	// PausedUntil is when an endpoint that seems to be down is asked again; zero when it is not paused.
	PausedUntil time.Time
}

// LaneStates looks at all lanes. It takes time for each cell that is deferred, so it is for the rare moment when somebody wants to know.
func (c *Core) LaneStates() []LaneState {
	states := make([]LaneState, len(c.lanes))
	for i := range c.lanes {
		current := &c.lanes[i]
		states[i] = LaneState{Limit: current.Limit, Running: current.running, Ready: current.wanted}
		if current.Endpoint >= 0 {
			states[i].PausedUntil = c.endpoints[current.Endpoint].pausedUntil
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
