package parquetfile_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// typed has a column for each form in which values are held.
var typed = table.NewSchema(
	table.Field{Name: "id", Type: of(table.KindString)},
	table.Field{Name: "kind", Type: of(table.KindString)},
	table.Field{Name: "count", Type: of(table.KindInt)},
	table.Field{Name: "share", Type: of(table.KindFloat)},
	table.Field{Name: "at", Type: of(table.KindTimestamp)},
	table.Field{Name: "tags", Type: list(of(table.KindString))},
	table.Field{Name: "note", Type: of(table.KindString)},
)

// inBothForms returns the same rows as columns and as rows.
func inBothForms(rows int) (columns []*table.Column, cells [][]any) {
	id, kind, count, share := &table.Column{}, &table.Column{}, &table.Column{}, &table.Column{}
	at, tags, note := &table.Column{}, &table.Column{}, &table.Column{}
	long := strings.Repeat("ä", 3000)
	for row := range rows {
		id.Texts = append(id.Texts, fmt.Appendf(nil, "row %d", row))
		kind.Texts = append(kind.Texts, []byte([]string{"", "a", "b"}[row%3]))
		count.Ints = append(count.Ints, int64(row)-3)
		share.Floats = append(share.Floats, float64(row)/7)
		at.Moments = append(at.Moments, time.Unix(int64(row), 0).UTC())
		tags.Values = append(tags.Values, []any{"x", nil}[:row%3])
		if row%5 == 0 {
			note.Values = append(note.Values, nil)
		} else {
			note.Values = append(note.Values, long)
		}
	}
	columns = []*table.Column{id, kind, count, share, at, tags, note}
	for row := range rows {
		var record []any
		for _, column := range columns {
			record = append(record, column.Value(row))
		}
		cells = append(cells, record)
	}
	return columns, cells
}

func TestAFileOfColumnsIsThatOfItsRows(t *testing.T) {
	for _, rows := range []int{1, 7, 256, 5000} {
		columns, cells := inBothForms(rows)
		var fromColumns, fromRows bytes.Buffer
		writer := &parquetfile.Writer{Version: "test"}
		if err := writer.WriteColumns(&fromColumns, typed, columns, rows); err != nil {
			t.Fatal(err)
		}
		if err := writer.Write(&fromRows, typed, cells); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fromColumns.Bytes(), fromRows.Bytes()) {
			t.Errorf("of %d rows the files differ: %d bytes from columns, %d from rows", rows, fromColumns.Len(), fromRows.Len())
		}
	}
}

func TestAColumnOfAnotherTypeIsRefused(t *testing.T) {
	columns, _ := inBothForms(3)
	columns[2], columns[3] = columns[3], columns[2]
	var file bytes.Buffer
	err := (&parquetfile.Writer{}).WriteColumns(&file, typed, columns, 3)
	if err == nil || !strings.Contains(err.Error(), "a float64 can't be written as int64") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWriteColumns(b *testing.B) {
	const rows = 1000
	columns, cells := inBothForms(rows)
	columns, schema := columns[:4], table.NewSchema(typed.Fields()[:4]...)
	for i := range cells {
		cells[i] = cells[i][:4]
	}
	writer := &parquetfile.Writer{}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"columns": func(to *bytes.Buffer) error { return writer.WriteColumns(to, schema, columns, rows) },
		"rows":    func(to *bytes.Buffer) error { return writer.Write(to, schema, cells) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := write(&bytes.Buffer{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
