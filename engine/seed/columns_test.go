package seed_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

func zipped(text string) []byte {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	_, _ = writer.Write([]byte(text)) // a buffer takes all
	_ = writer.Close()
	return buffer.Bytes()
}

func wide(text string) []byte {
	data := []byte{0xff, 0xfe}
	for _, unit := range utf16.Encode([]rune(text)) {
		data = append(data, byte(unit), byte(unit>>8))
	}
	return data
}

func TestForms(t *testing.T) {
	want := [][]any{{int64(1), "x"}, {int64(2), "ü"}}
	for name, c := range map[string]struct {
		file string
		data []byte
	}{
		"semicolons":      {"rows.csv", []byte("a;b\n1;x\n2;ü\n")},
		"tabs":            {"rows.csv", []byte("a\tb\n1\tx\n2\tü\n")},
		"bars":            {"rows.csv", []byte("a|b\n1|x\n2|ü\n")},
		".tsv":            {"rows.tsv", []byte("a\tb\n1\tx\n2\tü\n")},
		"sep=":            {"rows.csv", []byte("sep=;\r\na;b\r\n1;x\r\n2;ü\r\n")},
		"CR":              {"rows.csv", []byte("a,b\r1,x\r2,ü\r")},
		"gzip":            {"rows.csv.gz", zipped("a,b\n1,x\n2,ü\n")},
		"gzip of JSONL":   {"rows.jsonl.gz", zipped("{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2, \"b\": \"ü\"}\n")},
		"gzip by content": {"rows.csv", zipped("a,b\n1,x\n2,ü\n")},
		"UTF-16":          {"rows.csv", wide("a,b\r\n1,x\r\n2,ü\r\n")},
		"byte order mark": {"rows.json", []byte("\xef\xbb\xbf[{\"a\": 1, \"b\": \"x\"},\n {\"a\": 2, \"b\": \"ü\"}]")},
	} {
		dataset, err := parseAs(t, c.data, c.file, &v1alpha1.Seed{}, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, rows := shown(t, dataset); !cmp.Equal(rows, want) {
			t.Errorf("%s: got %v", name, rows)
		}
	}
}

func TestMessagesNameTheCause(t *testing.T) {
	for name, c := range map[string]struct {
		file, data string
		want       []string
	}{
		"a pointer of Git LFS": {"rows.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", []string{"Git LFS", "git lfs pull"}},
		"a web page":           {"rows.parquet", "<!DOCTYPE html><html></html>", []string{"web page"}},
		"NaN":                  {"rows.jsonl", "{\"a\": 1}\n{\"a\": NaN}\n", []string{"line 2", "NaN is not JSON", "null"}},
		"Infinity":             {"rows.jsonl", "{\"a\": [1, -Infinity]}\n", []string{"line 1", "Infinity is not JSON"}},
		"a key twice":          {"rows.jsonl", "{\"a\": 1}\n\n{\"b\": 1, \"b\": 2}\n", []string{"line 3", `"b"`, "twice"}},
		"Latin-1":              {"rows.csv", "a,b\n1,2\n3,caf\xe9\n", []string{"line 3", "0xE9", "iconv"}},
		"ragged":               {"rows.csv", "a,b\n1,2\n3\n", []string{"line 3 has 1 cells", "the header has 2", "delimiter"}},
		"Parquet as CSV":       {"rows.csv", "PAR1xxxxxxxxPAR1", []string{"it is Parquet", "spec.seed.format"}},
		"Parquet cut off":      {"rows.parquet", "PAR1 and no end of it", []string{"cut off"}},
		"a spreadsheet":        {"rows.csv", "PK\x03\x04xxxx", []string{"spreadsheet"}},
		"JSON as CSV":          {"rows.csv", "{\"a\": 1}\n", []string{"JSON", "spec.seed.format"}},
		"gzip cut off":         {"rows.csv.gz", string(zipped(strings.Repeat("a,b\n", 999))[:30]), []string{"gzip", "cut off"}},
		"upper and lower":      {"rows.csv", "id,ID\n1,2\n", []string{`"id"`, `"ID"`, "spec.seed.columns"}},
		"a constant":           {"rows.csv", "none,b\n1,2\n", []string{`"none"`, "constant", "spec.seed.columns"}},
		"_row":                 {"rows.csv", "_row,b\n1,2\n", []string{`"_row"`, "spec.seed.columns"}},
		"gzip twice":           {"rows.csv.gz", string(zipped(string(zipped("a,b\n1,2\n")))), []string{"compressed twice", "gunzip"}},
		"gzip twice, Parquet":  {"rows.parquet.gz", string(zipped(string(zipped("PAR1")))), []string{"compressed twice"}},
		"half a character":     {"rows.jsonl", "{\"a\": 1}\n{\"a\": \"x\\ud800y\"}\n", []string{"line 2", "half of a character", "\\ud800"}},
		"the other half":       {"rows.jsonl", "{\"a\": \"\\udc00\"}\n", []string{"line 1", "half of a character"}},
		"no Parquet":           {"rows.parquet", "id,name\n1,a\n", []string{"no Parquet file", `"id,name\n"`, "PAR1"}},
		"no Parquet, short":    {"rows.parquet", "id\n", []string{"no Parquet file", `"id\n"`}},
		"nothing as Parquet":   {"rows.parquet", "", []string{"empty"}},
		"a huge record":        {"rows.csv.gz", string(zipped("a\n" + strings.Repeat("x", 40<<20))), []string{"line 2", "32 MiB"}},
	} {
		_, err := parseAs(t, []byte(c.data), c.file, &v1alpha1.Seed{}, 0)
		for _, word := range c.want {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %v does not say %q", name, err, word)
			}
		}
	}
}

