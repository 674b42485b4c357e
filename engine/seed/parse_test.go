package seed_test

import (
	"bytes"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

const (
	csvFormat   = v1alpha1.SeedFormatCSV
	jsonFormat  = v1alpha1.SeedFormatJSON
	linesFormat = v1alpha1.SeedFormatJSONL
)

// shown returns the columns of a dataset as text, and its rows.
func shown(t testing.TB, dataset *seed.Dataset) (columns string, rows [][]any) {
	var names []string
	for _, field := range dataset.Schema().Fields() {
		names = append(names, field.Name+": "+field.Type.String())
	}
	positions := make([]int, dataset.Len())
	each := make([]seedRow, dataset.Len())
	for i := range positions {
		positions[i] = i
		each[i] = row(t, dataset, i)
		rows = append(rows, each[i].Cells)
	}
	together, err := dataset.Fetch(positions)
	if err == nil {
		err = checkColumns(together, each[:together.Len()], nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, ", "), rows
}

func number(text string) table.Decimal {
	parsed, isNumber := table.ParseDecimal(text)
	if !isNumber {
		panic(text)
	}
	return parsed
}

// bigNumbers compares decimals by their values.
var bigNumbers = cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })

func TestWhatIsRead(t *testing.T) {
	moment := func(text string) time.Time {
		parsed, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return parsed.UTC()
	}
	cases := []struct {
		name    string
		format  v1alpha1.SeedFormat
		data    string
		columns string
		rows    [][]any
	}{
		{"CSV: the narrowest type that fits every cell", csvFormat, "flag,count,share,at,text\ntrue,1,1,2026-01-02T00:00:00Z,1\nFALSE,-2,2.5,2026-01-02T03:04:05+01:00,x\n",
			"flag: bool, count: int64, share: double, at: timestamp[us, tz=UTC], text: string",
			[][]any{{true, int64(1), 1.0, moment("2026-01-02T00:00:00Z"), "1"}, {false, int64(-2), 2.5, moment("2026-01-02T02:04:05Z"), "x"}}},
		{"CSV: the last cell counts too", csvFormat, "a\n" + strings.Repeat("1\n", 3) + "x\n", "a: string", [][]any{{"1"}, {"1"}, {"1"}, {"x"}}},
		{"CSV: codes stay text", csvFormat, "zip,phone,id,hex\n007,+41791234567,12345678901234567890,0x1p4\n", "zip: string, phone: string, id: decimal128(20, 0), hex: string",
			[][]any{{"007", "+41791234567", number("12345678901234567890"), "0x1p4"}}},
		{"CSV: digits are not lost to fractions", csvFormat, "id\n9007199254740993\n1.5\n", "id: decimal128(17, 1)", [][]any{{number("9007199254740993")}, {number("1.5")}}},
		{"CSV: words of numbers are words", csvFormat, "a,b\nNaN,Infinity\n", "a: string, b: string", [][]any{{"NaN", "Infinity"}}},
		{"CSV: an empty cell is null", csvFormat, "a,b,c\n1,,\n,x,\n", "a: int64, b: string, c: string", [][]any{{int64(1), nil, nil}, {nil, "x", nil}}},
		{"CSV: mark, quotes, line ends and no last one", csvFormat, "\xef\xbb\xbfa, b\r\n\"x, \"\"y\"\"\r\nz\",ü\r\n1,2", "a: string, b: string", [][]any{{"x, \"y\"\r\nz", "ü"}, {"1", "2"}}},
		{"JSON: every kind", jsonFormat, `[{"z": "t", "i": 9223372036854775807, "f": 1, "b": true, "l": ["a", null], "o": {"y": 1, "x": [2.5]}}, {"f": 0.5, "l": [], "o": {"x": null}}]`,
			"z: string, i: int64, f: double, b: bool, l: list<string>, o: struct<y: int64, x: list<double>>",
			[][]any{{"t", int64(9223372036854775807), 1.0, true, []any{"a", nil}, []any{int64(1), []any{2.5}}}, {nil, nil, 0.5, nil, []any{}, []any{nil, nil}}}},
		{"JSON: a key that comes late", jsonFormat, `[{"a": 1}, {"b": 2, "a": null}]`, "a: int64, b: int64", [][]any{{int64(1), nil}, {nil, int64(2)}}},
		{"JSON: nothing but nulls", jsonFormat, `[{"a": null, "l": []}]`, "a: string, l: list<string>", [][]any{{nil, []any{}}}},
		{"JSONL: blank lines and no last end", linesFormat, "{\"a\": 1}\n\n  {\"a\": 2}", "a: int64", [][]any{{int64(1)}, {int64(2)}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dataset, err := parse(t, []byte(c.data), c.format)
			if err != nil {
				t.Fatal(err)
			}
			columns, rows := shown(t, dataset)
			if columns != c.columns {
				t.Errorf("columns are\n%s, want\n%s", columns, c.columns)
			}
			if difference := cmp.Diff(c.rows, rows, bigNumbers); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestWhatIsRefused(t *testing.T) {
	cases := []struct {
		name   string
		format v1alpha1.SeedFormat
		data   string
		want   string
	}{
		{"CSV: empty", csvFormat, "", "it is empty"},
		{"CSV: only a header", csvFormat, "a,b\n", "no rows"},
		{"CSV: ragged, after a cell of two lines", csvFormat, "a,b\n1,2\n\"x\ny\",3\n4\n", "line 5 has 1 cells, but the header has 2"},
		{"CSV: an open quote", csvFormat, "a\n1\n\"x\n", "line 3"},
		{"CSV: a name twice", csvFormat, "a,b,a\n1,2,3\n", `two columns have the name "a"`},
		{"CSV: another encoding", csvFormat, "a\n\xff\xfe\n", "UTF-8"},
		{"CSV: too many columns", csvFormat, strings.Repeat("a,", 1000) + "a\n" + strings.Repeat("1,", 1000) + "1\n", "it has 1001 columns; 1 to 1000 are supported"},
		{"JSON: empty", jsonFormat, "", "line 1 (record 1): it ends"},
		{"JSON: no records", jsonFormat, "[]", "no rows"},
		{"JSON: no keys", jsonFormat, "[{}]", "it has 0 columns"},
		{"JSON: one object", jsonFormat, `{"a": 1}`, "array of objects"},
		{"JSON: lines", jsonFormat, "{\"a\": 1}\n{\"a\": 2}\n", "spec.seed.format to JSONL"},
		{"JSON: not an object", jsonFormat, `[{"a": 1}, 2]`, "record 2 is not an object"},
		{"JSON: cut off", jsonFormat, "[{\"a\": 1},\n{\"a\"", "line 2 (record 2): it ends in the middle of a value"},
		{"JSON: broken", jsonFormat, "[{\"a\": 1},\n\n{\"a\": x}]", "line 3 (record "},
		{"JSON: a key twice", jsonFormat, `[{"a": 1, "a": 2}]`, `the key "a" comes twice`},
		{"JSON: another encoding", jsonFormat, "[{\"a\": \"\xff\"}]", "UTF-8"},
		{"JSON: too deep", jsonFormat, `[{"a": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}]", "nested more than"},
		{"JSONL: empty", linesFormat, "\n", "no rows"},
		{"JSONL: an array", linesFormat, `[{"a": 1}]`, "spec.seed.format to JSON"},
		{"JSONL: broken", linesFormat, "{\"a\": 1}\n{\"a\": 2}\nxyz\n", "line 3 (record "},
		{"JSONL: a bracket that closes nothing", linesFormat, "{\"a\": 1}\n]{\"a\": 2}\n", "line 2 (record 2)"},
		{"JSONL: cut off", linesFormat, "{\"a\": 1}\n{\"a\": \"x", "line 2 (record 2): it ends in the middle of a value"},
		{"Parquet: something else", v1alpha1.SeedFormatParquet, "a,b\n1,2\n", ""},
		{"XML", csvFormat, "<?xml version='1.0'?><a/>", "it is XML"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dataset, err := parse(t, []byte(c.data), c.format)
			if err == nil {
				columns, rows := shown(t, dataset)
				t.Fatalf("it was read as %s: %v", columns, rows)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to say %q", err, c.want)
			}
		})
	}
}

// Records with ever new keys cost no more than their size.
func TestManyKeysAreRefusedWithoutMuchMemory(t *testing.T) {
	var data strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&data, "{\"k%d\": 1}\n", i)
	}
	if _, err := parse(t, []byte(data.String()), linesFormat); err == nil || !strings.Contains(err.Error(), "more than 1000 different keys") {
		t.Errorf("got %v", err)
	}
}

func TestParquetIsRead(t *testing.T) {
	fields := []table.Field{{Name: "z", Type: table.Type{Kind: table.KindString}}, {Name: "a", Type: table.Type{Kind: table.KindInt}}}
	rows := [][]any{{"x", int64(1)}, {nil, nil}}
	var buffer bytes.Buffer
	if err := new(parquetfile.Writer).Write(&buffer, table.NewSchema(fields...), rows); err != nil {
		t.Fatal(err)
	}
	dataset, err := parse(t, buffer.Bytes(), v1alpha1.SeedFormatParquet)
	if err != nil {
		t.Fatal(err)
	}
	if columns, got := shown(t, dataset); columns != "z: string, a: int64" || !cmp.Equal(rows, got) {
		t.Errorf("got %s: %v", columns, got)
	}
}

// storable fails unless what was read can be written to the dataset's files and read back unchanged.
func storable(t *testing.T, data []byte, format v1alpha1.SeedFormat) {
	dataset, err := parse(t, data, format)
	if err != nil {
		return
	}
	columns, rows := shown(t, dataset)
	var buffer bytes.Buffer
	if err := new(parquetfile.Writer).Write(&buffer, dataset.Schema(), rows); err != nil {
		t.Fatalf("%s can't be written: %v", columns, err)
	}
	schema, got, err := parquetfile.Read(bytes.NewReader(buffer.Bytes()), int64(buffer.Len()))
	if err != nil {
		t.Fatalf("%s can't be read back: %v", columns, err)
	}
	for i, field := range dataset.Schema().Fields() {
		if read := schema.Fields()[i]; read.Name != field.Name || !read.Type.Equal(field.Type) {
			t.Fatalf("column %s %s came back as %s %s", field.Name, field.Type, read.Name, read.Type)
		}
	}
	if difference := cmp.Diff(rows, got, bigNumbers); difference != "" {
		t.Fatal(difference)
	}
}

func FuzzCSV(f *testing.F) {
	for _, data := range []string{"a,b\n1,x\n", "a\n\"x\ny\"\n", "\xef\xbb\xbfa\r\n2026-01-02\r\n", "a\n1e5\n-0\n", "a,b\n,\n", "a\n9007199254740993\n.5\n"} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) { storable(t, data, csvFormat) })
}

func FuzzJSON(f *testing.F) {
	for _, data := range []string{`[{"a": 1, "b": [{"c": null}, {"c": [1.5]}]}]`, `{"a": {"b": "x"}}` + "\n" + `{"a": null}`, `[{"a": -0}, {"a": 1e3}]`, `[{"a":{"list":[1]}}]`, `]`} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		storable(t, data, jsonFormat)
		storable(t, data, linesFormat)
	})
}

func BenchmarkCSV(b *testing.B) {
	data := []byte("id,name,score\n" + strings.Repeat("17,somebody else,0.25\n", 10_000))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(b, data, csvFormat); err != nil {
			b.Fatal(err)
		}
	}
}

// TestKeysWithEscapesAreToldApart has keys whose spelling in one record is the name of another one.
func TestKeysWithEscapesAreToldApart(t *testing.T) {
	dataset, err := parse(t, []byte(`{"a\\u0062": 1, "ab": 2}`+"\n"+`{"a\u0062": 3, "a\\u0062": 4, "\"": "\u00e9\n"}`+"\n"), linesFormat)
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := shown(t, dataset)
	want := [][]any{{int64(1), int64(2), nil}, {int64(4), int64(3), "é\n"}}
	if diff := cmp.Diff(want, rows); diff != "" || columns != `a\u0062: int64, ab: int64, ": string` {
		t.Errorf("columns %s: %s", columns, diff)
	}
}
