package parquetfile

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"seedloom.dev/seedloom/engine/table"
)

const (
	// maxFooter bounds the description at the end of a file, which is read at once.
	maxFooter = 32 << 20
	// maxPage bounds a page, of which one of each column is in memory.
	maxPage = 64 << 20
	// readBuffer is how much is read at once of a column.
	readBuffer = 64 << 10
)

// Reader reads the rows of a Parquet file of any writer, without holding more of it than a page of each column. It belongs to one
// goroutine.
type Reader struct {
	file   *file.Reader
	nodes  []*readNode
	leaves int
	schema *table.Schema
	from   io.ReaderAt
	size   int64
	// other reads what file can't; it is opened when it is wanted.
	other *otherReader
}

// Open reads the description of a file. The source must be there as long as rows are read.
func Open(from io.ReaderAt, size int64) (reader *Reader, err error) {
	defer recovered(&err)
	if err := checkEnds(from, size); err != nil {
		return nil, err
	}
	properties := parquet.NewReaderProperties(memory.NewGoAllocator())
	properties.BufferedStreamEnabled, properties.BufferSize, properties.PageStreamingEnabled = true, readBuffer, true
	properties.MaxCompressedPageSize, properties.MaxUncompressedPageSize = maxPage, maxPage
	opened, err := file.NewParquetReader(io.NewSectionReader(from, 0, size), file.WithReadProps(properties))
	if err != nil {
		return nil, fmt.Errorf("the Parquet file is damaged: %w", err)
	}
	root := opened.MetaData().Schema.Root()
	build := &readBuilder{}
	reader = &Reader{file: opened, from: from, size: size}
	var fields []table.Field
	for i := range root.NumFields() {
		node, err := build.node(root.Field(i), 0, 0)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", root.Field(i).Name(), err)
		}
		reader.nodes = append(reader.nodes, node)
		fields = append(fields, table.Field{Name: root.Field(i).Name(), Type: node.kind})
	}
	reader.leaves, reader.schema = build.leaves, table.NewSchema(fields...)
	return reader, nil
}

// checkEnds looks at the first and the last bytes of a file, which say what it is.
func checkEnds(from io.ReaderAt, size int64) error {
	var first, last [8]byte
	if size == 0 {
		return errors.New("the file is empty")
	}
	if _, err := from.ReadAt(first[:min(size, 8)], 0); err != nil {
		return err
	}
	if string(first[:4]) != "PAR1" {
		return fmt.Errorf("the file is no Parquet file: it begins with %q and not with PAR1; is it the right file, or another format?",
			first[:min(size, 8)])
	}
	if size < 12 {
		return fmt.Errorf("the file is cut off after %d bytes; copy or download it again", size)
	}
	if _, err := from.ReadAt(last[:], size-8); err != nil {
		return err
	}
	footer := int64(last[0]) | int64(last[1])<<8 | int64(last[2])<<16 | int64(last[3])<<24
	switch {
	case string(last[4:]) == "PARE":
		return errors.New("the file is encrypted, which is not supported; write it without encryption")
	case string(last[4:]) != "PAR1":
		return fmt.Errorf("the file is cut off: its %d bytes do not end with PAR1; copy or download it again", size)
	case footer > maxFooter:
		return fmt.Errorf("its description of %d MiB is larger than %d MiB; write fewer row groups", footer>>20, maxFooter>>20)
	}
	return nil
}

// recovered turns a panic of the library, which some broken files cause, into an error.
func recovered(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("the Parquet file is damaged: %v", cause)
	}
}

// Schema returns the columns of the file, under the names that they have there.
func (r *Reader) Schema() *table.Schema { return r.schema }

// NumRows is how many rows the file says to have.
func (r *Reader) NumRows() int64 { return r.file.NumRows() }

// Cells takes the cells of rows, one after the other. Their errors are told with the column and the row.
type Cells interface {
	Int(value int64) error
	Float(value float64) error
	// Text takes a text that belongs to the reader.
	Text(value []byte) error
	// Cell takes any other cell; nil for null.
	Cell(value any) error
	// EndRow is called after the last cell of a row, and says whether another one is wanted.
	EndRow() (more bool, err error)
}

// Each hands out the rows of the file in their order, each with the cells of some columns, without a box for most of them.
func (r *Reader) Each(columns []int, to Cells) error {
	row := int64(0)
	for group := range r.file.NumRowGroups() {
		count := r.file.RowGroup(group).NumRows()
		if count == 0 {
			continue // of which the library would read what is not there
		}
		if more, err := r.group(group, columns, row, to); !more || err != nil {
			return err
		}
		row += count
	}
	return nil
}

