package seed

import (
	"fmt"
	"slices"

	"seedloom.dev/seedloom/engine/table"
)

// csvDecoder decodes records of CSV.
type csvDecoder struct {
	reader  csvReader
	columns []chosen
	fields  []table.Field
	// width is how many cells a record has.
	width int
	// texts is room for the texts of the next rows.
	texts []string
}

// textsAtOnce is for how many rows room for their texts is made at once.
const textsAtOnce = 64

// read takes a record apart.
func (d *csvDecoder) read(data []byte) (csvRecord, error) {
	d.reader.reset(data)
	record, err := d.reader.read()
	if err == nil && len(record.cells) != d.width {
		err = fmt.Errorf("it has %d cells, but the header has %d", len(record.cells), d.width)
	}
	return record, err
}

// decodeInto implements columnDecoder.
func (d *csvDecoder) decodeInto(data []byte, columns []columnBuilder) error {
	record, err := d.read(data)
	if err != nil {
		return err
	}
	for i := range columns {
		source := d.columns[i].source
		cell := record.cells[source]
		if d.reader.starts[source] < 0 && columns[i].Texts != nil {
			cell = slices.Clone(cell) // which is no part of the record, but of what the next one overwrites
		}
		if err := columns[i].parse(cell); err != nil {
			return fmt.Errorf("column %q: %w", d.fields[i].Name, err)
		}
	}
	return nil
}

func (d *csvDecoder) decode(data []byte, cells []any) (texts []string, err error) {
	record, err := d.read(data)
	if err != nil {
		return nil, err
	}
	whole := string(data) // of which the cells are parts
	for i := range d.fields {
		field, column := &d.fields[i], &d.columns[i]
		cell, start := record.cells[column.source], d.reader.starts[column.source]
		if len(cell) == 0 {
			cells[i] = nil
			continue
		}
		var own string
		if start >= 0 {
			own = whole[start : start+len(cell)]
		} else {
			own = string(cell)
		}
		if cells[i], err = table.Parse(field.Type, own); err != nil {
			return nil, fmt.Errorf("column %q: %w", field.Name, err)
		}
		if keepsText(field, column) {
			if texts == nil {
				texts = d.room()
			}
			texts[i] = own
		}
	}
	return texts, nil
}

// keepsText says whether the texts of a column's cells are kept: those of what is no text, and no integer as any program would write it.
func keepsText(field *table.Field, column *chosen) bool {
	return field.Type.Kind != table.KindString && (field.Type.Kind != table.KindInt || column.asked != nil)
}

// room returns room for the texts of a row.
func (d *csvDecoder) room() []string {
	if len(d.texts) < len(d.fields) {
		d.texts = make([]string, textsAtOnce*len(d.fields))
	}
	texts := d.texts[:len(d.fields):len(d.fields)]
	d.texts = d.texts[len(d.fields):]
	return texts
}

func (d *csvDecoder) split(data []byte) (int, error) {
	d.reader.reset(data)
	_, err := d.reader.read()
	return d.reader.at, err
}