func TestColumnsAreSelectedRenamedAndTyped(t *testing.T) {
	data := []byte("First Name,none,größe,n,price,day,big\nann,x,1.80,007,19.90,2024-02-29,12345678901234567890\n")
	dataset, err := parseAs(t, data, "rows.csv", &v1alpha1.Seed{Columns: []v1alpha1.SeedColumn{
		{Name: "price", Type: v1alpha1.SeedColumnDecimal}, {Name: "first", From: "First Name"}, {Name: "size", From: "größe", Type: v1alpha1.SeedColumnStr},
		{Name: "number", From: "n", Type: v1alpha1.SeedColumnInt}, {Name: "date", From: "day"},
	}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := shown(t, dataset)
	if want := "price: decimal128(4, 2), first: string, size: string, number: int64, date: date32[day]"; columns != want {
		t.Errorf("columns are %s, want %s", columns, want)
	}
	if got := fmt.Sprint(rows[0]); got != "[19.90 ann 1.80 7 2024-02-29]" {
		t.Errorf("cells are %s", got)
	}
	if texts := row(t, dataset, 0).Texts; texts[0] != "19.90" || texts[3] != "007" || texts[4] != "2024-02-29" {
		t.Errorf("texts are %q", texts)
	}
	for want, columns := range map[string][]v1alpha1.SeedColumn{
		`column "n", line 2: "x" is not a value of type int64`:                            {{Name: "n", From: "none", Type: v1alpha1.SeedColumnInt}},
		`column "n", line 2: 12345678901234567890 is beyond the whole numbers of 64 bits`: {{Name: "n", From: "big", Type: v1alpha1.SeedColumnInt}},
		`the file has no column "size"`:                                                   {{Name: "size"}},
	} {
		if _, err := parseAs(t, data, "rows.csv", &v1alpha1.Seed{Columns: columns}, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestAColumnMayBeUsedAsSeveral has a column of the file under three names, one of them with another type.
func TestAColumnMayBeUsedAsSeveral(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "n", Type: table.Type{Kind: table.KindInt}}, table.Field{Name: "t"})
	var file bytes.Buffer
	if err := new(parquetfile.Writer).Write(&file, schema, [][]any{{int64(7), "x"}, {int64(8), "y"}}); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"rows.csv": []byte("n,t\n7,x\n8,y\n"), "rows.jsonl": []byte("{\"n\": 7, \"t\": \"x\"}\n{\"\\u006e\": 8, \"t\": \"y\"}\n"),
		"rows.json": []byte(`[{"n": 7, "t": "x"}, {"t": "y", "n": 8}]`), "rows.parquet": file.Bytes(),
	} {
		dataset, err := parseAs(t, data, name, &v1alpha1.Seed{Columns: []v1alpha1.SeedColumn{
			{Name: "n"}, {Name: "t"}, {Name: "text", From: "n", Type: v1alpha1.SeedColumnStr}, {Name: "again", From: "n"},
		}}, 0)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, rows := shown(t, dataset); !cmp.Equal(rows, [][]any{{int64(7), "x", "7", int64(7)}, {int64(8), "y", "8", int64(8)}}) {
			t.Errorf("%s: got %v", name, rows)
		}
	}
}

func TestRowsAreSelected(t *testing.T) {
	var text strings.Builder
	text.WriteString("n\n")
	for i := range 100 {
		fmt.Fprintln(&text, i)
	}
	number := func(value int64) *int64 { return &value }
	for name, c := range map[string]struct {
		selection v1alpha1.SeedSelection
		order     v1alpha1.SeedOrder
		rows      int64
		first     int64
		length    int
	}{
		"all":              {v1alpha1.SeedSelection{}, "", 0, 0, 100},
		"as many as asked": {v1alpha1.SeedSelection{}, "", 7, 0, 7},
		"shuffled, all":    {v1alpha1.SeedSelection{}, v1alpha1.SeedShuffled, 7, 0, 100},
		"offset and limit": {v1alpha1.SeedSelection{Offset: number(10), Limit: number(5)}, "", 0, 10, 5},
		"a part":           {v1alpha1.SeedSelection{Partition: &v1alpha1.SeedPartition{Index: new(int32(2)), Count: 3}}, "", 7, 66, 34},
	} {
		spec := &v1alpha1.Seed{Order: c.order, Selection: &c.selection}
		dataset, err := parseAs(t, []byte(text.String()), "rows.csv", spec, c.rows)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if dataset.Len() != c.length || row(t, dataset, 0).Cells[0] != c.first || dataset.Number(0) != c.first {
			t.Errorf("%s: %d rows from %v on, want %d from %d on", name, dataset.Len(), row(t, dataset, 0).Cells[0], c.length, c.first)
		}
	}
}

// What is in JSON and fits no type is text, so that a column that nobody reads never refuses a seed.
func TestValuesOfDifferentTypesAreText(t *testing.T) {
	data := `{"a": 1, "big": 12345678901234567890, "o": {}, "m": [1, "x"], "f": 1e400}` + "\n" +
		`{"a": "x", "big": 1, "o": {}, "m": [null], "f": 0.5}`
	dataset, err := parse(t, []byte(data), linesFormat)
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := shown(t, dataset)
	if want := "a: string, big: decimal128(20, 0), o: string, m: list<string>, f: string"; columns != want {
		t.Errorf("columns are %s, want %s", columns, want)
	}
	if got := fmt.Sprint(rows); got != "[[1 12345678901234567890 {} [1 x] 1e400] [x 1 {} [<nil>] 0.5]]" {
		t.Errorf("rows are %s", got)
	}
}

// More rows than the index knows, one by one, and in any order.
func TestManyRowsAreFound(t *testing.T) {
	if testing.Short() {
		t.Skip("reads millions of rows")
	}
	const rows = 2_200_000
	text := make([]byte, 0, rows*8)
	text = append(text, "n\n"...)
	for i := range rows {
		text = fmt.Appendln(text, i)
	}
	dataset, err := parse(t, text, csvFormat)
	if err != nil || dataset.Len() != rows {
		t.Fatalf("%v, %v", dataset, err)
	}
	selector := seed.NewSelector(rows, v1alpha1.SeedShuffled, 3)
	for position := range 2000 {
		number := selector.Index(0) + position*2617
		if got := row(t, dataset, number%rows).Cells[0]; got != int64(number%rows) {
			t.Fatalf("row %d is %v", number%rows, got)
		}
	}
}
