package main

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

const filteredManifest = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: reviews}
spec:
  numRecords: 8
  randomSeed: 7
  columns: [{name: id, expression: {expr: "row-{{ range(9) | random }}"}}]
  processors:
  - name: few
    starlark: {stage: AfterGeneration, source: "def process(rows):\n    return [r for r in rows if r['_row'] < KEPT]"}
  output: {persistentVolumeClaim: {claimName: c}}
`

func TestWhatProcessorsFilterOutIsTold(t *testing.T) {
	w := newWorld(t, strings.Replace(filteredManifest, "KEPT", "6", 1), llmsim.Config{})
	code, out, log := w.run("run", "reviews.yaml", "--output", "out")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, log)
	}
	contains(t, out, "complete: 6 records in out/", "have filtered out 2 of 8 records")
	contains(t, log, "filtered=2")
	code, out, log = w.run("preview", "reviews.yaml", "-n", "7")
	if code != 0 || !strings.Contains(log, "filtered out 1 of 7 records") {
		t.Errorf("exit code %d: %s", code, log)
	}
	contains(t, out, "FILTERED ROW   ID", "\n6              row-")
	_, out, _ = w.run("preview", "reviews.yaml", "-n", "7", "-o", "record")
	contains(t, out, "row 6 was filtered out\n  id   row-")
	_, out, _ = w.run("preview", "reviews.yaml", "-n", "7", "-o", "json")
	contains(t, out, `"filtered": [`, `"row": 6`)

	w.write("reviews.yaml", strings.Replace(filteredManifest, "KEPT", "0", 1))
	code, _, log = w.run("run", "reviews.yaml", "--output", "none")
	if code != 1 {
		t.Errorf("a dataset without records: exit code %d", code)
	}
	contains(t, log, "failed: NoRecords: the dataset is empty", "filtered out 8 of 8 records")
	code, out, log = w.run("preview", "reviews.yaml", "-n", "3")
	if code != 1 {
		t.Errorf("a preview without records: exit code %d", code)
	}
	contains(t, out, "FILTERED ROW   ID", "\n2              row-")
	contains(t, log, "filtered out 3 of 3 records")
}
