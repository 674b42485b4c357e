package parquetfile_test

import (
	"bytes"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

//go:embed foreign.py
var foreign string

// TestEveryReaderReadsTheSame writes tables of all kinds that are drawn from a seed, and such as lie at borders of pages. What arrow-go,
// parquet-go, pyarrow, DuckDB and polars read of them is compared with what they were made of, and so are the rows that filters find. The
// last three need Python (the variable names the interpreter).
func TestEveryReaderReadsTheSame(t *testing.T) {
	folder := t.TempDir()
	for name, of := range drawnTables() {
		data := of.write(t, name)
		truth := of.truth(t, of.rows)
		_, read, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Errorf("%s: arrow-go: %v", name, err)
		} else if got := of.truth(t, read); !bytes.Equal(got, truth) {
			t.Errorf("%s: arrow-go reads other rows: %s", name, firstDifference(got, truth))
		}
		of.comparePages(t, name, data)
		for path, content := range map[string][]byte{name + ".parquet": data, name + ".json": truth} {
			if err := os.WriteFile(filepath.Join(folder, path), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	python := os.Getenv("SEEDLOOM_TEST_PYTHON")
	if python == "" {
		t.Skip("SEEDLOOM_TEST_PYTHON names no Python with pyarrow, duckdb and polars, which would read the files too")
	}
	said, err := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", foreign, folder).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	t.Logf("%s", said)
}

func firstDifference(got, want []byte) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("%.80q, want %.80q", got[max(0, at-20):], want[max(0, at-20):])
}

// drawnTable is a table that is written and read.
type drawnTable struct {
	schema *table.Schema
	rows   [][]any
}

// write returns the file of the rows, which is that of the columns too.
func (d *drawnTable) write(t *testing.T, name string) []byte {
	t.Helper()
	var ofColumns bytes.Buffer
	data := write(t, d.schema, d.rows)
	columns := make([]*table.Column, d.schema.Len())
	for i := range columns {
		columns[i] = &table.Column{}
		for _, row := range d.rows {
			columns[i].Values = append(columns[i].Values, row[i])
		}
		typeColumn(columns[i])
	}
	if err := new(parquetfile.Writer).WriteColumns(&ofColumns, d.schema, columns, len(d.rows)); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if !bytes.Equal(data, ofColumns.Bytes()) {
		t.Errorf("%s: the file of the columns is another one than that of the rows", name)
	}
	return data
}

// typeColumn gives a column without nulls the slice of its type, if there is one.
func typeColumn(column *table.Column) {
	typed := table.Column{}
	for _, value := range column.Values {
		switch value := value.(type) {
		case int64:
			typed.Ints = append(typed.Ints, value)
		case float64:
			typed.Floats = append(typed.Floats, value)
		case string:
			typed.Texts = append(typed.Texts, []byte(value))
		case time.Time:
			typed.Moments = append(typed.Moments, value)
		}
	}
	rows := len(column.Values)
	if rows > 0 && rows == max(len(typed.Ints), len(typed.Floats), len(typed.Texts), len(typed.Moments)) {
		*column = typed
	}
}

// truth returns rows, column by column, as JSON.
func (d *drawnTable) truth(t *testing.T, rows [][]any) []byte {
	t.Helper()
	columns := map[string][]any{}
	for i, field := range d.schema.Fields() {
		cells := make([]any, 0, len(rows))
		for _, row := range rows {
			cells = append(cells, plainCell(&field.Type, row[i]))
		}
		columns[field.Name] = cells
	}
	data, err := json.Marshal(columns)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// plainCell returns a cell as what JSON keeps whole: numbers by their unit or their bits, decimals by their digits, bytes in hexadecimal.
func plainCell(kind *table.Type, cell any) any {
	unit := int64(time.Microsecond)
	if kind.Nanoseconds {
		unit = 1
	}
	switch cell := cell.(type) {
	case float64:
		return int64(math.Float64bits(cell))
	case time.Time:
		if kind.Nanoseconds {
			return cell.UnixNano()
		}
		return cell.UnixMicro()
	case table.TimeOfDay:
		return int64(cell) / unit
	case table.Date:
		return int32(cell)
	case table.Decimal:
		exact, _ := cell.Rescaled(kind.Scale)
		return exact.Unscaled.String()
	case []byte:
		return hex.EncodeToString(cell)
	case []any:
		items := make([]any, 0, len(cell))
		for i, item := range cell {
			of := kind.Element
			if kind.Kind == table.KindStruct {
				of = &kind.Fields[i].Type
			}
			items = append(items, plainCell(of, item))
		}
		return items
	}
	return cell
}

// comparePages compares the values that parquet-go reads of each page, and the bounds and the rows that the indexes say it has.
func (d *drawnTable) comparePages(t *testing.T, name string, data []byte) {
	t.Helper()
	file, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Errorf("%s: parquet-go: %v", name, err)
		return
	}
	var want [][]any
	for i, field := range d.schema.Fields() {
		leaves := make([][]any, leafCount(&field.Type))
		for _, row := range d.rows {
			leavesOf(&field.Type, row[i], leaves)
		}
		want = append(want, leaves...)
	}
	for _, group := range file.RowGroups() {
		for i, chunk := range group.ColumnChunks() {
			got, err := valuesOf(chunk)
			if err != nil {
				t.Errorf("%s: column %d: parquet-go: %v", name, i, err)
			} else if got, want := fmt.Sprint(got), fmt.Sprint(want[i]); got != want {
				t.Errorf("%s: column %d: parquet-go reads other values: %s", name, i, firstDifference([]byte(got), []byte(want)))
			}
		}
	}
}

// leafCount is how many leaf columns a type has.
func leafCount(kind *table.Type) (count int) {
	switch kind.Kind {
	case table.KindList:
		return leafCount(kind.Element)
	case table.KindStruct:
		for i := range kind.Fields {
			count += leafCount(&kind.Fields[i].Type)
		}
		return count
	}
	return 1
}

// leavesOf adds the values of a cell that are not null to those of the leaf columns of its type.
func leavesOf(kind *table.Type, cell any, leaves [][]any) {
	items, isItems := cell.([]any)
	switch {
	case cell == nil:
	case !isItems:
		leaves[0] = append(leaves[0], plainCell(kind, cell))
	case kind.Kind == table.KindList:
		for _, item := range items {
			leavesOf(kind.Element, item, leaves)
		}
	default:
		for i := range kind.Fields {
			leavesOf(&kind.Fields[i].Type, items[i], leaves)
			leaves = leaves[leafCount(&kind.Fields[i].Type):]
		}
	}
}

// valuesOf returns the values of a leaf column that are not null, and an error where an index lies about a page.
func valuesOf(chunk parquet.ColumnChunk) (plain []any, err error) {
	pages := chunk.Pages()
	defer pages.Close()
	index, _ := chunk.ColumnIndex() // there is none where a page has no bounds
	offsets, err := chunk.OffsetIndex()
	if err != nil {
		return nil, err
	}
	rows := int64(0)
	for number := range offsets.NumPages() {
		page, err := pages.ReadPage()
		if err != nil {
			return nil, err
		}
		values := make([]parquet.Value, page.NumValues())
		if read, _ := page.Values().ReadValues(values); read < len(values) || rows != offsets.FirstRowIndex(number) {
			return nil, fmt.Errorf("page %d has %d values from row %d, and says %d from %d", number, read, rows, len(values),
				offsets.FirstRowIndex(number))
		}
		rows += page.NumRows()
		if index != nil && index.NumPages() > 0 {
			if err := checkIndex(chunk.Type(), index, number, values); err != nil {
				return nil, err
			}
		}
		for _, value := range values {
			if !value.IsNull() {
				plain = append(plain, plainValue(chunk.Type(), value))
			}
		}
		parquet.Release(page)
	}
	return plain, nil
}

// checkIndex looks whether what the index says of a page holds for its values.
func checkIndex(kind parquet.Type, index parquet.ColumnIndex, page int, values []parquet.Value) error {
	nulls := 0
	for _, value := range values {
		switch {
		case value.IsNull():
			nulls++
		case isBelow(kind, value, index.MinValue(page)) || isBelow(kind, index.MaxValue(page), value):
			return fmt.Errorf("page %d has %.40q, and its bounds are %.40q and %.40q", page, value, index.MinValue(page), index.MaxValue(page))
		}
	}
	if int64(nulls) != index.NullCount(page) || (nulls == len(values)) != index.NullPage(page) {
		return fmt.Errorf("page %d has %d nulls of %d, and the index says %d", page, nulls, len(values), index.NullCount(page))
	}
	return nil
}

// isBelow says whether a value is less than another one. NaN is not.
func isBelow(kind parquet.Type, one, other parquet.Value) bool {
	switch kind.Kind() {
	case parquet.Double:
		return one.Double() < other.Double()
	case parquet.FixedLenByteArray: // which the library does not compare as numbers
		return signed(one).Cmp(signed(other)) < 0
	}
	return kind.Compare(one, other) < 0
}

// signed is the number that stands in bytes, the greatest first.
func signed(value parquet.Value) *big.Int {
	data := value.ByteArray()
	number := new(big.Int).SetBytes(data)
	if data[0] >= 0x80 {
		number.Sub(number, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return number
}

func plainValue(kind parquet.Type, value parquet.Value) any {
	switch value.Kind() {
	case parquet.Boolean:
		return value.Boolean()
	case parquet.Int32:
		return value.Int32()
	case parquet.Int64:
		return value.Int64()
	case parquet.Double:
		return int64(math.Float64bits(value.Double()))
	case parquet.FixedLenByteArray:
		return signed(value).String()
	}
	if kind.LogicalType() == nil {
		return hex.EncodeToString(value.ByteArray())
	}
	return string(value.ByteArray())
}

// drawer draws types and tables.
type drawer struct{ *rand.Rand }

// scalars are the types that are neither list nor struct.
func scalars() (types []table.Type) {
	for _, kind := range []table.Kind{
		table.KindString, table.KindString, table.KindInt, table.KindFloat, table.KindBool, table.KindDate, table.KindBinary,
	} {
		types = append(types, of(kind))
	}
	types = append(types, table.Type{Kind: table.KindString, Document: true})
	for _, nanoseconds := range []bool{false, true} {
		types = append(types, table.Type{Kind: table.KindTime, Nanoseconds: nanoseconds},
			table.Type{Kind: table.KindTimestamp, Nanoseconds: nanoseconds}, table.Type{Kind: table.KindTimestamp, Nanoseconds: nanoseconds, Local: true})
	}
	for _, decimal := range [][2]int32{{1, 0}, {1, 1}, {2, 1}, {3, 0}, {9, 2}, {10, 10}, {18, 4}, {19, 0}, {38, 9}, {39, 0}, {76, 20}} {
		types = append(types, table.Type{Kind: table.KindDecimal, Precision: decimal[0], Scale: decimal[1]})
	}
	return types
}

func (d drawer) ofType(depth int) table.Type {
	switch choice := d.IntN(6); {
	case depth > 0 && choice < 2:
		return list(d.ofType(depth - 1))
	case depth > 0 && choice < 4:
		var fields []table.Field
		for i := range 1 + d.IntN(3) {
			fields = append(fields, table.Field{Name: fmt.Sprint("f", i), Type: d.ofType(depth - 1)})
		}
		return structure(fields...)
	}
	types := scalars()
	return types[d.IntN(len(types))]
}

// habit is how the values of a column are: how many are null, and how many different ones there are.
type habit struct {
	nulls    float64
	distinct int // 0: any number
	// until is the row from which on every value is a new one.
	until int
}

func (d drawer) habit() habit {
	return habit{[]float64{0, 0, 0.1, 0.9, 1}[d.IntN(5)], []int{0, 0, 1, 2, 40}[d.IntN(5)], []int{520, 1 << 30}[d.IntN(2)]}
}

// column draws the cells of a column.
func (d drawer) column(kind *table.Type, like habit, rows int) (cells []any) {
	var few []any
	for range like.distinct {
		few = append(few, d.value(kind))
	}
	for row := range rows {
		switch {
		case d.Float64() < like.nulls:
			cells = append(cells, nil)
		case len(few) > 0 && row < like.until:
			cells = append(cells, few[d.IntN(len(few))])
		default:
			cells = append(cells, d.value(kind))
		}
	}
	return cells
}

// value draws a cell that is not null.
func (d drawer) value(kind *table.Type) any {
	switch kind.Kind {
	case table.KindString:
		if kind.Document {
			return fmt.Sprintf(`{"n": [%d]}`, d.IntN(1000))
		}
		return d.text()
	case table.KindInt:
		return []int64{0, -1, math.MinInt64, math.MaxInt64, int64(d.Uint64()), int64(d.Uint64()), d.Int64N(100)}[d.IntN(7)]
	case table.KindFloat:
		return []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64,
			d.NormFloat64(), d.NormFloat64(), d.NormFloat64()}[d.IntN(10)]
	case table.KindBool:
		return d.IntN(2) == 0
	case table.KindDate:
		return table.Date(d.IntN(3_600_000) - 719_162) // from the year 1 to the 9999th, nearly
	case table.KindBinary:
		data := make([]byte, d.IntN(5)*d.IntN(30))
		for i := range data {
			data[i] = byte([]int{0, 0x7f, 0x80, 0xff, d.IntN(256)}[d.IntN(5)])
		}
		return data
	case table.KindList:
		items := []any{}
		for range d.IntN(4) * d.IntN(3) {
			items = append(items, d.nullable(kind.Element))
		}
		return items
	case table.KindStruct:
		items := make([]any, len(kind.Fields))
		for i := range items {
			items[i] = d.nullable(&kind.Fields[i].Type)
		}
		return items
	}
	return d.exact(kind)
}

func (d drawer) nullable(kind *table.Type) any {
	if d.IntN(5) == 0 {
		return nil
	}
	return d.value(kind)
}

// exact draws a cell of one of the kinds of which others lose something.
func (d drawer) exact(kind *table.Type) any {
	switch kind.Kind {
	case table.KindTime:
		value := []int64{0, 86_399_999_999_999, d.Int64N(86_400_000_000_000)}[d.IntN(3)]
		if !kind.Nanoseconds {
			value -= value % 1000
		}
		return table.TimeOfDay(value)
	case table.KindTimestamp:
		if kind.Nanoseconds {
			return time.Unix(0, []int64{-1, 0, 1, int64(d.Uint64()) / 2, int64(d.Uint64()) / 2}[d.IntN(5)]).UTC()
		}
		return time.UnixMicro([]int64{-1, 0, 1, d.Int64N(300_000_000_000_000_000) - 60_000_000_000_000_000}[d.IntN(4)]).UTC()
	}
	digits := strings.Repeat("9", 1+d.IntN(int(kind.Precision)))
	unscaled, _ := new(big.Int).SetString(digits, 10)
	unscaled.Sub(unscaled, big.NewInt(d.Int64N(10)))
	if d.IntN(2) == 0 {
		unscaled.Neg(unscaled)
	}
	return table.Decimal{Unscaled: unscaled, Scale: kind.Scale}
}

// text draws a text, which may be empty, longer than the bounds that a file has, or of characters at the borders of those of a length.
func (d drawer) text() string {
	characters := []string{"a", "z", "\x00", "\x7f", "\u0080", "ü", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\uffff", "\U00010000", "😀", "\U0010ffff"}
	switch d.IntN(5) {
	case 0:
		return strings.Repeat(characters[d.IntN(len(characters))], d.IntN(100))
	case 1:
		return ""
	}
	text := ""
	for range d.IntN(40) {
		text += characters[d.IntN(len(characters))]
	}
	return text
}

func (d drawer) table(fields []table.Field, rows int) *drawnTable {
	habits := make([]habit, len(fields))
	for i := range habits {
		habits[i] = d.habit()
	}
	return d.withHabits(fields, habits, rows)
}

func (d drawer) withHabits(fields []table.Field, habits []habit, rows int) *drawnTable {
	columns := make([][]any, len(fields))
	for i := range fields {
		columns[i] = d.column(&fields[i].Type, habits[i], rows)
	}
	return tableOf(fields, columns, rows)
}

// tableOf returns a table of columns, the first of which numbers the rows.
func tableOf(fields []table.Field, columns [][]any, rows int) *drawnTable {
	made := &drawnTable{schema: table.NewSchema(append([]table.Field{{Name: "id", Type: of(table.KindInt)}}, fields...)...)}
	for row := range rows {
		cells := []any{int64(row)}
		for i := range columns {
			cells = append(cells, columns[i][row])
		}
		made.rows = append(made.rows, cells)
	}
	return made
}

// drawnTables returns the tables by their names.
func drawnTables() map[string]*drawnTable {
	tables := map[string]*drawnTable{}
	var every []table.Field
	for i, kind := range scalars() {
		every = append(every, table.Field{Name: fmt.Sprint("c", i), Type: kind})
	}
	for seed, rows := range []int{0, 1, 9, 600} {
		draw := drawer{rand.New(rand.NewPCG(uint64(seed), 1))}
		tables[fmt.Sprint("scalars of ", rows)] = draw.table(every, rows)
		var nested []table.Field
		for i := range 6 {
			nested = append(nested, table.Field{Name: fmt.Sprint("c", i), Type: draw.ofType(4)})
		}
		tables[fmt.Sprint("nested of ", rows)] = draw.table(nested, rows)
	}
	for name, made := range borderTables() {
		tables[name] = made
	}
	return tables
}

// borderTables are those whose pages end at a border, or one value before or after it.
func borderTables() map[string]*drawnTable {
	tables := map[string]*drawnTable{}
	kinds := []table.Field{{Name: "text"}, {Name: "mood"}, {Name: "count", Type: of(table.KindInt)}, {Name: "share", Type: of(table.KindFloat)},
		{Name: "flag", Type: of(table.KindBool)}, {Name: "at", Type: of(table.KindTimestamp)}}
	for _, rows := range []int{20_000, 20_001} {
		draw := drawer{rand.New(rand.NewPCG(uint64(rows), 2))}
		habits := []habit{{}, {distinct: 3, until: 1 << 30}, {}, {}, {nulls: 0.1}, {}}
		tables[fmt.Sprint("levels of ", rows)] = draw.withHabits(kinds, habits, rows)
	}
	for _, missing := range []int{-1, 0, 1} { // of the bytes of a page
		var texts, lists []any
		for row := range 600 {
			texts = append(texts, strings.Repeat(string(rune('a'+row%26)), 1024-4))
			lists = append(lists, []any{texts[row], nil}[:row%3])
			if row == 255 {
				texts[row] = texts[row].(string)[missing+1:] + "x"
			}
		}
		tables[fmt.Sprint("bytes less ", missing)] = tableOf([]table.Field{{Name: "text"}, {Name: "texts", Type: list(of(table.KindString))}},
			[][]any{texts, lists}, len(texts))
	}
	tables["long lists"] = longLists()
	tables["a dictionary that overflows"] = overflowing()
	tables["large texts"] = tableOf([]table.Field{{Name: "text"}}, [][]any{{strings.Repeat("ü", 9<<19), nil, "", strings.Repeat("\xf4\x8f\xbf\xbf", 30)}}, 4)
	return tables
}

// longLists has lists of which some have more elements than a page has levels.
func longLists() *drawnTable {
	var lists [][]any
	fields := []table.Field{{Name: "ints", Type: list(of(table.KindInt))}, {Name: "nested", Type: list(list(of(table.KindBool)))}}
	for range fields {
		lists = append(lists, nil)
	}
	for row, length := range []int{0, 19_998, 1, 0, 20_000, 1, 45_000, 3, 0} {
		ints, nested := []any{}, []any{}
		for i := range length {
			ints = append(ints, int64(row*i))
			if i%3 == 0 {
				nested = append(nested, []any{i%2 == 0, nil}[:i%3])
			}
		}
		lists[0], lists[1] = append(lists[0], ints), append(lists[1], nested)
	}
	lists[0], lists[1] = append(lists[0], nil), append(lists[1], nil)
	return tableOf(fields, lists, len(lists[0]))
}

// overflowing has texts of which only the first come again.
func overflowing() *drawnTable {
	var texts, some []any
	for row := range 21_000 {
		text := fmt.Sprintf("a text of row %d: %040d", row, row)
		if row < 600 {
			text = []string{"", "calm", "glad"}[row%3]
		}
		texts, some = append(texts, text), append(some, text)
		if row%7 == 0 {
			some[row] = nil
		}
	}
	return tableOf([]table.Field{{Name: "text"}, {Name: "some"}}, [][]any{texts, some}, len(texts))
}
