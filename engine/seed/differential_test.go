package seed_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strconv"
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

// TestJSONLinesAreReadAsPythonReadsThem compares with Python's json module; hack/seedfiles makes the files, and says what is refused by
// decision.
func TestJSONLinesAreReadAsPythonReadsThem(t *testing.T) {
	archive, err := zip.OpenReader("testdata/json.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	compared := 0
	for _, entry := range archive.File {
		name, isText := strings.CutSuffix(entry.Name, ".jsonl")
		if !isText {
			continue
		}
		var want []map[string]any
		if err := json.Unmarshal(stored(t, &archive.Reader, name+".json"), &want); err != nil {
			t.Fatal(err)
		}
		compared++
		compareJSON(t, name, stored(t, &archive.Reader, entry.Name), want)
	}
	if compared < 250 {
		t.Errorf("%d files were compared", compared)
	}
}

func compareJSON(t *testing.T, name string, data []byte, want []map[string]any) {
	t.Helper()
	dataset, err := parseAs(t, data, "rows.jsonl", &v1alpha1.Seed{}, 0)
	if (err == nil) != (want != nil) {
		t.Errorf("%s: got %v; Python reads %.200v", name, err, want)
	}
	if err != nil || want == nil {
		return
	}
	if dataset.Len() != len(want) {
		t.Errorf("%s: %d rows, want %d", name, dataset.Len(), len(want))
		return
	}
	for number, record := range want {
		read := row(t, dataset, number)
		for column, field := range dataset.Schema().Fields() {
			wanted := record[field.Name]
			if strings.HasPrefix(field.Name, "Unnamed: ") {
				wanted = record[""]
			}
			if !sameJSON(t, field.Type, read.Cells[column], wanted) {
				t.Errorf("%s, row %d, column %s of %s: got %.80v, want %.80v", name, number, field.Name, field.Type, read.Cells[column],
					wanted)
				return
			}
		}
	}
}

// sameJSON compares a cell with what Python has read, in which numbers are texts behind a "#". A text that is none stands for its JSON, and
// a member that is missing for null.
func sameJSON(t *testing.T, kind table.Type, cell, want any) bool {
	t.Helper()
	text, isText := want.(string)
	switch {
	case cell == nil || want == nil:
		return cell == nil && want == nil || cell == "null" && kind.Document
	case kind.Kind == table.KindString && isText && !strings.HasPrefix(text, "#"):
		return cell == text || kind.Document && cell == quoted(t, text)
	case kind.Kind == table.KindString:
		var document any
		decoder := json.NewDecoder(strings.NewReader(cell.(string)))
		decoder.UseNumber()
		return decoder.Decode(&document) == nil && sameDocument(document, want)
	case kind.Kind == table.KindStruct:
		members, isObject := want.(map[string]any)
		for i, field := range kind.Fields {
			isObject = isObject && sameJSON(t, field.Type, cell.([]any)[i], members[field.Name])
		}
		return isObject
	case kind.Kind == table.KindList:
		items, isList := want.([]any)
		isList = isList && len(items) == len(cell.([]any))
		for i := 0; isList && i < len(items); i++ {
			isList = sameJSON(t, *kind.Element, cell.([]any)[i], items[i])
		}
		return isList
	case kind.Kind == table.KindBool:
		return cell == want
	}
	data, err := table.AppendJSON(nil, kind, cell)
	return err == nil && isText && sameNumber(string(data), strings.TrimPrefix(text, "#"))
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	data, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func sameDocument(got, want any) bool {
	switch typed := got.(type) {
	case json.Number:
		text, isText := want.(string)
		return isText && sameNumber(typed.String(), strings.TrimPrefix(text, "#"))
	case map[string]any:
		members, isObject := want.(map[string]any)
		for name := range typed {
			isObject = isObject && sameDocument(typed[name], members[name])
		}
		return isObject && len(typed) == len(members)
	case []any:
		items, isList := want.([]any)
		isList = isList && len(items) == len(typed)
		for i := 0; isList && i < len(items); i++ {
			isList = sameDocument(typed[i], items[i])
		}
		return isList
	}
	return got == want
}

// sameNumber compares numbers as those of 64 bits, and where both are whole by all their digits.
func sameNumber(got, want string) bool {
	if whole, isWhole := new(big.Int).SetString(want, 10); isWhole {
		if other, isWhole := new(big.Int).SetString(got, 10); isWhole {
			return whole.Cmp(other) == 0
		}
	}
	a, errA := strconv.ParseFloat(got, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b
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

// TestTypesAreInferredAsPandasInfersThem compares with pandas.read_csv; hack/seedfiles makes the files. Delimiters are found here, and told
// there.
func TestTypesAreInferredAsPandasInfersThem(t *testing.T) {
	archive, err := zip.OpenReader("testdata/pandas.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	kinds := map[table.Kind]string{table.KindInt: "int64", table.KindFloat: "float64", table.KindBool: "bool", table.KindString: "str"}
	compared := 0
	for _, entry := range archive.File {
		name, isText := strings.CutSuffix(entry.Name, ".csv")
		if !isText {
			continue
		}
		var want struct {
			Types  map[string]string
			Values map[string][]*string
		}
		if err := json.Unmarshal(stored(t, &archive.Reader, name+".json"), &want); err != nil {
			t.Fatal(err)
		}
		compared++
		dataset, err := parseAs(t, stored(t, &archive.Reader, entry.Name), "rows.csv", &v1alpha1.Seed{}, 0)
		if err != nil || dataset.Schema().Len() != len(want.Types) {
			t.Errorf("%s: %v; pandas reads %v", name, err, want.Types)
			continue
		}
		for column, field := range dataset.Schema().Fields() {
			values := want.Values[field.Name]
			if kinds[field.Type.Kind] != want.Types[field.Name] || dataset.Len() != len(values) {
				t.Errorf("%s: column %s is %s with %d rows; pandas reads %s with %d", name, field.Name, field.Type, dataset.Len(),
					want.Types[field.Name], len(values))
				continue
			}
			for number, value := range values {
				if cell := row(t, dataset, number).Cells[column]; !sameAsPandas(cell, value) {
					t.Errorf("%s, row %d, column %s: got %v, want %s", name, number, field.Name, cell, *value)
				}
			}
		}
	}
	if compared < 100 {
		t.Errorf("%d files were compared", compared)
	}
}

func sameAsPandas(cell any, want *string) bool {
	switch typed := cell.(type) {
	case nil:
		return want == nil
	case string:
		return want != nil && typed == *want
	case bool:
		return want != nil && *want == map[bool]string{true: "True", false: "False"}[typed]
	}
	return want != nil && sameNumber(fmt.Sprint(cell), *want)
}
