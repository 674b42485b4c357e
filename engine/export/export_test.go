package export_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/export"
	"seedloom.dev/seedloom/engine/table"
)

// memory keeps the files that are closed.
type memory map[string][]byte

type memoryFile struct {
	bytes.Buffer
	closed func([]byte)
}

func (f *memoryFile) Close() error {
	f.closed(f.Bytes())
	return nil
}

func (m memory) create(name string) (io.WriteCloser, error) {
	return &memoryFile{closed: func(data []byte) { m[name] = data }}, nil
}

func write(t *testing.T, fields []table.Field, options export.Options, rows ...[]any) (memory, *export.Result) {
	t.Helper()
	files := memory{}
	writer, err := export.NewWriter(table.NewSchema(fields...), options, files.create)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := writer.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	result, err := writer.Close()
	if err != nil {
		t.Fatal(err)
	}
	return files, result
}

var (
	text  = table.Type{Kind: table.KindString}
	whole = table.Type{Kind: table.KindInt}
	float = table.Type{Kind: table.KindFloat}
)

func listOf(element table.Type) table.Type {
	return table.Type{Kind: table.KindList, Element: &element}
}

func structOf(fields ...table.Field) table.Type {
	return table.Type{Kind: table.KindStruct, Fields: fields}
}

// everything has a column of each type, and a row without values beside one with those that formats can't hold, or are tempted to change.
func everything() (fields []table.Field, rows [][]any) {
	moment := time.Date(2026, 2, 28, 23, 59, 59, 123456000, time.UTC)
	columns := []struct {
		name        string
		kind        table.Type
		first, then any
	}{
		{"text", text, "a,\"b\"\r\nc \u2028<é>&", ""},
		{"whole", whole, int64(9007199254740993), int64(math.MinInt64)},
		{"float", float, math.NaN(), 3.0},
		{"small", float, 0.1, math.Inf(-1)},
		{"truth", table.Type{Kind: table.KindBool}, true, false},
		{"moment", table.Type{Kind: table.KindTimestamp}, moment, moment.Add(time.Nanosecond * 877000)},
		{"local", table.Type{Kind: table.KindTimestamp, Local: true, Nanoseconds: true}, moment.Add(1), moment},
		{"day", table.Type{Kind: table.KindDate}, table.DateOf(moment), table.DateOf(time.Unix(0, 0))},
		{"clock", table.Type{Kind: table.KindTime}, table.TimeOfDay(12*time.Hour + 30*time.Minute), table.TimeOfDay(1000)},
		{"money", table.Type{Kind: table.KindDecimal, Precision: 20, Scale: 2}, table.Decimal{Unscaled: big.NewInt(1234567890123456789), Scale: 2},
			table.Decimal{Unscaled: big.NewInt(-5), Scale: 1}},
		{"huge", table.Type{Kind: table.KindDecimal, Precision: 50, Scale: 0}, table.Decimal{Unscaled: new(big.Int).Exp(big.NewInt(10), big.NewInt(45), nil)},
			table.Decimal{Unscaled: big.NewInt(0)}},
		{"bytes", table.Type{Kind: table.KindBinary}, []byte{0, 255, 10}, []byte{}},
		{"list", listOf(text), []any{"x", nil, ""}, []any{}},
		{"struct", structOf(table.Field{Name: "a", Type: whole}, table.Field{Name: "b", Type: listOf(float)}),
			[]any{int64(1), []any{1.5, nil}}, []any{nil, nil}},
	}
	rows = make([][]any, 3)
	for _, column := range columns {
		fields = append(fields, table.Field{Name: column.name, Type: column.kind})
		rows[0] = append(rows[0], column.first)
		rows[1] = append(rows[1], column.then)
		rows[2] = append(rows[2], nil)
	}
	return fields, rows
}

