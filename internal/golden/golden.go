// Package golden compares what a test has got with a file that people can review. It is for tests alone.
package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Check fails the test where a file does not hold the text. advice says what a change of it means. With UPDATE_GOLDEN set the file is
// written.
func Check(t testing.TB, file, got, advice string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := string(data)
	if got == want {
		return
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(want, "\n")
	line := 0
	for line < min(len(gotLines), len(wantLines)) && gotLines[line] == wantLines[line] {
		line++
	}
	t.Errorf("%s differs from line %d on: %s (UPDATE_GOLDEN=1 takes it over)\ngot  %q\nwant %q", file, line+1, advice, lineAt(gotLines, line),
		lineAt(wantLines, line))
}

func lineAt(lines []string, index int) string {
	if index >= len(lines) {
		return "the end"
	}
	return lines[index]
}
