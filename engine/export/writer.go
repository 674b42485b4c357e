package export

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"

	"seedloom.dev/seedloom/engine/table"
)

// Writer writes rows of a schema into files. It belongs to one goroutine.
type Writer struct {
	options Options
	create  Create
	format  format
	// split is the position of the column that the rows are split by, and splitType its type. It is -1 where there is none, and where the
	// value comes from elsewhere.
	split     int
	splitType table.Type
	// parts are what the rows are split into, by their values, and order the same in the order of their first rows.
	parts  map[string]*part
	order  []*part
	result Result
	// open is how much is in the files that are open, before compression.
	open int64
}

// part are the rows of one value of the column that they are split by, or all rows.
type part struct {
	// prefix is what the names of its files begin with, and files how many of them were begun.
	prefix string
	value  *string
	files  int
	now    *openFile
}

// openFile is a file that rows are still written to.
type openFile struct {
	name     string
	file     io.WriteCloser
	counter  *counter
	buffered *bufio.Writer
	packed   io.WriteCloser
	rows     rows
	count    int64
	size     int64
}

// counter counts what goes into a file, and digests it.
type counter struct {
	to    io.Writer
	sum   hash.Hash
	bytes int64
}

// Write writes, counts and digests.
func (c *counter) Write(data []byte) (int, error) {
	count, err := c.to.Write(data)
	c.bytes += int64(count)
	c.sum.Write(data[:count])
	return count, err
}

// NewWriter returns what writes rows of a schema. Without a row it creates no file.
func NewWriter(schema *table.Schema, options Options, create Create) (*Writer, error) {
	split, err := splitColumn(schema, options.SplitBy)
	if err != nil {
		return nil, err
	}
	writer, err := newWriter(schema, options, create)
	if err == nil && split >= 0 {
		writer.split, writer.splitType = split, schema.Fields()[split].Type
	}
	return writer, err
}

// NewSplitWriter returns what writes rows of a schema that does not have the column by which they are split: it is one of another schema,
// and its value comes with each row.
func NewSplitWriter(schema *table.Schema, options Options, by *table.Schema, create Create) (*Writer, error) {
	split, err := splitColumn(by, options.SplitBy)
	if err != nil {
		return nil, err
	}
	writer, err := newWriter(schema, options, create)
	if err == nil {
		writer.splitType = by.Fields()[split].Type
	}
	return writer, err
}

func newWriter(schema *table.Schema, options Options, create Create) (*Writer, error) {
	writer := &Writer{options: options, create: create, parts: map[string]*part{}, split: -1}
	var err error
	writer.format, err = newFormat(schema, options, &writer.result)
	return writer, err
}

// Write writes a row, whose cells stand in the order of the schema. Nothing of it is kept.
func (w *Writer) Write(cells []any) error {
	if w.split < 0 {
		return w.WriteFor(nil, cells)
	}
	return w.WriteFor(cells[w.split], cells)
}

// WriteFor writes a row that has a value in the column by which rows are split.
func (w *Writer) WriteFor(value any, cells []any) error {
	into, err := w.part(value)
	if err != nil {
		return err
	}
	size, err := w.format.encode(cells)
	if err != nil {
		return fmt.Errorf("row %d: %w", w.result.Rows+1, err)
	}
	if file := into.now; file != nil && w.isFull(file, size) {
		if err := w.finish(into); err != nil {
			return err
		}
	}
	if into.now == nil {
		if err := w.begin(into); err != nil {
			return err
		}
	}
	if err := into.now.rows.put(); err != nil {
		return fmt.Errorf("row %d: %w", w.result.Rows+1, err)
	}
	into.now.count++
	into.now.size += size
	w.open += size
	w.result.Rows++
	if w.open > maxOpenBytes && len(w.order) > 1 {
		return w.finish(w.largest())
	}
	return nil
}

// isFull says whether a row of a size has to go into another file.
func (w *Writer) isFull(file *openFile, size int64) bool {
	maxRows := w.format.maxRows()
	return w.options.MaxFileBytes > 0 && file.size+size > w.options.MaxFileBytes || maxRows > 0 && file.count == maxRows
}

// largest is the part with the largest file that is open.
func (w *Writer) largest() *part {
	var largest *part
	for _, one := range w.order {
		if one.now != nil && (largest == nil || one.now.size > largest.now.size) {
			largest = one
		}
	}
	return largest
}

// Close ends the files, and says what was written.
func (w *Writer) Close() (*Result, error) {
	for _, part := range w.order {
		if part.now == nil {
			continue
		}
		if err := w.finish(part); err != nil {
			return nil, err
		}
	}
	return &w.result, nil
}

// begin creates the next file of a part.
func (w *Writer) begin(of *part) (err error) {
	begun := &openFile{name: fmt.Sprintf("%s-%05d%s", of.prefix, of.files, ending(w.options))}
	if begun.file, err = w.create(begun.name); err != nil {
		return err
	}
	begun.counter = &counter{to: begun.file, sum: sha256.New()}
	begun.buffered = bufio.NewWriter(begun.counter)
	if begun.packed, err = compressed(w.options, begun.buffered); err != nil {
		return err
	}
	if begun.rows, err = w.format.open(begun.packed); err != nil {
		return err
	}
	of.files++
	of.now = begun
	return nil
}

// finish ends the file of a part.
func (w *Writer) finish(of *part) error {
	ended := of.now
	of.now = nil
	w.open -= ended.size
	if err := ended.rows.end(); err != nil {
		return err
	}
	if err := ended.packed.Close(); err != nil {
		return err
	}
	if err := ended.buffered.Flush(); err != nil {
		return err
	}
	if err := ended.file.Close(); err != nil {
		return err
	}
	w.result.Files = append(w.result.Files, File{
		Name: ended.name, Rows: ended.count, Bytes: ended.counter.bytes, SHA256: hex.EncodeToString(ended.counter.sum.Sum(nil)), Split: of.value,
	})
	return nil
}
