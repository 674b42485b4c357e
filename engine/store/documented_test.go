package store

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestTheOutputIsDocumented holds docs/metadata.md to the names that are written: those of files and folders, and the keys of
// metadata.json.
func TestTheOutputIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/metadata.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	_, after, _ := strings.Cut(page, "```\n")
	layout, keys, found := strings.Cut(after, "```\n")
	if !found {
		t.Fatal("docs/metadata.md has no layout")
	}
	for _, name := range []string{
		parquetFolder + "/", droppedFolder + "/", formsFolder + "/", imageFolder + "/", traceFolder + "/",
		successFile, metadataFile, configFile, droppedFile, cardFile,
		manifestPath(0), batchPath(manifestFolder, 0), publishedPath(0), journalPath(0), fencePath(0), attemptFile, shardFolder + "/", seedFile,
	} {
		if !strings.Contains(layout, "\n  "+name) && !strings.Contains(layout, ", "+name) {
			t.Errorf("the layout in docs/metadata.md lacks %s", name)
		}
	}
	written := reflect.TypeFor[metadata]()
	var rows []string
	for line := range strings.Lines(keys) {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			rows = append(rows, strings.Split(strings.ReplaceAll(cells[1], "`", ""), ",")...)
		}
	}
	for i := range rows {
		rows[i] = strings.TrimSpace(rows[i])
	}
	for i := range written.NumField() {
		if key, _, _ := strings.Cut(written.Field(i).Tag.Get("json"), ","); !slices.Contains(rows, key) {
			t.Errorf("the table of keys in docs/metadata.md lacks %q", key)
		}
	}
}
