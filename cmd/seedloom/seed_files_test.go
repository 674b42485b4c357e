package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

func TestASeedOfSeveralFiles(t *testing.T) {
	w := newWorld(t, `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 3
  seed: {persistentVolumeClaim: {claimName: data, path: "parts/*.csv"}}
  columns: [{name: b, expression: {expr: "{{ a }}!"}}]
  output: {persistentVolumeClaim: {claimName: c}}
`, llmsim.Config{})
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out"); code == exitOK || !strings.Contains(log, "--seed-dir") {
		t.Errorf("without files: got %d, %s", code, log)
	}
	for name, content := range map[string]string{"parts/2.csv": "a\nlast\n", "parts/1.csv": "a\nfirst\nsecond\n"} {
		if err := os.MkdirAll(filepath.Dir(w.path(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(w.path(name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, log := w.run("run", "-f", "reviews.yaml", "--output", "out", "--seed-file", w.path("parts/1.csv")); code == exitOK ||
		!strings.Contains(log, "--seed-file is for a seed of one file") {
		t.Errorf("with one file: got %d, %s", code, log)
	}
	code, out, log := w.run("preview", "-f", "reviews.yaml", "-n", "3", "-o", "json")
	for _, text := range []string{"first!", "second!", "last!"} {
		if code != exitOK || !strings.Contains(out, text) {
			t.Fatalf("got %d, %s, %s; want %s", code, out, log, text)
		}
	}
	if code, out, log = w.run("run", "-f", "reviews.yaml", "--output", "out"); code != exitOK {
		t.Errorf("got %d, %s, %s", code, out, log)
	}
}
