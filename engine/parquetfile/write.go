package parquetfile

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// rowsPerWrite is how many rows are encoded before they are handed on. Pages end at its multiples.
const rowsPerWrite = 256

// Write writes rows, whose cells stand in the order of the schema, as one Parquet file.
func Write(to io.Writer, schema *table.Schema, rows [][]any) error {
	build := &builder{}
	shapes := make([]*shape, schema.Len())
	for i, field := range schema.Fields() {
		shapes[i] = build.ofType(field.Type, 0, 0)
	}
	// The library's own codec keeps its encoders, which are large, for the next file.
	writer := parquet.NewGenericWriter[any](to, parquet.NewSchema("row", groupOf(schema.Fields())),
		parquet.Compression(&parquet.Zstd), parquet.DataPageStatistics(true), parquet.CreatedBy("Seedloom", "", ""))
	columns := writer.ColumnWriters()
	encode := &encoder{leaves: make([][]parquet.Value, build.columns)}
	for start := 0; start < len(rows); start += rowsPerWrite {
		if err := encode.rows(shapes, rows[start:min(start+rowsPerWrite, len(rows))], start); err != nil {
			return err
		}
		for i, values := range encode.leaves {
			if _, err := columns[i].WriteRowValues(values); err != nil {
				return err
			}
		}
	}
	return writer.Close()
}

// encoder collects the values of some rows by leaf column, with their levels.
type encoder struct{ leaves [][]parquet.Value }

// rows collects rows, the first of which has a number. It goes column by column, which costs less than rows that are taken apart again.
func (e *encoder) rows(shapes []*shape, rows [][]any, first int) error {
	for i := range e.leaves {
		e.leaves[i] = e.leaves[i][:0]
	}
	for i, node := range shapes {
		for number, cells := range rows {
			if err := e.value(node, cells[i], 0, 0); err != nil {
				return fmt.Errorf("row %d: %w", first+number, err)
			}
		}
	}
	return nil
}

func (e *encoder) null(node *shape, repetition, definition int) {
	for column := node.first; column < node.last; column++ {
		e.leaves[column] = append(e.leaves[column], parquet.NullValue().Level(repetition, definition, column))
	}
}

func (e *encoder) value(node *shape, cell any, repetition, definition int) error {
	if cell == nil {
		e.null(node, repetition, definition)
		return nil
	}
	if node.kind != table.KindList && node.kind != table.KindStruct {
		value, err := leafValue(node.kind, cell)
		if err != nil {
			return err
		}
		e.leaves[node.first] = append(e.leaves[node.first], value.Level(repetition, node.present, node.first))
		return nil
	}
	items, isItems := cell.([]any)
	if !isItems {
		return fmt.Errorf("a %T can't be written as %s", cell, node.kind)
	}
	if node.kind == table.KindStruct {
		return e.members(node, items, repetition)
	}
	if len(items) == 0 {
		e.null(node, repetition, node.present)
		return nil
	}
	for i, item := range items {
		if i > 0 {
			repetition = node.repeat
		}
		if err := e.value(node.children[0], item, repetition, node.filled); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) members(node *shape, items []any, repetition int) error {
	if len(items) != len(node.children) {
		return fmt.Errorf("%d values can't be written as a struct of %d", len(items), len(node.children))
	}
	for i, child := range node.children {
		if err := e.value(child, items[i], repetition, node.present); err != nil {
			return err
		}
	}
	return nil
}
