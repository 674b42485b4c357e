package conformance

import (
	_ "embed"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

//go:embed readers.py
var readers string

// pythonVariable names a Python that has some of the readers of readers.py.
const pythonVariable = "SEEDLOOM_TEST_PYTHON"

const readSpec = `
numRecords: 40
randomSeed: 7
columns:
- {name: zebra, expression: {expr: "row {{ apple }}"}}
- {name: apple, sampler: {type: Uniform, uniform: {low: 0, high: 100}, convertTo: int}}
PROCESSORS
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 15}
`

const readProcessors = `
- {name: note, drop: true, expression: {expr: "of {{ zebra }}"}}
processors:
- {name: chat, schemaTransform: {template: {message: "{{ zebra }}"}}}
- name: few
  starlark:
    stage: AfterGeneration
    source: |
      def process(rows):
          return [r for r in rows if r["_row"] % 4 == 0]
- {name: left, schemaTransform: {template: {row: "{{ apple }}"}, when: "{{ apple > 0 }}"}}
`

// TestTheReadersOfTheFieldReadTheFolder reads datasets with what people use: one without anything beside its rows, and one with a form, a
// dropped column and a filter over the whole.
func TestTheReadersOfTheFieldReadTheFolder(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("%s names no Python, so that datasets, pandas, pyarrow, fastparquet, polars and duckdb are not tried", pythonVariable)
	}
	for name, test := range map[string]struct{ processors, rows, form string }{
		"rows alone":                      {"", "40", "0"},
		"a form, a filter and a dropping": {strings.TrimSpace(readProcessors), "10", "40"},
	} {
		t.Run(name, func(t *testing.T) {
			var spec v1alpha1.DatasetGenerationSpec
			if err := yaml.UnmarshalStrict([]byte(strings.Replace(readSpec, "PROCESSORS", test.processors, 1)), &spec); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			output := t.TempDir()
			ending := engine.Generate(t.Context(), engine.Config{
				Run: runreport.ResolvedRun{
					Version: runreport.Version, Namespace: "ns", Name: "ds", RunID: "ds-1", ConfigHash: plan.ConfigHash(&spec),
					Attempt: 1, Shards: 1, Spec: raw,
				},
				OutputDirectory: output, Logger: slog.New(slog.DiscardHandler), Version: "v0.0.0-test",
			})
			if ending.Result.Outcome != runreport.OutcomeComplete {
				t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
			}
			folder := filepath.Join(output, "ns", "ds", "latest")
			command := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", readers, folder, test.rows, test.form)
			command.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_DATASETS_DISABLE_PROGRESS_BARS=1", "HF_HOME="+t.TempDir())
			said, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			t.Logf("%s", said)
		})
	}
}
