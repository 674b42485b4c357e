// Package journal keeps the finished cells of a row group that is being made, so that an engine that is killed pays only for the requests
// that were under way: the format of a journal, and the set of those in work. Where files lie is up to the store, and what a row needs to
// its callers.
package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"sync"
	"time"

	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Cell is a finished cell of an attempt of a row, with what its requests have cost. One that has failed has no value.
type Cell struct {
	Row              table.RowIndex
	Ordinal, Attempt int32
	Column           string
	Value            any
	// SideEffects are the values of the columns that stand right after the column in the schema, and were made with it.
	SideEffects []any
	Usage       runreport.Usage
	Failed      bool
}

// kind is what a line says: nothing, where it is a cell.
type kind string

const (
	kindCell kind = ""
	// kindRestart is a row that is started again, at the line's attempt.
	kindRestart kind = "restart"
	// kindBegin has the first row after the row group in the place of the row.
	kindBegin kind = "begin"
)

// line is an entry in the file: after its checksum, as JSON, on a line of its own. The values of a cell are any when it is written, and
// JSON when it is read, since only the schema says what they become.
type line[V any] struct {
	Kind    kind   `json:"kind,omitempty"`
	Row     int64  `json:"row"`
	Ordinal int32  `json:"ordinal,omitempty"`
	Attempt int32  `json:"attempt,omitempty"`
	Column  string `json:"column"`
	Value   V      `json:"value"`

	SideEffects []V             `json:"sideEffects,omitempty"`
	Usage       runreport.Usage `json:"usage,omitzero"`
	Failed      bool            `json:"failed,omitempty"`
}

// sumDigits is the length of a line's checksum, in hexadecimal.
const sumDigits = 8

// noSum stands where the checksum will.
const noSum = "00000000 "

var polynomial = crc32.MakeTable(crc32.Castagnoli)

// File is what a journal is written to: an object that grows. Of a write that fails nothing is left in it.
type File interface {
	io.WriteCloser
	Sync() error
}

// Writer appends cells. Its methods may be called from many goroutines.
type Writer struct {
	file File
	// writing is held by whoever writes to the file, which may take long: a channel, so that those who wait do nothing meanwhile, in
	// simulated time too.
	writing chan struct{}

	mutex sync.Mutex
	size  int64
	dirty bool
	// next is the write that has not begun yet, and spare one that has ended, for the next.
	next, spare *write
}

// write is one write to the file, with the lines of all that have come while the one before it was under way.
type write struct {
	lines []byte
	// done is closed when the write has ended with err; it is nil where only one waits for it.
	done chan struct{}
	err  error
}

// NewWriter writes behind the valid bytes that a file has. The writer owns the file.
func NewWriter(file File, valid int64) *Writer {
	return &Writer{file: file, size: valid, writing: make(chan struct{}, 1)}
}

// Append writes a cell. When it returns, the cell survives the end of the process, however it ends; that of the machine only after Sync.
func (w *Writer) Append(cell Cell) error {
	return w.append(&line[any]{
		Row: int64(cell.Row), Ordinal: cell.Ordinal, Attempt: cell.Attempt, Column: cell.Column, Value: cell.Value,
		SideEffects: cell.SideEffects, Usage: cell.Usage, Failed: cell.Failed,
	})
}

// append returns when the line was written, by whoever was the first to wait for the write that takes it along.
func (w *Writer) append(entry *line[any]) error {
	buffer := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(buffer)
	text, err := entry.appendTo(buffer)
	if err != nil {
		return err
	}
	w.mutex.Lock()
	own, first := w.next, w.next == nil
	switch {
	case first && w.spare != nil:
		own, w.spare = w.spare, nil
	case first:
		own = new(write)
	case own.done == nil:
		own.done = make(chan struct{})
	}
	w.next = own
	own.lines = append(own.lines, text...)
	done := own.done
	w.mutex.Unlock()
	if first {
		return w.write(own)
	}
	<-done
	return own.err
}

// write writes the lines of all that wait for it.
func (w *Writer) write(own *write) error {
	w.writing <- struct{}{}
	w.mutex.Lock()
	w.next = nil
	done := own.done
	w.mutex.Unlock()
	_, err := w.file.Write(own.lines)
	w.mutex.Lock()
	if err == nil {
		w.size += int64(len(own.lines))
		w.dirty = true
	}
	if done == nil && cap(own.lines) <= mostSpare {
		own.lines, w.spare = own.lines[:0], own
	}
	w.mutex.Unlock()
	<-w.writing
	if done != nil {
		own.err = err
		close(done)
	}
	return err
}

// mostSpare is how much memory a writer keeps for its next write.
const mostSpare = 64 << 10

// buffers are those of lines that were written.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// appendTo writes the line, with its checksum, into a buffer, whose memory the result shares.
func (l *line[V]) appendTo(buffer *bytes.Buffer) ([]byte, error) {
	buffer.Reset()
	buffer.WriteString(noSum)
	if err := json.NewEncoder(buffer).Encode(l); err != nil { // ends with a line feed
		return nil, err
	}
	text := buffer.Bytes()
	document := text[len(noSum) : len(text)-1]
	var sum [sumDigits / 2]byte
	binary.BigEndian.PutUint32(sum[:], crc32.Checksum(document, polynomial))
	hex.Encode(text, sum[:])
	return text, nil
}

