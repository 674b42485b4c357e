package factory_test

import (
	"testing"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/factory"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/tools"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const spec = `
numRecords: 2
providers: [{name: local, type: OpenAI, endpoint: "http://127.0.0.1:1/v1"}]
models: [{alias: writer, provider: local, model: m}]
seed: {configMap: {name: s, key: a.csv}}
columns:
- {name: headline, expression: {expr: "{{ title }} {{ stars }}"}}
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}}
- {name: review, llmText: {model: writer, prompt: "{{ stars }}"}}
- name: rank
  custom:
    strategy: Batch
    type: int
    starlark: {source: "def generate(rows):\n    return [{'_row': r['_row'], 'rank': 1} for r in rows]\n"}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestEveryConfiguredColumnHasOneGenerator(t *testing.T) {
	var parsed v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(spec), &parsed); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&parsed, []table.Field{{Name: "title"}})
	if err != nil {
		t.Fatal(err)
	}
	models := model.NewSet(compiled.Spec, func(int) string { return "" })
	defer models.Close()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	checkers := validation.NewCheckers(nil, nil)
	t.Cleanup(checkers.Close)
	generators, err := factory.Build(compiled, models, tools.NewSet(compiled.Spec, tools.Config{}), nil, workers, checkers, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cells, batches, want := len(generators.Cell), len(generators.Batch), compiled.Schema.Len(); cells != want || batches != want {
		t.Fatalf("%d and %d entries for %d columns", cells, batches, want)
	}
	for index, field := range compiled.Schema.Fields() {
		configured := compiled.Column(index)
		wantCell := configured != nil && configured.Execution == plan.Local
		wantModel, wantBatch := configured != nil && configured.Execution == plan.Remote, configured != nil && configured.Execution == plan.Batch
		hasCell, hasModel, hasBatch := generators.Cell[index] != nil, generators.Model[index] != nil, generators.Batch[index] != nil
		if hasCell != wantCell || hasModel != wantModel || hasBatch != wantBatch {
			t.Errorf("%s: has a cell generator: %t, one of a model: %t, one of batches: %t", field.Name, hasCell, hasModel, hasBatch)
		}
	}

	record := table.NewRecord(compiled.Schema, 0, 0)
	record.Cells[0] = "Emma"
	for _, name := range []string{"stars", "headline"} {
		index, _ := compiled.Schema.Index(name)
		if record.Cells[index], err = generators.Cell[index].Generate(t.Context(), record); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	stars, isInt := record.Cells[2].(int64)
	if headline, isText := record.Cells[1].(string); !isInt || !isText || headline != "Emma "+string(rune('0'+stars)) {
		t.Errorf("got %#v", record.Cells)
	}
	values, err := generators.Batch[4].GenerateBatch(t.Context(), []*table.Record{record}, false)
	if err != nil || len(values) != 1 || values[0].Value != int64(1) {
		t.Errorf("got %v, %v", values, err)
	}
}
