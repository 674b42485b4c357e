package export

import (
	"bytes"
	"fmt"

	"seedloom.dev/seedloom/engine/table"
)

// newCSV is CSV as RFC 4180 has it, for programs: records end with CR and LF, a cell is in quotes where it must be, and a quote in it is
// doubled. A null is an empty cell, and an empty text an empty one in quotes, which some readers tell apart.
func newCSV(schema *table.Schema) (format, error) {
	return csvFormat(schema, func(to []byte, kind table.Type, value any) ([]byte, error) { return plainCell(to, kind, value) })
}

// csvFormat is CSV whose cells are written by a function, without quotes; of texts alone it is known that they are there.
func csvFormat(schema *table.Schema, cell func(to []byte, kind table.Type, value any) ([]byte, error)) (*textFormat, error) {
	fields := schema.Fields()
	if len(fields) == 0 {
		return nil, fmt.Errorf("there is no column to write")
	}
	var head, plain []byte
	for i, field := range fields {
		if i > 0 {
			head = append(head, ',')
		}
		var err error
		if plain, err = cell(plain[:0], table.Type{}, field.Name); err != nil {
			return nil, err
		}
		head = appendQuoted(head, plain, false)
	}
	row := func(to []byte, cells []any) ([]byte, error) {
		if len(cells) != len(fields) {
			return to, fmt.Errorf("%d values are there for %d columns", len(cells), len(fields))
		}
		for i, value := range cells {
			if i > 0 {
				to = append(to, ',')
			}
			if value == nil {
				// A line without anything on it is no record for most readers.
				to = appendQuoted(to, nil, len(fields) == 1)
				continue
			}
			var err error
			if plain, err = cell(plain[:0], fields[i].Type, value); err != nil {
				return to, fmt.Errorf("column %q: %w", fields[i].Name, err)
			}
			to = appendQuoted(to, plain, len(plain) == 0)
		}
		return append(to, "\r\n"...), nil
	}
	return &textFormat{head: append(head, "\r\n"...), row: row}, nil
}

// plainCell appends a value as a cell: texts as they are, lists and structs as JSON, binary data in base64.
func plainCell(to []byte, kind table.Type, value any) ([]byte, error) {
	switch typed := value.(type) {
	case string:
		return append(to, bytes.ToValidUTF8([]byte(typed), []byte("\ufffd"))...), nil
	case []any:
		return appendJSON(to, kind, typed)
	}
	return appendScalar(to, kind, value)
}

// appendQuoted appends a cell, in quotes where it has to be, or always.
func appendQuoted(to, cell []byte, always bool) []byte {
	blank := len(cell) > 0 && (cell[0] == ' ' || cell[len(cell)-1] == ' ')
	if !always && !blank && !bytes.ContainsAny(cell, ",\"\r\n\t;") {
		return append(to, cell...)
	}
	to = append(to, '"')
	for {
		before, after, found := bytes.Cut(cell, []byte{'"'})
		to = append(to, before...)
		if !found {
			return append(to, '"')
		}
		to, cell = append(to, `""`...), after
	}
}
