package files_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/seed/files"
)

// folder has files of the given names, each with its name as content.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	directory := t.TempDir()
	for _, name := range names {
		full := filepath.Join(directory, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func link(t *testing.T, target, directory, name string) {
	t.Helper()
	if err := os.Symlink(target, filepath.Join(directory, name)); err != nil {
		t.Skip(err)
	}
}

func list(t *testing.T, directory string, patterns ...string) ([]string, error) {
	t.Helper()
	opened, err := files.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	found, err := opened.List(t.Context(), patterns...)
	names := make([]string, len(found))
	for i, file := range found {
		names[i] = file.Path
		if file.Size == 0 || file.Modified.IsZero() {
			t.Errorf("%s has the size %d and the time %s", file.Path, file.Size, file.Modified)
		}
	}
	return names, err
}

func TestFilesAreFoundByPathsAndPatterns(t *testing.T) {
	directory := folder(t, "b.csv", "a.csv", ".hidden.csv", "note.txt", "parts/10.csv", "parts/9.csv", "parts/deep/er/x.csv",
		"parts/.git/y.csv", "a[1].csv", "Straße/größe.csv", "..data/z.csv", "lost+found/w.csv")
	link(t, "b.csv", directory, "linked.csv")
	link(t, "..", filepath.Join(directory, "parts"), "loop")
	link(t, "parts", directory, "same")
	for _, test := range []struct {
		patterns string
		want     string
	}{
		{"a.csv", "a.csv"},
		{"./a.csv", "a.csv"},
		{"*.csv", "a.csv a[1].csv b.csv linked.csv"},
		{"b.csv a.csv *.txt b.csv", "a.csv b.csv note.txt"},
		{".*.csv", ".hidden.csv"},
		{"a[1].csv", "a[1].csv"}, // a file of this name comes before the pattern
		{"[ab].csv", "a.csv b.csv"},
		{"{a,b}.csv", "a.csv b.csv"},
		{"parts", "parts/10.csv parts/9.csv"},
		{"parts/", "parts/10.csv parts/9.csv"},
		{"parts/**", "parts/10.csv parts/9.csv parts/deep/er/x.csv"},
		{"**/x.csv", "parts/deep/er/x.csv"},
		{"*/*.csv", "Straße/größe.csv parts/10.csv parts/9.csv"},
		{"**/*.csv", "Straße/größe.csv a.csv a[1].csv b.csv linked.csv parts/10.csv parts/9.csv parts/deep/er/x.csv"},
		{"same/*.csv", "same/10.csv same/9.csv"},
		{"parts/loop/a.csv", "parts/loop/a.csv"},
	} {
		found, err := list(t, directory, strings.Fields(test.patterns)...)
		if got := strings.Join(found, " "); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.patterns, got, err, test.want)
		}
	}
}

func TestWhatCanNotBeFoundIsNamed(t *testing.T) {
	directory := folder(t, "a.csv", "empty/inside/a.csv")
	outside := folder(t, "secret.csv")
	link(t, filepath.Join(outside, "secret.csv"), directory, "escape.csv")
	link(t, outside, directory, "outside")
	link(t, "nothing.csv", directory, "dangling.jsonl")
	link(t, "circle.tsv", directory, "circle.tsv")
	for pattern, want := range map[string]string{
		"b.csv":            `no file matches "b.csv"`,
		"*.parquet":        `no file matches "*.parquet"`,
		"none/*.csv":       `no file matches "none/*.csv"`,
		"empty":            `no file lies in the folder "empty"`,
		"a.csv/*.csv":      `the folder "a.csv" can't be read: not a directory`,
		"*.jsonl":          `no file matches "dangling.jsonl"`,
		"../a.csv":         "without '..'",
		"/etc/passwd":      "must be relative",
		"":                 "must not be empty",
		"[a":               "not closed",
		"{a,b":             "not closed",
		"escape.csv":       `"escape.csv" can't be reached; a link may lead only to what lies in the same folder`,
		"*.csv":            `"escape.csv" can't be reached`,
		"outside":          `"outside" can't be reached`,
		"outside/*.csv":    "escapes",
		"outside/s*":       "escapes",
		"circle.tsv":       `"circle.tsv" can't be reached`,
		"a.csv\x00":        "a.csv",
		"\xff\xfe.csv":     `"\xff\xfe.csv"`,
		"empty/inside/../": "without '..'",
	} {
		found, err := list(t, directory, pattern)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %q, %v; want an error with %q", pattern, found, err, want)
		}
	}
	if _, err := list(t, directory, "*.parquet"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no match is not known as what does not exist: %v", err)
	}
	if found, err := list(t, directory, "**/s*.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to a folder outside was followed: %q, %v", found, err)
	}
}

func TestFoldersThatCanNotBeReadAreAnError(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	directory := folder(t, "closed/a.csv", "open/b.csv")
	if err := os.Chmod(filepath.Join(directory, "closed"), 0); err != nil {
		t.Fatal(err)
	}
	if found, err := list(t, directory, "**/*.csv"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %q, %v", found, err)
	}
}

func TestLookingEndsWithItsContext(t *testing.T) {
	opened, err := files.Open(folder(t, "a.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if found, err := opened.List(ctx, "*.csv"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestOpenedFilesLieInTheFolder(t *testing.T) {
	directory := folder(t, "a.csv", "sub/b.csv")
	link(t, filepath.Join(folder(t, "secret.csv"), "secret.csv"), directory, "escape.csv")
	opened, err := files.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	content, size, err := opened.Open("sub/b.csv")
	if err != nil || size != int64(len("sub/b.csv")) {
		t.Fatalf("%d bytes, %v", size, err)
	}
	defer content.Close()
	for _, name := range []string{"sub", "escape.csv", "../x", "none", "/etc/passwd"} {
		if _, _, err := opened.Open(name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if data, err := io.ReadAll(content); err != nil || string(data) != "sub/b.csv" {
		t.Errorf("the file has the content %q, %v", data, err)
	}
}
