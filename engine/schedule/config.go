package schedule

import (
	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/table"
)

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
	// Hedge has slow cells get another task; nil for none. It is for columns whose tasks are for one row each.
	Hedge *Hedge
}

// Config is what the scheduler works with. It does not change while it does.
type Config struct {
	Columns []Column
	Lanes   []Lane
	// Pools are what lanes share.
	Pools []admission.PoolConfig
	// Ceilings is the number of ceilings; there is nothing to them until they are set.
	Ceilings int
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
