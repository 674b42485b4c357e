package parquetfile_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

func TestTextsThatComeAgainHaveADictionary(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "mood", Type: of(table.KindString)}, table.Field{Name: "id", Type: of(table.KindString)})
	var rows [][]any
	for i := range 3000 {
		row := []any{[]string{"calm", "glad", "cross"}[i%3], fmt.Sprintf("%032d", i*7919)}
		if i%10 == 0 {
			row[0] = nil
		}
		if i > 2000 {
			row[0] = fmt.Sprintf("mood %d", i) // what the first rows are like is not all there is
		}
		rows = append(rows, row)
	}
	data := write(t, schema, rows)
	reader, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for column, want := range []bool{true, false} {
		chunk, err := reader.MetaData().RowGroup(0).ColumnChunk(column)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(chunk.Encodings(), parquet.Encodings.RLEDict) && chunk.HasDictionaryPage(); got != want {
			t.Errorf("column %d: a dictionary is %t, want %t; encodings %v", column, got, want, chunk.Encodings())
		}
	}
	_, read, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil || len(read) != len(rows) {
		t.Fatalf("%d rows come back: %v", len(read), err)
	}
	for i := range rows {
		if !slices.Equal(read[i], rows[i]) {
			t.Fatalf("row %d is %v, want %v", i, read[i], rows[i])
		}
	}
}
