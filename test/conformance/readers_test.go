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
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
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
MORE
output: {persistentVolumeClaim: {claimName: c}}
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

const readImages = `
- {name: cover, image: {model: painter, prompt: "a cover for {{ zebra }}"}}
`

const readPainter = `
providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT/v1"}]
models: [{alias: painter, provider: local, model: dall-e-3}]
`

// TestTheReadersOfTheFieldReadTheFolder reads datasets with what people use: one without anything beside its rows, one with a form, a
// dropped column and a filter over the whole, and one that has images and the numbers of its rows too.
func TestTheReadersOfTheFieldReadTheFolder(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("%s names no Python, so that datasets, pandas, pyarrow, fastparquet, polars and duckdb are not tried", pythonVariable)
	}
	server := simtest.Start(t, llmsim.Config{})
	for name, test := range map[string]struct{ more, rows, form, columns string }{
		"rows alone":                      {"", "40", "0", "zebra,apple"},
		"a form, a filter and a dropping": {readProcessors, "10", "40", "zebra,apple"},
		"images, and all of these": {
			readImages + readProcessors + readPainter + "run: {rowGroupSize: 15, rowColumn: Enabled}", "10", "40", "_row,zebra,apple,cover",
		},
		"images alone": {readImages + readPainter, "40", "0", "zebra,apple,cover"},
	} {
		t.Run(name, func(t *testing.T) {
			var spec v1alpha1.DatasetGenerationSpec
			manifest := strings.Replace(strings.Replace(readSpec, "MORE", strings.TrimSpace(test.more), 1), "ENDPOINT", server.URL, 1)
			if err := yaml.UnmarshalStrict([]byte(manifest), &spec); err != nil {
				t.Fatal(err)
			}
			if spec.Run == nil {
				spec.Run = &v1alpha1.RunSettings{RowGroupSize: new(int32(15))}
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
				APIKey: func(int) string { return "" }, OutputDirectory: output, Logger: slog.New(slog.DiscardHandler), Version: "v0.0.0-test",
			})
			if ending.Result.Outcome != runreport.OutcomeComplete {
				t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
			}
			folder := filepath.Join(output, "ns", "ds", "latest")
			command := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", readers, folder, test.rows, test.form, test.columns)
			command.Env = append(os.Environ(), "HF_HUB_OFFLINE=1", "HF_DATASETS_DISABLE_PROGRESS_BARS=1", "HF_HOME="+t.TempDir())
			said, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			t.Logf("%s", said)
		})
	}
}
