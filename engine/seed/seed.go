// Package seed reads seed datasets, from a folder, a volume or a web server, and says which of their rows belongs to which row of the
// dataset. It holds an index of the rows and little more in memory, and knows nothing of what is generated from them.
package seed

import (
	"fmt"
	"io"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Dataset is a seed that was opened. Its rows are read when they are asked for, by any goroutine.
type Dataset struct {
	schema *table.Schema
	digest string
	// version says in words which version of the data it is; empty where nothing but the digest tells.
	version string
	index   index
	// first and length are the part of the indexed rows that is used; offsetRows rows of the file come before the index.
	first, length, offsetRows int64
	// at holds the records that the index speaks of; decoder returns what decodes them in one goroutine.
	at      io.ReaderAt
	decoder func() rowDecoder
	// close releases what at reads from.
	close func() error
}

// rowDecoder decodes records of a format. It belongs to one goroutine.
type rowDecoder interface {
	// decode turns a record into cells, and into their texts where those are to be kept. It keeps nothing of the record.
	decode(record []byte, cells []any) (texts []string, err error)
	// split returns where the first record of some bytes ends.
	split(data []byte) (int, error)
}

// Schema returns the columns of the seed.
func (d *Dataset) Schema() *table.Schema { return d.schema }

// Len is the number of rows, at least 1. Where only the first rows were wanted, it is how many of them there are.
func (d *Dataset) Len() int { return int(d.length) }

// Digest tells the seed from others: from another file, and from columns of other types.
func (d *Dataset) Digest() string { return d.digest }

// Version says in words which version of its data was read, where a server says so.
func (d *Dataset) Version() string { return d.version }

// Close releases the files of the seed.
func (d *Dataset) Close() error { return d.close() }

// Number is the number of a row in the file, from 0.
func (d *Dataset) Number(position int) int64 { return d.offsetRows + d.first + int64(position) }

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
