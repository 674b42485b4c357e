package seed

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

const fetchedRows = 3000

// fetchedFiles are files in which row 7 is the integer 7 and a text of its own.
func fetchedFiles(t *testing.T) map[string][]byte {
	var csv, lines, file bytes.Buffer
	var rows [][]any
	csv.WriteString("id,text\n")
	for row := range fetchedRows {
		text := fmt.Sprintf("%d, \"quoted\"\n%*d", row, row%300, row)
		fmt.Fprintf(&csv, "%d,\"%s\"\n\n", row, bytes.ReplaceAll([]byte(text), []byte(`"`), []byte(`""`)))
		fmt.Fprintf(&lines, "{\"id\": %d, \"text\": %q} \n", row, text)
		rows = append(rows, []any{int64(row), text})
	}
	schema := table.NewSchema(table.Field{Name: "id", Type: table.Type{Kind: table.KindInt}}, table.Field{Name: "text"})
	if err := new(parquetfile.Writer).Write(&file, schema, rows); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"rows.csv": csv.Bytes(), "rows.jsonl": lines.Bytes(), "rows.parquet": file.Bytes()}
}

// TestRowsAreThoseThatWereFetched fetches rows in many orders, also where the index does not know where each row begins.
func TestRowsAreThoseThatWereFetched(t *testing.T) {
	folder := t.TempDir()
	draw := rand.New(rand.NewPCG(1, 2))
	ordered := make([]int, fetchedRows)
	for i := range ordered {
		ordered[i] = i
	}
	orders := [][]int{ordered, ordered[1000:1001], draw.Perm(fetchedRows), draw.Perm(fetchedRows)[:9], {5, 5, 2999, 0, 5, 4, 2999}}
	for name, data := range fetchedFiles(t) {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
		spec := &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: name}}
		dataset, err := Load(t.Context(), spec, Options{Directory: folder})
		if err != nil {
			t.Fatal(name, err)
		}
		for range 4 {
			for _, positions := range orders {
				if got := idsOf(t, dataset, positions); !slices.Equal(got, positions) {
					t.Fatalf("%s, every %d known: rows %d are %d", name, dataset.index.stride, positions, got)
				}
			}
			dataset.index.halve()
		}
		if err := dataset.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestRowsOfSeveralFilesAreThoseThatWereFetched does so over three files.
func TestRowsOfSeveralFilesAreThoseThatWereFetched(t *testing.T) {
	folder := t.TempDir()
	row := 0
	for number := range 3 {
		text := "id,text\n"
		for range 101 {
			text += fmt.Sprintf("%d,\"%d, \"\"quoted\"\"\n%*d\"\n", row, row, row%300, row)
			row++
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.csv", number)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spec := &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: "*.csv"}}
	dataset, err := Load(t.Context(), spec, Options{Directory: folder})
	if err != nil {
		t.Fatal(err)
	}
	draw := rand.New(rand.NewPCG(1, 2))
	for range 9 {
		for _, positions := range [][]int{draw.Perm(row), {100, 101, 202, 201, 302, 0}} {
			if got := idsOf(t, dataset, positions); !slices.Equal(got, positions) {
				t.Fatalf("every %d known: rows %d are %d", dataset.index.stride, positions, got)
			}
		}
		dataset.index.halve()
	}
	if err := dataset.Close(); err != nil {
		t.Error(err)
	}
}

// idsOf fetches rows, and returns the integers that they have, after a look at their texts.
func idsOf(t *testing.T, dataset *Dataset, positions []int) []int {
	rows, err := dataset.Fetch(positions)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int, rows.Len())
	cells := make([]any, 2)
	for i := range ids {
		if _, err := rows.Row(i, cells); err != nil {
			t.Fatal(err)
		}
		ids[i] = int(cells[0].(int64))
		if text := fmt.Sprintf("%d, \"quoted\"\n%*d", ids[i], ids[i]%300, ids[i]); cells[1] != text {
			t.Fatalf("row %d has the text %q, want %q", ids[i], cells[1], text)
		}
	}
	return ids
}

// TestLargeRowsAreNotFetchedTogether is of what would not be in memory together.
func TestLargeRowsAreNotFetchedTogether(t *testing.T) {
	var text bytes.Buffer
	text.WriteString("id,text\n")
	for row := range 3 {
		fmt.Fprintf(&text, "%d,%s\n", row, bytes.Repeat([]byte{'x'}, maxFetched*2/3))
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "rows.csv"), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	spec := &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: "rows.csv"}}
	dataset, err := Load(t.Context(), spec, Options{Directory: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dataset.Close() }() // was only read
	rows, err := dataset.Fetch([]int{2, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	cells := make([]any, 2)
	if _, err := rows.Row(0, cells); err != nil || rows.Len() != 1 || cells[0] != int64(2) {
		t.Errorf("%d rows, the first of which is %v: %v", rows.Len(), cells[0], err)
	}
}
