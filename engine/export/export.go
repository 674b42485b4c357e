// Package export writes rows in the formats of other programs: JSON Lines, CSV and Arrow IPC, compressed, and split into files. It knows
// how a value is written in each of them; where the files lie, and where the rows come from, is not known here.
package export

import (
	"fmt"
	"io"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// maxOpenBytes bounds what is in the files that are open at once, before compression: their creator may keep them in memory.
const maxOpenBytes = 128 << 20

// Options say how rows are written. The zero value of a member leaves it to the default.
type Options struct {
	Format      v1alpha1.ExportFormat      `json:"format"`
	Compression v1alpha1.ExportCompression `json:"compression,omitempty"`
	// Spreadsheet has a CSV written for people who open it in a spreadsheet.
	Spreadsheet bool `json:"spreadsheet,omitempty"`
	// MaxFileBytes is how large a file may become before it is compressed; 0 is any size.
	MaxFileBytes int64 `json:"maxFileBytes,omitempty"`
	// SplitBy is the column whose values have files of their own; empty for none.
	SplitBy string `json:"splitBy,omitempty"`
}

// OptionsOf are the options of an export of a spec.
func OptionsOf(spec *v1alpha1.Export) Options {
	compression := spec.Compression
	if compression == v1alpha1.ExportUncompressed {
		compression = ""
	}
	return Options{
		Format: spec.Format, Compression: compression, Spreadsheet: spec.ForSpreadsheets(),
		MaxFileBytes: spec.EffectiveMaxFileBytes(), SplitBy: spec.SplitBy,
	}
}

// File is a file that was written.
type File struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	// SHA256 is the digest of its content, in hexadecimal digits.
	SHA256 string `json:"sha256"`
	// Split is the value of the column that the rows are split by, as text; nil where they are not, and for null.
	Split *string `json:"split,omitempty"`
}

// Result is what was written.
type Result struct {
	Files []File `json:"files"`
	Rows  int64  `json:"rows"`
	// Cut is how many texts were cut since a cell of a spreadsheet can't hold them, and Marked how many got an apostrophe, since a spreadsheet
	// would have taken them for a formula or changed their digits.
	Cut    int64 `json:"cut,omitempty"`
	Marked int64 `json:"marked,omitempty"`
}

// Create creates a file. Closing it makes it count; it is closed only when all of it was written.
type Create func(name string) (io.WriteCloser, error)

// format is one of the formats for rows of a schema.
type format interface {
	// encode encodes a row, which put writes next, and returns how much it adds to a file.
	encode(cells []any) (size int64, err error)
	// open begins a file, and returns what stands before its first row.
	open(to io.Writer) (rows, error)
	// maxRows is how many rows a file may have; 0 is any number.
	maxRows() int64
}

// rows are those of one file.
type rows interface {
	// put writes the row that was encoded last.
	put() error
	// end writes what stands after the last row.
	end() error
}

// newFormat returns the format of the options.
func newFormat(schema *table.Schema, options Options, result *Result) (format, error) {
	switch options.Format {
	case v1alpha1.ExportJSONL:
		return &textFormat{row: jsonLine(schema)}, nil
	case v1alpha1.ExportCSV:
		if options.Spreadsheet {
			return newSpreadsheet(schema, result)
		}
		return newCSV(schema)
	case v1alpha1.ExportArrow:
		return newArrow(schema, options.Compression)
	}
	return nil, fmt.Errorf("there is no format %q; take JSONL, CSV or Arrow", options.Format)
}

// Check says whether rows of a schema can be written in the format of the options.
func Check(schema *table.Schema, options Options) error {
	if options.Format == v1alpha1.ExportArrow && options.Compression == v1alpha1.ExportGzip {
		return fmt.Errorf("files of Arrow are compressed inside, with Zstd; they can't be with Gzip")
	}
	_, err := newFormat(schema, options, &Result{})
	return err
}

// CheckSplit says whether rows can be split by the column of that name.
func CheckSplit(schema *table.Schema, name string) error {
	_, err := splitColumn(schema, name)
	return err
}
