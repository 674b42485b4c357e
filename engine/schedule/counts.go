package schedule

// CellCounts are the cells of a column by what becomes of them.
type CellCounts struct {
	// Completed are the cells that are there, those that were left out among them, without those of attempts that have failed since. Recovered
	// are those of them that an earlier process has made.
	Completed, Recovered int64
	// Running are the cells that are being made, Deferred those that wait for their next try.
	Running, Deferred int64
}

// CellCounts returns the counts of all columns, in the order of Config.Columns. They are the scheduler's own and change with it: the caller
// copies what it keeps.
func (c *Core) CellCounts() []CellCounts { return c.counts }

// DoneRows is how many rows are whole, over all row groups. All their cells are counted as made.
func (c *Core) DoneRows() int64 { return c.doneRows }

// Load says how many tasks of a lane run, and how many may.
func (c *Core) Load(lane int) (running, limit int) {
	return c.lanes[lane].limiter.Running(), c.lanes[lane].limiter.Limit()
}

// forget takes a cell whose row is started again, or dropped, out of the counts.
func (c *Core) forget(column int, state cellState) {
	switch {
	case state == cellDone || state == cellSkipped:
		c.counts[column].Completed--
	case state == cellDeferred:
		c.counts[column].Deferred--
	}
}
