package parquetfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"seedloom.dev/seedloom/engine/table"
)

// Of a column of texts the first of sampledTexts are looked at: when no more than one in distinctTexts of them is new, the column gets a
// dictionary.
const (
	sampledTexts  = 512
	distinctTexts = 8
)

// magic begins and ends a file.
const magic = "PAR1"

// Writer writes Parquet files that say where they come from. The zero value is usable.
//
// It writes pages itself, of values of their own types, with the encodings and the structures of a library. That library's own writer takes
// a box for each value, and most of the time then went into boxes; another one's has no checksums of pages.
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
	// repetitive says whether a column of texts holds few of them again and again, by the first of its rows.
	repetitive(column, sample int) bool
	// encode adds the cells of a column.
	encode(to *encoder, node *shape, column int) error
}

func (w *Writer) write(to io.Writer, schema *table.Schema, rows content) error {
	of := fileSchemaOf(schema.Fields())
	file := files.Get().(*bytes.Buffer)
	defer release(file)
	file.WriteString(magic)
	footer := &fileMetaData{
		Version: 2, Schema: of.elements, CreatedBy: strings.TrimSpace("seedloom " + w.Version), ColumnOrders: of.orders,
		KeyValueMetadata: w.keyValues(),
	}
	if rows.len() > 0 && len(of.leaves) > 0 {
		if err := writeRowGroup(file, footer, schema, of, rows); err != nil {
			return err
		}
	}
	start := file.Len()
	if err := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(file)).Encode(footer); err != nil {
		return err
	}
	file.Write(binary.LittleEndian.AppendUint32(nil, uint32(file.Len()-start)))
	file.WriteString(magic)
	_, err := to.Write(file.Bytes())
	return err
}

// files keeps the memory of files for the next ones, but for that of more than maxFileKept bytes.
var files = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const maxFileKept = 4 << 20

func release(file *bytes.Buffer) {
	if file.Cap() <= maxFileKept {
		file.Reset()
		files.Put(file)
	}
}

func (w *Writer) keyValues() (pairs []format.KeyValue) {
	for key, value := range w.Metadata {
		pairs = append(pairs, format.KeyValue{Key: key, Value: value})
	}
	slices.SortFunc(pairs, func(a, b format.KeyValue) int { return strings.Compare(a.Key, b.Key) })
	return pairs
}

// writeRowGroup writes all rows, which are one row group, and notes it in the footer. The memory of a column serves the next one.
func writeRowGroup(file *bytes.Buffer, footer *fileMetaData, schema *table.Schema, of *fileSchema, rows content) error {
	encode := &encoder{leaves: make([]*chunk, len(of.leaves))}
	all := make([]written, len(of.leaves))
	build := &builder{}
	for i, field := range schema.Fields() {
		node := build.ofType(field.Type, 0, 0)
		hasDictionary := field.Type.Kind == table.KindString && isRepetitive(rows, i)
		for leaf := node.first; leaf < node.last; leaf++ {
			encode.leaves[leaf] = newChunk(of.leaves[leaf], hasDictionary)
		}
		err := rows.encode(encode, node, i)
		for leaf := node.first; leaf < node.last; leaf++ {
			if err == nil {
				err = encode.leaves[leaf].finish(file)
			}
			all[leaf] = encode.leaves[leaf].written
			encode.leaves[leaf].release()
		}
		if err != nil {
			return err
		}
	}
	group := rowGroup{NumRows: int64(rows.len()), FileOffset: int64(len(magic)), Columns: make([]columnChunk, len(all))}
	if err := writeIndexes(file, all, group.Columns); err != nil {
		return err
	}
	for i := range all {
		group.Columns[i].MetaData = all[i].metadata
		group.TotalByteSize += all[i].metadata.TotalUncompressedSize
		group.TotalCompressedSize += all[i].metadata.TotalCompressedSize
	}
	footer.NumRows, footer.RowGroups = group.NumRows, []rowGroup{group}
	return nil
}

// writeIndexes writes what readers find the pages of values with, and notes where it is.
func writeIndexes(file *bytes.Buffer, all []written, columns []columnChunk) error {
	encode := thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(file))
	for i := range all {
		if !all[i].hasIndex {
			continue
		}
		columns[i].ColumnIndexOffset = int64(file.Len())
		if err := encode.Encode(&all[i].index); err != nil {
			return err
		}
		columns[i].ColumnIndexLength = int32(int64(file.Len()) - columns[i].ColumnIndexOffset)
	}
	for i := range all {
		columns[i].OffsetIndexOffset = int64(file.Len())
		if err := encode.Encode(&all[i].offsets); err != nil {
			return err
		}
		columns[i].OffsetIndexLength = int32(int64(file.Len()) - columns[i].OffsetIndexOffset)
	}
	return nil
}

// isRepetitive says whether a column of texts gets a dictionary.
func isRepetitive(rows content, column int) bool {
	sample := min(rows.len(), sampledTexts)
	return sample >= distinctTexts && rows.repetitive(column, sample)
}

// distinct counts the different texts of a sample, until there are too many for a dictionary.
type distinct map[string]bool

// tooMany takes a text, and says whether there are too many for a sample of so many.
func tooMany[T string | []byte](d distinct, text T, sample int) bool {
	if !d[string(text)] {
		d[string(text)] = true
	}
	return len(d) > sample/distinctTexts
}

// encoder takes apart the cells of nested columns, for the chunks of their leaves.
type encoder struct{ leaves []*chunk }

func (e *encoder) null(node *shape, repetition, definition int) {
	for _, leaf := range e.leaves[node.first:node.last] {
		leaf.level(repetition, definition)
	}
}

func (e *encoder) value(node *shape, cell any, repetition, definition int) error {
	if cell == nil {
		e.null(node, repetition, definition)
		return nil
	}
	if node.isLeaf() {
		leaf := e.leaves[node.first]
		leaf.level(repetition, node.present)
		return leaf.cell(&node.kind, cell)
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

// cells adds the cells of a column.
func (e *encoder) cells(node *shape, rows int, cell func(row int) any) error {
	leaves := e.leaves[node.first:node.last]
	for row := range rows {
		if err := e.value(node, cell(row), 0, 0); err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
		for _, leaf := range leaves {
			if err := leaf.endRow(); err != nil {
				return err
			}
		}
	}
	return nil
}
