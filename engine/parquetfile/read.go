package parquetfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// Read reads a whole Parquet file of any writer into memory.
func Read(from io.ReaderAt, size int64) (schema *table.Schema, rows [][]any, err error) {
	// The library panics on some broken files.
	defer func() {
		if cause := recover(); cause != nil {
			schema, rows, err = nil, nil, fmt.Errorf("the Parquet file is damaged: %v", cause)
		}
	}()
	file, err := parquet.OpenFile(from, size)
	if err != nil {
		return nil, nil, err
	}
	build := &builder{}
	var shapes []*shape
	var fields []table.Field
	for _, field := range file.Schema().Fields() {
		node, err := build.ofNode(field, field.Name(), 0, 0)
		if err != nil {
			return nil, nil, err
		}
		shapes = append(shapes, node)
		fields = append(fields, table.Field{Name: field.Name(), Type: node.tableType()})
	}
	decode := &decoder{shapes: shapes, columns: make([][]parquet.Value, build.columns)}
	for _, group := range file.RowGroups() {
		if rows, err = decode.group(group, rows); err != nil {
			return nil, nil, err
		}
	}
	return table.NewSchema(fields...), rows, nil
}

// decoder assembles rows from the values of their leaf columns.
type decoder struct {
	shapes  []*shape
	columns [][]parquet.Value
}

func (d *decoder) group(group parquet.RowGroup, rows [][]any) (_ [][]any, err error) {
	reader := group.Rows()
	defer func() { err = errors.Join(err, reader.Close()) }()
	buffer := make([]parquet.Row, rowsPerWrite)
	for {
		count, readError := reader.ReadRows(buffer)
		for _, row := range buffer[:count] {
			cells, err := d.row(row)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", len(rows), err)
			}
			rows = append(rows, cells)
		}
		if errors.Is(readError, io.EOF) {
			return rows, nil
		}
		if readError != nil {
			return nil, readError
		}
	}
}

func (d *decoder) row(row parquet.Row) ([]any, error) {
	for i := range d.columns {
		d.columns[i] = nil
	}
	for start := 0; start < len(row); {
		end := start + 1
		for end < len(row) && row[end].Column() == row[start].Column() {
			end++
		}
		d.columns[row[start].Column()] = row[start:end]
		start = end
	}
	cells := make([]any, len(d.shapes))
	for i, node := range d.shapes {
		cell, err := assemble(node, d.columns[node.first:node.last])
		if err != nil {
			return nil, err
		}
		cells[i] = cell
	}
	return cells, nil
}

// assemble makes a value of a node from the values of its leaf columns.
func assemble(node *shape, columns [][]parquet.Value) (any, error) {
	if len(columns) == 0 || len(columns[0]) == 0 {
		return nil, nil
	}
	level := columns[0][0].DefinitionLevel()
	if level < node.present {
		return nil, nil
	}
	switch node.kind {
	case table.KindStruct:
		members := make([]any, len(node.children))
		for i, child := range node.children {
			member, err := assemble(child, columns[child.first-node.first:child.last-node.first])
			if err != nil {
				return nil, err
			}
			members[i] = member
		}
		return members, nil
	case table.KindList:
		if level < node.filled {
			return []any{}, nil
		}
		return assembleList(node, columns)
	}
	if columns[0][0].IsNull() {
		return nil, nil
	}
	return node.read(columns[0][0])
}

func assembleList(node *shape, columns [][]parquet.Value) (any, error) {
	items := []any{}
	starts := make([]int, len(columns))
	for starts[0] < len(columns[0]) {
		element := make([][]parquet.Value, len(columns))
		for i, values := range columns {
			end := starts[i] + 1
			for end < len(values) && values[end].RepetitionLevel() > node.repeat {
				end++
			}
			if starts[i] >= len(values) {
				return nil, errors.New("the columns of a list have different lengths")
			}
			element[i] = values[starts[i]:end]
			starts[i] = end
		}
		item, err := assemble(node.children[0], element)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, nil
}
