package seed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// scanner finds the records of the files of a dataset, one file after the other, and what they have in common.
type scanner interface {
	// text reads a file of text, the first byte of which stands at base.
	text(text io.Reader, base int64, name string) error
	// parquet reads a Parquet file.
	parquet(ctx context.Context, from io.ReaderAt, size int64) error
	// isEnough says whether all rows that are wanted were read.
	isEnough() bool
	// finish is called after the last file.
	finish() error
}

func (d *Dataset) scanner(spec *v1alpha1.Seed, format v1alpha1.SeedFormat, limits limits) scanner {
	common := scan{dataset: d, spec: spec, limits: limits}
	switch format {
	case v1alpha1.SeedFormatParquet:
		return &parquetScan{scan: common}
	case v1alpha1.SeedFormatCSV:
		return &csvScan{scan: common}
	}
	return &jsonScan{scan: common, array: format == v1alpha1.SeedFormatJSON, shape: &jsonShape{}}
}

// scan is what the scanners of all formats have. Each format is one of the two kinds.
type scan struct {
	dataset *Dataset
	spec    *v1alpha1.Seed
	// limits are what is still to be passed over, and how many rows are wanted in all.
	limits limits
}

var errNotOfFormat = errors.New("it is not of this format")

func (*scan) text(io.Reader, int64, string) error               { return errNotOfFormat }
func (*scan) parquet(context.Context, io.ReaderAt, int64) error { return errNotOfFormat }
func (*scan) finish() error                                     { return nil }

// isEnough says whether all rows that are wanted were read.
func (s *scan) isEnough() bool { return s.limits.count >= 0 && s.dataset.index.count >= s.limits.count }

// target says where rows are read from later on.
type target struct {
	// base is where the bytes of the file begin there.
	base int64
	// keep returns what keeps the text that a file becomes, and where that begins.
	keep func() (kept *spool, base int64)
}

// scanFile finds the records of one file.
func scanFile(ctx context.Context, into scanner, format v1alpha1.SeedFormat, opened *file, target target) error {
	content := bufio.NewReaderSize(&cancelled{ctx, io.NewSectionReader(opened, 0, opened.size)}, peeked)
	beginning, _ := content.Peek(peeked)
	if err := recognize(beginning, format); err != nil {
		return err
	}
	unpacked, packed, err := decompressed(content)
	if err != nil {
		return err
	}
	if packed {
		peek, _ := unpacked.Peek(1024)
		if isCompressed(peek) {
			return errors.New("it is compressed twice; decompress it once, such as by gunzip, and give the result")
		}
		if err := recognize(peek, format); err != nil {
			return err
		}
	}
	if format == v1alpha1.SeedFormatParquet {
		return scanParquetFile(ctx, into, opened, unpacked, packed)
	}
	text, converted, skipped, err := asUTF8(unpacked)
	if err != nil {
		return err
	}
	base := target.base + skipped
	if packed || converted {
		// Rows are read from what the file becomes, which is kept.
		var kept *spool
		kept, base = target.keep()
		text = io.TeeReader(text, kept)
	}
	return into.text(text, base, opened.name)
}

func scanParquetFile(ctx context.Context, into scanner, opened *file, unpacked io.Reader, packed bool) error {
	if !packed {
		return into.parquet(ctx, opened, opened.size)
	}
	whole := &spool{}
	defer func() { _ = whole.Close() }() // is removed with what it holds
	if _, err := io.Copy(whole, unpacked); err != nil {
		return err
	}
	if err := whole.flush(); err != nil {
		return err
	}
	return into.parquet(ctx, whole, whole.size)
}

// csvScan finds the records of CSV files.
type csvScan struct {
	scan
	names     []string
	delimiter byte
	columns   []chosen
	shapes    []textShape
}

