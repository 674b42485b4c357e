package seed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// columns describes a schema in one line.
func columns(dataset *seed.Dataset) string {
	var parts []string
	for _, field := range dataset.Schema().Fields() {
		parts = append(parts, field.Name+" "+field.Type.String())
	}
	return strings.Join(parts, ", ")
}

func rows(dataset *seed.Dataset) [][]any {
	var all [][]any
	for i := range dataset.Len() {
		all = append(all, dataset.Row(i))
	}
	return all
}

func TestParse(t *testing.T) {
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		format  v1alpha1.SeedFormat
		data    string
		columns string
		rows    [][]any
	}{
		"CSV types": {v1alpha1.SeedFormatCSV, "\xef\xbb\xbfflag,count,share,day,code,text\r\ntrue,1,1,2026-01-31,007,\"a,\"\"b\"\"\nc\"\r\nFalse,-2,2.5,,08,\r\n",
			"flag bool, count int64, share double, day timestamp[us, tz=UTC], code string, text string",
			[][]any{{true, int64(1), 1.0, day, "007", "a,\"b\"\nc"}, {false, int64(-2), 2.5, nil, "08", nil}}},
		"CSV without values": {v1alpha1.SeedFormatCSV, "a,b\n1,\n2,\n", "a int64, b string", [][]any{{int64(1), nil}, {int64(2), nil}}},
		"CSV mixed":          {v1alpha1.SeedFormatCSV, "a\n1\nx\n2.5\n", "a string", [][]any{{"1"}, {"x"}, {"2.5"}}},
		"CSV numbers that are none": {v1alpha1.SeedFormatCSV, "a,b,c\nNaN,0x10,1_000\n", "a string, b string, c string",
			[][]any{{"NaN", "0x10", "1_000"}}},
		"JSON": {v1alpha1.SeedFormatJSON, `[{"z":1,"a":{"y":[1,2.5],"x":null}},{"z":9007199254740993,"b":"new","a":null}]`,
			"z int64, a struct<y: list<double>, x: string>, b string",
			[][]any{{int64(1), []any{[]any{1.0, 2.5}, nil}, nil}, {int64(9007199254740993), nil, "new"}}},
		"JSON lines": {v1alpha1.SeedFormatJSONL, "{\"a\":true}\n\n{\"a\":false}\n", "a bool", [][]any{{true}, {false}}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			dataset, err := seed.Parse([]byte(test.data), test.format)
			if err != nil {
				t.Fatal(err)
			}
			if got := columns(dataset); got != test.columns {
				t.Errorf("columns are %s, want %s", got, test.columns)
			}
			if difference := cmp.Diff(test.rows, rows(dataset)); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestParseSaysWhatIsWrongAndWhere(t *testing.T) {
	cases := map[string]struct {
		format v1alpha1.SeedFormat
		data   string
		want   string
	}{
		"an empty file":        {v1alpha1.SeedFormatCSV, "", "the first line must be the header"},
		"only a header":        {v1alpha1.SeedFormatCSV, "a,b\n", "no rows"},
		"a ragged line":        {v1alpha1.SeedFormatCSV, "a,b\n1,2\n3\n", "line 3 has 1 cells, but the header has 2"},
		"an open quote":        {v1alpha1.SeedFormatCSV, "a\n\"x\n", "line"},
		"two equal names":      {v1alpha1.SeedFormatCSV, "a,a\n1,2\n", `two columns have the name "a"`},
		"a name with a space":  {v1alpha1.SeedFormatCSV, "my title\n1\n", `"my title"`},
		"an empty name":        {v1alpha1.SeedFormatCSV, "a,\n1,2\n", "column 2"},
		"bytes":                {v1alpha1.SeedFormatCSV, "a\n\xff\xfe\n", "UTF-8"},
		"no array":             {v1alpha1.SeedFormatJSON, `{"a":1}`, "array of objects"},
		"lines as an array":    {v1alpha1.SeedFormatJSON, "[]\n{}", "JSONL"},
		"no object":            {v1alpha1.SeedFormatJSON, `[{"a":1},2]`, "record 2 is not an object"},
		"two types":            {v1alpha1.SeedFormatJSONL, "{\"a\":1}\n{\"a\":\"x\"}\n", `"a": record 2 has a value of type string, but those before it have int64`},
		"a broken line":        {v1alpha1.SeedFormatJSONL, "{\"a\":1}\n{\"a\":\n", "line"},
		"a bomb of brackets":   {v1alpha1.SeedFormatJSON, strings.Repeat("[", 100_000), "nested"},
		"something as Parquet": {v1alpha1.SeedFormatParquet, "a,b\n1,2\n", ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			dataset, err := seed.Parse([]byte(test.data), test.format)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v and %v, want an error with %q", dataset, err, test.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n"), true)
	f.Add([]byte(`[{"a":[{"b":1}]}]`), false)
	f.Fuzz(func(t *testing.T, data []byte, asCSV bool) {
		format := v1alpha1.SeedFormatJSON
		if asCSV {
			format = v1alpha1.SeedFormatCSV
		}
		dataset, err := seed.Parse(data, format)
		if err != nil {
			return
		}
		for i := range dataset.Len() {
			if len(dataset.Row(i)) != dataset.Schema().Len() {
				t.Fatalf("row %d has %d cells of %d", i, len(dataset.Row(i)), dataset.Schema().Len())
			}
		}
	})
}

func TestLoadFromAFolder(t *testing.T) {
	folder := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret.csv")
	for name, text := range map[string]string{filepath.Join(folder, "a.csv"): "a\n1\n", filepath.Join(folder, "noend"): "a\n1\n", outside: "a\n1\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// As the kubelet mounts a ConfigMap: a link below the folder. And one out of it.
	for link, target := range map[string]string{"link.csv": "a.csv", "out.csv": outside} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]struct {
		path   string
		format v1alpha1.SeedFormat
		want   string
	}{
		"a file": {path: "a.csv"}, "a link": {path: "link.csv"}, "a given format": {path: "noend", format: v1alpha1.SeedFormatCSV},
		"no ending": {path: "noend", want: "set spec.seed.format"}, "no file": {path: "b.csv", want: "there is no such file"},
		"a link out": {path: "out.csv", want: "escapes"}, "a path out": {path: "../a.csv", want: "escapes"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			spec := &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Path: test.path}, Format: test.format}
			dataset, err := seed.Load(t.Context(), spec, folder, nil)
			if test.want == "" {
				if err != nil || dataset.Len() != 1 {
					t.Errorf("got %v, %v", dataset, err)
				}
				return
			}
			failed := failure.Of(err)
			if failed == nil || failed.Reason != v1alpha1.ReasonSeedFailed || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestLoadFromAWebServer(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch count := requests.Add(1); {
		case request.URL.Path == "/flaky.csv" && count == 1:
			writer.WriteHeader(http.StatusServiceUnavailable)
		case request.URL.Path == "/cut.csv" && count == 1:
			writer.Header().Set("Content-Length", "100")
			fmt.Fprint(writer, "a\n")
		case request.URL.Path == "/none.csv":
			writer.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(writer, "a\n1\n2\n")
		}
	}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	load := func(ctx context.Context, address string) (*seed.Dataset, error) {
		requests.Store(0)
		return seed.Load(ctx, &v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: address}}, "", client)
	}
	for _, path := range []string{"/a.csv?token=secret", "/flaky.csv", "/cut.csv"} {
		if dataset, err := load(t.Context(), server.URL+path); err != nil || dataset.Len() != 2 {
			t.Errorf("%s: %v, %v", path, dataset, err)
		}
	}
	_, err := load(t.Context(), server.URL+"/none.csv?token=secret")
	failed := failure.Of(err)
	if failed.Reason != v1alpha1.ReasonSeedFailed || failed.Temporary || !strings.Contains(err.Error(), "HTTP 404") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests were sent for a file that is not there", requests.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(ctx, server.URL+"/a.csv"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestEachSeedRowComesOnceBeforeAnyComesAgain(t *testing.T) {
	for _, order := range []v1alpha1.SeedOrder{v1alpha1.SeedOrdered, v1alpha1.SeedShuffled} {
		for _, length := range []int{1, 2, 7, 300} {
			selector := seed.NewSelector(length, order, 42)
			var epochs []string
			for epoch := range 3 {
				seen := map[int]bool{}
				var indexes []int
				for position := range length {
					index := selector.Index(table.RowIndex(epoch*length + position))
					seen[index] = true
					indexes = append(indexes, index)
				}
				if len(seen) != length {
					t.Errorf("%s, %d rows: epoch %d has %d of them", order, length, epoch, len(seen))
				}
				epochs = append(epochs, fmt.Sprint(indexes))
			}
			if length == 300 && (order == v1alpha1.SeedShuffled) == (epochs[0] == epochs[1]) {
				t.Errorf("%s: the first two epochs have the same order: %t", order, epochs[0] == epochs[1])
			}
		}
	}
}
