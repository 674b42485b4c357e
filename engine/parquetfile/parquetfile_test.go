package parquetfile_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

func of(kind table.Kind) table.Type { return table.Type{Kind: kind} }

func list(element table.Type) table.Type { return table.Type{Kind: table.KindList, Element: &element} }

func structure(fields ...table.Field) table.Type {
	return table.Type{Kind: table.KindStruct, Fields: fields}
}

// everything has each kind, in an order that is not alphabetical.
var everything = table.NewSchema(
	table.Field{Name: "zero", Type: of(table.KindString)},
	table.Field{Name: "count", Type: of(table.KindInt)},
	table.Field{Name: "share", Type: of(table.KindFloat)},
	table.Field{Name: "flag", Type: of(table.KindBool)},
	table.Field{Name: "at", Type: of(table.KindTimestamp)},
	table.Field{Name: "tags", Type: list(of(table.KindString))},
	table.Field{Name: "place", Type: structure(table.Field{Name: "zip", Type: of(table.KindInt)}, table.Field{Name: "city", Type: of(table.KindString)})},
	table.Field{Name: "nested", Type: list(structure(table.Field{Name: "b", Type: list(of(table.KindInt))}, table.Field{Name: "a", Type: of(table.KindString)}))},
	// as the messages of a conversation, each with its calls
	table.Field{Name: "talk", Type: list(structure(table.Field{Name: "role", Type: of(table.KindString)},
		table.Field{Name: "calls", Type: list(structure(table.Field{Name: "id", Type: of(table.KindString)}, table.Field{Name: "arguments", Type: of(table.KindString)}))}))},
)

// exact has each kind that keeps what others would round.
var exact = table.NewSchema(
	table.Field{Name: "day", Type: of(table.KindDate)},
	table.Field{Name: "opens", Type: of(table.KindTime)},
	table.Field{Name: "exactly", Type: table.Type{Kind: table.KindTime, Nanoseconds: true}},
	table.Field{Name: "price", Type: table.Type{Kind: table.KindDecimal, Precision: 12, Scale: 2}},
	table.Field{Name: "huge", Type: table.Type{Kind: table.KindDecimal, Precision: 76, Scale: 10}},
	table.Field{Name: "data", Type: of(table.KindBinary)},
	table.Field{Name: "local", Type: table.Type{Kind: table.KindTimestamp, Local: true}},
	table.Field{Name: "instant", Type: table.Type{Kind: table.KindTimestamp, Nanoseconds: true}},
	table.Field{Name: "days", Type: list(of(table.KindDate))},
)

func date(year int, month time.Month, day int) table.Date {
	return table.DateOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

func decimal(text string) table.Decimal {
	number, parses := table.ParseDecimal(text)
	if !parses {
		panic(text)
	}
	return number
}

// bigNumbers compares big.Int by their values.
var bigNumbers = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

func TestExactValuesComeBackAsTheyWere(t *testing.T) {
	rows := [][]any{
		{date(2024, 2, 29), table.TimeOfDay(86399999999000), table.TimeOfDay(1), decimal("1234567890.10"),
			decimal("-" + strings.Repeat("9", 66) + "." + strings.Repeat("1", 10)), []byte("\xff\x00"), time.Date(2024, 5, 1, 10, 0, 0, 0, time.UTC),
			time.Date(2024, 5, 1, 10, 0, 0, 123456789, time.UTC), []any{date(1, 1, 1), nil, date(9999, 12, 31)}},
		{nil, nil, nil, nil, nil, nil, nil, nil, nil},
		{date(1969, 12, 31), table.TimeOfDay(0), table.TimeOfDay(0), decimal("-0.01"), decimal("0.0000000000"), []byte{}, time.Unix(-1, 0).UTC(),
			time.Unix(0, -1).UTC(), []any{}},
	}
	data := write(t, exact, rows)
	schema, got, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, field := range exact.Fields() {
		if read := schema.Fields()[i]; !read.Type.Equal(field.Type) {
			t.Errorf("column %s is %s, want %s", field.Name, read.Type, field.Type)
		}
	}
	if difference := cmp.Diff(rows, got, bigNumbers); difference != "" {
		t.Error(difference)
	}
}

func TestADecimalWithMoreDigitsThanItsColumnIsRefused(t *testing.T) {
	for _, number := range []string{"0.001", "12345678901.00"} {
		rows := [][]any{{nil, nil, nil, decimal(number), nil, nil, nil, nil, nil}}
		if err := new(parquetfile.Writer).Write(&bytes.Buffer{}, exact, rows); err == nil || !strings.Contains(err.Error(), number) {
			t.Errorf("%s as decimal128(12, 2): %v", number, err)
		}
	}
}

func sampleRows() [][]any {
	moment := time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)
	return [][]any{
		{"text", int64(1), 1.5, true, moment, []any{"a", "b"}, []any{int64(8000), "Zürich"}, []any{[]any{[]any{int64(1), int64(2)}, "x"}, []any{[]any{}, nil}},
			[]any{[]any{"user", nil}, []any{"assistant", []any{[]any{"1", "{}"}, []any{"2", nil}}}, []any{nil, []any{}}}},
		{"", int64(0), 0.0, false, time.Unix(0, 0).UTC(), []any{}, []any{nil, ""}, []any{}, []any{}},
		{nil, nil, nil, nil, nil, nil, nil, nil, nil},
		{strings.Repeat("x", 100_000), int64(math.MinInt64), math.MaxFloat64, true, time.Date(1850, 5, 5, 1, 2, 3, 0, time.UTC),
			[]any{nil, "only"}, []any{int64(1), nil}, []any{nil, []any{nil, "y"}, []any{[]any{int64(7), nil}, "z"}}, []any{nil, []any{"tool", []any{nil}}}},
	}
}