// header takes the header of a file into account: all have the same columns in the same order.
func (s *csvScan) header(names []string, delimiter byte) (err error) {
	if s.names == nil {
		s.names, s.delimiter = names, delimiter
		s.columns, err = choose(s.spec, names)
		s.shapes = make([]textShape, len(s.columns))
		return err
	}
	if len(names) > 1 && delimiter != s.delimiter {
		return fmt.Errorf("its delimiter is %q, and in the files before it %q; write them alike", string(delimiter), string(s.delimiter))
	}
	for i := range max(len(names), len(s.names)) {
		switch {
		case i >= len(names):
			return fmt.Errorf("it has no column %q, which the files before it have", s.names[i])
		case i >= len(s.names):
			return fmt.Errorf("it has a column %q, which the files before it lack", names[i])
		case names[i] != s.names[i]:
			return fmt.Errorf("its column %d is %q, and in the files before it %q; all must have the same columns in the same order", i+1,
				names[i], s.names[i])
		}
	}
	return nil
}

func (s *csvScan) finish() error {
	s.dataset.useCSV(s.delimiter, s.columns, s.shapes, len(s.names))
	return nil
}

// jsonScan finds the records of JSON files.
type jsonScan struct {
	scan
	array bool
	shape *jsonShape
}

func (s *jsonScan) text(text io.Reader, base int64, _ string) error {
	return s.records(text, base, readSize)
}

// records reads records, and parses blocks of a size ahead where each may be a line.
func (s *jsonScan) records(text io.Reader, base int64, size int) error {
	ahead := newJSONAhead(s, text, size)
	defer ahead.stop()
	if !s.array {
		text = ahead
	}
	reader := newJSONReader(text, s.array)
	reader.base, reader.begin = base, base
	for {
		ahead.pass(reader)
		if s.isEnough() {
			return nil
		}
		into := s.shape
		if s.limits.offset > 0 {
			into = &jsonShape{}
		}
		start, end, err := reader.read(into)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if s.limits.offset > 0 {
			s.limits.offset--
			continue
		}
		s.dataset.index.add(start, end)
	}
}

func (s *jsonScan) finish() error {
	if s.dataset.index.count == 0 {
		return nil
	}
	columns, err := choose(s.spec, s.shape.names)
	if err != nil {
		return err
	}
	return s.dataset.useJSON(columns, s.shape)
}

// parquetScan decodes the rows of Parquet files into the spool, since a row can't be read alone.
type parquetScan struct {
	scan
	kept *spool
}

func (s *parquetScan) parquet(ctx context.Context, from io.ReaderAt, size int64) error {
	reader, err := parquetfile.Open(from, size)
	if err != nil {
		return err
	}
	columns, fields, err := chooseFields(s.spec, reader.Schema().Fields())
	if err != nil {
		return err
	}
	d := s.dataset
	if s.kept == nil {
		s.begin(fields)
	} else if columns, err = sameColumns(d.schema.Fields(), columns, fields); err != nil {
		return err
	}
	if s.isEnough() {
		return nil
	}
	passed, err := d.spoolRows(ctx, reader, columns, s.kept, s.limits)
	s.limits.offset -= passed
	return err
}

// begin has the rows of all files kept in one spool.
func (s *parquetScan) begin(fields []table.Field) {
	d, release := s.dataset, s.dataset.close
	s.kept = &spool{}
	d.at, d.close = s.kept, func() error { return errors.Join(s.kept.Close(), release()) }
	d.schema = table.NewSchema(fields...)
	d.useSpool(s.kept, fields)
}

// sameColumns returns the columns of a file in the order of those of the files before it, whose names and types they have.
func sameColumns(before []table.Field, columns []chosen, fields []table.Field) ([]chosen, error) {
	ordered := make([]chosen, len(before))
	for i, wanted := range before {
		found := slices.IndexFunc(columns, func(column chosen) bool { return column.name == wanted.Name })
		if found < 0 {
			return nil, fmt.Errorf("it has no column %q, which the files before it have", wanted.Name)
		}
		if !fields[found].Type.Equal(wanted.Type) {
			return nil, fmt.Errorf("its column %q is of the type %s, and in the files before it of the type %s; say the type in spec.seed.columns, "+
				"or write the files alike", wanted.Name, fields[found].Type, wanted.Type)
		}
		ordered[i] = columns[found]
	}
	for _, column := range columns {
		if !slices.ContainsFunc(before, func(field table.Field) bool { return field.Name == column.name }) {
			return nil, fmt.Errorf("it has a column %q, which the files before it lack; spec.seed.columns selects those that all have", column.name)
		}
	}
	return ordered, nil
}
