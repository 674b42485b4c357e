// Package column holds the seam between the executors and the generators of columns: each kind of column has a package below
// this one that implements one of the interfaces here. Nothing here knows how cells are scheduled or stored.
package column

import (
	"context"

	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// CellGenerator computes the value of one cell, in the process, from the cells of its row that it requires. It is called from many
// goroutines at once, and only reads the record. Its errors are failure.Error.
type CellGenerator interface {
	Generate(ctx context.Context, record *table.Record) (any, error)
}

// DrawGenerator is a CellGenerator that draws again what constraints don't allow.
type DrawGenerator interface {
	CellGenerator
	// Draw makes what Generate would, and counts what was drawn for it. The counts are valid beside an error too.
	Draw(ctx context.Context, record *table.Record) (value any, draws runreport.Draws, err error)
}

// ColumnGenerator is a CellGenerator that may make the cells of many rows at once, without a box for each.
type ColumnGenerator interface {
	CellGenerator
	// GenerateColumn makes what Generate would for consecutive rows at their first attempts: from a row on, so many. It is called from many
	// goroutines at once. Where it returns nil, the cells are to be made one by one.
	GenerateColumn(first table.RowIndex, rows int) *table.Column
}

// Answer is what a model has made of a cell.
type Answer struct {
	Value any
	// SideEffects are the values of the column's side-effect columns, in the order in which the plan has them.
	SideEffects []any
	// Usage is what the requests of this call have cost. It is valid beside an error too.
	Usage runreport.Usage
	// Earlier is what earlier calls for the cell have cost, which failed, and which this one went on from. It is valid beside an error too.
	Earlier runreport.Usage
	// Kept is what the next call for the cell needs to go on from a failure that passes. Nil where there is nothing to keep.
	Kept any
}

// ModelGenerator has a model make one cell. It is called from many goroutines at once, and only reads the record. When it is called again
// for the same cell, after a failure that passes, it gets what its last answer has kept. Its errors are failure.Error, or that of its
// context.
type ModelGenerator interface {
	Ask(ctx context.Context, record *table.Record, kept any) (Answer, error)
}

// BatchValue is one value that batch code returned.
type BatchValue struct {
	// Source is the position, in the batch, of the record that the value belongs to.
	Source int
	Value  any
}

// BatchGenerator makes the values of a column for all the records of a batch at once. It returns exactly one value for each
// record, in their order, unless resize is true: then any number, grouped by source in ascending order.
type BatchGenerator interface {
	GenerateBatch(ctx context.Context, records []*table.Record, resize bool) ([]BatchValue, error)
}

// Generators are those of a plan, by the index of their column in the schema. Each column has one of the three; those of the seed have
// none.
type Generators struct {
	Cell  []CellGenerator
	Model []ModelGenerator
	Batch []BatchGenerator
}

// NewGenerators has room for the generators of so many columns.
func NewGenerators(columns int) *Generators {
	return &Generators{Cell: make([]CellGenerator, columns), Model: make([]ModelGenerator, columns), Batch: make([]BatchGenerator, columns)}
}
