package schedule

import "time"

// SetCeiling changes how many tasks may run in all lanes under a ceiling together. What runs beyond it is left to end. Without limited
// there is no ceiling.
func (c *Core) SetCeiling(index, limit int, limited bool) { c.ceilings[index].Set(limit, limited) }

// Demand says how many tasks run under a ceiling, and how many would if it were not there.
func (c *Core) Demand(ceiling int, now time.Time) (running, wanted int) {
	for i := range c.lanes {
		current := &c.lanes[i]
		if current.Endpoint < 0 || current.Ceiling != ceiling {
			continue
		}
		under, more := current.limiter.Running(), 0
		if !c.closed {
			more = max(0, min(current.wanted, current.limiter.Limit()-under))
		}
		if current.limiter.PausedUntil().After(now) || c.endpoints[current.Endpoint].paused() {
			more = min(more, 1) // the question whether it is back
		}
		wanted += under + more
	}
	return c.ceilings[ceiling].Running(), wanted
}

// Share is how many tasks may run in all lanes under the ceiling of a lane together; shared is false where there is none.
func (c *Core) Share(lane int) (limit int, shared bool) {
	current := &c.lanes[lane]
	if current.Endpoint < 0 || current.Ceiling >= len(c.ceilings) {
		return 0, false
	}
	return c.ceilings[current.Ceiling].Limit()
}
