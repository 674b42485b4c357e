package engine_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

const exportedSpec = `
numRecords: 30
randomSeed: 7
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 0}}}
- {name: split, expression: {expr: "{{ 'test' if number % 5 == 0 else 'train' }}"}}
- {name: question, expression: {expr: "what is {{ number }}?"}}
- {name: answer, expression: {expr: "{{ '=' if number % 2 else '' }}{{ number }}"}}
- {name: secret, drop: true, expression: {expr: "{{ number }}"}}
processors:
- {name: chat, form: {when: "{{ number >= 3 }}", chat: {system: "Be brief.", user: "{{ question }}", assistant: "{{ answer }}"}}}
output:
  persistentVolumeClaim: {claimName: c}
  exports:
  - {name: lines, format: JSONL, splitBy: split}
  - {name: sheet, format: CSV, compression: Gzip, csv: {dialect: Spreadsheet}}
  - {name: chat, of: chat, format: JSONL, compression: Zstd, splitBy: split}
  - {name: arrow, format: Arrow}
run: {rowGroupSize: 10}
`

func (w *world) exportedFiles() map[string]time.Time {
	w.t.Helper()
	files := map[string]time.Time{}
	found, err := filepath.Glob(filepath.Join(w.folder(), "exports", "*", "*"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range found {
		info, err := os.Stat(name)
		if err != nil {
			w.t.Fatal(err)
		}
		relative, _ := filepath.Rel(w.folder(), name)
		files[relative] = info.ModTime()
	}
	return files
}

func sum(data string) []byte {
	sum := sha256.Sum256([]byte(data))
	return sum[:]
}

func (w *world) read(name string) string {
	w.t.Helper()
	data, err := os.ReadFile(filepath.Join(w.folder(), name))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(data)
}

func TestExportsAreWrittenWhenARunEnds(t *testing.T) {
	w := newWorld(t, exportedSpec, "")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	files := w.exportedFiles()
	want := []string{
		"exports/arrow/data-00000.arrow", "exports/chat/test-00000.jsonl.zst", "exports/chat/train-00000.jsonl.zst", "exports/lines/test-00000.jsonl", "exports/lines/train-00000.jsonl",
		"exports/sheet/data-00000.csv.gz",
	}
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	if slices.Sort(names); !slices.Equal(names, want) {
		t.Fatalf("got %v, want %v", names, want)
	}
	lines := strings.Split(strings.TrimSpace(w.read("exports/lines/test-00000.jsonl")), "\n")
	if first := `{"number":0,"split":"test","question":"what is 0?","answer":"0"}`; len(lines) != 6 || lines[0] != first {
		t.Errorf("got %d lines that begin with %s", len(lines), lines[0])
	}
	// What metadata lists is what is there.
	var described struct {
		Exports []struct {
			Name, Of, Format string
			Rows             int64
			Marked           int64 `json:"marked_cells"`
			Files            []struct {
				Path, SHA256 string
				Split        *string
				Bytes        int64
			}
		}
	}
	if err := json.Unmarshal([]byte(w.read("metadata.json")), &described); err != nil {
		t.Fatal(err)
	}
	chat := described.Exports[2]
	if len(described.Exports) != 4 || described.Exports[1].Marked != 15 || chat.Rows != 27 || chat.Of != "chat" ||
		*described.Exports[0].Files[0].Split != "test" {
		t.Errorf("metadata has %+v", described.Exports)
	}
	for _, export := range described.Exports {
		for _, file := range export.Files {
			if data := w.read(file.Path); int64(len(data)) != file.Bytes || hex.EncodeToString(sum(data)) != file.SHA256 {
				t.Errorf("%s is not as described", file.Path)
			}
		}
	}
	if card := w.read("README.md"); !strings.Contains(card, "- `exports/chat/`: the form `chat` as JSONL, 27 rows in 2 files\n") {
		t.Errorf("the card does not name the exports:\n%s", card)
	}
}

// What is whole is left alone; what is gone, has changed or is no longer asked for is not.
func TestExportsAreWrittenAnewWhereTheyHaveChanged(t *testing.T) {
	w := newWorld(t, exportedSpec, "")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	before := w.exportedFiles()
	if err := os.Remove(filepath.Join(w.folder(), "exports/lines/test-00000.jsonl")); err != nil {
		t.Fatal(err)
	}
	exports := w.spec.Output.Exports
	exports[1].Compression = v1alpha1.ExportUncompressed
	w.spec.Output.Exports = exports[:3]
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	after := w.exportedFiles()
	for name, isSame := range map[string]bool{
		"exports/chat/train-00000.jsonl.zst": true, "exports/lines/test-00000.jsonl": false, "exports/sheet/data-00000.csv": false,
	} {
		if modified, there := after[name]; !there || modified.Equal(before[name]) != isSame {
			t.Errorf("%s: written anew %v, want %v", name, !modified.Equal(before[name]), !isSame)
		}
	}
	if _, there := after["exports/sheet/data-00000.csv.gz"]; there || len(after) != 5 {
		t.Errorf("what is no longer asked for is there: %v", after)
	}
	w.spec.NumRecords = 40
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 40, 0)
	if lines := strings.Count(w.read("exports/lines/train-00000.jsonl"), "\n"); lines != 32 {
		t.Errorf("the extended dataset has %d rows for training, want 32", lines)
	}
}

// failing fails to write names that end in a text, some times.
type failing struct {
	store.Volume
	name string
	left *int
}

func (f failing) Put(name string, data []byte) error {
	if strings.HasSuffix(name, f.name) && *f.left > 0 {
		*f.left--
		return errors.New("the disk is on fire")
	}
	return f.Volume.Put(name, data)
}

func TestAnExportThatWasCutOffIsWrittenAtTheNextStart(t *testing.T) {
	w := newWorld(t, exportedSpec, "")
	left := 1
	config := w.config(0)
	config.Volume = func(volume store.Volume) store.Volume { return failing{volume, "train-00000.jsonl", &left} }
	ending := engine.Generate(t.Context(), config)
	if ending.Result.Reason != v1alpha1.ReasonStorageFailed || w.succeeded() {
		t.Fatalf("it ended with %+v", ending.Result)
	}
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	if lines := strings.Count(w.read("exports/lines/train-00000.jsonl"), "\n"); lines != 24 || !w.succeeded() {
		t.Errorf("%d lines", lines)
	}
}

// What is there of an export after a failure is neither taken for one that was written before, nor left when nobody asks for it any more.
func TestAnExportThatWasCutOffIsNotTakenForTheOneBefore(t *testing.T) {
	w := newWorld(t, exportedSpec, "")
	w.spec.Output.Exports = []v1alpha1.Export{{Name: "cells", Format: v1alpha1.ExportCSV, SplitBy: "split"}}
	cells := &w.spec.Output.Exports[0]
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	before := w.read("exports/cells/test-00000.csv")
	fail := func() {
		t.Helper()
		left := 1
		config := w.config(0)
		config.Volume = func(volume store.Volume) store.Volume { return failing{volume, "train-00000.csv", &left} }
		if ending := engine.Generate(t.Context(), config); ending.Result.Reason != v1alpha1.ReasonStorageFailed {
			t.Fatalf("it ended with %+v", ending.Result)
		}
	}
	cells.CSV = &v1alpha1.CSVExport{Dialect: v1alpha1.CSVSpreadsheet}
	fail()
	cells.CSV = nil
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	if after := w.read("exports/cells/test-00000.csv"); after != before {
		t.Errorf("the file is not that of the export: %q", after)
	}
	cells.Name = "others"
	fail()
	w.spec.Output.Exports = nil
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 30, 0)
	if files := w.exportedFiles(); len(files) > 0 {
		t.Errorf("there are %v, and no export is asked for", files)
	}
}

