package run

import (
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
)

// Seed has the rows of the seed, by the rows of the dataset that they belong to.
type Seed interface {
	// Fetch reads what belongs to some rows: to all of them, or to the first where they are too large to be in memory together. Several
	// goroutines may call it.
	Fetch(rows []table.RowIndex) (SeedRows, error)
	// Number is the number of the row in the seed.
	Number(row table.RowIndex) int64
}

// SeedRows are rows of the seed that were fetched. They belong to one goroutine.
type SeedRows interface {
	Len() int
	// Row writes the values of the seed's columns into the first cells, and returns what the file says of some of them (see table.Record).
	Row(number int, cells []any) (texts []string, err error)
}

// SeedColumns are rows of the seed that can be decoded column by column too.
type SeedColumns interface {
	SeedRows
	// Part returns the rows from start to, but without, end, which may belong to another goroutine than these.
	Part(start, end int) SeedColumns
	// Columns decodes the columns of the seed, of all rows.
	Columns() ([]*table.Column, error)
	// Size is how many bytes the rows have where they lie: no less than the text and the binary data in them.
	Size() int64
}

// seedValues are what the seed has for the first rows of a row group, in their order; what is missing is read when the rows are begun.
type seedValues struct {
	todo []schedule.Todo
	// part has the rows as they lie, all of them, where they are to be decoded column by column; nil where they are decoded already.
	part SeedColumns
	// cells are those of the records of all rows, width for each.
	cells []any
	width int
	texts [][]string
	// err is why the last of these rows could not be read; nil where all could.
	err error
	// bytes is how large the values are.
	bytes int64
	// next is the row that is begun next.
	next int
}

// hasAll says whether the values of all rows are there.
func (v *seedValues) hasAll() bool {
	return v != nil && (v.part != nil || v.err == nil && len(v.texts) == len(v.todo))
}

// columns puts some columns of the seed in their places in the schema.
func (v *seedValues) columns(into []*table.Column, indexes []int) error {
	if v.part != nil {
		columns, err := v.part.Columns()
		for i := 0; err == nil && i < len(indexes); i++ {
			into[indexes[i]] = columns[indexes[i]]
		}
		return err
	}
	for _, index := range indexes {
		values := make([]any, len(v.texts))
		for i := range values {
			values[i] = v.cells[i*v.width+index]
		}
		into[index] = &table.Column{Values: values}
	}
	return nil
}

// rowByRow returns the values as records have them.
func (v *seedValues) rowByRow() *seedValues {
	if v.part == nil {
		return v
	}
	return decodeValues(v.todo, v.part, 0, v.width)
}

// take returns the cells of a row if it is the next; false where it isn't.
func (v *seedValues) take(row table.RowIndex) (cells []any, texts []string, err error, there bool) {
	if v == nil || v.next == len(v.texts) || v.todo[v.next].Row != row {
		return nil, nil, nil, false
	}
	first := v.next * v.width
	cells, texts = v.cells[first:first+v.width:first+v.width], v.texts[v.next]
	if v.next++; v.next == len(v.texts) {
		err = v.err
	}
	return cells, texts, err, true
}

// valuesByColumn are those of the rows of a row group that are decoded later, column by column, where that can be: all of them have to be
// among those that were fetched.
func valuesByColumn(todo []schedule.Todo, fetched SeedRows, first, width int) *seedValues {
	columns, can := fetched.(SeedColumns)
	if !can || fetched.Len()-first < len(todo) {
		return decodeValues(todo, fetched, first, width)
	}
	part := columns.Part(first, first+len(todo))
	return &seedValues{todo: todo, part: part, width: width, bytes: part.Size()}
}

// decodeValues reads the values of the rows of a row group, or of the first of them, from rows that were fetched, of which its own begin at
// first. Records will have so many cells.
func decodeValues(todo []schedule.Todo, fetched SeedRows, first, width int) *seedValues {
	count := min(len(todo), fetched.Len()-first)
	values := &seedValues{todo: todo, cells: make([]any, count*width), width: width, texts: make([][]string, count)}
	for i := range values.texts {
		cells := values.cells[i*width : (i+1)*width]
		if values.texts[i], values.err = fetched.Row(first+i, cells); values.err != nil {
			values.texts = values.texts[:i+1]
			return values
		}
		values.bytes += table.Bytes(cells)
	}
	return values
}