func write(t *testing.T, schema *table.Schema, rows [][]any) []byte {
	t.Helper()
	var buffer bytes.Buffer
	if err := new(parquetfile.Writer).Write(&buffer, schema, rows); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestReadsBackWhatItWrote(t *testing.T) {
	var rows [][]any
	for range 300 { // more than one batch of rows
		rows = append(rows, sampleRows()...)
	}
	data := write(t, everything, rows)
	schema, got, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, field := range everything.Fields() {
		if read := schema.Fields()[i]; read.Name != field.Name || !read.Type.Equal(field.Type) {
			t.Errorf("column %d is %s %s, want %s %s", i, read.Name, read.Type, field.Name, field.Type)
		}
	}
	if difference := cmp.Diff(rows, got, bigNumbers); difference != "" {
		t.Error(difference)
	}
}

func TestAnotherImplementationReadsTheSame(t *testing.T) {
	rows := sampleRows()
	reader, err := file.NewParquetReader(bytes.NewReader(write(t, everything, rows)))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	arrowReader, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	read, err := arrowReader.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer read.Release()
	if read.NumRows() != int64(len(rows)) {
		t.Fatalf("it reads %d rows, want %d", read.NumRows(), len(rows))
	}
	for i, field := range everything.Fields() {
		if name := read.Schema().Field(i).Name; name != field.Name {
			t.Errorf("column %d is %q, want %q", i, name, field.Name)
		}
		chunk := read.Column(i).Data().Chunk(0)
		for row := range rows {
			if got, want := fmt.Sprint(plain(chunk, row)), fmt.Sprint(rows[row][i]); got != want {
				t.Errorf("column %s, row %d: got %.80s, want %.80s", field.Name, row, got, want)
			}
		}
	}
	if kind := read.Schema().Field(4).Type; kind.ID() != arrow.TIMESTAMP || kind.(*arrow.TimestampType).TimeZone != "UTC" {
		t.Errorf("at is a %s", kind)
	}
}

// plain returns a value of an Arrow array in the form in which cells are.
func plain(values arrow.Array, row int) any {
	if values.IsNull(row) {
		return nil
	}
	switch typed := values.(type) {
	case *array.String:
		return typed.Value(row)
	case *array.Int64:
		return typed.Value(row)
	case *array.Float64:
		return typed.Value(row)
	case *array.Boolean:
		return typed.Value(row)
	case *array.Timestamp:
		return typed.Value(row).ToTime(arrow.Microsecond)
	case *array.List:
		items := []any{}
		start, end := typed.ValueOffsets(row)
		for i := start; i < end; i++ {
			items = append(items, plain(typed.ListValues(), int(i)))
		}
		return items
	case *array.Struct:
		members := []any{}
		for i := range typed.NumField() {
			members = append(members, plain(typed.Field(i), row))
		}
		return members
	}
	return fmt.Sprintf("unexpected %T", values)
}

func TestReadsFilesOfAnotherWriter(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int32},
		{Name: "day", Type: arrow.FixedWidthTypes.Date32, Nullable: true},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}},
		{Name: "seen", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}},
		{Name: "tags", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	record, _, err := array.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(`[
{"id": 1, "day": "1979-05-25", "price": "-12.34", "seen": "2026-01-02 03:04:05.123456789", "tags": ["a", "b"]},
{"id": 2, "day": null, "price": "0.05", "seen": "1969-12-31 23:59:59", "tags": null}]`))
	if err != nil {
		t.Fatal(err)
	}
	defer record.Release()
	var buffer bytes.Buffer
	writer, err := pqarrow.NewFileWriter(schema, &buffer, nil, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	_, rows, err := parquetfile.Read(bytes.NewReader(buffer.Bytes()), int64(buffer.Len()))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{
		{int64(1), date(1979, 5, 25), decimal("-12.34"), time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.UTC), []any{"a", "b"}},
		{int64(2), nil, decimal("0.05"), time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC), nil},
	}
	if difference := cmp.Diff(want, rows, bigNumbers); difference != "" {
		t.Error(difference)
	}
}

func TestAWrongCellIsRefused(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "count", Type: of(table.KindInt)})
	for _, cell := range []any{"7", 7.0, []any{}, 7} {
		if err := new(parquetfile.Writer).Write(&bytes.Buffer{}, schema, [][]any{{cell}}); err == nil {
			t.Errorf("%T was written as an int", cell)
		}
	}
}

func TestDamagedFilesAreErrors(t *testing.T) {
	data := write(t, everything, sampleRows())
	for length := 0; length < len(data); length += 1 + len(data)/50 {
		if _, _, err := parquetfile.Read(bytes.NewReader(data[:length]), int64(length)); err == nil {
			t.Errorf("the first %d of %d bytes were read as a file", length, len(data))
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	var rows [][]any
	for range 250 {
		rows = append(rows, sampleRows()[:3]...)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := new(parquetfile.Writer).Write(&bytes.Buffer{}, everything, rows); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