// Again notes that a row is started again, at an attempt: none before it is to be gone on with.
func (w *Writer) Again(row table.RowIndex, attempt int32) error {
	return w.append(&line[any]{Kind: kindRestart, Row: int64(row), Attempt: attempt})
}

// Begin notes which row is the first one after the row group: the cells after it are made of what all rows until there have given. It is
// wanted where they depend on all rows of the row group, whose end may move.
func (w *Writer) Begin(end table.RowIndex) error {
	return w.append(&line[any]{Kind: kindBegin, Row: int64(end)})
}

// Size is how many bytes the journal has.
func (w *Writer) Size() int64 {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.size
}

// Sync makes what was appended so far survive the end of the machine.
func (w *Writer) Sync() error {
	w.mutex.Lock()
	dirty := w.dirty
	w.dirty = false
	w.mutex.Unlock()
	if !dirty {
		return nil
	}
	return w.file.Sync()
}

// Close closes the file.
func (w *Writer) Close() error { return w.file.Close() }

// Content is what a journal holds.
type Content struct {
	Cells []Cell
	// Attempts are the latest attempts of the rows that were started again.
	Attempts map[table.RowIndex]int32
	// End is what Begin has noted last; 0 where it was never called. The cells from Current on are those after it, and Attempts are too.
	End     table.RowIndex
	Current int
	// Ends are, for each cell, where its line ends.
	Ends []int64
	// Valid is how many bytes are whole lines; Torn says that there are more.
	Valid int64
	Torn  bool
}

// Read reads a journal up to its end, or to the first line that is not whole: what comes after that can't be trusted. Columns that the
// schema does not have are left out.
func Read(data []byte, schema *table.Schema) Content {
	content := Content{Attempts: make(map[table.RowIndex]int32)}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			break
		}
		entry, err := parse(data[:end])
		if err != nil {
			break
		}
		cell, known, err := cellOf(entry, schema)
		if err != nil {
			break
		}
		content.Valid += int64(end) + 1
		data = data[end+1:]
		if entry.Kind == kindBegin {
			content.End, content.Current = cell.Row, len(content.Cells)
			clear(content.Attempts)
			continue
		}
		if cell.Attempt > content.Attempts[cell.Row] {
			content.Attempts[cell.Row] = cell.Attempt
		}
		if known {
			content.Cells = append(content.Cells, cell)
			content.Ends = append(content.Ends, content.Valid)
		}
	}
	content.Torn = len(data) > 0
	return content
}

// parse reads a line whose checksum must be right.
func parse(text []byte) (*line[json.RawMessage], error) {
	if len(text) < sumDigits+1 || text[sumDigits] != ' ' {
		return nil, fmt.Errorf("no checksum")
	}
	sum, err := strconv.ParseUint(string(text[:sumDigits]), 16, 32)
	if err != nil {
		return nil, err
	}
	document := text[sumDigits+1:]
	if crc32.Checksum(document, polynomial) != uint32(sum) {
		return nil, fmt.Errorf("wrong checksum")
	}
	entry := new(line[json.RawMessage])
	return entry, json.Unmarshal(document, entry)
}

// cellOf is what a line says of a cell, whose value is known if the schema has its column.
func cellOf(entry *line[json.RawMessage], schema *table.Schema) (cell Cell, known bool, err error) {
	cell = Cell{
		Row: table.RowIndex(entry.Row), Ordinal: entry.Ordinal, Attempt: entry.Attempt, Column: entry.Column, Usage: entry.Usage,
		Failed: entry.Failed,
	}
	if entry.Kind != kindCell {
		return cell, false, nil
	}
	index, known := schema.Index(entry.Column)
	if !known || index+len(entry.SideEffects) >= schema.Len() {
		return cell, false, nil
	}
	for i, raw := range entry.SideEffects {
		value, err := decode(raw, schema.Fields()[index+1+i].Type)
		if err != nil {
			return cell, false, err
		}
		cell.SideEffects = append(cell.SideEffects, value)
	}
	cell.Value, err = decode(entry.Value, schema.Fields()[index].Type)
	return cell, true, err
}

// decode brings a value back as the Go type that the column's type demands.
func decode(raw json.RawMessage, of table.Type) (any, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	switch of.Kind {
	case table.KindString:
		return as[string](raw)
	case table.KindInt:
		return as[int64](raw)
	case table.KindFloat:
		return as[float64](raw)
	case table.KindBool:
		return as[bool](raw)
	case table.KindTimestamp:
		moment, err := as[time.Time](raw)
		if err != nil {
			return nil, err
		}
		return moment.(time.Time).UTC(), nil
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil {
		return nil, err
	}
	if of.Kind == table.KindStruct && len(parts) != len(of.Fields) {
		return nil, fmt.Errorf("%d values for %d fields", len(parts), len(of.Fields))
	}
	values := make([]any, len(parts))
	for i, part := range parts {
		element := of.Element
		if of.Kind == table.KindStruct {
			element = &of.Fields[i].Type
		}
		value, err := decode(part, *element)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func as[T any](raw json.RawMessage) (any, error) {
	var value T
	err := json.Unmarshal(raw, &value)
	return value, err
}
