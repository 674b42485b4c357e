package controllers

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestEveryFileIsInThePackageComment holds the lists in doc.go to the files that there are.
func TestEveryFileIsInThePackageComment(t *testing.T) {
	comments, err := filepath.Glob("*/doc.go")
	if err != nil || len(comments) < 2 {
		t.Fatalf("found %q: %v", comments, err)
	}
	for _, path := range comments {
		folder := filepath.Dir(path)
		comment, _ := os.ReadFile(path)
		named := strings.FieldsFunc(string(comment), func(r rune) bool { return strings.ContainsRune(" \t\n,", r) })
		files, _ := filepath.Glob(filepath.Join(folder, "*.go"))
		there := map[string]bool{}
		for _, file := range files {
			name := filepath.Base(file)
			there[name] = true
			if name != "doc.go" && !strings.HasSuffix(name, "_test.go") && !slices.Contains(named, name) {
				t.Errorf("%s does not name %s", path, name)
			}
		}
		for _, name := range named {
			if strings.HasSuffix(name, ".go") && !there[name] {
				t.Errorf("%s names %s, which is not there", path, name)
			}
		}
	}
	rooms, _ := os.ReadFile("doc.go")
	for _, path := range comments {
		if !strings.Contains(string(rooms), "\t"+filepath.Dir(path)+" ") {
			t.Errorf("doc.go does not name %s", filepath.Dir(path))
		}
	}
}
