// Package seed reads seed datasets, from a folder, a volume or a web server, and says which of their rows belongs to which row of the
// dataset. It holds an index of the rows and little more in memory, and knows nothing of what is generated from them.
package seed

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Dataset is a seed that was opened. Its rows are read when they are asked for, by any goroutine.
type Dataset struct {
	schema *table.Schema
	digest string
	index  index
	// first and length are the part of the indexed rows that is used; offsetRows rows of the file come before the index.
	first, length, offsetRows int64
	// at holds the records that the index speaks of; decode turns one into cells, and into their texts where those are to be kept.
	at     io.ReaderAt
	decode func(record []byte) (cells []any, texts []string, err error)
	// split returns where the first record of some bytes ends.
	split func(data []byte) (int, error)
	// close releases what at reads from.
	close func() error

	mutex sync.Mutex
	// block are the bytes that were read last, from offset on.
	block  []byte
	offset int64
}

// Schema returns the columns of the seed.
func (d *Dataset) Schema() *table.Schema { return d.schema }

// Len is the number of rows, at least 1. Where only the first rows were wanted, it is how many of them there are.
func (d *Dataset) Len() int { return int(d.length) }

// Digest tells the seed from others: from another file, and from columns of other types.
func (d *Dataset) Digest() string { return d.digest }

// Close releases the files of the seed.
func (d *Dataset) Close() error { return d.close() }

// Row is a row of a seed.
type Row struct {
	Cells []any
	// Texts are what the file says, of cells that a template would print in another way; nil where there is none.
	Texts []string
}

// blockSize is how much is read at once of rows that follow each other.
const blockSize = 64 << 10

// Row returns a row, from 0. What it returns is the caller's. Its errors are failure.Error.
func (d *Dataset) Row(position int) (Row, error) {
	row := Row{}
	record, err := d.record(d.first + int64(position))
	if err == nil {
		row.Cells, row.Texts, err = d.decode(record)
	}
	if err != nil {
		return row, failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun,
			"row %d of the seed can't be read, which could be read before (did the file change?): %v", d.Number(position)+1, err)
	}
	return row, nil
}

// Number is the number of a row in the file, from 0.
func (d *Dataset) Number(position int) int64 { return d.offsetRows + d.first + int64(position) }

// record returns the bytes of a record.
func (d *Dataset) record(number int64) ([]byte, error) {
	start, end, before := d.index.find(number)
	d.mutex.Lock()
	defer d.mutex.Unlock()
	data, err := d.bytes(start, end)
	for ; err == nil && before > 0; before-- {
		var next int
		if next, err = d.split(data); err == nil {
			data = data[next:]
		}
	}
	if err != nil {
		return nil, err
	}
	if d.index.stride > 1 {
		length, err := d.split(data)
		if err != nil {
			return nil, err
		}
		data = data[:length]
	}
	return append([]byte(nil), data...), nil
}

// bytes returns what stands in a range: often it was read with what stands before it.
func (d *Dataset) bytes(start, end int64) ([]byte, error) {
	if start < d.offset || end > d.offset+int64(len(d.block)) {
		// Rows that follow each other are read together; a row somewhere else alone.
		length := end - start
		if start >= d.offset && start <= d.offset+int64(len(d.block)) {
			length = min(max(length, blockSize), d.index.end-start)
		}
		if int64(cap(d.block)) < length {
			d.block = make([]byte, length)
		}
		d.block, d.offset = d.block[:length], start
		if _, err := d.at.ReadAt(d.block, start); err != nil && !errors.Is(err, io.EOF) {
			d.block = d.block[:0]
			return nil, err
		}
	}
	return d.block[start-d.offset : end-d.offset], nil
}

// invalid is a failure that starting again does not mend.
func invalid(source string, err error) error {
	return failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be used: %v", source, err)
}

// unreachable is a failure that may pass.
func unreachable(source string, err error) error {
	result := failure.New(v1alpha1.ReasonSeedFailed, failure.EndRun, "the seed %s can't be read: %v", source, err)
	result.Temporary = true
	return result
}

var errNoRows = fmt.Errorf("it has no rows")
