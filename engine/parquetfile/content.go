package parquetfile

import (
	"fmt"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// byRow is what a file is written of, row by row.
type byRow [][]any

func (rows byRow) len() int { return len(rows) }

func (rows byRow) bytes(row int) int { return int(table.Bytes(rows[row])) }

func (rows byRow) text(row, column int) (string, bool) {
	text, isText := rows[row][column].(string)
	return text, isText
}

// encode goes column by column, which costs less than rows that are taken apart again.
func (rows byRow) encode(to *encoder, shapes []*shape, start, end int) error {
	for i, node := range shapes {
		if err := to.cells(node, start, end, func(row int) any { return rows[row][i] }); err != nil {
			return err
		}
	}
	return nil
}

// byColumn is what a file is written of, column by column.
type byColumn struct {
	columns []*table.Column
	rows    int
}

func (c *byColumn) len() int { return c.rows }

func (c *byColumn) bytes(row int) (size int) {
	for _, column := range c.columns {
		switch {
		case column.Texts != nil:
			size += len(column.Texts[row])
		case column.Values != nil:
			size += int(table.Bytes(column.Values[row]))
		}
	}
	return size
}

func (c *byColumn) text(row, column int) (string, bool) {
	text, isText := c.columns[column].Value(row).(string)
	return text, isText
}

func (c *byColumn) encode(to *encoder, shapes []*shape, start, end int) error {
	for i, node := range shapes {
		column := c.columns[i]
		var err error
		switch {
		case column.Floats != nil && node.kind.Kind == table.KindFloat:
			collect(to, node, column.Floats[start:end], parquet.DoubleValue)
		case column.Ints != nil && node.kind.Kind == table.KindInt:
			collect(to, node, column.Ints[start:end], parquet.Int64Value)
		case column.Texts != nil && node.kind.Kind == table.KindString:
			collect(to, node, column.Texts[start:end], parquet.ByteArrayValue)
		case column.Values != nil:
			err = to.cells(node, start, end, func(row int) any { return column.Values[row] })
		default:
			err = to.cells(node, start, end, column.Value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// collect collects values of one type, none of which is null.
func collect[T any](to *encoder, node *shape, values []T, value func(T) parquet.Value) {
	leaf := to.leaves[node.first]
	for _, each := range values {
		leaf = append(leaf, value(each).Level(0, node.present, node.first))
	}
	to.leaves[node.first] = leaf
}

// cells collects the cells of a column, from a row to, but without, another one.
func (e *encoder) cells(node *shape, start, end int, cell func(row int) any) error {
	isLeaf := node.isLeaf()
	var leaf []parquet.Value
	if isLeaf { // a struct may have none
		leaf = e.leaves[node.first]
	}
	null := parquet.NullValue().Level(0, 0, node.first)
	for row := start; row < end; row++ {
		value := cell(row)
		switch {
		case !isLeaf:
			if err := e.value(node, value, 0, 0); err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
		case value == nil:
			leaf = append(leaf, null)
		default:
			encoded, err := leafValue(&node.kind, value)
			if err != nil {
				return fmt.Errorf("row %d: %w", row, err)
			}
			leaf = append(leaf, encoded.Level(0, node.present, node.first))
		}
	}
	if isLeaf {
		e.leaves[node.first] = leaf
	}
	return nil
}