func TestAnExportThatCanNotBeWrittenFailsTheRunAndKeepsTheRows(t *testing.T) {
	w := newWorld(t, exportedSpec, "")
	w.spec.NumRecords = 120
	w.spec.Output.Exports[0].SplitBy = "question"
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonExportFailed, 65, 120, 0)
	want := `the export "lines" can't be written: the column "question" has more than 100 different values`
	if !strings.Contains(ending.Result.Message, want) || w.succeeded() {
		t.Errorf("it says %s", ending.Result.Message)
	}
	w.spec.Output.Exports[0].SplitBy = "split"
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 120, 0)
	w.spec.Output.Exports[0].SplitBy = "nothing"
	ending = w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonConfigInvalid, 64, 120, 0)
}

// The forms are those that docs/processors.md describes.
func TestFormsThatTrainersRead(t *testing.T) {
	w := newWorld(t, `
numRecords: 4
randomSeed: 7
columns:
- {name: count, sampler: {type: Sequence, sequence: {start: 0}}}
- {name: question, expression: {expr: "q{{ count }}"}}
- {name: good, expression: {expr: "{{ 'same' if count == 1 else 'good' }}"}}
- {name: bad, skip: {when: "{{ count == 2 }}"}, expression: {expr: "{{ 'same' if count == 1 else 'bad' }}"}}
processors:
- {name: chat, form: {chat: {user: "{{ question }}", assistant: "{{ count }}"}}}
- {name: sharegpt, form: {shareGPT: {system: "s", human: "{{ question }}", gpt: "{{ good }}"}}}
- {name: alpaca, form: {alpaca: {instruction: "{{ question }}", output: "{{ good }}"}}}
- {name: sft, form: {promptCompletion: {prompt: "{{ question }}", completion: "{{ good }}", style: Standard}}}
- {name: dpo, form: {preference: {system: "s", prompt: "{{ question }}", chosen: "{{ good }}", rejected: "{{ bad }}"}}}
- {name: kto, form: {unpairedPreference: {prompt: "{{ question }}", completion: "{{ good }}", label: "{{ count > 1 }}", style: Standard}}}
- {name: triples, form: {embedding: {anchor: "{{ question }}", positive: "{{ good }}", negative: "{{ bad }}"}}}
output: {persistentVolumeClaim: {claimName: c}}
`, "")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 4, 0)
	for form, want := range map[string][][]any{
		"chat":     {{[]any{[]any{"user", "q0"}, []any{"assistant", "0"}}}, {[]any{[]any{"user", "q1"}, []any{"assistant", "1"}}}},
		"sharegpt": {{[]any{[]any{"system", "s"}, []any{"human", "q0"}, []any{"gpt", "good"}}}},
		"alpaca":   {{"q0", "", "good"}, {"q1", "", "same"}},
		"sft":      {{"q0", "good"}, {"q1", "same"}},
		// Both answers of the second row are the same, and the third lacks one.
		"dpo": {
			{[]any{[]any{"system", "s"}, []any{"user", "q0"}}, []any{[]any{"assistant", "good"}}, []any{[]any{"assistant", "bad"}}},
			{[]any{[]any{"system", "s"}, []any{"user", "q3"}}, []any{[]any{"assistant", "good"}}, []any{[]any{"assistant", "bad"}}},
		},
		"kto":     {{"q0", "good", false}, {"q1", "same", false}, {"q2", "good", true}, {"q3", "good", true}},
		"triples": {{"q0", "good", "bad"}, {"q1", "same", "same"}, {"q3", "good", "bad"}},
	} {
		_, rows := w.rowsIn("processors-files/" + form)
		if len(want) < 3 && form != "dpo" {
			rows = rows[:min(len(rows), len(want))]
		}
		if difference := cmp.Diff(want, rows); difference != "" {
			t.Errorf("%s: %s", form, difference)
		}
	}
}
