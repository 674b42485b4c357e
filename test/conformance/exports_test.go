package conformance

import (
	_ "embed"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/export"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

//go:embed exports.py
var exportReaders string

const exportedSpec = `
numRecords: 40
randomSeed: 7
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 1}}}
- {name: split, expression: {expr: "{{ 'test' if number % 5 == 0 else 'train' }}"}}
- name: text
  skip: {when: "{{ number == 3 }}"}
  expression: {expr: "{{ ['=1+1', 'a,b', 'say \"x\"', 'two\nlines', 'é😀', ' blank ', '007'][number % 7] }}"}
- {name: large, expression: {expr: "{{ 9007199254740992 + number }}", type: int}}
- {name: round, expression: {expr: "{{ number }}", type: float}}
- {name: third, expression: {expr: "{{ number / 3 }}", type: float}}
processors:
- {name: chat, form: {chat: {system: "s", user: "{{ text }}", assistant: "{{ number }}"}}}
- {name: sharegpt, form: {shareGPT: {system: "s", human: "{{ text }}", gpt: "{{ number }}"}}}
- {name: alpaca, form: {alpaca: {instruction: "{{ text }}", output: "{{ number }}"}}}
- {name: completion, form: {promptCompletion: {prompt: "{{ text }}", completion: "{{ number }}"}}}
- {name: plain, form: {promptCompletion: {style: Standard, prompt: "{{ text }}", completion: "{{ number }}"}}}
- {name: pairs, form: {preference: {system: "s", prompt: "{{ text }}", chosen: "{{ number }}", rejected: "?"}}}
- {name: labels, form: {unpairedPreference: {prompt: "{{ text }}", completion: "{{ number }}", label: "{{ number > 9 }}"}}}
- {name: triplets, form: {embedding: {anchor: "{{ text }}", positive: "{{ number }}", negative: "?"}}}
output:
  persistentVolumeClaim: {claimName: c}
  exports:
  - {name: lines, format: JSONL, compression: Zstd, splitBy: split}
  - {name: table, format: CSV}
  - {name: sheet, format: CSV, csv: {dialect: Spreadsheet}}
  - {name: arrow, format: Arrow, compression: Zstd}
  - {name: chat, of: chat, format: JSONL}
  - {name: sharegpt, of: sharegpt, format: JSONL}
  - {name: alpaca, of: alpaca, format: JSONL}
  - {name: completion, of: completion, format: JSONL}
  - {name: plain, of: plain, format: JSONL}
  - {name: pairs, of: pairs, format: JSONL}
  - {name: labels, of: labels, format: JSONL}
  - {name: triplets, of: triplets, format: JSONL}
run: {rowGroupSize: 15}
`

// TestOthersReadExportsAndForms reads exports with what people use, and forms with the loader of a trainer.
func TestOthersReadExportsAndForms(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("%s names no Python, so that datasets, pandas, pyarrow and trl are not tried", pythonVariable)
	}
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(exportedSpec), &spec); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	output := t.TempDir()
	ending := engine.Generate(t.Context(), engine.Config{
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: plan.ConfigHash(&spec), Attempt: 1, Shards: 1,
			Spec: raw,
		},
		APIKey: func(int) string { return "" }, OutputDirectory: output, Logger: slog.New(slog.DiscardHandler),
	})
	if ending.Result.Outcome != runreport.OutcomeComplete {
		t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	folder := filepath.Join(output, "ns", "ds", "latest")
	writeToolCalls(t, filepath.Join(folder, "exports", "tools"))
	command := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", exportReaders, folder)
	command.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_DATASETS_DISABLE_PROGRESS_BARS=1", "HF_HOME="+t.TempDir())
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("%s", said)
}

// writeToolCalls writes the form of a conversation with tools, of a trace as a model column leaves it.
func writeToolCalls(t *testing.T, folder string) {
	t.Helper()
	text := table.Type{Kind: table.KindString}
	call := table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "id"}, {Name: "name"}, {Name: "arguments"}}}
	message := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "role", Type: text}, {Name: "content", Type: text}, {Name: "reasoning_content", Type: text},
		{Name: "tool_calls", Type: table.Type{Kind: table.KindList, Element: &call}}, {Name: "tool_call_id", Type: text},
	}}
	schema := table.NewSchema(table.Field{Name: "answer__trace", Type: table.Type{Kind: table.KindList, Element: &message}})
	form := &v1alpha1.Form{ToolCalling: &v1alpha1.ToolCallingForm{
		Trace: "answer__trace", Tools: `[{"type":"function","function":{"name":"weather","parameters":{"type":"object"}}}]`,
	}}
	set, err := process.New(&v1alpha1.DatasetGenerationSpec{Processors: []v1alpha1.Processor{{Name: "tools", Form: form}}}, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	record := table.NewRecord(schema, 0, 0)
	record.Cells[0] = []any{
		[]any{"user", "weather?", nil, nil, nil}, []any{"assistant", "", nil, []any{[]any{"c1", "weather", `{"city":"Bern"}`}}, nil},
		[]any{"tool", "snow", nil, nil, "c1"}, []any{"assistant", "It snows.", nil, nil, nil},
	}
	batch := &process.Batch{Stage: v1alpha1.ProcessorPostBatch, Columns: []int{0}, Records: []*table.Record{record}}
	result, failed := set.Run(t.Context(), slog.New(slog.DiscardHandler), batch)
	if failed != nil {
		t.Fatal(failed)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	writer, err := export.NewWriter(result.Forms[0].Schema, export.Options{Format: v1alpha1.ExportJSONL}, func(name string) (io.WriteCloser, error) {
		return os.Create(filepath.Join(folder, name))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := writer.Write(result.Forms[0].Records[0].Cells); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Close(); err != nil {
		t.Fatal(err)
	}
}
