package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

const painted = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: covers}
spec:
  numRecords: 3
  providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT"}]
  models: [{alias: painter, provider: local, model: dall-e-3}]
  columns:
  - {name: id, sampler: {type: UUID}}
  - {name: cover, image: {model: painter, prompt: "a cover for {{ id }}"}}
  output: {persistentVolumeClaim: {claimName: c}}
`

// The paths of images lead to files where the user has said to keep them, and where not, it is said that they lead nowhere.
func TestTheImagesOfAPreviewAreKeptWhereTheUserSays(t *testing.T) {
	w := newWorld(t, painted, llmsim.Config{})
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "3", "-o", "jsonl", "--images", "pictures")
	if code != 0 {
		t.Fatalf("got %d, %s", code, log)
	}
	contains(t, log, "3 images are kept in pictures")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for _, line := range lines {
		var record struct{ Cover []string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || len(record.Cover) != 1 {
			t.Fatalf("%s: %v", line, err)
		}
		if data, err := os.ReadFile(w.path("pictures/" + record.Cover[0])); err != nil || !strings.HasPrefix(string(data), "\x89PNG") {
			t.Errorf("%s leads to %d bytes, %v", record.Cover[0], len(data), err)
		}
	}
	if len(lines) != 3 {
		t.Errorf("got %d records", len(lines))
	}
	_, _, log = w.run("preview", "-f", "reviews.yaml", "-o", "jsonl")
	contains(t, log, "paths lead nowhere; --images FOLDER keeps them")
}

const mixed = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: mixed}
spec:
  numRecords: 3
  seed: {configMap: {name: movies, key: mixed.jsonl}}
  columns:
  - {name: note, expression: {expr: "{{ about }}"}}
  - {name: any, expression: {expr: "{{ about }}", schema: {}}}
  output: {persistentVolumeClaim: {claimName: c}}
`

// A document is one in a preview too, however files hold it; a text that looks like one is a text.
func TestAPreviewPrintsDocumentsAsDocuments(t *testing.T) {
	w := newWorld(t, mixed, llmsim.Config{})
	w.write("mixed.jsonl", `{"about": "plain \"text\""}`+"\n"+`{"about": {"k":[1,"x"]}}`+"\n"+`{"about": [true]}`+"\n")
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "3", "-o", "jsonl")
	if code != 0 {
		t.Fatalf("got %d, %s", code, log)
	}
	want := []string{`"plain \"text\""`, `{"k":[1,"x"]}`, `[true]`}
	for i, line := range strings.Split(strings.TrimSpace(out), "\n") {
		var record struct{ About, Note, Any json.RawMessage }
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		if string(record.About) != want[i] || string(record.Any) != want[i] || record.Note[0] != '"' {
			t.Errorf("record %d is %s", i, line)
		}
	}
}