func TestJSONLinesHoldEveryValue(t *testing.T) {
	fields, rows := everything()
	files, result := write(t, fields, export.Options{Format: v1alpha1.ExportJSONL}, rows...)
	want := `{"text":"a,\"b\"\r\nc \u2028<é>&","whole":9007199254740993,"float":null,"small":0.1,"truth":true,` +
		`"moment":"2026-02-28T23:59:59.123456Z","local":"2026-02-28T23:59:59.123456001","day":"2026-02-28","clock":"12:30:00",` +
		`"money":12345678901234567.89,"huge":1000000000000000000000000000000000000000000000,"bytes":"AP8K","list":["x",null,""],` +
		`"struct":{"a":1,"b":[1.5,null]}}
{"text":"","whole":-9223372036854775808,"float":3.0,"small":null,"truth":false,` +
		`"moment":"2026-02-28T23:59:59.124333Z","local":"2026-02-28T23:59:59.123456","day":"1970-01-01","clock":"00:00:00.000001",` +
		`"money":-0.5,"huge":0,"bytes":"","list":[],"struct":{"a":null,"b":null}}
{"text":null,"whole":null,"float":null,"small":null,"truth":null,"moment":null,"local":null,"day":null,"clock":null,` +
		`"money":null,"huge":null,"bytes":null,"list":null,"struct":null}
`
	if got := string(files["data-00000.jsonl"]); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, line := range strings.Split(strings.TrimSpace(want), "\n") {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if result.Rows != 3 || len(result.Files) != 1 || result.Files[0].Rows != 3 || result.Files[0].Bytes != int64(len(want)) {
		t.Errorf("reported %+v", result)
	}
}

func TestCSVIsThatOfRFC4180(t *testing.T) {
	fields, rows := everything()
	files, _ := write(t, fields, export.Options{Format: v1alpha1.ExportCSV}, rows...)
	got := string(files["data-00000.csv"])
	want := "text,whole,float,small,truth,moment,local,day,clock,money,huge,bytes,list,struct\r\n" +
		"\"a,\"\"b\"\"\r\nc \u2028<é>&\",9007199254740993,NaN,0.1,true," +
		"2026-02-28T23:59:59.123456Z,2026-02-28T23:59:59.123456001,2026-02-28,12:30:00," +
		"12345678901234567.89,1000000000000000000000000000000000000000000000,AP8K," +
		"\"[\"\"x\"\",null,\"\"\"\"]\",\"{\"\"a\"\":1,\"\"b\"\":[1.5,null]}\"\r\n" +
		"\"\",-9223372036854775808,3.0,-inf,false,2026-02-28T23:59:59.124333Z,2026-02-28T23:59:59.123456,1970-01-01,00:00:00.000001," +
		"-0.5,0,\"\",[],\"{\"\"a\"\":null,\"\"b\"\":null}\"\r\n" +
		",,,,,,,,,,,,,\r\n"
	if got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
	read, err := csv.NewReader(strings.NewReader(got)).ReadAll()
	if err != nil || len(read) != 4 || len(read[3]) != len(fields) {
		t.Errorf("it is read as %d records: %v", len(read), err)
	}
	// A null in the only column is no empty line, which readers leave out.
	files, _ = write(t, fields[:1], export.Options{Format: v1alpha1.ExportCSV}, []any{nil}, []any{"x"})
	if got := string(files["data-00000.csv"]); got != "text\r\n\"\"\r\nx\r\n" {
		t.Errorf("one column: %q", got)
	}
}

func TestSpreadsheetsGetNoFormula(t *testing.T) {
	long := strings.Repeat("ab😀", 20_000)
	for name, test := range map[string]struct {
		value any
		kind  table.Type
		want  string
	}{
		"formula":              {`=HYPERLINK("http://x","y")`, text, `'=HYPERLINK("http://x","y")`},
		"plus":                 {"+1", text, "'+1"},
		"minus":                {"-2+3", text, "'-2+3"},
		"at":                   {"@SUM(A1)", text, "'@SUM(A1)"},
		"behind blanks":        {" \u00a0\ufeff=1", text, "' \u00a0\ufeff=1"},
		"of full width":        {"＝1", text, "'＝1"},
		"tab":                  {"\t=1", text, "'\t=1"},
		"carriage return":      {"\r=1", text, "'\n=1"},
		"a number below zero":  {int64(-2), whole, "-2"},
		"text":                 {"a = b", text, "a = b"},
		"leading zeros":        {"007", text, "'007"},
		"a decimal":            {"0.5", text, "0.5"},
		"digits of a text":     {"1234567890123456", text, "'1234567890123456"},
		"digits":               {int64(9007199254740993), whole, "'9007199254740993"},
		"digits that are kept": {int64(123456789012345), whole, "123456789012345"},
		"controls":             {"a\x00b\x07c\r\nd\re", text, "abc\nd\ne"},
		"moment":               {time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), table.Type{Kind: table.KindTimestamp}, "2026-01-02 03:04:05"},
		"list":                 {[]any{"=1"}, listOf(text), `["=1"]`},
	} {
		files, _ := write(t, []table.Field{{Name: "=x", Type: test.kind}}, export.Options{Format: v1alpha1.ExportCSV, Spreadsheet: true}, []any{test.value})
		data, hasMark := bytes.CutPrefix(files["data-00000.csv"], []byte("\ufeff"))
		read, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil || !hasMark || len(read) != 2 || read[0][0] != "'=x" || read[1][0] != test.want {
			t.Errorf("%s: %q (%v), want %q", name, files["data-00000.csv"], err, test.want)
		}
	}
	files, result := write(t, []table.Field{{Name: "x", Type: text}}, export.Options{Format: v1alpha1.ExportCSV, Spreadsheet: true},
		[]any{long}, []any{"=1"}, []any{strings.Repeat("x", 32767)})
	read, err := csv.NewReader(bytes.NewReader(files["data-00000.csv"])).ReadAll()
	if err != nil || result.Cut != 1 || result.Marked != 1 || len(read[3][0]) != 32767 {
		t.Fatalf("%+v (%v)", result, err)
	}
	units := 0
	for _, char := range read[1][0] {
		if units++; char > 0xffff {
			units++
		}
	}
	if units > 32767 || units < 32700 || !strings.HasSuffix(read[1][0], " … [cut]") {
		t.Errorf("the text was cut to %d units, and ends with %q", units, read[1][0][len(read[1][0])-20:])
	}
}

