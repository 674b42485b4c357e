package parquetfile

import (
	"encoding/binary"
	"math"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// byRow is what a file is written of, row by row.
type byRow [][]any

func (rows byRow) len() int { return len(rows) }

func (rows byRow) repetitive(column, sample int) bool {
	return repetitiveCells(sample, func(row int) any { return rows[row][column] })
}

func (rows byRow) encode(to *encoder, node *shape, column int) error {
	return to.cells(node, len(rows), func(row int) any { return rows[row][column] })
}

// byColumn is what a file is written of, column by column.
type byColumn struct {
	columns []*table.Column
	rows    int
}

func (c *byColumn) len() int { return c.rows }

func (c *byColumn) repetitive(column, sample int) bool {
	of := c.columns[column]
	if of.Texts == nil {
		return repetitiveCells(sample, of.Value)
	}
	seen := distinct{}
	for _, text := range of.Texts[:sample] {
		if tooMany(seen, text, sample) {
			return false
		}
	}
	return true
}

func repetitiveCells(sample int, cell func(row int) any) bool {
	seen := distinct{}
	for row := range sample {
		if text, isText := cell(row).(string); isText && tooMany(seen, text, sample) {
			return false
		}
	}
	return true
}

func (c *byColumn) encode(to *encoder, node *shape, column int) error {
	of := c.columns[column]
	switch {
	case of.Floats != nil && node.kind.Kind == table.KindFloat:
		return to.leaves[node.first].doubles(of.Floats[:c.rows])
	case of.Ints != nil && node.kind.Kind == table.KindInt:
		return to.leaves[node.first].int64s(of.Ints[:c.rows])
	case of.Texts != nil && node.kind.Kind == table.KindString:
		return to.leaves[node.first].texts(of.Texts[:c.rows])
	case of.Moments != nil && node.kind.Kind == table.KindTimestamp:
		return to.leaves[node.first].moments(&node.kind, of.Moments[:c.rows])
	}
	return to.cells(node, c.rows, of.Value)
}

// The functions below add the rows of a column none of whose values is null.

func (c *chunk) int64s(values []int64) error {
	for len(values) > 0 {
		rows, page, bounds := c.room(len(values), 8), c.values, c.bounds
		for _, value := range values[:rows] {
			page = binary.LittleEndian.AppendUint64(page, uint64(value))
			bounds.takeInt(value)
		}
		c.values, c.bounds = page, bounds
		if err := c.presentRows(rows); err != nil {
			return err
		}
		values = values[rows:]
	}
	return nil
}

func (c *chunk) doubles(values []float64) error {
	for len(values) > 0 {
		rows, page, bounds := c.room(len(values), 8), c.values, c.bounds
		for _, value := range values[:rows] {
			page = binary.LittleEndian.AppendUint64(page, math.Float64bits(value))
			bounds.takeFloat(value)
		}
		c.values, c.bounds = page, bounds
		if err := c.presentRows(rows); err != nil {
			return err
		}
		values = values[rows:]
	}
	return nil
}

func (c *chunk) texts(values [][]byte) error {
	for len(values) > 0 {
		rows := 0
		for size := len(c.values); rows < len(values) && rows < levelsPerPage-len(c.definitions) && size < bytesPerPage; rows++ {
			size += len(values[rows]) + lengthBytes
		}
		if c.dictionary != nil && !c.dictionary.full {
			rows = c.entries(values[:rows])
		} else {
			c.plainTexts(values[:rows])
		}
		if err := c.presentRows(rows); err != nil {
			return err
		}
		values = values[rows:]
	}
	return nil
}

func (c *chunk) plainTexts(values [][]byte) {
	page := c.values
	for _, value := range values {
		page = binary.LittleEndian.AppendUint32(page, uint32(len(value)))
		page = append(page, value...)
		takeText(&c.bounds, value)
	}
	c.metadata.SizeStatistics.UnencodedByteArrayDataBytes += int64(len(page) - len(c.values) - lengthBytes*len(values))
	c.values = page
}

// entries adds texts up to the one that makes the dictionary too large, and returns how many they are.
func (c *chunk) entries(values [][]byte) (rows int) {
	page := c.dictionary.page
	for rows < len(values) && !c.dictionary.overflows() {
		c.metadata.SizeStatistics.UnencodedByteArrayDataBytes += int64(len(values[rows]))
		page = append(page, number(c.dictionary, values[rows]))
		rows++
	}
	c.dictionary.page = page
	return rows
}

func (c *chunk) moments(kind *table.Type, values []time.Time) error {
	for _, value := range values {
		if err := c.moment(kind, value); err != nil {
			return err
		}
		if err := c.presentRows(1); err != nil {
			return err
		}
	}
	return nil
}
