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
	return w.write(to, schema, byRow(rows))
}

// WriteColumns writes the same file as Write from columns, of which each has so many rows.
func (w *Writer) WriteColumns(to io.Writer, schema *table.Schema, columns []*table.Column, rows int) error {
	return w.write(to, schema, &byColumn{columns, rows})
}

// content is what a file is written of.
type content interface {
	len() int
	// bytes is how much text or binary data a row has.
	bytes(row int) int
	// text is that of a cell of a column of texts; false where it is null.
	text(row, column int) (text string, isText bool)
	// encode collects the rows from start to, but without, end.
	encode(to *encoder, shapes []*shape, start, end int) error
}

func (w *Writer) write(to io.Writer, schema *table.Schema, rows content) error {
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
	for start := 0; start < rows.len(); {
		end := endOfWrite(rows, start)
		encode.clear()
		if err := rows.encode(encode, shapes, start, end); err != nil {
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
func repetitive(schema *table.Schema, rows content) []bool {
	columns := make([]bool, schema.Len())
	sample := min(rows.len(), sampledTexts)
	for i, field := range schema.Fields() {
		if field.Type.Kind != table.KindString || sample < distinctTexts {
			continue
		}
		seen := make(map[string]bool, sample/distinctTexts)
		for row := 0; row < sample && len(seen) <= sample/distinctTexts; row++ {
			if text, isText := rows.text(row, i); isText {
				seen[text] = true
			}
		}
		columns[i] = len(seen) <= sample/distinctTexts
	}
	return columns
}

// endOfWrite is the first row that is not written together with the one at start.
func endOfWrite(rows content, start int) int {
	size, last := 0, min(start+rowsPerWrite, rows.len())
	for end := start; end < last; end++ {
		size += rows.bytes(end)
		if size > bytesPerWrite && end > start {
			return end
		}
	}
	return last
}

// encoder collects the values of some rows by leaf column, with their levels.
type encoder struct{ leaves [][]parquet.Value }

// clear forgets what was collected.
func (e *encoder) clear() {
	for i := range e.leaves {
		e.leaves[i] = e.leaves[i][:0]
	}
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
