package parquetfile_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

var paged = table.NewSchema(
	table.Field{Name: "count", Type: of(table.KindInt)},
	table.Field{Name: "flag", Type: of(table.KindBool)},
	table.Field{Name: "mood", Type: of(table.KindString)},
	table.Field{Name: "items", Type: list(of(table.KindInt))},
	table.Field{Name: "share", Type: of(table.KindFloat)},
	table.Field{Name: "noise", Type: of(table.KindInt)},
)

// pagedRows have several pages in each column; the dictionary of the texts becomes too large on the way, and noise can't be compressed.
func pagedRows() (rows [][]any) {
	for i := range 50_000 {
		mood := []string{"calm", "glad"}[i%2]
		if i > 30_000 {
			mood = fmt.Sprintf("%d %s", i, strings.Repeat("x", 80))
		}
		row := []any{int64(i), i%3 == 0, mood, []any{int64(i), nil, int64(-i)}[:i%4], float64(i) / 7, int64(mix(uint64(i)))}
		if i%11 == 0 {
			row[i%len(row)] = nil
		}
		rows = append(rows, row)
	}
	return rows
}

// mix is a bijection that leaves no pattern in numbers.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func TestManyPagesComeBackAsTheyWere(t *testing.T) {
	rows := pagedRows()
	data := write(t, paged, rows)
	_, got, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(rows, got); difference != "" {
		t.Error(difference[:min(len(difference), 1000)])
	}
	// The other library reads the indexes, and the pages by them.
	other, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for i, chunk := range other.RowGroups()[0].ColumnChunks() {
		offsets, err := chunk.OffsetIndex()
		if err != nil {
			t.Fatal(err)
		}
		bounds, err := chunk.ColumnIndex()
		if err != nil {
			t.Fatal(err)
		}
		if offsets.NumPages() < 2 || bounds.NumPages() != offsets.NumPages() {
			t.Errorf("column %d has %d pages, and bounds of %d", i, offsets.NumPages(), bounds.NumPages())
		}
		pages := chunk.Pages()
		for number := range offsets.NumPages() {
			page, err := pages.ReadPage()
			if err != nil {
				t.Fatal(err)
			}
			next := int64(len(rows))
			if number+1 < offsets.NumPages() {
				next = offsets.FirstRowIndex(number + 1)
			}
			if want := next - offsets.FirstRowIndex(number); page.NumRows() != want {
				t.Errorf("column %d: page %d has %d rows, and the index says %d", i, number, page.NumRows(), want)
			}
			parquet.Release(page)
		}
		if err := pages.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestADictionaryStaysSmall(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "text"})
	var rows [][]any
	for i := range 700 {
		text := "again and again"
		if i > 600 {
			text = fmt.Sprint(i, strings.Repeat(" long", 20_000))
		}
		rows = append(rows, []any{text})
	}
	data := write(t, schema, rows)
	if _, got, err := parquetfile.Read(bytes.NewReader(data), int64(len(data))); err != nil || !cmp.Equal(rows, got) {
		t.Errorf("other rows come back: %v", err)
	}
	other, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	pages := other.RowGroups()[0].ColumnChunks()[0].Pages()
	defer pages.Close()
	page, err := pages.ReadPage()
	if err != nil {
		t.Fatal(err)
	}
	if dictionary := page.Dictionary(); dictionary == nil || dictionary.Size() > 2<<20 {
		t.Errorf("the dictionary is %v", dictionary)
	}
}

