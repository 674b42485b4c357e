package seed

import (
	"context"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// spoolRows encodes the rows of a Parquet file that are within the limits, and remembers where they are. It returns how many rows were
// passed over.
func (d *Dataset) spoolRows(
	ctx context.Context, reader *parquetfile.Reader, columns []chosen, kept *spool, limits limits,
) (passed int64, err error) {
	positions := make([]int, len(columns))
	for i, column := range columns {
		positions[i] = column.source
	}
	keep := &rowKeeper{ctx: ctx, dataset: d, columns: columns, fields: d.schema.Fields(), encode: &encoder{to: kept}, limits: limits}
	if err := reader.Each(positions, keep); err != nil {
		return keep.passed(), err
	}
	return keep.passed(), ctx.Err()
}

// rowKeeper keeps the rows of a Parquet file in the spool.
type rowKeeper struct {
	ctx     context.Context //nolint:containedctx // of one call
	dataset *Dataset
	columns []chosen
	fields  []table.Field
	encode  *encoder
	limits  limits
	// row is how many rows were read, and column the one whose cell comes next.
	row    int64
	column int
}

// passed is how many rows were passed over.
func (k *rowKeeper) passed() int64 { return min(k.row, k.limits.offset) }

// isKept says whether the next cell is kept as the file has it.
func (k *rowKeeper) isKept() bool {
	return k.row >= k.limits.offset && k.columns[k.column].asked == nil
}

// Int implements parquetfile.Cells.
func (k *rowKeeper) Int(value int64) error {
	if !k.isKept() {
		return k.Cell(value)
	}
	k.encode.int(value)
	k.column++
	return nil
}

// Float implements parquetfile.Cells.
func (k *rowKeeper) Float(value float64) error {
	if !k.isKept() {
		return k.Cell(value)
	}
	k.encode.float(value)
	k.column++
	return nil
}

// Text implements parquetfile.Cells.
func (k *rowKeeper) Text(value []byte) error {
	if !k.isKept() {
		return k.Cell(string(value))
	}
	encodeText(k.encode, value)
	k.column++
	return nil
}

// Cell implements parquetfile.Cells.
func (k *rowKeeper) Cell(value any) error {
	if k.row >= k.limits.offset {
		cell, err := retyped(k.columns[k.column].asked, value)
		if err != nil {
			return err
		}
		k.encode.cell(&k.fields[k.column].Type, cell)
	}
	k.column++
	return nil
}

// EndRow implements parquetfile.Cells.
func (k *rowKeeper) EndRow() (more bool, err error) {
	k.column = 0
	k.row++
	goesOn := k.row%1024 != 0 || k.ctx.Err() == nil
	if k.row <= k.limits.offset {
		return goesOn, nil
	}
	start, end, err := k.encode.end()
	if err != nil {
		return false, err
	}
	k.dataset.index.add(start, end)
	return goesOn && k.dataset.index.count != k.limits.count, nil
}
