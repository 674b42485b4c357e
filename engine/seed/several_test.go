package seed_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/parquetfile"
	"seedloom.dev/seedloom/engine/seed"
	"seedloom.dev/seedloom/engine/table"
)

// loadFolder loads what patterns name of files of the given contents, with the first column of all rows as text.
func loadFolder(t *testing.T, contents map[string]string, spec *v1alpha1.Seed, rows int64, patterns ...string) (*seed.Dataset, error) {
	t.Helper()
	folder := t.TempDir()
	for name, content := range contents {
		write(t, filepath.Join(folder, name), content)
	}
	spec.PersistentVolumeClaim = &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "data", Paths: patterns}
	dataset, err := seed.Load(t.Context(), spec, seed.Options{Directory: folder, Rows: rows})
	if err == nil {
		t.Cleanup(func() {
			if err := dataset.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return dataset, err
}

// firstCells are the first cells of all rows.
func firstCells(t *testing.T, dataset *seed.Dataset) string {
	t.Helper()
	var cells []string
	for number := range dataset.Len() {
		cells = append(cells, fmt.Sprint(row(t, dataset, number).Cells[0]))
	}
	return strings.Join(cells, " ")
}

func TestRowsOfSeveralFilesFollowEachOther(t *testing.T) {
	for name, test := range map[string]struct {
		contents map[string]string
		pattern  string
		spec     v1alpha1.Seed
		rows     int64
		want     string
	}{
		"CSV": {map[string]string{"p/b.csv": "a,b\n3,x\n4,y", "p/a.csv": "a,b\n1,x\n2,y\n", "p/c.csv": "\ufeffa,b\r\n5,z\r\n", "p/_SUCCESS": ""},
			"p", v1alpha1.Seed{}, 0, "1 2 3 4 5"},
		"compressed and not": {map[string]string{"1.csv": "a\n1\n", "2.csv.gz": string(zipped("a\n2\n3\n")), "3.csv": "a\n4\n", "4.csv.gz": string(zipped("a\n5\n"))},
			"*.csv*", v1alpha1.Seed{}, 0, "1 2 3 4 5"},
		"a file without rows":  {map[string]string{"1.csv": "a\n1\n", "2.csv": "a\n", "3.csv": "a\n2\n", "4.csv": "a\n"}, "*", v1alpha1.Seed{}, 0, "1 2"},
		"types of all":         {map[string]string{"1.csv": "a\n1\n", "2.csv": "a\nx\n"}, "*", v1alpha1.Seed{}, 0, "1 x"},
		"JSON Lines":           {map[string]string{"1.jsonl": `{"a":1}`, "2.jsonl": `{"a":2,"b":3}` + "\n" + `{"a":3}`}, "*.jsonl", v1alpha1.Seed{}, 0, "1 2 3"},
		"JSON":                 {map[string]string{"1.json": `[{"a":1},{"a":2}]`, "2.json": `[{"a":3}]`}, "{1,2}.json", v1alpha1.Seed{}, 0, "1 2 3"},
		"no ending":            {map[string]string{"part-0": "a\n1\n", "part-1": "a\n2\n"}, "part-?", v1alpha1.Seed{Format: v1alpha1.SeedFormatCSV}, 0, "1 2"},
		"as many as needed":    {map[string]string{"1.csv": "a\n1\n2\n", "2.csv": "a\n3\n", "3.csv": "other\n3\n"}, "*", v1alpha1.Seed{}, 3, "1 2 3"},
		"a selection over all": {map[string]string{"1.csv": "a\n1\n2\n", "2.csv": "a\n3\n4\n"}, "*", v1alpha1.Seed{Selection: &v1alpha1.SeedSelection{Offset: new(int64(1)), Limit: new(int64(2))}}, 0, "2 3"},
		"an offset past a file": {map[string]string{"1.csv": "a\n1\n2\n", "2.csv": "a\n3\n4\n"}, "*",
			v1alpha1.Seed{Selection: &v1alpha1.SeedSelection{Offset: new(int64(3))}}, 0, "4"},
		"a part of all": {map[string]string{"1.csv": "a\n1\n2\n", "2.csv": "a\n3\n4\n"}, "*",
			v1alpha1.Seed{Selection: &v1alpha1.SeedSelection{Partition: &v1alpha1.SeedPartition{Index: new(int32(1)), Count: 4}}}, 0, "2"},
	} {
		dataset, err := loadFolder(t, test.contents, &test.spec, test.rows, test.pattern)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := firstCells(t, dataset); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// parquetOf is a Parquet file with one value in a column, and a column beside it.
func parquetOf(t *testing.T, column string, value int64) string {
	t.Helper()
	fields := []table.Field{{Name: column, Type: table.Type{Kind: table.KindInt}}, {Name: "z", Type: table.Type{Kind: table.KindString}}}
	values := []any{value, "x"}
	if value == 2 {
		slices.Reverse(fields)
		slices.Reverse(values)
	}
	var buffer bytes.Buffer
	if err := new(parquetfile.Writer).Write(&buffer, table.NewSchema(fields...), [][]any{values}); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func TestParquetFilesAreReadByTheNamesOfTheirColumns(t *testing.T) {
	one, other := parquetOf(t, "a", 1), parquetOf(t, "a", 2)
	dataset, err := loadFolder(t, map[string]string{"p/1.parquet": one, "p/2.parquet": other, "p/3.parquet.gz": string(zipped(one))}, &v1alpha1.Seed{}, 0,
		"p/*.parquet", "p/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	if got := firstCells(t, dataset); got != "1 2 1" {
		t.Errorf("got %s", got)
	}
	_, err = loadFolder(t, map[string]string{"1.parquet": one, "2.parquet": parquetOf(t, "b", 2)}, &v1alpha1.Seed{}, 0, "*")
	expect(t, err, false, `as Parquet, 2.parquet: it has no column "a", which the files before it have`)
	spec := &v1alpha1.Seed{Columns: []v1alpha1.SeedColumn{{Name: "b", From: "a"}}}
	_, err = loadFolder(t, map[string]string{"1.parquet": one, "2.parquet": parquetOf(t, "b", 2)}, spec, 0, "*")
	expect(t, err, false, `2.parquet: spec.seed.columns[0]: the file has no column "a"`)
}

func TestFilesThatDoNotBelongTogetherAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		contents map[string]string
		want     []string
	}{
		"another column": {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": "a,c\n1,2\n"}, []string{"2.csv: its column 2 is", `"c"`, `"b"`}},
		"a column less":  {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": "a\n1\n"}, []string{`2.csv: it has no column "b"`}},
		"a column more":  {map[string]string{"1.csv": "a\n1\n", "2.csv": "a,b\n1,2\n"}, []string{`2.csv: it has a column "b", which the files before it lack`}},
		"a delimiter":    {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": "a;b\n1;2\n"}, []string{`2.csv: its delimiter is ";", and in the files before it ","`}},
		"a format":       {map[string]string{"1.csv": "a\n1\n", "2.json": "[]"}, []string{"1.csv is CSV, and 2.json is JSON"}},
		"no format":      {map[string]string{"1.csv": "a\n1\n", "2.doc": "[]"}, []string{"2.doc: its format can't be told"}},
		"a broken line":  {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": "a,b\n1,2\n3\n"}, []string{"as CSV, 2.csv: line 3 has 1 cells"}},
		"an empty file":  {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": ""}, []string{"2.csv: it is empty"}},
		"a web page":     {map[string]string{"1.csv": "a,b\n1,2\n", "2.csv": "<html>"}, []string{"2.csv: it is a web page"}},
		"no rows at all": {map[string]string{"1.csv": "a\n", "2.csv": "a\n"}, []string{"it has no rows"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := loadFolder(t, test.contents, &v1alpha1.Seed{}, 0, "*")
			expect(t, err, false, test.want...)
		})
	}
	_, err := loadFolder(t, map[string]string{"1.csv": "a\n1\n"}, &v1alpha1.Seed{}, 0, "*.json")
	expect(t, err, false, `no file matches "*.json"`)
}

// More files than are open at once, read by many at once, and with an index that knows only some of the records.
func TestManyFilesAreReadByMany(t *testing.T) {
	contents, want := map[string]string{}, []string(nil)
	for number := range 150 {
		contents[fmt.Sprintf("%03d.csv", number)] = fmt.Sprintf("a\n%d\n%d\n%d\n", 3*number, 3*number+1, 3*number+2)
	}
	for number := range 450 {
		want = append(want, fmt.Sprint(number))
	}
	dataset, err := loadFolder(t, contents, &v1alpha1.Seed{}, 0, "*.csv")
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			for number := range dataset.Len() {
				if one, err := read(dataset, (number*7)%450); err != nil || one.Cells[0] != int64((number*7)%450) {
					t.Errorf("row %d: %v, %v", (number*7)%450, one, err)
					return
				}
			}
		})
	}
	readers.Wait()
	if got := firstCells(t, dataset); got != strings.Join(want, " ") {
		t.Errorf("got %s", got)
	}
}

func TestAFileThatChangesBetweenIsNoticed(t *testing.T) {
	contents := map[string]string{"1.csv": "a\n1\n", "2.csv": "a\n2\n"}
	digest := func() string {
		dataset, err := loadFolder(t, contents, &v1alpha1.Seed{}, 1, "*")
		if err != nil {
			t.Fatal(err)
		}
		if version := dataset.Version(); version != "2 files, 8 bytes" {
			t.Errorf("the version is %q", version)
		}
		return dataset.Digest()
	}
	before := digest()
	if digest() != before {
		t.Error("the same files have another digest")
	}
	contents["2.csv"] = "a\n3\n"
	if digest() == before {
		t.Error("other files have the same digest")
	}
}
