package seed_test

import (
	"archive/zip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// TestCSVIsReadAsPythonReadsIt compares with Python's csv module; hack/seedfiles makes the files. Records that are not as wide as the
// header, and quotes that are never closed, are refused here.
func TestCSVIsReadAsPythonReadsIt(t *testing.T) {
	archive, err := zip.OpenReader("testdata/csv.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	compared := 0
	for _, entry := range archive.File {
		name, isText := strings.CutSuffix(entry.Name, ".csv")
		if !isText {
			continue
		}
		var want [][]string
		if err := json.Unmarshal(stored(t, &archive.Reader, name+".json"), &want); err != nil {
			t.Fatal(err)
		}
		compared++
		compareCSV(t, name, stored(t, &archive.Reader, entry.Name), want)
	}
	if compared < 200 {
		t.Errorf("%d files were compared", compared)
	}
}

func stored(t *testing.T, archive *zip.Reader, name string) []byte {
	t.Helper()
	file, err := archive.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	data, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func compareCSV(t *testing.T, name string, data []byte, want [][]string) {
	t.Helper()
	dataset, err := parseAs(t, data, "rows.csv", &v1alpha1.Seed{CSV: &v1alpha1.CSVOptions{Delimiter: ","}}, 0)
	usable := len(want) > 1
	for _, record := range want {
		usable = usable && len(record) == len(want[0])
	}
	if !usable || err != nil {
		if usable != (err == nil) {
			t.Errorf("%s: got %v; Python reads %.200q", name, err, want)
		}
		return
	}
	if dataset.Len() != len(want)-1 {
		t.Errorf("%s: %d rows, want %d", name, dataset.Len(), len(want)-1)
		return
	}
	for number, record := range want[1:] {
		read := row(t, dataset, number)
		for column, text := range record {
			got, _ := read.Cells[column].(string)
			if column < len(read.Texts) && read.Texts[column] != "" {
				got = read.Texts[column]
			}
			if kind := dataset.Schema().Fields()[column].Type; kind.Kind == table.KindInt && read.Cells[column] != nil {
				data, _ := table.AppendJSON(nil, kind, read.Cells[column])
				got = string(data)
			}
			if got != text {
				t.Errorf("%s, row %d: got %.80q, want %.80q", name, number, got, text)
				return
			}
		}
	}
}

// Files that a reader has read wrong, or refused, once.
func TestParquetSeedsOfOtherWriters(t *testing.T) {
	for name, c := range map[string]struct {
		rows  int
		first []any
	}{
		"bool-rle-wrong-values": {1000, []any{true}},
		"decimal-loses-digits":  {3, []any{number("1234567890123456789"), number("19.90")}},
		"empty-row-group":       {4, []any{int64(0)}},
		"null-column-refused":   {2, []any{"a", nil}},
		"unused-binary-column":  {1, []any{"a cat"}},
		"lz4-wrong-values":      {4000, nil},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		dataset, err := parse(t, data, v1alpha1.SeedFormatParquet)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		cells := row(t, dataset, 0).Cells
		if dataset.Len() != c.rows {
			t.Errorf("%s has %d rows, want %d", name, dataset.Len(), c.rows)
		}
		if difference := cmp.Diff(c.first, cells[:min(len(c.first), len(cells))], bigNumbers); c.first != nil && difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
		for number := range dataset.Len() {
			cells := row(t, dataset, number).Cells
			if name == "bool-rle-wrong-values" && cells[0] != true || name == "lz4-wrong-values" && (cells[0] == int64(0)) {
				t.Fatalf("%s, row %d: %v", name, number, cells)
			}
		}
	}
}
