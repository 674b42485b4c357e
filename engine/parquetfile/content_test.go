package parquetfile_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
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

// BenchmarkWriteColumns writes the columns of a dataset that is sampled: two of few texts, one of identifiers, and five of numbers.
func BenchmarkWriteColumns(b *testing.B) {
	fields := []table.Field{{Name: "id"}, {Name: "color"}, {Name: "size"}, {Name: "count", Type: of(table.KindInt)}}
	for i := range 4 {
		fields = append(fields, table.Field{Name: fmt.Sprint("number", i), Type: of(table.KindFloat)})
	}
	schema, writer := table.NewSchema(fields...), &parquetfile.Writer{}
	for _, rows := range []int{1000, 10_000} {
		columns := make([]*table.Column, len(fields))
		for i := range columns {
			columns[i] = &table.Column{}
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range rows {
			columns[0].Texts = append(columns[0].Texts, fmt.Appendf(nil, "%016x-%018x", random.Uint64(), random.Uint64()))
			columns[1].Texts = append(columns[1].Texts, []byte([]string{"red", "green", "blue"}[random.IntN(3)]))
			columns[2].Texts = append(columns[2].Texts, []byte([]string{"S", "M", "L"}[random.IntN(3)]))
			columns[3].Ints = append(columns[3].Ints, random.Int64N(100))
			for i := range 4 {
				columns[4+i].Floats = append(columns[4+i].Floats, random.Float64())
			}
		}
		b.Run(fmt.Sprint(rows), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := writer.WriteColumns(&bytes.Buffer{}, schema, columns, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows*b.N), "ns/row")
		})
	}
}
