package table

import "time"

// Column holds the values of one column for consecutive rows by their kind, without a box for each: one of its slices is in use, which one
// says the type of the column.
type Column struct {
	Ints   []int64
	Floats []float64
	// Texts are the bytes of strings, which several values may share. Nobody changes them.
	Texts [][]byte
	// Moments are timestamps.
	Moments []time.Time
	// Values are those of a column that has none of the slices above; nil is null.
	Values []any
}

// Value is the value of a row, by its position in the column, as a record holds it.
func (c *Column) Value(position int) any {
	switch {
	case c.Ints != nil:
		return c.Ints[position]
	case c.Floats != nil:
		return c.Floats[position]
	case c.Texts != nil:
		return string(c.Texts[position])
	case c.Moments != nil:
		return c.Moments[position]
	}
	return c.Values[position]
}

// Columns are consecutive rows, column by column, in the order of a schema. All rows are whole, and were made at their first attempt.
type Columns struct {
	First RowIndex
	Rows  int
	Of    []*Column
}
