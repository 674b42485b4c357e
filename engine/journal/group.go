package journal

import (
	"context"
	"errors"
	"sync/atomic"

	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Group is the journal of a row group in work. What an earlier process has left in it belongs to the goroutine that began it.
type Group struct {
	set   *Set
	index int64
	// recovered are the cells that an earlier process has made.
	recovered map[identity][]Cell
	// givenUp are the columns whose cells an earlier process has given up, by the attempts of their rows.
	givenUp map[identity][]string
	// attempts are the latest attempts of rows that were started again.
	attempts map[table.RowIndex]int32
	usage    []runreport.Column
	// whole is how many bytes of the file count.
	whole int64
	// end is what is to be noted of the row group's end before the next cell; 0 where the journal has it, or it does not matter.
	end table.RowIndex

	// turn is held by whoever opens or ends the journal: a channel, as in Writer.
	turn   chan struct{}
	writer atomic.Pointer[Writer] // from the first cell on
	// closed says that the journal has ended: a task that has not stopped may still come with a cell.
	closed atomic.Bool
}

// identity is an attempt of a record.
type identity struct {
	row              table.RowIndex
	ordinal, attempt int32
}

func (g *Group) recoveredCells() int {
	count := 0
	for _, cells := range g.recovered {
		count += len(cells)
	}
	return count
}

// Usage is what the requests have cost whose cells are in the journal, and not counted in the manifest.
func (g *Group) Usage() []runreport.Column { return g.usage }

// Cells are those that an earlier process has made of this attempt of a record, in the order in which they were made.
func (g *Group) Cells(record *table.Record) []Cell {
	return g.recovered[identity{record.Row, record.Ordinal, record.Attempt}]
}

// GivenUp are the columns whose cells an earlier process has given up in an attempt of a record.
func (g *Group) GivenUp(record *table.Record, attempt int32) []string {
	return g.givenUp[identity{record.Row, record.Ordinal, attempt}]
}

// Attempt is the latest known attempt of a row.
func (g *Group) Attempt(row table.RowIndex) int32 { return g.attempts[row] }

// SetAttempt notes the attempt that a row goes on with.
func (g *Group) SetAttempt(row table.RowIndex, attempt int32) { g.attempts[row] = attempt }

// Restart notes that a row is started again, where the attempt is a new one, so that no later process goes on with the attempt that has
// failed, and pays for its failure once more. That it can't be written is no harm yet: the checkpoint fails too and says so.
func (g *Group) Restart(record *table.Record) {
	if record.Attempt <= g.attempts[record.Row] {
		return
	}
	g.attempts[record.Row] = record.Attempt
	if g.set.Lost() != nil {
		return
	}
	if writer, err := g.opening(); err == nil {
		_ = writer.Again(record.Row, record.Attempt)
	}
}

func (g *Group) opened() *Writer { return g.writer.Load() }

// closing ends the journal, and returns what is to be closed of it: nil when nothing was ever written.
func (g *Group) closing() *Writer {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	g.closed.Store(true)
	return g.writer.Load()
}

func (g *Group) opening() (*Writer, error) {
	if writer := g.writer.Load(); writer != nil && !g.closed.Load() {
		return writer, nil
	}
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	if g.closed.Load() {
		return nil, context.Canceled
	}
	if writer := g.writer.Load(); writer != nil {
		return writer, nil
	}
	config := &g.set.config
	file, err := config.Files.OpenJournal(g.index, g.whole)
	if err != nil {
		return nil, err
	}
	writer := NewWriter(file, g.whole)
	if g.end != 0 {
		if err := writer.Begin(g.end); err != nil {
			return nil, errors.Join(config.WriteFailure(err, g.index), file.Close())
		}
	}
	g.writer.Store(writer)
	return writer, nil
}
