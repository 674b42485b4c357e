package conformance

import (
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/hubsim"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

//go:embed hub.py
var hubReaders string

const publishedSpec = `
numRecords: 40
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: "ENDPOINT/v1"}]
models: [{alias: painter, provider: local, model: dall-e-3}]
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 1}}}
- {name: odd, expression: {expr: "{{ 'a,b: \"c\"\n' }}{{ number }}"}}
- {name: price, sampler: {type: Uniform, uniform: {low: 0, high: 100}, convertTo: float}}
- {name: good, expression: {expr: "{{ number > 9 }}", type: bool}}
- {name: due, expression: {expr: "2026-02-28T23:59:59.123456Z", type: timestamp}}
- {name: day, expression: {expr: "2026-02-28", type: date}}
- {name: hour, expression: {expr: "12:30:00", type: time}}
- {name: exact, expression: {expr: "{{ number }}.25", type: decimal}}
- name: parts
  custom:
    strategy: Batch
    schema: {type: object, properties: {name: {type: string}, sizes: {type: array, items: {type: number}}}}
    starlark:
      source: |
        def generate(rows):
            return [{"_row": r["_row"], "parts": {"name": "é", "sizes": [1.5, 2.5]}} for r in rows]
- name: steps
  custom:
    strategy: Batch
    schema: {type: array, items: {type: object, properties: {at: {type: integer}}}}
    starlark:
      source: |
        def generate(rows):
            return [{"_row": r["_row"], "steps": [{"at": r["_row"]}]} for r in rows]
- {name: cover, image: {model: painter, prompt: "a cover for {{ number }}"}}
- {name: hidden, drop: true, image: {model: painter, prompt: "not for others {{ number }}"}}
- {name: secret, drop: true, expression: {expr: "not for others {{ number }}"}}
processors:
- {name: chat, form: {chat: {user: "{{ number }}", assistant: "{{ price }}"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 15}
`

// TestTheFieldReadsWhatIsPublished publishes a dataset in a stand-in for a hub, and reads it there with the hub's own client and with
// datasets. That the client writes to the stand-in as well shows that it is none of our making alone.
func TestTheFieldReadsWhatIsPublished(t *testing.T) {
	python := os.Getenv(pythonVariable)
	if python == "" {
		t.Skipf("%s names no Python, so that huggingface_hub and datasets are not tried", pythonVariable)
	}
	server := simtest.Start(t, llmsim.Config{})
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(strings.Replace(publishedSpec, "ENDPOINT", server.URL, 1)), &spec); err != nil {
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
	hub := hubsim.New()
	hub.PartBytes, hub.PageEntries = 4000, 10
	site := httptest.NewServer(hub)
	defer site.Close()
	folder := filepath.Join(output, filepath.FromSlash(runreport.Folder("ns", "ds", plan.ConfigHash(&spec))))
	dataset, err := store.Open(filepath.Dir(folder), filepath.Base(folder), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dataset.Close() }()
	result, err := engine.Publish(t.Context(), engine.Publication{
		Dataset: dataset, Logger: slog.New(slog.DiscardHandler), Token: hubsim.Token,
		Repository: &v1alpha1.HuggingFaceRepository{
			Repository: "me/reviews", Endpoint: site.URL, License: "cc-by-4.0", Tags: []string{"support"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Uploaded != 47 {
		t.Errorf("%d files were sent, want 3 of rows, 3 of a form, 40 images and the card", result.Uploaded)
	}
	command := exec.CommandContext(t.Context(), python, "-W", "ignore", "-c", hubReaders, "me/reviews", folder)
	command.Env = append(os.Environ(), "HF_ENDPOINT="+site.URL, "HF_TOKEN="+hubsim.Token, "HF_HUB_DISABLE_XET=1",
		"HF_DATASETS_DISABLE_PROGRESS_BARS=1", "HF_HUB_DISABLE_PROGRESS_BARS=1", "HF_HOME="+t.TempDir())
	said, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	t.Logf("%s", said)
}
