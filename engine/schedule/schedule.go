package schedule

import (
	"slices"
	"time"

	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Local is the lane of everything that is computed in the process. The lanes of models come after it.
const Local = 0

// Core is the scheduler. It belongs to one goroutine.
type Core struct {
	config     Config
	dependents [][]int
	lanes      []lane
	// backlogs are those of the columns.
	backlogs  []backlog
	endpoints []endpoint
	ceilings  []admission.Ceiling
	// gates are those of each column's parts.
	gates [][]gate
	// hedgings are those of the columns; nil for one whose cells get no second task.
	hedgings []*hedging
	// forming are, for each column, the rows that have become ready since the last event and are not queued yet.
	forming  [][]*row
	counts   []CellCounts
	doneRows int64
	deferred queue[deferredCell]
	harvest  Harvest
	groups   map[int64]*Group
	ending   *failure.Error
	closed   bool
	inFlight int
	// openRows are those of the row groups in work that have no fate yet, slots the tasks that may run in the lanes of all models.
	openRows, slots int
	// ahead is how many rows are still to be added, where that is known; last says that few enough are left for longest ways first. Then
	// ways has the milliseconds that each column has to go.
	ahead            int
	aheadKnown, last bool
	ways             []int32
	work             []work
}

// New returns a scheduler without rows.
func New(config Config) *Core {
	core := &Core{
		config:     config,
		dependents: make([][]int, len(config.Columns)),
		endpoints:  make([]endpoint, config.Endpoints),
		gates:      make([][]gate, len(config.Columns)),
		hedgings:   newHedgings(config.Columns),
		forming:    make([][]*row, len(config.Columns)),
		counts:     make([]CellCounts, len(config.Columns)),
		groups:     make(map[int64]*Group),
		ceilings:   make([]admission.Ceiling, config.Ceilings),
		backlogs:   make([]backlog, len(config.Columns)),
		ways:       make([]int32, len(config.Columns)),
		work:       make([]work, len(config.Columns)),
	}
	core.lanes = newLanes(config, core.ceilings)
	for _, lane := range core.lanes {
		if lane.Endpoint >= 0 {
			core.slots += lane.Limit
		}
	}
	for i, column := range config.Columns {
		for _, required := range column.Requires {
			core.dependents[required] = append(core.dependents[required], i)
		}
		for range column.Parts {
			core.gates[i] = append(core.gates[i], newGate(config.Gate))
		}
		core.backlogs[i].weight = float64(max(1, column.Weight))
		core.lanes[column.Lane].columns = append(core.lanes[column.Lane].columns, i)
	}
	return core
}

// Open says how many row groups are in work.
func (c *Core) Open() int { return len(c.groups) }

// InFlight is the number of tasks that were handed out and have not come back.
func (c *Core) InFlight() int { return c.inFlight }

// Ending returns the failure that ends the run, or nil.
func (c *Core) Ending() *failure.Error { return c.ending }

// End closes the scheduler for a reason. The first reason stays. From then on Next returns nothing.
func (c *Core) End(cause *failure.Error) {
	if c.ending == nil {
		c.ending = cause
	}
	c.closed = true
}

// NeedsRows says whether another row group should be added: some lane of a model (or the local one, where there are no models) has a free
// slot and nothing to put into it, or there are only few rows left at all. MayStart is about the cells that are there already.
func (c *Core) NeedsRows() bool {
	if c.closed {
		return false
	}
	if c.last && c.ahead > 0 {
		return true
	}
	first := min(Local+1, len(c.lanes)-1)
	for i := first; i < len(c.lanes); i++ {
		if current := &c.lanes[i]; current.limiter.Running()+current.wanted < current.limiter.Limit() {
			return true
		}
	}
	return false
}

// Add puts a row group to work. A group without rows is finished at once.
func (c *Core) Add(index int64, rows []Todo) {
	columns := len(c.config.Columns)
	group := &Group{
		Index: index, open: len(rows), batchUnmet: make([]int, columns), rows: make([]row, len(rows)),
		held: c.config.Hold, beforeHold: len(rows),
	}
	c.groups[index] = group
	c.openRows += len(rows)
	c.ahead = max(0, c.ahead-len(rows))
	c.lookAtLast()
	cells := make([]cell, len(rows)*columns)
	for i, todo := range rows {
		group.rows[i] = row{
			group: group, index: todo.Row, attempt: todo.Attempt, resumed: todo.Resumed,
			cells: cells[i*columns : (i+1)*columns : (i+1)*columns],
		}
	}
	for i, column := range c.config.Columns {
		if column.Batch {
			group.batchUnmet[i] = len(rows)
		}
	}
	for i := range group.rows {
		c.start(&group.rows[i])
	}
	c.queueFormed()
	c.fireBatches(group)
	c.finish(group)
}

// start begins an attempt of a row.
func (c *Core) start(r *row) {
	held := r.group.held
	again := c.config.Hold && !held
	if again {
		r.record = c.config.Restarted(r.record, r.attempt)
	} else {
		r.record = c.config.NewRecord(r.index, r.attempt)
	}
	r.state = rowActive
	r.remaining = len(c.config.Columns)
	r.beforeHold = 0
	r.cause = nil
	r.epoch++
	for i := range c.config.Columns {
		r.cells[i] = cell{unmet: int16(len(c.config.Columns[i].Requires))}
		switch {
		case held && c.config.Columns[i].AfterHold:
			r.cells[i].unmet++
		case held:
			r.beforeHold++
		}
	}
	if again {
		c.keep(r)
	}
	if c.config.Recovered != nil && !held {
		c.recover(r)
	}
	if held && r.beforeHold == 0 {
		c.arrived(r.group)
	}
	c.begin(r)
}

// begin queues the cells of a row that wait for nothing.
func (c *Core) begin(r *row) {
	for i := range c.config.Columns {
		if current := &r.cells[i]; current.state == cellWaiting && current.unmet == 0 {
			c.met(r, i)
		}
	}
	c.complete(r)
}

func (c *Core) recover(r *row) {
	for _, column := range c.config.Recovered(r.record) {
		r.cells[column].state = cellDone
		c.counts[column].Completed++
		c.counts[column].Recovered++
		r.remaining--
		for _, dependent := range c.dependents[column] {
			r.cells[dependent].unmet--
		}
	}
}

// met notes that all inputs of a cell have come: it is ready, or left out, and then its dependents may have all theirs.
func (c *Core) met(r *row, column int) {
	if c.config.Skip == nil || !c.config.Skip(r.record, column) {
		c.ready(r, column)
		return
	}
	if c.config.Columns[column].Batch {
		r.group.batchUnmet[column]--
	}
	c.resolved(r, column, cellSkipped)
}

// ready notes that a cell has all its inputs: it is queued, or waits for the other rows of its batch.
func (c *Core) ready(r *row, column int) {
	if c.config.Ready != nil {
		c.config.Ready(r.record, column)
	}
	if c.config.Columns[column].Batch {
		r.cells[column].state = cellGathered
		r.group.batchUnmet[column]--
		return
	}
	c.queue(r, column)
}

// queue puts a cell into its lane, at the end of the event.
func (c *Core) queue(r *row, column int) {
	r.cells[column].state = cellQueued
	c.lanes[c.config.Columns[column].Lane].wanted++
	c.forming[column] = append(c.forming[column], r)
}

// queueFormed queues what has become ready in an event, in chunks of rows of one row group.
func (c *Core) queueFormed() {
	for column, rows := range c.forming {
		spec := &c.config.Columns[column]
		for start := 0; start < len(rows); {
			end := start + 1
			for end < len(rows) && end-start < spec.Chunk && rows[end].group == rows[start].group {
				end++
			}
			first := rows[start]
			entry := queuedCell{
				way: c.ways[column], group: first.group.Index, remaining: int16(first.remaining), index: first.index,
				column: int16(column), row: first,
			}
			if end-start > 1 {
				entry.rows = append([]*row(nil), rows[start:end]...)
			}
			c.backlogs[column].ready.push(entry)
			start = end
		}
		clear(rows)
		c.forming[column] = rows[:0]
	}
}

// fireBatches hands out the batch columns whose inputs are there in all the rows that are still alive.
func (c *Core) fireBatches(group *Group) {
	for i, column := range c.config.Columns {
		if !column.Batch || group.batchUnmet[i] > 0 {
			continue
		}
		var rows []*row
		for at := range group.rows {
			if r := &group.rows[at]; r.state == rowActive && r.cells[i].state == cellGathered {
				r.cells[i].state = cellQueued
				rows = append(rows, r)
			}
		}
		if len(rows) > 0 {
			c.lanes[column.Lane].wanted++
			c.backlogs[i].ready.push(queuedCell{group: group.Index, index: rows[0].index, column: int16(i), way: c.ways[i], row: rows[0],
				rows: rows})
		}
	}
}

// MayStart says whether a lane has a free slot, and something to put into it. Next may still have it wait: for a budget of requests or
// tokens, or because its endpoint is paused.
func (c *Core) MayStart(index int) bool {
	current := &c.lanes[index]
	return !c.closed && current.wanted > 0 && current.limiter.Running() < current.limiter.Limit()
}

// Next returns the next task of a lane, if one may start now.
func (c *Core) Next(index int, now time.Time) (Task, bool) {
	c.wake(now)
	current := &c.lanes[index]
	for !c.closed {
		column, found := c.choose(current)
		// The limiter is asked first, so that it knows what it waits for.
		if !found || !current.limiter.Room(now) || (current.Endpoint >= 0 && !c.endpoints[current.Endpoint].allows(now)) {
			return Task{}, false
		}
		task := c.take(index, c.backlogs[column].ready.pop())
		if len(task.rows) == 0 {
			continue
		}
		c.charge(current, column)
		c.started(&task, now)
		return task, true
	}
	return Task{}, false
}

// started notes that a task starts.
func (c *Core) started(task *Task, now time.Time) {
	current := &c.lanes[task.Lane]
	c.inFlight++
	task.started = now
	task.lease = current.limiter.Start(now, task.Column)
	if current.Endpoint >= 0 {
		task.probe = c.endpoints[current.Endpoint].start()
	}
	if hedging := c.hedgings[task.Column]; hedging != nil {
		hedging.noteStarted(task)
	}
}

// take makes the task of a queued cell, chunk or batch out of those of its rows that still want it.
func (c *Core) take(index int, entry queuedCell) Task {
	column := int(entry.column)
	task := Task{Lane: index, Column: column}
	rows := entry.rows
	if rows == nil {
		rows = []*row{entry.row}
	}
	task.rows = make([]*row, 0, len(rows))
	task.epochs = make([]int32, 0, len(rows))
	task.Records = make([]*table.Record, 0, len(rows))
	for _, r := range rows {
		if r.state != rowActive || r.cells[column].state != cellQueued {
			continue
		}
		r.cells[column].state = cellRunning
		r.running++
		task.rows = append(task.rows, r)
		task.epochs = append(task.epochs, r.epoch)
		task.Records = append(task.Records, r.record)
	}
	c.counts[column].Running += int64(len(task.rows))
	if c.config.Columns[column].Batch {
		c.lanes[index].wanted--
	} else {
		c.lanes[index].wanted -= len(task.rows)
	}
	return task
}

// wake puts the cells whose delay is over back into their lanes.
func (c *Core) wake(now time.Time) {
	for c.deferred.len() > 0 && !c.deferred.first().until.After(now) {
		late := c.deferred.pop()
		r := late.row
		if r.state == rowActive && r.epoch == late.epoch && r.cells[late.column].state == cellDeferred {
			c.counts[late.column].Deferred--
			c.ready(r, int(late.column))
		}
	}
	c.queueFormed()
}

// NextWake returns when something that waits for time may go on; false when nothing does. After Next has returned all that may start, it
// is a time that is still to come.
func (c *Core) NextWake() (time.Time, bool) {
	var next time.Time
	if c.closed {
		return next, false
	}
	if c.deferred.len() > 0 {
		next = c.deferred.first().until
	}
	sooner := func(until time.Time) {
		if !until.IsZero() && (next.IsZero() || until.Before(next)) {
			next = until
		}
	}
	for i := range c.lanes {
		current := &c.lanes[i]
		sooner(current.hedgeAt)
		if reason := current.limiter.Waits().Reason; current.wanted == 0 || reason == admission.Limit || reason == admission.Share {
			continue
		}
		if current.Endpoint < 0 {
			continue
		}
		// While a probe is under way, it is the probe that decides how it goes on.
		if paused := &c.endpoints[current.Endpoint]; paused.paused() {
			if !paused.probing {
				sooner(later(paused.pausedUntil, current.limiter.Waits().Until))
			}
			continue
		}
		sooner(current.limiter.Waits().Until)
	}
	return next, !next.IsZero()
}

// Harvest is what has become due since the last Take. It belongs to the caller that takes it.
type Harvest struct {
	Fates
	// Finished are the row groups all of whose rows have met their fate.
	Finished []*Group
	// Held are the row groups that have come to their hold: all of their rows that were not dropped have what is made before it, and nothing
	// of them is running or queued. Their owner releases or drops them. A group without such a row never comes to its hold.
	Held []*Group
}

// Take returns what has become due since the last call.
func (c *Core) Take() Harvest {
	due := c.harvest
	c.harvest = Harvest{}
	due.Held = slices.DeleteFunc(due.Held, func(group *Group) bool { return !group.held })
	return due
}

// TakeUnfinished returns, after the end and once nothing is in flight, the row groups that were in work, oldest first.
func (c *Core) TakeUnfinished() []*Group {
	var groups []*Group
	for _, group := range c.groups {
		groups = append(groups, group)
	}
	c.groups = make(map[int64]*Group)
	sortGroups(groups)
	return groups
}

func (c *Core) finish(group *Group) {
	if group.open == 0 {
		delete(c.groups, group.Index)
		c.harvest.Finished = append(c.harvest.Finished, group)
	}
}
