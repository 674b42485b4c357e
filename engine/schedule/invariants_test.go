package schedule

import (
	"fmt"
	"slices"
	"time"
)

// placement counts where a cell of an attempt of a row is to be found.
type placement struct {
	row    *row
	epoch  int32
	column int
}

// violations looks at the whole state of a scheduler, and at the tasks that it has handed out and not got back, and says in what they
// contradict each other. It is called between two events.
func (c *Core) violations(handedOut []Task) []string {
	var found []string
	broken := func(format string, arguments ...any) { found = append(found, fmt.Sprintf(format, arguments...)) }

	queued, deferred, running := c.placements(handedOut)
	alive := map[*row]int{} // tasks that hold the row, whatever its attempt
	for _, task := range handedOut {
		for _, r := range task.rows {
			alive[r]++
		}
	}
	for index, group := range c.groups {
		open := 0
		unmet := make([]int, len(c.config.Columns))
		for at := range group.rows {
			r := &group.rows[at]
			if r.running != alive[r] {
				broken("row %d counts %d running cells, and %d tasks hold it", r.index, r.running, alive[r])
			}
			if r.state == rowDone || r.state == rowDropped {
				continue
			}
			open++
			for i, spec := range c.config.Columns {
				if spec.Batch && (r.state == rowFailing || r.cells[i].state == cellWaiting) {
					unmet[i]++
				}
			}
			if r.state == rowActive {
				found = append(found, c.rowViolations(r, queued, deferred, running)...)
			}
		}
		if group.held {
			found = append(found, c.holdViolations(group, queued, deferred, running)...)
		}
		if open != group.open || open == 0 {
			broken("row group %d has %d open rows, and counts %d", index, open, group.open)
		}
		for i, spec := range c.config.Columns {
			if spec.Batch && unmet[i] != group.batchUnmet[i] {
				broken("row group %d: column %d waits for %d rows, and counts %d", index, i, unmet[i], group.batchUnmet[i])
			}
		}
	}
	if problem := c.lastViolation(); problem != "" {
		found = append(found, problem)
	}
	found = append(found, c.countViolations(handedOut)...)
	return append(found, c.laneViolations(handedOut)...)
}

// lastViolation counts the open rows anew, and looks at the ways by which queued cells are ordered.
func (c *Core) lastViolation() string {
	open := 0
	for _, group := range c.groups {
		open += group.open
	}
	if open != c.openRows {
		return fmt.Sprintf("%d rows are open, and %d are counted", open, c.openRows)
	}
	for i := range c.backlogs {
		for _, entry := range c.backlogs[i].ready.items {
			if entry.way != c.ways[i] || (entry.way > 0) != c.last {
				return fmt.Sprintf("a cell of column %d is queued with a way of %d ms, and has %d ms to go (the last rows: %t)", i, entry.way,
					c.ways[i], c.last)
			}
		}
	}
	return ""
}

// countViolations counts all cells anew.
func (c *Core) countViolations(handedOut []Task) []string {
	counts := make([]CellCounts, len(c.config.Columns))
	for i := range c.config.Columns {
		counts[i].Completed = c.doneRows
		counts[i].Recovered = c.counts[i].Recovered
		for _, group := range c.groups {
			for at := range group.rows {
				r := &group.rows[at]
				if r.state == rowActive && r.cells[i].state.there() {
					counts[i].Completed++
				}
				if r.state == rowActive && r.cells[i].state == cellDeferred {
					counts[i].Deferred++
				}
			}
		}
	}
	for _, task := range handedOut {
		counts[task.Column].Running += int64(len(task.rows))
	}
	if !slices.Equal(counts, c.counts) {
		return []string{fmt.Sprintf("the cells are counted as %+v, and are %+v", c.counts, counts)}
	}
	return nil
}

func (c *Core) placements(handedOut []Task) (queued, deferred, running map[placement]int) {
	queued, deferred, running = map[placement]int{}, map[placement]int{}, map[placement]int{}
	for i := range c.backlogs {
		for _, entry := range c.backlogs[i].ready.items {
			for _, r := range entry.all() {
				queued[placement{r, r.epoch, int(entry.column)}]++
			}
		}
	}
	for _, cell := range c.deferred.items {
		deferred[placement{cell.row, cell.epoch, int(cell.column)}]++
	}
	for _, task := range handedOut {
		for i, r := range task.rows {
			running[placement{r, task.epochs[i], task.Column}]++
		}
	}
	return queued, deferred, running
}

