package seed_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/seed"
)

// listed opens the files below a folder as a seed in which each is a row.
func listed(t *testing.T, folder string, files v1alpha1.SeedFiles, change func(*v1alpha1.Seed), rows int64) (*seed.Dataset, error) {
	t.Helper()
	spec := &v1alpha1.Seed{
		PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "c", Path: "**"}, Files: &files,
	}
	if change != nil {
		change(spec)
	}
	dataset, err := seed.Load(t.Context(), spec, seed.Options{Directory: folder, Rows: rows})
	if err == nil {
		t.Cleanup(func() { _ = dataset.Close() }) // was only read
	}
	return dataset, err
}

// notes is a folder with files, all of the same time.
func notes(t *testing.T, content map[string]string) string {
	t.Helper()
	folder, at := t.TempDir(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, text := range content {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// rowsOf are the rows of a seed.
func rowsOf(t *testing.T, dataset *seed.Dataset) (lines []string) {
	t.Helper()
	for number := range dataset.Len() {
		rows, err := dataset.Fetch([]int{number})
		if err != nil {
			t.Fatal(err)
		}
		cells := make([]any, dataset.Schema().Len())
		if _, err := rows.Row(0, cells); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, fmt.Sprint(cells...))
	}
	return lines
}

func TestEachFileIsARow(t *testing.T) {
	folder := notes(t, map[string]string{"b.md": "# B", "a/deep/x.tar.gz": "1234", "a/noending": ""})
	dataset, err := listed(t, folder, v1alpha1.SeedFiles{}, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	at := "2026-01-02 03:04:05 +0000 UTC"
	want := fmt.Sprint([]string{
		"a/deep/x.tar.gzx.tar.gza/deepgz4 " + at, "a/noendingnoendinga0 " + at, "b.mdb.mdmd3 " + at,
	})
	if got := fmt.Sprint(rowsOf(t, dataset)); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got %s, want %s", got, want)
	}
	chosen, err := listed(t, folder, v1alpha1.SeedFiles{Content: v1alpha1.SeedFileText}, func(spec *v1alpha1.Seed) {
		spec.Columns = []v1alpha1.SeedColumn{{Name: "text", From: "content"}, {Name: "size", Type: "str"}}
		spec.Selection = &v1alpha1.SeedSelection{Offset: new(int64(1))}
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := rowsOf(t, chosen); len(got) != 2 || !strings.HasPrefix(got[1], "# B") || !strings.HasSuffix(got[1], "3") {
		t.Errorf("got %q", got)
	}
}

func TestTextsOfFilesAreDecoded(t *testing.T) {
	for name, test := range map[string]struct {
		text     string
		encoding v1alpha1.SeedEncoding
		want     string
		problem  string
	}{
		"UTF-8":          {text: "é\n", want: "é\n"},
		"a mark":         {text: "\xef\xbb\xbfé", want: "é"},
		"UTF-16":         {text: "\xff\xfe\xe9\x00", want: "é"},
		"nothing":        {text: "", want: ""},
		"Windows":        {text: "\xe9\x80", encoding: "windows-1252", want: "é€"},
		"Japanese":       {text: "\x93\xfa\x96\x7b", encoding: "shift_jis", want: "日本"},
		"Latin-1":        {text: "\xe9", problem: `"a.txt": it is not text in UTF-8; say its encoding in spec.seed.files.encoding`},
		"a picture":      {text: "\x89PNG\x00\x00", problem: "it is no text: it has bytes that are zero"},
		"one of Windows": {text: "\x89PNG\x00\x00", encoding: "windows-1252", problem: "it is no text: it has bytes that are zero"},
		"UTF-16 as said": {text: "\xff\xfe\xe9\x00", encoding: "utf-16le", want: "é"},
		"zeros, UTF-16":  {text: "\xff\xfe\xe9\x00\x00\x00", problem: "it is no text: it has bytes that are zero"},
		"not Japanese":   {text: "\xff\xff", encoding: "shift_jis", problem: "it is not text in shift_jis"},
		"no encoding":    {text: "a", encoding: "klingon", problem: `no encoding is called "klingon"`},
		"half of UTF-16": {text: "\xff\xfe\xe9", problem: "it is not text in UTF-16"},
	} {
		dataset, err := listed(t, notes(t, map[string]string{"a.txt": test.text}),
			v1alpha1.SeedFiles{Content: v1alpha1.SeedFileText, Encoding: test.encoding}, func(spec *v1alpha1.Seed) {
				spec.Columns = []v1alpha1.SeedColumn{{Name: "content"}}
			}, 0)
		if test.problem != "" {
			if err == nil || !strings.Contains(err.Error(), test.problem) {
				t.Errorf("%s: got %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := rowsOf(t, dataset); got[0] != test.want {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// A run and its extension have the same seed; a file that is another one, or was added, is another one.
func TestFilesThatChangeAreAnotherSeed(t *testing.T) {
	content := map[string]string{"a.txt": "a", "b.txt": "b", "c.txt": "c"}
	text := v1alpha1.SeedFiles{Content: v1alpha1.SeedFileText}
	digest := func(rows int64) string {
		dataset, err := listed(t, notes(t, content), text, nil, rows)
		if err != nil {
			t.Fatal(err)
		}
		if rows > 0 && int64(dataset.Len()) != rows {
			t.Errorf("%d rows are read, and %d wanted", dataset.Len(), rows)
		}
		return dataset.Digest()
	}
	before := digest(1)
	if digest(3) != before {
		t.Error("more rows are another seed")
	}
	content["c.txt"] = "other"
	if digest(1) == before {
		t.Error("a file that has changed is the same seed")
	}
}

func TestATextThatIsTooLongIsRefused(t *testing.T) {
	folder := notes(t, map[string]string{"a.txt": ""})
	if err := os.Truncate(filepath.Join(folder, "a.txt"), 17<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := listed(t, folder, v1alpha1.SeedFiles{Content: v1alpha1.SeedFileText}, nil, 0); err == nil ||
		!strings.Contains(err.Error(), `"a.txt": it has 17 MiB, and the text of a file may have 16`) {
		t.Errorf("got %v", err)
	}
	if _, err := listed(t, folder, v1alpha1.SeedFiles{}, nil, 0); err != nil {
		t.Errorf("without its text: %v", err)
	}
}
