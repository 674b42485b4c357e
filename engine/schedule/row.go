package schedule

import (
	"time"

	"seedloom.dev/seedloom/engine/admission"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

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
	// held says that the group was not released yet; beforeHold counts the rows that lack something that is made before that.
	held       bool
	beforeHold int
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
	// cellWaiting: some of its inputs are not there.
	cellWaiting cellState = iota
	// cellGathered: the inputs of a cell of a batch are there, and those of other rows are not.
	cellGathered
	// cellQueued: it is in the backlog of its column, alone, in a chunk or in a batch.
	cellQueued
	cellRunning
	// cellDeferred: it waits for its next try.
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
	// beforeHold counts the cells that are still to be made before the release of the group.
	beforeHold int
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
	// Hedge says that the task is beside another one for the same cell, which is slow.
	Hedge bool
	// hedged is its cell where that may get another task; nil elsewhere.
	hedged *hedged
	// probe says that the task is to find out whether its endpoint is back.
	probe   bool
	started time.Time
	lease   admission.Lease
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
