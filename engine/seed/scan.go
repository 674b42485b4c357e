package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// partition keeps one of several parts of the rows.
func (d *Dataset) partition(selection *v1alpha1.SeedSelection) error {
	d.first, d.length = 0, d.index.count
	if selection == nil || selection.Partition == nil {
		return nil
	}
	number, count := selection.Partition.Number(), int64(selection.Partition.Count)
	d.first = d.index.count * number / count
	d.length = d.index.count*(number+1)/count - d.first
	if d.length == 0 {
		return fmt.Errorf("part %d of %d of its %d rows is empty", number, count, d.index.count)
	}
	return nil
}

// text finds the records of a CSV.
func (s *csvScan) text(text io.Reader, base int64, name string) error {
	beginning := make([]byte, peeked)
	count, err := io.ReadFull(text, beginning)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	beginning = beginning[:count]
	text = io.MultiReader(bytes.NewReader(beginning), text)
	delimiter, skipped := delimiterOf(s.spec, name, beginning, count < peeked)
	if _, err := io.CopyN(io.Discard, text, int64(skipped)); err != nil {
		return err
	}
	reader := newCSVReader(text, delimiter)
	reader.base = base + int64(skipped)
	if skipped > 0 {
		reader.line++
	}
	header, err := reader.read()
	if errors.Is(err, io.EOF) {
		return errors.New("it is empty; the first line must be the header")
	}
	if err != nil {
		return err
	}
	names := make([]string, len(header.cells))
	for i, cell := range header.cells {
		names[i] = strings.TrimSpace(string(cell))
	}
	if err := s.header(names, delimiter); err != nil {
		return err
	}
	return s.records(reader)
}

// delimiterOf returns the delimiter, and how much of the beginning only says which it is.
func delimiterOf(spec *v1alpha1.Seed, name string, beginning []byte, whole bool) (delimiter byte, skipped int) {
	if spec.CSV != nil && spec.CSV.Delimiter != "" {
		return spec.CSV.Delimiter[0], 0
	}
	// Spreadsheets write "sep=;" first.
	if rest, isSeparator := bytes.CutPrefix(beginning, []byte("sep=")); isSeparator && len(rest) > 1 && (rest[1] == '\n' || rest[1] == '\r') {
		skipped = len("sep=;\n")
		if len(rest) > 2 && rest[1] == '\r' && rest[2] == '\n' {
			skipped++
		}
		return rest[0], skipped
	}
	if extension := ending(name); extension == ".tsv" || extension == ".tab" {
		return '\t', 0
	}
	return sniff(beginning, whole), 0
}

// records reads the records below the header, and what their cells have in common.
func (s *csvScan) records(reader *csvReader) error {
	ahead := newCSVAhead(s, reader.from)
	defer ahead.stop()
	reader.from = ahead
	for {
		ahead.pass(reader)
		if s.isEnough() {
			break
		}
		record, err := reader.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(record.cells) != len(s.names) {
			return fmt.Errorf("line %d has %d cells, but the header has %d; the delimiter is %q: quote a cell in which it stands, "+
				"or set spec.seed.csv.delimiter", record.line, len(record.cells), len(s.names), string(reader.delimiter))
		}
		if s.limits.offset > 0 {
			s.limits.offset--
			continue
		}
		if err := observeAll(s.shapes, s.columns, record); err != nil {
			return err
		}
		s.dataset.index.add(record.start, record.end)
	}
	return nil
}

// observeAll takes the cells of a record into account.
func observeAll(shapes []textShape, columns []chosen, record csvRecord) error {
	for i := range columns {
		if err := observe(&shapes[i], columns[i], record.cells[columns[i].source]); err != nil {
			return fmt.Errorf("column %q, line %d: %w", columns[i].name, record.line, err)
		}
	}
	return nil
}

// observe takes a cell into account, which must have the type that was asked for.
func observe(shape *textShape, column chosen, cell []byte) error {
	if column.asked == nil {
		shape.observe(cell)
		return nil
	}
	if column.asked.Kind == table.KindString || len(cell) == 0 {
		return nil
	}
	switch column.asked.Kind {
	case table.KindDecimal:
		if _, isNumber := table.ParseDecimal(string(cell)); isNumber {
			shape.digits(cell)
			return nil
		}
	case table.KindTimestamp:
		shape.moment(string(cell))
		if !shape.notTimestamp {
			return nil
		}
		if shape.zoned && shape.local {
			return errors.New("some timestamps have a time zone, and some have none; make them alike, or set the type to str")
		}
	}
	_, err := table.Parse(*column.asked, string(cell))
	return err
}

