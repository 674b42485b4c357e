package parquetfile_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

var texts = table.NewSchema(table.Field{Name: "text", Type: of(table.KindString)}, table.Field{Name: "count", Type: of(table.KindInt)})

func TestStatisticsOfTextsAreCutAndStillBounds(t *testing.T) {
	for name, test := range map[string]struct {
		values           []string
		wantMin, wantMax string
	}{
		"short texts are exact":          {[]string{"b", "a", "c"}, "a", "c"},
		"a long one is cut":              {[]string{strings.Repeat("b", 100), "a"}, "a", strings.Repeat("b", 63) + "c"},
		"both":                           {[]string{strings.Repeat("b", 100), strings.Repeat("c", 65)}, strings.Repeat("b", 64), strings.Repeat("c", 63) + "d"},
		"between characters":             {[]string{strings.Repeat("ü", 100)}, strings.Repeat("ü", 32), strings.Repeat("ü", 31) + "ý"},
		"a character of three bytes":     {[]string{strings.Repeat("€", 100)}, strings.Repeat("€", 21), strings.Repeat("€", 20) + "₭"},
		"the last character has no next": {[]string{"a" + strings.Repeat("\U0010ffff", 50)}, "a" + strings.Repeat("\U0010ffff", 15), "b"},
	} {
		t.Run(name, func(t *testing.T) {
			var rows [][]any
			for i, value := range test.values {
				rows = append(rows, []any{value, int64(i)})
			}
			data := write(t, texts, rows)
			reader, err := file.NewParquetReader(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			chunk, err := reader.MetaData().RowGroup(0).ColumnChunk(0)
			if err != nil {
				t.Fatal(err)
			}
			found, err := chunk.Statistics()
			if err != nil {
				t.Fatal(err)
			}
			bounds := found.(*metadata.ByteArrayStatistics)
			if string(bounds.Min()) != test.wantMin || string(bounds.Max()) != test.wantMax {
				t.Errorf("the bounds are %q and %q, want %q and %q", bounds.Min(), bounds.Max(), test.wantMin, test.wantMax)
			}
			if _, read, err := parquetfile.Read(bytes.NewReader(data), int64(len(data))); err != nil || len(read) != len(rows) ||
				read[0][0] != test.values[0] {
				t.Errorf("%d rows come back: %v", len(read), err)
			}
		})
	}
}

func TestAFileSaysWhereItComesFrom(t *testing.T) {
	var buffer bytes.Buffer
	writer := &parquetfile.Writer{Version: "v1.2.3", Metadata: map[string]string{"seedloom.run": "{}"}}
	if err := writer.Write(&buffer, texts, [][]any{{strings.Repeat("x", 100), nil}}); err != nil {
		t.Fatal(err)
	}
	reader, err := file.NewParquetReader(bytes.NewReader(buffer.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if by := reader.MetaData().GetCreatedBy(); by != "seedloom v1.2.3" {
		t.Errorf("it was created by %q", by)
	}
	if value := reader.MetaData().KeyValueMetadata().FindValue("seedloom.run"); value == nil || *value != "{}" {
		t.Errorf("its metadata are %v", reader.MetaData().KeyValueMetadata())
	}
}

// TestLargeTextsAreReadByOthers writes texts of many megabytes. Where Python has pyarrow (the variable names the interpreter), it reads
// them too.
func TestLargeTextsAreReadByOthers(t *testing.T) {
	rows := [][]any{{strings.Repeat("a", 9<<20), int64(1)}, {"short", int64(2)}, {strings.Repeat("z", 5<<20), int64(3)}}
	data := write(t, texts, rows)
	if _, read, err := parquetfile.Read(bytes.NewReader(data), int64(len(data))); err != nil || len(read) != 3 || read[0][0] != rows[0][0] {
		t.Errorf("%d rows come back: %v", len(read), err)
	}
	python := os.Getenv("SEEDLOOM_TEST_PYTHON")
	if python == "" {
		t.Skip("SEEDLOOM_TEST_PYTHON names no Python with pyarrow, which would read the file too")
	}
	name := filepath.Join(t.TempDir(), "large.parquet")
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	script := `
import sys, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
assert [len(x) for x in t['text'].to_pylist()] == [9 << 20, 5, 5 << 20], t
assert pq.read_table(sys.argv[1], filters=[('text', '==', 'short')]).num_rows == 1
s = pq.ParquetFile(sys.argv[1]).metadata.row_group(0).column(0).statistics
assert s.min == 'a' * 64 and s.max == 'z' * 63 + '{', s
assert getattr(s, 'is_max_value_exact', False) is False and getattr(s, 'is_min_value_exact', False) is False, s
`
	if output, err := exec.CommandContext(t.Context(), python, "-c", script, name).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
