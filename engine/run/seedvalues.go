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

// seedValues are what the seed has for the first rows of a row group, in their order; what is missing is read when the rows are begun.
type seedValues struct {
	todo []schedule.Todo
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
func (v *seedValues) hasAll() bool { return v != nil && v.err == nil && len(v.texts) == len(v.todo) }

// column returns the values of a column.
func (v *seedValues) column(index int) *table.Column {
	values := make([]any, len(v.texts))
	for i := range values {
		values[i] = v.cells[i*v.width+index]
	}
	return &table.Column{Values: values}
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
