package seed_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// rowsOfParquet is a file with cells of plain types and of others, of which some are null, and its rows.
func rowsOfParquet(t *testing.T, count int) (data []byte, rows [][]any) {
	t.Helper()
	schema := table.NewSchema(
		table.Field{Name: "id", Type: table.Type{Kind: table.KindInt}}, table.Field{Name: "share", Type: table.Type{Kind: table.KindFloat}},
		table.Field{Name: "text", Type: table.Type{}}, table.Field{Name: "flag", Type: table.Type{Kind: table.KindBool}},
		table.Field{Name: "list", Type: table.Type{Kind: table.KindList, Element: &table.Type{Kind: table.KindInt}}},
	)
	for row := range count {
		cells := []any{int64(row) - 5, float64(row) / 4, fmt.Sprint(row%13) + strings.Repeat("x", row%7*20), row%2 == 0, []any{int64(row), nil}}
		cells[row%5] = nil
		if row%6 == 0 {
			cells[2] = fmt.Sprint(row)
		}
		rows = append(rows, cells)
	}
	var file bytes.Buffer
	if err := new(parquetfile.Writer).Write(&file, schema, rows); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), rows
}

// TestRowsOfParquetAreKeptAsTheyAre has rows passed over, columns in another order and of other types, and texts that come again.
func TestRowsOfParquetAreKeptAsTheyAre(t *testing.T) {
	data, rows := rowsOfParquet(t, 3000)
	for _, offset := range []int64{0, 1, 1500, 2999} {
		dataset, err := parseAs(t, data, "rows.parquet", &v1alpha1.Seed{
			Columns: []v1alpha1.SeedColumn{
				{Name: "text"}, {Name: "number", From: "id", Type: v1alpha1.SeedColumnStr}, {Name: "list"}, {Name: "share"}, {Name: "flag"},
			},
			Selection: &v1alpha1.SeedSelection{Offset: &offset},
		}, 0)
		if err != nil {
			t.Fatal(err)
		}
		if dataset.Len() != len(rows)-int(offset) {
			t.Errorf("%d rows after the first %d", dataset.Len(), offset)
		}
		for number, cells := range rows[offset:] {
			want := []any{cells[2], nil, cells[4], cells[1], cells[3]}
			if cells[0] != nil {
				want[1] = fmt.Sprint(cells[0])
			}
			if difference := cmp.Diff(want, row(t, dataset, number).Cells); difference != "" {
				t.Fatalf("row %d after the first %d: %s", number, offset, difference)
			}
		}
	}
}

// TestTypesOfParquetThatAreAskedForAreToldByRow has a cell that is not of the type, which counts unless its row is passed over.
func TestTypesOfParquetThatAreAskedForAreToldByRow(t *testing.T) {
	data, _ := rowsOfParquet(t, 3000)
	for offset, want := range map[int64]string{0: `column "text", row 2: "1xxx`, 2: `column "text", row 4: "3xxx`, 4: `column "text", row 5: "4xxx`} {
		_, err := parseAs(t, data, "rows.parquet", &v1alpha1.Seed{
			Columns:   []v1alpha1.SeedColumn{{Name: "id"}, {Name: "number", From: "text", Type: v1alpha1.SeedColumnInt}},
			Selection: &v1alpha1.SeedSelection{Offset: &offset},
		}, 0)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("after the first %d rows: %v, want %s", offset, err, want)
		}
	}
}
