package main

import (
	"os"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

const exported = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: local}
spec:
  numRecords: 10
  columns:
  - {name: id, sampler: {type: Sequence, sequence: {start: 0}}}
  - {name: split, expression: {expr: "{{ 'test' if id == 3 else 'train' }}"}}
  processors:
  - {name: chat, form: {chat: {user: "{{ id }}", assistant: "=1"}}}
  output: {persistentVolumeClaim: {claimName: c}}
`

func TestExport(t *testing.T) {
	w := newWorld(t, exported, llmsim.Config{})
	if code, _, log := w.run("run", "reviews.yaml", "--output", "out"); code != 0 {
		t.Fatal(log)
	}
	for _, arguments := range []string{
		"out/default/local --to a.jsonl", "local --output out --to b.csv.gz", "default/local -o out --to c.arrow --compress zstd",
		"local -o out --of chat --format csv --spreadsheet --to sheets", "local -o out --split-by split --max-file-bytes 1000 --to parts",
	} {
		if code, out, log := w.run(append([]string{"export"}, strings.Fields(arguments)...)...); code != 0 || !strings.Contains(out, "10 rows in ") {
			t.Errorf("%s: exit code %d: %s%s", arguments, code, out, log)
		}
	}
	code, out, _ := w.run("export", "local", "-o", "out", "--to", "-")
	want, err := os.ReadFile(w.path("a.jsonl"))
	if err != nil || code != 0 || out != string(want) || !strings.HasPrefix(out, `{"id":0,"split":"train"}`) {
		t.Errorf("standard output has %q (%v)", out, err)
	}
	for name, contains := range map[string]string{
		"sheets/data-00000.csv": `""value""`, "parts/train-00000.jsonl": `{"id":4,"split":"train"}`, "parts/test-00000.jsonl": `{"id":3,"split":"test"}`,
	} {
		contains = strings.ReplaceAll(contains, `""value""`, `[{""role"":""user""`)
		if data, err := os.ReadFile(w.path(name)); err != nil || !strings.Contains(string(data), contains) {
			t.Errorf("%s has %q (%v)", name, data, err)
		}
	}
	for arguments, want := range map[string]string{
		"local -o out --to a.jsonl":                       "a.jsonl is there already; give another name, or --force",
		"local -o out --to parts":                         "the folder parts is not empty",
		"local -o out --to x.csv --split-by split":        "--to must be a folder",
		"local -o out --to x.arrow --compress gzip":       "compressed inside",
		"local -o out --to x.jsonl --spreadsheet":         "--spreadsheet is for the format csv",
		"local -o out --to x.jsonl --of chart":            `the dataset has no form that is called "chart"; did you mean "chat"?`,
		"local -o out --to y --split-by nothing":          `there is no column "nothing"`,
		"nowhere -o out --to x.jsonl":                     "there is no dataset in out/default/nowhere or out/nowhere",
		"../x -o out --to x.jsonl":                        "DATASET is a name",
		"out --to x.jsonl":                                "there is no dataset in out",
		"local -o out --format parquet --to z":            "--format is \"parquet\", and must be jsonl, csv or arrow",
		"local -o out --to x.jsonl --max-file-bytes -1":   "must be above 0",
		"s3://bucket/../local --to x.jsonl":               "--output must be s3://BUCKET",
		"s3://bucket/local -o out --to x.jsonl":           "DATASET is a name",
		"local -o out --to s3://bucket/x.jsonl":           "--to must be a file or a folder",
		"local -o out --to a.jsonl --force --of chat x y": "accepts 1 arg",
	} {
		code, _, log := w.run(append([]string{"export"}, strings.Fields(arguments)...)...)
		if code != exitFailed || !strings.Contains(log, want) {
			t.Errorf("%s: exit code %d: %s; want %q", arguments, code, log, want)
		}
	}
	if left, err := os.ReadDir(w.path("y")); err != nil || len(left) != 0 {
		t.Errorf("a refused export has left %v (%v)", left, err)
	}
}