// group hands out the rows of a row group, the first of which has a number in the file.
func (r *Reader) group(index int, columns []int, first int64, to Cells) (more bool, err error) {
	defer recovered(&err)
	// A column that is wanted twice has its leaves twice, since each is read from its beginning to its end.
	leaves, once := make([][]*leaf, len(columns)), make([]*leaf, r.leaves)
	for i, column := range columns {
		if leaves[i] = once; slices.Contains(columns[:i], column) {
			leaves[i] = make([]*leaf, r.leaves)
		}
		node := r.nodes[column]
		for at := node.first; at < node.last; at++ {
			if leaves[i][at], err = r.leaf(index, at); err != nil {
				return false, r.problem(column, first, err)
			}
		}
	}
	for row := range r.file.RowGroup(index).NumRows() {
		for i, column := range columns {
			if err := r.nodes[column].hand(leaves[i], to); err != nil {
				return false, r.problem(column, first+row, err)
			}
		}
		if more, err := to.EndRow(); !more || err != nil {
			return false, err
		}
	}
	return true, nil
}

// leaf opens a leaf column of a row group.
func (r *Reader) leaf(group, column int) (*leaf, error) {
	description, err := r.file.RowGroup(group).MetaData().ColumnChunk(column)
	if err != nil {
		return nil, err
	}
	opened, err := r.openLeaf(group, column, description)
	if err != nil {
		return nil, err
	}
	opened.read = newPageChecksums(r.from, group, description).before(opened.read)
	return opened, nil
}

func (r *Reader) openLeaf(group, column int, description *metadata.ColumnChunkMetaData) (_ *leaf, err error) {
	descriptor := r.file.MetaData().Schema.Column(column)
	if descriptor.PhysicalType() == parquet.Types.FixedLenByteArray &&
		slices.Contains(description.Encodings(), parquet.Encodings.DeltaByteArray) {
		if !description.HasDictionaryPage() {
			return r.lengthPrefixed(group, column, descriptor, description.NumValues())
		}
		if r.other == nil {
			if r.other, err = openOther(r.from, r.size); err != nil {
				return nil, err
			}
		}
		return r.other.leaf(group, column, descriptor, description)
	}
	chunk, err := r.file.RowGroup(group).Column(column)
	if err != nil {
		return nil, err
	}
	return newLeaf(chunk, description.NumValues()), nil
}

// lengthPrefixed opens a leaf column of values of a fixed length in DELTA_BYTE_ARRAY, without a dictionary, as one of values of any length:
// it has the same bytes.
func (r *Reader) lengthPrefixed(group, column int, of *schema.Column, levels int64) (*leaf, error) {
	pages, err := r.file.RowGroup(group).GetColumnPageReader(column)
	if err != nil {
		return nil, err
	}
	node, err := schema.NewPrimitiveNode(of.Name(), of.SchemaNode().RepetitionType(), parquet.Types.ByteArray, -1, -1)
	if err != nil {
		return nil, err
	}
	variable := schema.NewColumn(node, of.MaxDefinitionLevel(), of.MaxRepetitionLevel())
	//nolint:staticcheck // It is the only way to read a column with a description of our own, and is not used beside other readers.
	return newLeaf(file.NewColumnReader(variable, pages, memory.NewGoAllocator(), r.file.BufferPool()), levels), nil
}

// problem names the column and the row, counted from 1 as people do.
func (r *Reader) problem(column int, row int64, err error) error {
	return fmt.Errorf("column %q, row %d: %w", r.schema.Fields()[column].Name, row+1, err)
}

// Read reads a whole Parquet file of any writer into memory.
func Read(from io.ReaderAt, size int64) (schema *table.Schema, rows [][]any, err error) {
	reader, err := Open(from, size)
	if err != nil {
		return nil, nil, err
	}
	columns := make([]int, reader.schema.Len())
	for i := range columns {
		columns[i] = i
	}
	read := &boxed{}
	if err := reader.Each(columns, read); err != nil {
		return nil, nil, err
	}
	return reader.schema, read.rows, nil
}

// boxed are rows, each cell of which is in a box.
type boxed struct {
	rows [][]any
	row  []any
}

// Int implements Cells.
func (b *boxed) Int(value int64) error { return b.Cell(value) }

// Float implements Cells.
func (b *boxed) Float(value float64) error { return b.Cell(value) }

// Text implements Cells.
func (b *boxed) Text(value []byte) error { return b.Cell(string(value)) }

// Cell implements Cells.
func (b *boxed) Cell(value any) error {
	b.row = append(b.row, value)
	return nil
}

// EndRow implements Cells.
func (b *boxed) EndRow() (more bool, err error) {
	b.rows = append(b.rows, b.row)
	b.row = make([]any, 0, len(b.row))
	return true, nil
}