// TestPyarrowReadsPagesAndBounds needs Python with pyarrow (the variable names the interpreter).
func TestPyarrowReadsPagesAndBounds(t *testing.T) {
	python := os.Getenv("SEEDLOOM_TEST_PYTHON")
	if python == "" {
		t.Skip("SEEDLOOM_TEST_PYTHON names no Python with pyarrow")
	}
	directory := t.TempDir()
	numbers := table.NewSchema(
		table.Field{Name: "float", Type: of(table.KindFloat)}, table.Field{Name: "nan", Type: of(table.KindFloat)},
		table.Field{Name: "decimal", Type: table.Type{Kind: table.KindDecimal, Precision: 12, Scale: 2}},
		table.Field{Name: "day", Type: of(table.KindDate)}, table.Field{Name: "null", Type: of(table.KindString)},
		table.Field{Name: "flag", Type: of(table.KindBool)},
	)
	rows := [][]any{
		{0.0, math.NaN(), decimal("-12.50"), date(1960, 1, 1), nil, true},
		{math.NaN(), math.NaN(), decimal("3.00"), date(2030, 1, 1), nil, false},
		{2.5, nil, nil, nil, nil, nil},
	}
	for name, data := range map[string][]byte{"numbers": write(t, numbers, rows), "pages": write(t, paged, pagedRows())} {
		if err := os.WriteFile(filepath.Join(directory, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script := `
import datetime, decimal, math, sys, pyarrow.parquet as pq
d = sys.argv[1]
m = pq.ParquetFile(d + "/numbers", page_checksum_verification=True)
m.read()
stats = [m.metadata.row_group(0).column(i).statistics for i in range(6)]
assert (stats[0].min, stats[0].max, math.copysign(1, stats[0].min)) == (0, 2.5, -1), stats[0]
assert not stats[1].has_min_max and stats[1].null_count == 1, stats[1]
assert (stats[2].min, stats[2].max) == (decimal.Decimal("-12.50"), decimal.Decimal("3.00")), stats[2]
assert (stats[3].min, stats[3].max) == (datetime.date(1960, 1, 1), datetime.date(2030, 1, 1)), stats[3]
assert not stats[4].has_min_max and stats[4].null_count == 3, stats[4]
assert (stats[5].min, stats[5].max) == (False, True), stats[5]
def mix(x):
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9 % 2**64
    x = (x ^ x >> 27) * 0x94d049bb133111eb % 2**64
    x ^= x >> 31
    return x - 2**64 if x >> 63 else x
t = pq.ParquetFile(d + "/pages", page_checksum_verification=True).read()
for i in range(50000):
    mood = ["calm", "glad"][i % 2] if i <= 30000 else "%d %s" % (i, "x" * 80)
    want = [i, i % 3 == 0, mood, [i, None, -i][:i % 4], i / 7, mix(i)]
    if i % 11 == 0:
        want[i % 6] = None
    if i % 997 == 0 or i > 49990:
        assert list(t.slice(i, 1).to_pylist()[0].values()) == want, (i, want)
assert pq.read_table(d + "/pages", filters=[("count", ">=", 40000), ("count", "<", 40100)]).num_rows == 99
`
	if output, err := exec.CommandContext(t.Context(), python, "-c", script, directory).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// The bounds of a column are those of all its pages, be they in the first or in the last of them.
func TestTheBoundsOfAColumnAreThoseOfAllPages(t *testing.T) {
	schema := table.NewSchema(
		table.Field{Name: "rising", Type: of(table.KindInt)}, table.Field{Name: "falling", Type: of(table.KindFloat)},
		table.Field{Name: "text", Type: of(table.KindString)},
	)
	const count = 50_000
	var rows [][]any
	for i := range count {
		rows = append(rows, []any{int64(i), float64(-i), fmt.Sprintf("%06d", i)})
	}
	data := write(t, schema, rows)
	reader, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for column, want := range []string{"0 to 49999", "-49999 to 0", "000000 to 049999"} {
		chunk, err := reader.MetaData().RowGroup(0).ColumnChunk(column)
		if err != nil {
			t.Fatal(err)
		}
		statistics, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		var got string
		switch bounds := statistics.(type) {
		case *metadata.Int64Statistics:
			got = fmt.Sprint(bounds.Min(), " to ", bounds.Max())
		case *metadata.Float64Statistics:
			got = fmt.Sprint(bounds.Min(), " to ", bounds.Max()+0) // a zero of either sign
		case *metadata.ByteArrayStatistics:
			got = fmt.Sprintf("%s to %s", bounds.Min(), bounds.Max())
		}
		if got != want {
			t.Errorf("column %d: %s, want %s", column, got, want)
		}
	}
}
