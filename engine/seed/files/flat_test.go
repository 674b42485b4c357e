package files_test

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/seed/files"
)

// names are files of a flat place.
type names []string

func (n names) File(_ context.Context, name string) (files.File, error) {
	if slices.Contains(n, name) {
		return files.File{Path: name}, nil
	}
	return files.File{}, fs.ErrNotExist
}

func (n names) Below(_ context.Context, prefix string, right bool, found func(files.File) error) error {
	for _, name := range n {
		if !strings.HasPrefix(name, prefix) || right && strings.Contains(strings.TrimPrefix(name, prefix), "/") {
			continue
		}
		if err := found(files.File{Path: name}); err != nil {
			return err
		}
	}
	return nil
}

func TestFilesOfFlatPlacesAreFoundAsThoseOfFolders(t *testing.T) {
	place := names{
		".hidden/a.csv", "2024/10.csv", "2024/9.csv", "2024/_SUCCESS", "2024/q1/a.csv", "2024/q1/.part.csv", "2025/1.json", "2025/", "a.csv", "b.csv",
		"b[1].csv", "deep/x/y/z.csv", "with space/ü.csv",
	}
	for patterns, want := range map[string]string{
		"a.csv":                "a.csv",
		"b[1].csv":             "b[1].csv",
		"b\\[1].csv":           "b[1].csv",
		"2024":                 "2024/10.csv 2024/9.csv 2024/_SUCCESS",
		"2024/":                "2024/10.csv 2024/9.csv 2024/_SUCCESS",
		"2025":                 "2025/1.json",
		"*":                    "a.csv b.csv b[1].csv",
		"?.csv":                "a.csv b.csv",
		"202[45]/*.{csv,json}": "2024/10.csv 2024/9.csv 2025/1.json",
		"**/*.csv":             "2024/10.csv 2024/9.csv 2024/q1/a.csv a.csv b.csv b[1].csv deep/x/y/z.csv with space/ü.csv",
		"2024/**/.*.csv":       "2024/q1/.part.csv",
		"2024/**":              "2024/10.csv 2024/9.csv 2024/_SUCCESS 2024/q1/a.csv",
		"deep/*/y/z.csv":       "deep/x/y/z.csv",
		"with space/*":         "with space/ü.csv",
		"b.csv|a.csv|?.csv":    "a.csv b.csv",
	} {
		found, err := files.ListFlat(t.Context(), place, strings.Split(patterns, "|")...)
		var got []string
		for _, file := range found {
			got = append(got, file.Path)
		}
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q (%v), want %q", patterns, strings.Join(got, " "), err, want)
		}
	}
	for pattern, want := range map[string]string{
		"c.csv": `no file matches "c.csv"`, "2023/*.csv": `no file matches "2023/*.csv"`, "../x": "without '..'", "/a.csv": "must be relative",
		"{a": "is not a pattern", "": "must not be empty",
	} {
		_, err := files.ListFlat(t.Context(), place, pattern)
		var none *files.NoneError
		if err == nil || !strings.Contains(err.Error(), want) || strings.HasPrefix(want, "no file") != errors.As(err, &none) {
			t.Errorf("%q: got %v, want %s", pattern, err, want)
		}
	}
}
