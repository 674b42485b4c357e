package parquetfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/table"
)

// leastFiles is how many files the archive has at least, so that a broken archive does not pass.
const leastFiles = 400

// TestEveryFileIsReadAsPyarrowReadsIt compares with what pyarrow reads of files of all types, encodings, codecs, page versions, nestings
// and writers; hack/seedfiles makes them.
func TestEveryFileIsReadAsPyarrowReadsIt(t *testing.T) {
	archive, err := zip.OpenReader("testdata/pyarrow.zip")
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	compared := 0
	for _, entry := range archive.File {
		name, isTruth := strings.CutSuffix(entry.Name, ".json")
		if !isTruth {
			continue
		}
		compared++
		if testing.Short() && compared%8 != 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			compare(t, content(t, &archive.Reader, name+".parquet"), content(t, &archive.Reader, entry.Name))
		})
	}
	if compared < leastFiles {
		t.Errorf("%d files were compared, want at least %d", compared, leastFiles)
	}
}

func content(t *testing.T, archive *zip.Reader, name string) []byte {
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

func compare(t *testing.T, data, truth []byte) {
	t.Helper()
	var want struct {
		Columns []string `json:"columns"`
		Rows    [][]any  `json:"rows"`
	}
	decoder := json.NewDecoder(bytes.NewReader(truth))
	decoder.UseNumber()
	if err := decoder.Decode(&want); err != nil {
		t.Fatal(err)
	}
	schema, rows, err := parquetfile.Read(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for _, field := range schema.Fields() {
		columns = append(columns, field.Name)
	}
	if difference := cmp.Diff(want.Columns, columns); difference != "" {
		t.Fatal(difference)
	}
	if len(rows) != len(want.Rows) {
		t.Fatalf("it has %d rows, want %d", len(rows), len(want.Rows))
	}
	for i, cells := range rows {
		for column, cell := range cells {
			got := exactly(schema.Fields()[column].Type, cell)
			if difference := cmp.Diff(want.Rows[i][column], got); difference != "" {
				t.Fatalf("column %s, row %d: %s", columns[column], i+1, difference)
			}
		}
	}
}

// exactly writes a cell as the script that made the files does.
func exactly(kind table.Type, cell any) any {
	switch typed := cell.(type) {
	case int64:
		return json.Number(strconv.FormatInt(typed, 10))
	case float64:
		if math.IsNaN(typed) {
			return map[string]any{"float": "nan"}
		}
		return map[string]any{"float": hex.EncodeToString(binary.BigEndian.AppendUint64(nil, math.Float64bits(typed)))}
	case []byte:
		return map[string]any{"bytes": base64.StdEncoding.EncodeToString(typed)}
	case table.Decimal:
		if kind.Precision == 20 && kind.Scale == 0 { // an unsigned integer of 64 bits
			return json.Number(typed.Plain())
		}
		return map[string]any{"decimal": typed.Plain()}
	case table.Date:
		return map[string]any{"date": json.Number(strconv.Itoa(int(typed)))}
	case table.TimeOfDay:
		return map[string]any{"time": strconv.FormatInt(int64(typed), 10)}
	case time.Time:
		text := strconv.FormatInt(typed.Unix(), 10)
		nanoseconds := strconv.FormatInt(int64(typed.Nanosecond()), 10)
		return map[string]any{"timestamp": inNanoseconds(text, nanoseconds), "zone": !kind.Local}
	case []any:
		items := make([]any, len(typed))
		for i, item := range typed {
			if kind.Kind == table.KindStruct {
				items[i] = exactly(kind.Fields[i].Type, item)
			} else {
				items[i] = exactly(*kind.Element, item)
			}
		}
		if kind.Kind == table.KindStruct {
			return map[string]any{"struct": items}
		}
		return items
	}
	return cell
}

// inNanoseconds counts the nanoseconds since the epoch, of which an int64 does not hold all.
func inNanoseconds(seconds, nanoseconds string) string {
	return decimalSum(seconds+"000000000", nanoseconds)
}

func decimalSum(a, b string) string {
	first, second := decimal(a), decimal(b)
	return first.Unscaled.Add(first.Unscaled, second.Unscaled).String()
}
