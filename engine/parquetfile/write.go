package parquetfile

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// rowsPerWrite is how many rows are encoded before they are handed on, and bytesPerWrite how much text of them at most, but for a single
// row. Pages end at such places: those of large texts must not become too large for readers.
const (
	rowsPerWrite  = 256
	bytesPerWrite = 1 << 20
)

// Of a column of texts the first of sampledTexts are looked at: when no more than one in distinctTexts of them is new, the column gets a
// dictionary.
const (
	sampledTexts  = 512
	distinctTexts = 8
)

// Writer writes Parquet files that say where they come from. The zero value is usable.
type Writer struct {
	// Version is that of the program; it may be empty.
	Version string
	// Metadata are keys and values of the files' own.
	Metadata map[string]string
}

// Write writes rows, whose cells stand in the order of the schema, as one Parquet file. It may be called from many goroutines.
func (w *Writer) Write(to io.Writer, schema *table.Schema, rows [][]any) error {
	build := &builder{}
	shapes := make([]*shape, schema.Len())
	for i, field := range schema.Fields() {
		shapes[i] = build.ofType(field.Type, 0, 0)
	}
	var file bytes.Buffer
	node := parquet.NewSchema("row", groupOf(schema.Fields(), repetitive(schema, rows)))
	writer := parquet.NewGenericWriter[any](&file, w.options(node)...)
	columns := writer.ColumnWriters()
	encode := &encoder{leaves: make([][]parquet.Value, build.columns)}
	for start := 0; start < len(rows); {
		end := endOfWrite(rows, start)
		if err := encode.rows(shapes, rows[start:end], start); err != nil {
			return err
		}
		for i, values := range encode.leaves {
			if _, err := columns[i].WriteRowValues(values); err != nil {
				return err
			}
		}
		start = end
	}
	if err := writer.Close(); err != nil {
		return err
	}
	whole, err := cutStatistics(file.Bytes())
	if err != nil {
		return err
	}
	_, err = to.Write(whole)
	return err
}

// options are those of the library for files of a schema.
func (w *Writer) options(schema *parquet.Schema) []parquet.WriterOption {
	options := []parquet.WriterOption{
		&parquet.WriterConfig{CreatedBy: strings.TrimSpace("seedloom " + w.Version)}, schema,
		parquet.Compression(compression), parquet.DataPageStatistics(true),
		// The library's own choice for texts, their lengths before all of them, is not known to all readers.
		parquet.DefaultEncodingFor(parquet.ByteArray, &parquet.Plain),
	}
	for _, path := range schema.Columns() {
		if leaf, _ := schema.Lookup(path...); leaf.Node.Type().Kind() == parquet.ByteArray {
			// The header of a page has the texts whole, and readers refuse headers that are too large.
			options = append(options, parquet.SkipPageStatistics(path...))
		}
	}
	for key, value := range w.Metadata {
		options = append(options, parquet.KeyValueMetadata(key, value))
	}
	return options
}

// repetitive says of each column whether it holds few texts again and again.
func repetitive(schema *table.Schema, rows [][]any) []bool {
	columns := make([]bool, schema.Len())
	sample := rows[:min(len(rows), sampledTexts)]
	for i, field := range schema.Fields() {
		if field.Type.Kind != table.KindString || len(sample) < distinctTexts {
			continue
		}
		seen := make(map[string]bool, len(sample)/distinctTexts)
		for _, row := range sample {
			if text, isText := row[i].(string); isText {
				seen[text] = true
			}
			if len(seen) > len(sample)/distinctTexts {
				break
			}
		}
		columns[i] = len(seen) <= len(sample)/distinctTexts
	}
	return columns
}

// endOfWrite is the first row that is not written together with the one at start.
func endOfWrite(rows [][]any, start int) int {
	size := 0
	for end := start; end < min(start+rowsPerWrite, len(rows)); end++ {
		size += int(table.Bytes(rows[end]))
		if size > bytesPerWrite && end > start {
			return end
		}
	}
	return min(start+rowsPerWrite, len(rows))
}

// encoder collects the values of some rows by leaf column, with their levels.
type encoder struct{ leaves [][]parquet.Value }

// rows collects rows, the first of which has a number. It goes column by column, which costs less than rows that are taken apart again.
func (e *encoder) rows(shapes []*shape, rows [][]any, first int) error {
	for i := range e.leaves {
		e.leaves[i] = e.leaves[i][:0]
	}
	for i, node := range shapes {
		if node.isLeaf() {
			if err := e.column(node, rows, i, first); err != nil {
				return err
			}
			continue
		}
		for number, cells := range rows {
			if err := e.value(node, cells[i], 0, 0); err != nil {
				return fmt.Errorf("row %d: %w", first+number, err)
			}
		}
	}
	return nil
}

// column collects a column that is no list and no struct.
func (e *encoder) column(node *shape, rows [][]any, position, first int) error {
	leaf := e.leaves[node.first]
	null := parquet.NullValue().Level(0, 0, node.first)
	for number, cells := range rows {
		cell := cells[position]
		if cell == nil {
			leaf = append(leaf, null)
			continue
		}
		value, err := leafValue(&node.kind, cell)
		if err != nil {
			return fmt.Errorf("row %d: %w", first+number, err)
		}
		leaf = append(leaf, value.Level(0, node.present, node.first))
	}
	e.leaves[node.first] = leaf
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
	if node.isLeaf() {
		value, err := leafValue(&node.kind, cell)
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
	if node.kind.Kind == table.KindStruct {
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