// rowViolations checks a row that is being made: each of its cells is in the one place that its state says, so that none is ever lost.
func (c *Core) rowViolations(r *row, queued, deferred, running map[placement]int) []string {
	var found []string
	remaining := 0
	for i, spec := range c.config.Columns {
		unmet := 0
		if spec.AfterHold && r.group.held {
			unmet++
		}
		for _, required := range spec.Requires {
			if !r.cells[required].state.there() {
				unmet++
			}
		}
		if unmet != int(r.cells[i].unmet) {
			found = append(found, fmt.Sprintf("row %d, column %d waits for %d cells, and counts %d", r.index, i, unmet, r.cells[i].unmet))
		}
		if !r.cells[i].state.there() {
			remaining++
		}
		here := placement{r, r.epoch, i}
		places := [3]int{queued[here], deferred[here], running[here]}
		if problem := misplaced(r.cells[i].state, unmet, places, c.closed, c.hedgings[i] != nil); problem != "" {
			found = append(found, fmt.Sprintf("row %d, column %d %s: queued %d times, deferred %d times, running %d times", r.index, i, problem,
				places[0], places[1], places[2]))
		}
	}
	if remaining != r.remaining || (remaining == 0 && !r.group.held && r.running == 0) {
		found = append(found, fmt.Sprintf("row %d lacks %d cells, and counts %d", r.index, remaining, r.remaining))
	}
	return found
}

func (s cellState) there() bool { return s == cellDone || s == cellSkipped }

// holdViolations checks a row group that was not released: nothing that comes after that is anywhere.
func (c *Core) holdViolations(group *Group, queued, deferred, running map[placement]int) []string {
	var found []string
	lacking := 0
	for at := range group.rows {
		r := &group.rows[at]
		early := 0
		for i, spec := range c.config.Columns {
			here := placement{r, r.epoch, i}
			if spec.AfterHold && queued[here]+deferred[here]+running[here] > 0 {
				found = append(found, fmt.Sprintf("row %d, column %d does not wait for the release of its row group", r.index, i))
			}
			if !spec.AfterHold && r.cells[i].state != cellDone {
				early++
			}
		}
		if r.state == rowActive && early != r.beforeHold {
			found = append(found, fmt.Sprintf("row %d lacks %d cells before the hold, and counts %d", r.index, early, r.beforeHold))
		}
		if r.state == rowFailing || (r.state == rowActive && early > 0) {
			lacking++
		}
		if r.state == rowDone {
			found = append(found, fmt.Sprintf("row %d is done before its row group was released", r.index))
		}
	}
	if lacking != group.beforeHold {
		found = append(found, fmt.Sprintf("row group %d has %d rows that lack something before the hold, and counts %d", group.Index, lacking,
			group.beforeHold))
	}
	return found
}

func misplaced(state cellState, unmet int, places [3]int, closed, hedged bool) string {
	queued, deferred, running := places[0], places[1], places[2]
	if hedged && running <= 1+mostHedges {
		switch {
		case state == cellRunning:
			running = min(running, 1)
		case state == cellDone || closed && state == cellDeferred:
			running = 0 // slower than another one
		}
	}
	// An entry of an earlier attempt may stay queued; what it says is looked at when its turn comes.
	if state == cellQueued {
		queued = min(queued, 1)
	} else {
		queued = 0
	}
	nowhere := queued == 0 && deferred == 0 && running == 0
	switch state {
	case cellWaiting:
		if unmet == 0 || !nowhere {
			return "waits"
		}
	case cellGathered:
		if unmet > 0 || !nowhere {
			return "waits for its batch"
		}
	case cellQueued:
		if queued != 1 || deferred+running != 0 || unmet > 0 {
			return "is queued"
		}
	case cellDeferred:
		// What ended the run is deferred for ever.
		if right := deferred == 1 && running == 0; unmet > 0 || (!right && !(closed && nowhere)) {
			return "is deferred"
		}
	case cellRunning:
		if unmet > 0 || queued+deferred != 0 || running != 1 {
			return "is running"
		}
	case cellDone, cellSkipped:
		if !nowhere {
			return "is done"
		}
	}
	return ""
}

