package journal_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var text = table.Type{Kind: table.KindString}

var schema = table.NewSchema(
	table.Field{Name: "text", Type: text},
	table.Field{Name: "count", Type: table.Type{Kind: table.KindInt}},
	table.Field{Name: "share", Type: table.Type{Kind: table.KindFloat}},
	table.Field{Name: "good", Type: table.Type{Kind: table.KindBool}},
	table.Field{Name: "when", Type: table.Type{Kind: table.KindTimestamp}},
	table.Field{Name: "tags", Type: table.Type{Kind: table.KindList, Element: &text}},
	table.Field{Name: "verdict", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "score", Type: table.Type{Kind: table.KindInt}}, {Name: "why", Type: text}}}},
)

var cells = []journal.Cell{
	{Row: 1, Column: "text", Value: "a \"line\"\nand \u2028 another <b>", Usage: runreport.Usage{Succeeded: 1, Failed: 2, InputTokens: 3, OutputTokens: 4}},
	{Row: 1 << 40, Ordinal: 2, Attempt: 3, Column: "count", Value: int64(1<<62 + 1)},
	{Row: 2, Column: "share", Value: 0.1},
	{Row: 3, Column: "good", Value: true},
	{Row: 4, Column: "when", Value: time.Date(2026, 1, 2, 3, 4, 5, 678_000, time.UTC)},
	{Row: 5, Column: "tags", Value: []any{"x", nil, ""}},
	{Row: 6, Column: "verdict", Value: []any{int64(4), "because"}},
	{Row: 7, Column: "text", Value: nil},
	{Row: 8, Attempt: 1, Column: "verdict", Usage: runreport.Usage{Succeeded: 2, OutputTokens: 9}, Failed: true},
}

func open(t *testing.T, path string, valid int64) *journal.Writer {
	t.Helper()
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Truncate(valid); err != nil {
		t.Fatal(err)
	}
	return journal.NewWriter(file, valid)
}

func written(t *testing.T, cells []journal.Cell) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal")
	writer := open(t, path, 0)
	for _, cell := range cells {
		if err := writer.Append(cell); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Sync(); err != nil {
		t.Error(err)
	}
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || int64(len(data)) != writer.Size() {
		t.Fatalf("%d bytes were written, want %d: %v", len(data), writer.Size(), err)
	}
	return data
}

func TestCellsComeBackAsTheyWere(t *testing.T) {
	data := written(t, cells)
	content := journal.Read(data, schema)
	if difference := cmp.Diff(cells, content.Cells); difference != "" {
		t.Error(difference)
	}
	if content.Torn || content.Valid != int64(len(data)) || content.Ends[len(cells)-1] != content.Valid {
		t.Errorf("%d of %d bytes count, torn: %t", content.Valid, len(data), content.Torn)
	}
}

func TestATornTailIsCutWhereverItIsTorn(t *testing.T) {
	data := written(t, cells)
	ends := journal.Read(data, schema).Ends
	for length := range data {
		content := journal.Read(data[:length], schema)
		whole, torn := slices.BinarySearch(ends, int64(length))
		if torn {
			whole++ // the line that ends just here
		}
		wantTorn := length > 0 && !torn
		if len(content.Cells) != whole || content.Torn != wantTorn {
			t.Fatalf("of %d bytes, %d cells come back (torn: %t), want %d (torn: %t)", length, len(content.Cells), content.Torn, whole, wantTorn)
		}
	}
}

func TestADamagedLineEndsTheJournal(t *testing.T) {
	data := written(t, cells)
	ends := journal.Read(data, schema).Ends
	for position := range data {
		damaged := slices.Clone(data)
		damaged[position] ^= 1
		content := journal.Read(damaged, schema)
		line, found := slices.BinarySearch(ends, int64(position))
		if found {
			line++ // it is the first byte of the next line
		}
		if len(content.Cells) != line || !content.Torn {
			t.Fatalf("with byte %d damaged, %d cells come back, want the %d before it", position, len(content.Cells), line)
		}
		if difference := cmp.Diff(cells[:line], content.Cells[:line:line]); line > 0 && difference != "" {
			t.Fatal(difference)
		}
	}
}

func TestWritingGoesOnAfterATornTail(t *testing.T) {
	data := written(t, cells[:2])
	path := filepath.Join(t.TempDir(), "journal")
	if err := os.WriteFile(path, data[:len(data)-5], 0o600); err != nil {
		t.Fatal(err)
	}
	writer := open(t, path, journal.Read(data[:len(data)-5], schema).Valid)
	if err := writer.Append(cells[2]); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content := journal.Read(again, schema)
	if difference := cmp.Diff([]journal.Cell{cells[0], cells[2]}, content.Cells); difference != "" || content.Torn {
		t.Errorf("torn: %t, %s", content.Torn, difference)
	}
}

func TestManyGoroutinesWriteWholeLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	writer := open(t, path, 0)
	var all sync.WaitGroup
	for worker := range 32 {
		all.Go(func() {
			for i := range 50 {
				if err := writer.Append(journal.Cell{Row: table.RowIndex(worker*50 + i), Column: "text", Value: fmt.Sprint("value ", worker, i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if err := writer.Close(); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[table.RowIndex]bool{}
	for _, cell := range journal.Read(data, schema).Cells {
		seen[cell.Row] = true
	}
	if len(seen) != 1600 {
		t.Errorf("%d rows come back, want 1600", len(seen))
	}
}

func TestColumnsThatAreGoneAreLeftOut(t *testing.T) {
	data := written(t, cells[:2])
	content := journal.Read(data, table.NewSchema(schema.Fields()[1]))
	if len(content.Cells) != 1 || content.Cells[0].Column != "count" || content.Torn || content.Valid != int64(len(data)) {
		t.Errorf("got %+v", content)
	}
}

func BenchmarkAppend(b *testing.B) {
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "journal"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	writer := journal.NewWriter(file, 0)
	cell := cells[0]
	b.ReportAllocs()
	for b.Loop() {
		if err := writer.Append(cell); err != nil {
			b.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		b.Fatal(err)
	}
}

func TestAMovedEndLeavesOutWhatCameBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	writer := open(t, path, 0)
	for _, err := range []error{writer.Begin(5), writer.Append(cells[0]), writer.Again(3, 2), writer.Begin(10), writer.Append(cells[2]), writer.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content := journal.Read(data, schema)
	if content.End != 10 || content.Current != 1 || len(content.Cells) != 2 || len(content.Attempts) != 0 || content.Torn {
		t.Errorf("it holds %+v", content)
	}
}
