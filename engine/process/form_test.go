package process

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// form runs a schemaTransform over five rows, of which the numbers are 40 to 44.
func form(t *testing.T, spec string) (*Form, error) {
	t.Helper()
	var configured v1alpha1.SchemaTransform
	if err := yaml.UnmarshalStrict([]byte(spec), &configured); err != nil {
		t.Fatal(err)
	}
	made, err := newTransform(&v1alpha1.Processor{Name: "p", SchemaTransform: &configured}, 1, schema)
	if err != nil {
		return nil, err
	}
	result, failed := setOf(made).Run(t.Context(), slog.Default(), batch(5))
	if failed != nil {
		return nil, failed
	}
	return &result.Forms[0], nil
}

func TestAFormHasTheRowsThatItsConditionWants(t *testing.T) {
	found, err := form(t, `{template: {n: "{{ name }}"}, when: "{{ name in ['name-1', 'name-3'] }}"}`)
	if err != nil {
		t.Fatal(err)
	}
	var rows []table.RowIndex
	for _, record := range found.Records {
		rows = append(rows, record.Row)
	}
	if difference := cmp.Diff([]table.RowIndex{41, 43}, rows); difference != "" {
		t.Error(difference)
	}
	_, err = form(t, `{template: {n: "{{ name }}"}, when: "{{ name / 2 }}"}`)
	if err == nil || !strings.Contains(err.Error(), "schemaTransform.when") {
		t.Errorf("a condition that fails: %v", err)
	}
}

func TestAFormHasTheTypesOfItsSchema(t *testing.T) {
	const spec = `
template:
  who: "{{ name }}"
  first: "{{ marks[:1] }}"
  zips: ["{{ place.zip }}", "{{ place.zip + 1 }}"]
  any: [1, "{{ name }}", {}]
  at: "{{ place.city }}-{{ place.zip }}"
  gone: "{{ none }}"
schema:
  type: object
  required: [who, first, zips, any, at]
  properties:
    who: {type: string}
    first: {type: array, items: {type: number}}
    zips: {type: array, items: {type: integer}}
    any: {type: array}
    at: {type: string}
    gone: {type: integer}
`
	found, err := form(t, spec)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, field := range found.Schema.Fields() {
		types = append(types, field.Name+" "+field.Type.String())
	}
	want := []string{"who string", "first list<double>", "zips list<int64>", "any string", "at string", "gone int64"}
	if difference := cmp.Diff(want, types); difference != "" {
		t.Error(difference)
	}
	cells := []any{"name-2", []any{1.5}, []any{int64(89073), int64(89074)}, `[1,"name-2",{}]`, "Ulm-89073", nil}
	if difference := cmp.Diff(cells, found.Records[2].Cells); difference != "" {
		t.Error(difference)
	}
	_, err = form(t, strings.Replace(spec, "who: {type: string}", "who: {type: integer}", 1))
	if err == nil || !strings.Contains(err.Error(), "does not match schemaTransform.schema") {
		t.Errorf("a value of another type: %v", err)
	}
}

func TestAFormIsOfWhatStandsAtItsPlace(t *testing.T) {
	program := func(stage v1alpha1.ProcessorStage) v1alpha1.Processor {
		return v1alpha1.Processor{Starlark: &v1alpha1.StarlarkProcessor{Stage: stage}}
	}
	chat := v1alpha1.Processor{SchemaTransform: &v1alpha1.SchemaTransform{}}
	spec := &v1alpha1.DatasetGenerationSpec{Processors: []v1alpha1.Processor{
		program(v1alpha1.ProcessorPreBatch), chat, program(v1alpha1.ProcessorAfterGeneration), chat, program(v1alpha1.ProcessorPostBatch),
	}}
	for index, want := range []v1alpha1.ProcessorStage{"PreBatch", "PostBatch", "AfterGeneration", "AfterGeneration", "PostBatch"} {
		if got := StageOf(spec, index); got != want {
			t.Errorf("processor %d works at %s, want %s", index, got, want)
		}
	}
}