func TestArrowHoldsEveryValue(t *testing.T) {
	fields, rows := everything()
	for _, compression := range []v1alpha1.ExportCompression{"", v1alpha1.ExportZstd} {
		files, _ := write(t, fields, export.Options{Format: v1alpha1.ExportArrow, Compression: compression}, rows...)
		reader, err := ipc.NewFileReader(bytes.NewReader(files["data-00000.arrow"]))
		if err != nil {
			t.Fatal(err)
		}
		batch, err := reader.RecordBatchAt(0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for column := range batch.Columns() {
			kind := batch.Schema().Field(column).Type
			got = append(got, fmt.Sprintf("%s %s %s", kind, batch.Column(column).ValueStr(0), batch.Column(column).ValueStr(2)))
		}
		want := []string{
			"utf8 a,\"b\"\r\nc \u2028<é>& (null)", "int64 9007199254740993 (null)", "float64 NaN (null)", "float64 0.1 (null)", "bool true (null)",
			"timestamp[us, tz=UTC] 2026-02-28T23:59:59.123456Z (null)", "timestamp[ns] 2026-02-28T23:59:59.123456001 (null)",
			"date32 2026-02-28 (null)", "time64[us] 12:30:00.000000 (null)", "decimal(20, 2) 12345678901234567.89 (null)",
			"decimal256(50, 0) 1000000000000000000000000000000000000000000000 (null)", "binary AP8K (null)",
			"list<item: utf8, nullable> [\"x\",null,\"\"] (null)",
			"struct<a: int64 nullable, b: list<item: float64, nullable> nullable> {\"a\":1,\"b\":[1.5,null]} (null)",
		}
		if !slices.Equal(got, want) {
			t.Errorf("with the compression %q got\n%s\nwant\n%s", compression, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

func TestFilesAreSplit(t *testing.T) {
	fields := []table.Field{{Name: "n", Type: whole}, {Name: "split", Type: text}}
	var rows [][]any
	for i := range 3000 {
		rows = append(rows, []any{int64(i), []any{"train", "train", "test", nil, "../x", "Train", "", strings.Repeat("é", 100)}[i%8]})
	}
	options := export.Options{Format: v1alpha1.ExportJSONL, MaxFileBytes: 20_000, SplitBy: "split"}
	files, result := write(t, fields, options, rows...)
	again, _ := write(t, fields, options, rows...)
	seen := map[string][]int64{}
	for _, file := range result.Files {
		data := files[file.Name]
		if len(data) > 20_000 || file.Bytes != int64(len(data)) || !bytes.Equal(data, again[file.Name]) {
			t.Errorf("%s has %d bytes", file.Name, len(data))
		}
		decoder := json.NewDecoder(bytes.NewReader(data))
		for decoder.More() {
			var row struct {
				N     int64
				Split *string
			}
			if err := decoder.Decode(&row); err != nil {
				t.Fatal(err)
			}
			if (row.Split == nil) != (file.Split == nil) || row.Split != nil && *row.Split != *file.Split {
				t.Fatalf("a row of another value is in %s", file.Name)
			}
			prefix := file.Name[:strings.LastIndex(file.Name, "-")]
			seen[prefix] = append(seen[prefix], row.N)
		}
	}
	count := 0
	for prefix, numbers := range seen {
		count += len(numbers)
		if !slices.IsSorted(numbers) {
			t.Errorf("the rows of %s are not in their order", prefix)
		}
	}
	isThere := seen["train"] != nil && seen["_null"] != nil && seen["_empty"] != nil && seen["%2E.%2Fx"] != nil
	if count != len(rows) || len(seen) != 7 || !isThere || len(result.Files) < 8 {
		t.Errorf("%d rows in %v", count, result.Files)
	}
}

func TestTooManyValuesToSplitByAreRefused(t *testing.T) {
	options := export.Options{Format: v1alpha1.ExportCSV, SplitBy: "n"}
	writer, err := export.NewWriter(table.NewSchema(table.Field{Name: "n", Type: whole}), options, memory{}.create)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 101 {
		err = writer.Write([]any{int64(i)})
	}
	if err == nil || !strings.Contains(err.Error(), `the column "n" has more than 100 different values`) {
		t.Errorf("got %v", err)
	}
	for by, kind := range map[string]table.Type{"f": float, "l": listOf(text), "missing": text} {
		schema := table.NewSchema(table.Field{Name: "f", Type: kind}, table.Field{Name: "l", Type: kind})
		if export.CheckSplit(schema, by) == nil {
			t.Errorf("%s of %s is taken", by, kind)
		}
	}
}

func TestFilesAreCompressedAsOneFrame(t *testing.T) {
	fields, want := []table.Field{{Name: "t", Type: text}}, strings.Repeat("{\"t\":\"x\"}\n", 50_000)
	var rows [][]any
	for range 50_000 {
		rows = append(rows, []any{"x"})
	}
	files, _ := write(t, fields, export.Options{Format: v1alpha1.ExportJSONL, Compression: v1alpha1.ExportGzip}, rows...)
	packed, err := gzip.NewReader(bytes.NewReader(files["data-00000.jsonl.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	packed.Multistream(false)
	if data, err := io.ReadAll(packed); err != nil || string(data) != want {
		t.Errorf("gzip holds %d bytes (%v)", len(data), err)
	}
	files, _ = write(t, fields, export.Options{Format: v1alpha1.ExportJSONL, Compression: v1alpha1.ExportZstd}, rows...)
	var header zstd.Header
	data := files["data-00000.jsonl.zst"]
	if err := header.Decode(data); err != nil || bytes.Count(data, []byte("\x28\xb5\x2f\xfd")) != 1 {
		t.Errorf("zstd has several frames (%v)", err)
	}
	decoder, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer decoder.Close()
	if plain, err := decoder.DecodeAll(data, nil); err != nil || string(plain) != want {
		t.Errorf("zstd holds %d bytes (%v)", len(plain), err)
	}
}
