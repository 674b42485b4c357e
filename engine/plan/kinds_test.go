package plan

import (
	"reflect"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Every kind of the API has its row, and what the rows say fits together.
func TestEveryKindOfTheAPIHasItsRow(t *testing.T) {
	rows := map[string]int{}
	for kind := range kinds {
		rows[kinds[kind].name] = kind
	}
	columns := reflect.TypeFor[v1alpha1.Column]()
	found := 0
	for i := range columns.NumField() {
		field := columns.Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Type.Kind() != reflect.Pointer || field.Type.Elem().Kind() != reflect.Struct || name == "skip" {
			continue
		}
		kind, known := rows[name]
		if !known {
			t.Errorf("the kind %s has no row", name)
			continue
		}
		found++
		column := &v1alpha1.Column{}
		reflect.ValueOf(column).Elem().Field(i).Set(reflect.New(field.Type.Elem()))
		row := &kinds[kind]
		if set := kindsOf(column); len(set) != 1 || set[0] != Kind(kind) {
			t.Errorf("%s: the member stands for the kinds %v", name, set)
		}
		if row.check == nil || row.outputType == nil {
			t.Errorf("%s: the row is not complete", name)
		}
		if remote := row.execution == Remote; remote != (row.requests != "") || remote != (column.ModelAlias() != nil) {
			t.Errorf("%s: where it runs (remote: %t), the requests that it sends (%q) and whether it names a model (%t) don't fit",
				name, remote, row.requests,
				column.ModelAlias() != nil)
		}
		if row.resizes && row.execution != Batch {
			t.Errorf("%s: only columns that are computed for many rows at once may change their number", name)
		}
	}
	if found != len(kinds) {
		t.Errorf("the table has %d rows for %d kinds of the API", len(kinds), found)
	}
}

func TestWhereColumnsRun(t *testing.T) {
	spec := &v1alpha1.DatasetGenerationSpec{
		NumRecords: 1,
		Providers:  []v1alpha1.Provider{{Name: "p", Type: v1alpha1.ProviderOpenAI, Endpoint: "http://x/v1"}},
		Models:     []v1alpha1.Model{{Alias: "a", Provider: "p", Model: "m"}, {Alias: "b", Provider: "p", Model: "m"}},
		Columns: []v1alpha1.Column{
			{Name: "id", Sampler: &v1alpha1.Sampler{Type: v1alpha1.SamplerUUID}},
			{Name: "upper", Expression: &v1alpha1.Expression{Expr: "{{ id }}"}},
			{Name: "text", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "a", Prompt: "p"}}},
			{Name: "vector", Embedding: &v1alpha1.Embedding{Model: "b", TargetColumn: "id"}},
			{Name: "picture", Image: &v1alpha1.Image{Model: "b", Prompt: "p"}},
			{Name: "rank", Custom: &v1alpha1.Custom{Strategy: v1alpha1.CustomBatch, Starlark: &v1alpha1.Starlark{Source: "def generate(rows):\n    return []"}}},
		},
	}
	compiled, err := Compile(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		execution Execution
		lane      Lane
	}{
		{Local, Lane{}}, {Local, Lane{}}, {Remote, Lane{"p", "m", RequestsChat}}, {Remote, Lane{"p", "m", RequestsEmbedding}},
		{Remote, Lane{"p", "m", RequestsImage}}, {Batch, Lane{}},
	}
	for i, column := range compiled.Columns {
		if column.Execution != want[i].execution || column.Lane != want[i].lane {
			t.Errorf("%s runs at %d in the lane %v, want %d and %v", column.Name, column.Execution, column.Lane, want[i].execution, want[i].lane)
		}
	}
}
