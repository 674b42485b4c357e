// Package schedule decides which cell runs next: a state machine over rows and cells, with the lanes of models, the delays of retries,
// the health of endpoints and the error gate. It is pure: it starts no goroutine, reads no clock and does no input or output; its one
// owner tells it what happened and when.
package schedule

import (
	"time"

	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Local is the lane of everything that is computed in the process. The lanes of models come after it.
const Local = 0

// Column is what the scheduler knows of a column, or of several that are made one after the other by one task.
type Column struct {
	// Parts are the names of the columns, in the order in which they are made.
	Parts []string
	Lane  int
	// Weight is the share of the lane that the column gets when others wait for it too; 0 stands for 1.
	Weight int
	// Chunk is how many rows a task may be for; 0 stands for 1.
	Chunk int
	// Requires are the positions, in Config.Columns, of the columns that must be there before.
	Requires []int
	// Batch says that the column is made for all rows of a row group at once.
	Batch bool
	// Cells are where the values of the parts are in a record. They are needed only where a task may leave parts out.
	Cells []int
	// AfterHold says that the column is made only once its row group was released. All that require it are so too.
	AfterHold bool
}

// Config is what the scheduler works with. It does not change while it does.
type Config struct {
	Columns []Column
	Lanes   []Lane
	// Pools are what lanes share.
	Pools []admission.PoolConfig
	// Endpoints is the number of endpoints.
	Endpoints int
	// MaxRowAttempts and MaxRequestAttempts are the budgets of a row and of a request.
	MaxRowAttempts, MaxRequestAttempts int
	Gate                               GateConfig
	Outage                             OutageConfig
	// NewRecord makes the record of an attempt of a row, with the values of the seed in it.
	NewRecord func(row table.RowIndex, attempt int32) *table.Record
	// Hold says that every row group is held, once each of its rows has all that is not AfterHold, until its owner releases it.
	Hold bool
	// Restarted makes the record of another attempt of a row whose group was released, with what was made before the hold taken from the
	// record of the attempt before. It is needed where row groups are held.
	Restarted func(before *table.Record, attempt int32) *table.Record
	// Recovered writes those cells into a new record that are known already, and returns the positions of their columns, which are no
	// batches. It may be nil.
	Recovered func(*table.Record) []int
	// Ready is told that a cell has all its inputs; nil where nobody wants to know.
	Ready func(record *table.Record, column int)
	// Skip says whether the cell of a column, all of whose inputs are there, is left out, and writes then what the record holds instead.
	// It depends on the record alone. It may be nil.
	Skip func(record *table.Record, column int) bool
	// Jitter returns a number in [0, 1) that spreads the retries of a cell.
	Jitter func(column int, record *table.Record, retry int) float64
}

// Todo is a row that is to be made, with the number of attempts that earlier runs have already used up.
type Todo struct {
	Row     table.RowIndex
	Attempt int32
	// Resumed is, where row groups are held, the attempt that an earlier run was at after the hold.
	Resumed int32
}

// Group is a row group in work. Its owner is the scheduler until it is returned as finished or unfinished.
type Group struct {
	Index int64
	// Done are the records that are whole, in the order in which they became so.
	Done []*table.Record
	// Dropped are the rows that were given up.
	Dropped []Dropped
	rows    []row
	open    int
	// batchUnmet counts, for each column, the rows whose inputs for it are not there yet.
	batchUnmet []int
	// held says that the group was not released yet; early counts the rows that lack something that is made before that.
	held  bool
	early int
}

// Unfinished returns the rows of the group that have no fate yet, each with the attempt at which it goes on.
func (g *Group) Unfinished() []Todo {
	var rows []Todo
	for i := range g.rows {
		if row := &g.rows[i]; row.state == rowActive || row.state == rowFailing {
			rows = append(rows, Todo{Row: row.index, Attempt: row.attempt})
		}
	}
	return rows
}

// Dropped is a row that was given up after all its attempts, with the failure of the last one.
type Dropped struct {
	Row table.RowIndex
	// Column is the position of the column that caused it, Part that of the column in its parts. It is negative where no column did.
	Column, Part int
	// Attempts is how often the row was tried, over all runs.
	Attempts int32
	Failure  *failure.Error
}

type rowState uint8

const (
	rowActive rowState = iota
	// rowFailing: a cell has failed; the row is started again, or dropped, once its running cells have come back.
	rowFailing
	rowDone
	rowDropped
)

type cellState uint8

const (
	cellWaiting cellState = iota
	cellReady
	cellRunning
	cellDeferred
	cellDone
	cellSkipped
)

type cell struct {
	state cellState
	// refusals counts how often the provider has had too much to do for it.
	refusals uint8
	unmet    int16
	requests int16
	// mark is the number of successes of the endpoint when the cell last failed, passed that of its lane when it was first refused; the
	// last digits of them, which are enough.
	mark, passed int32
}

type row struct {
	group     *Group
	index     table.RowIndex
	record    *table.Record
	cells     []cell
	state     rowState
	remaining int
	running   int
	tries     int // in this run
	attempt   int32
	resumed   int32
	// early counts the cells that are to be made before the release of the group.
	early int
	// epoch tells apart the attempts, so that what comes back from an earlier one is ignored.
	epoch        int32
	failed, part int
	cause        *failure.Error
}

// Task is one call of a generator: for a row, or for the rows of a batch.
type Task struct {
	Lane int
	// Column is the position of the column.
	Column int
	// Records are what the generator works on: one record, those of a chunk, or those of a batch.
	Records []*table.Record
	rows    []*row
	epochs  []int32
	// probe says that the task is to find out whether its endpoint is back.
	probe bool
	lease admission.Lease
	// Cost is what the owner has learnt of the task's tokens when it gives the task back.
	Cost Cost
}

// Cost is how many requests a task has sent, how many tokens they have used, and how many of them the answers have; 0 where that is not
// known.
type Cost struct{ Requests, Tokens, OutputTokens int64 }

// Group is the index of the row group of the task's rows.
func (t Task) Group() int64 { return t.rows[0].group.Index }

// Fates are the rows that have met their fate.
type Fates struct {
	Done    int64
	Dropped []Dropped
	// Skipped are those of the done ones of which cells were left out.
	Skipped []*table.Record
}

// Core is the scheduler. It belongs to one goroutine.
type Core struct {
	config     Config
	dependents [][]int
	lanes      []lane
	// backlogs are those of the columns.
	backlogs  []backlog
	endpoints []endpoint
	// gates are those of each column's parts.
	gates [][]gate
	// forming are, for each column, the rows that have become ready since the last event and are not queued yet.
	forming  [][]*row
	counts   []CellCounts
	doneRows int64
	deferred queue[deferredCell]
	finished []*Group
	held     []*Group
	fates    Fates
	groups   map[int64]*Group
	ending   *failure.Error
	closed   bool
	inFlight int
}

// New returns a scheduler without rows.
func New(config Config) *Core {
	core := &Core{
		config:     config,
		dependents: make([][]int, len(config.Columns)),
		endpoints:  make([]endpoint, config.Endpoints),
		gates:      make([][]gate, len(config.Columns)),
		forming:    make([][]*row, len(config.Columns)),
		counts:     make([]CellCounts, len(config.Columns)),
		groups:     make(map[int64]*Group),
		lanes:      newLanes(config),
		backlogs:   make([]backlog, len(config.Columns)),
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

// Hungry says whether another row group should be added: some lane of a model (or the local one, where there are no models) has a free
// slot and nothing to put into it.
func (c *Core) Hungry() bool {
	if c.closed {
		return false
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
	group := &Group{Index: index, open: len(rows), batchUnmet: make([]int, columns), rows: make([]row, len(rows)), held: c.config.Hold, early: len(rows)}
	c.groups[index] = group
	cells := make([]cell, len(rows)*columns)
	for i, todo := range rows {
		group.rows[i] = row{group: group, index: todo.Row, attempt: todo.Attempt, resumed: todo.Resumed, cells: cells[i*columns : (i+1)*columns : (i+1)*columns]}
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
	r.early = 0
	r.cause = nil
	r.epoch++
	for i := range c.config.Columns {
		r.cells[i] = cell{unmet: int16(len(c.config.Columns[i].Requires))}
		switch {
		case held && c.config.Columns[i].AfterHold:
			r.cells[i].unmet++
		case held:
			r.early++
		}
	}
	if again {
		c.keep(r)
	}
	if c.config.Recovered != nil && !held {
		c.recover(r)
	}
	if held && r.early == 0 {
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
	if r.remaining == 0 && r.state == rowActive && !r.group.held {
		c.complete(r)
	}
}

func (c *Core) recover(r *row) {
	for _, column := range c.config.Recovered(r.record) {
		r.cells[column].state = cellDone
		c.counts[column].Made++
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

// ready notes that a cell may run.
func (c *Core) ready(r *row, column int) {
	r.cells[column].state = cellReady
	if c.config.Ready != nil {
		c.config.Ready(r.record, column)
	}
	if c.config.Columns[column].Batch {
		r.group.batchUnmet[column]--
		return
	}
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
			entry := readyCell{group: first.group.Index, remaining: int16(first.remaining), index: first.index, column: int16(column), row: first}
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
			if r := &group.rows[at]; r.state == rowActive && r.cells[i].state == cellReady {
				r.cells[i].state = cellDeferred // until it is taken from the lane
				rows = append(rows, r)
			}
		}
		if len(rows) > 0 {
			c.lanes[column.Lane].wanted++
			c.backlogs[i].ready.push(readyCell{group: group.Index, index: rows[0].index, column: int16(i), row: rows[0], rows: rows})
		}
	}
}

// Eager says whether a lane has a free slot, and something to put into it.
func (c *Core) Eager(index int) bool {
	current := &c.lanes[index]
	return !c.closed && current.wanted > 0 && current.limiter.Running() < current.limiter.Limit()
}

// Next returns the next task of a lane, if one may start now.
func (c *Core) Next(index int, now time.Time) (Task, bool) {
	c.wake(now)
	current := &c.lanes[index]
	for !c.closed || defect {
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
		c.inFlight++
		task.lease = current.limiter.Start(now)
		if current.Endpoint >= 0 {
			task.probe = c.endpoints[current.Endpoint].start()
		}
		return task, true
	}
	return Task{}, false
}

// take makes the task of a queued cell, chunk or batch out of those of its rows that still want it.
func (c *Core) take(index int, entry readyCell) Task {
	column := int(entry.column)
	task := Task{Lane: index, Column: column}
	wanted := cellReady
	if c.config.Columns[column].Batch {
		wanted = cellDeferred
		c.lanes[index].wanted--
	}
	rows := entry.rows
	if rows == nil {
		rows = []*row{entry.row}
	}
	task.rows = make([]*row, 0, len(rows))
	task.epochs = make([]int32, 0, len(rows))
	task.Records = make([]*table.Record, 0, len(rows))
	for _, r := range rows {
		if r.state != rowActive || r.cells[column].state != wanted {
			continue
		}
		if wanted == cellReady {
			c.lanes[index].wanted--
		}
		r.cells[column].state = cellRunning
		r.running++
		task.rows = append(task.rows, r)
		task.epochs = append(task.epochs, r.epoch)
		task.Records = append(task.Records, r.record)
	}
	c.counts[column].Running += int64(len(task.rows))
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
		if current.wanted == 0 || current.limiter.Waits().Reason == admission.Limit {
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

// TakeFates returns the rows that have met their fate since the last call.
func (c *Core) TakeFates() Fates {
	fates := c.fates
	c.fates = Fates{}
	return fates
}

// TakeFinished returns the row groups all of whose rows have met their fate since the last call.
func (c *Core) TakeFinished() []*Group {
	finished := c.finished
	c.finished = nil
	return finished
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
		c.finished = append(c.finished, group)
	}
}