// resolve is the type of a column of texts.
func (s *textShape) resolve(asked *table.Type) table.Type {
	switch {
	case asked == nil:
		return s.kind()
	case asked.Kind == table.KindDecimal:
		return table.Type{Kind: table.KindDecimal, Precision: max(1, s.whole+s.fraction), Scale: s.fraction}
	case asked.Kind == table.KindTimestamp:
		return table.Type{Kind: table.KindTimestamp, Local: s.local, Nanoseconds: s.nanoseconds}
	}
	return *asked
}

// useCSV has rows decoded as records of CSV.
func (d *Dataset) useCSV(delimiter byte, columns []chosen, shapes []textShape, width int) {
	fields := make([]table.Field, len(columns))
	for i, column := range columns {
		fields[i] = table.Field{Name: column.name, Type: shapes[i].resolve(column.asked)}
	}
	d.schema = table.NewSchema(fields...)
	d.decoder = func() rowDecoder {
		return &csvDecoder{reader: csvReader{delimiter: delimiter}, columns: columns, fields: fields, width: width}
	}
}

// useJSON has rows decoded as objects.
func (d *Dataset) useJSON(columns []chosen, shape *jsonShape) error {
	if shape.odd {
		return fmt.Errorf("its objects have more than %d different keys, and at most as many are supported; "+
			"turn what varies into a list of objects with a key and a value", maxColumns)
	}
	fields := make([]table.Field, len(columns))
	from, again, names := make(map[string]int, len(columns)), make([]int, len(columns)), make([]string, len(columns))
	check := false
	for i, column := range columns {
		name := shape.names[column.source]
		fields[i] = table.Field{Name: column.name, Type: shape.members[name].kind()}
		if column.asked != nil {
			fields[i].Type, check = *column.asked, true
		}
		again[i] = -1
		if before, isAgain := from[name]; isAgain {
			again[i] = before
		}
		from[name], names[i] = i, name
	}
	d.schema = table.NewSchema(fields...)
	d.decoder = func() rowDecoder { return &jsonDecoder{fields: fields, from: from, again: again, names: names} }
	if !check {
		return nil
	}
	if kept, buffers := d.at.(interface{ flush() error }); buffers {
		if err := kept.flush(); err != nil {
			return err
		}
	}
	return d.checkAll()
}

// checkAll decodes all records, which fails where one is not of the types that the spec asks for.
func (d *Dataset) checkAll() error {
	cells := make([]any, d.schema.Len())
	for first := 0; first < int(d.index.count); {
		positions := make([]int, min(1000, int(d.index.count)-first))
		for i := range positions {
			positions[i] = first + i
		}
		rows, err := d.Fetch(positions)
		if err != nil {
			return err
		}
		for number := range rows.Len() {
			if _, err := rows.decode.decode(rows.record(number), cells); err != nil {
				return fmt.Errorf("record %d: %w", first+number+1, err)
			}
		}
		first += rows.Len()
	}
	return nil
}

// chooseFields returns the columns that are used of a file with some fields, and the fields that they are then.
func chooseFields(spec *v1alpha1.Seed, source []table.Field) ([]chosen, []table.Field, error) {
	names := make([]string, len(source))
	for i, field := range source {
		names[i] = field.Name
	}
	columns, err := choose(spec, names)
	if err != nil {
		return nil, nil, err
	}
	fields := make([]table.Field, len(columns))
	for i, column := range columns {
		fields[i] = table.Field{Name: column.name, Type: source[column.source].Type}
		if column.asked != nil {
			fields[i].Type = *column.asked
		}
	}
	return columns, fields, nil
}

// useSpool has rows decoded as the spool holds them.
func (d *Dataset) useSpool(kept *spool, fields []table.Field) {
	d.decoder = func() rowDecoder {
		decoder := spoolDecoder{at: kept, fields: fields}
		if kept.repeats {
			return &decoder
		}
		return &spoolColumns{decoder}
	}
}