func (c *Core) laneViolations(handedOut []Task) []string {
	var found []string
	lanes, probes := make([]int, len(c.lanes)), make([]int, len(c.endpoints))
	for _, task := range handedOut {
		lanes[task.Lane]++
		if endpoint := c.lanes[task.Lane].Endpoint; task.probe && c.endpoints[endpoint].probing {
			probes[endpoint]++
		}
	}
	if c.inFlight != len(handedOut) {
		found = append(found, fmt.Sprintf("%d tasks are handed out, and %d counted", len(handedOut), c.inFlight))
	}
	for i := range c.ceilings {
		running := 0
		for lane := range c.lanes {
			if c.lanes[lane].Endpoint >= 0 && c.lanes[lane].Ceiling == i {
				running += lanes[lane]
			}
		}
		if c.ceilings[i].Running() != running {
			found = append(found, fmt.Sprintf("%d tasks run under ceiling %d, and %d are counted", running, i, c.ceilings[i].Running()))
		}
	}
	for i := range c.lanes {
		if current := &c.lanes[i]; current.limiter.Running() != lanes[i] || lanes[i] > current.Limit {
			found = append(found, fmt.Sprintf("lane %d runs %d tasks, counts %d, and allows %d", i, lanes[i], current.limiter.Running(),
				current.Limit))
		}
		wanted := 0
		seen := map[placement]bool{}
		for _, entry := range c.queued(i) {
			if c.config.Columns[entry.column].Batch {
				wanted++
				continue
			}
			for _, r := range entry.all() {
				here := placement{r, r.epoch, int(entry.column)}
				if r.state == rowActive && r.cells[entry.column].state == cellQueued && !seen[here] {
					seen[here] = true
					wanted++
				}
			}
		}
		if wanted != c.lanes[i].wanted {
			found = append(found, fmt.Sprintf("%d cells of lane %d are wanted, and %d counted", wanted, i, c.lanes[i].wanted))
		}
	}
	for i := range c.backlogs {
		if !ordered(c.backlogs[i].ready.items) {
			found = append(found, fmt.Sprintf("the queue of column %d is out of order", i))
		}
	}
	for i := range c.endpoints {
		if current := &c.endpoints[i]; current.probing && (probes[i] < 1 || !current.paused()) {
			found = append(found, fmt.Sprintf("endpoint %d waits for a probe that is not under way", i))
		}
	}
	if !ordered(c.deferred.items) {
		found = append(found, "the queue of delays is out of order")
	}
	return found
}

func ordered[T interface{ before(T) bool }](items []T) bool {
	for child := 1; child < len(items); child++ {
		if items[child].before(items[(child-1)/2]) {
			return false
		}
	}
	return true
}

// idle says, after everything that may start was handed out, what could have been handed out besides: a free slot and a cell for it.
func (c *Core) idle(now time.Time) []string {
	var found []string
	for i := range c.lanes {
		current := &c.lanes[i]
		if c.closed || !current.limiter.Room(now) || (current.Endpoint >= 0 && !c.endpoints[current.Endpoint].allows(now)) {
			continue
		}
		if slices.ContainsFunc(c.queued(i), c.wanted) {
			found = append(found, fmt.Sprintf("lane %d has a free slot and something to put into it", i))
		}
	}
	return found
}

func (c *Core) wanted(entry queuedCell) bool {
	return slices.ContainsFunc(entry.all(), func(r *row) bool { return r.state == rowActive && r.cells[entry.column].state == cellQueued })
}

func (a queuedCell) all() []*row {
	if a.rows != nil {
		return a.rows
	}
	return []*row{a.row}
}

// queued are the entries of all columns of a lane.
func (c *Core) queued(lane int) []queuedCell {
	var entries []queuedCell
	for _, column := range c.lanes[lane].columns {
		entries = append(entries, c.backlogs[column].ready.items...)
	}
	return entries
}
