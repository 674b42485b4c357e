package process_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/process"
	"seedloom.dev/seedloom/engine/table"
)

func traceSchema() *table.Schema {
	text := table.Type{Kind: table.KindString}
	call := table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "id"}, {Name: "name"}, {Name: "arguments"}}}
	message := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "role", Type: text}, {Name: "content", Type: text}, {Name: "reasoning_content", Type: text},
		{Name: "tool_calls", Type: table.Type{Kind: table.KindList, Element: &call}}, {Name: "tool_call_id", Type: text},
	}}
	return table.NewSchema(table.Field{Name: "tools"}, table.Field{Name: "answer__trace", Type: table.Type{Kind: table.KindList, Element: &message}})
}

func runForm(t *testing.T, form *v1alpha1.Form, cells ...[]any) ([][]any, error) {
	t.Helper()
	schema := traceSchema()
	spec := &v1alpha1.DatasetGenerationSpec{Processors: []v1alpha1.Processor{{Name: "form", Form: form}}}
	set, err := process.New(spec, schema, nil)
	if err != nil {
		t.Fatal(err)
	}
	batch := &process.Batch{Stage: v1alpha1.ProcessorPostBatch, Columns: []int{0, 1}}
	for row, one := range cells {
		record := table.NewRecord(schema, table.RowIndex(row), 0)
		record.Cells = one
		batch.Records = append(batch.Records, record)
	}
	result, failed := set.Run(t.Context(), slog.New(slog.DiscardHandler), batch)
	if failed != nil {
		return nil, failed
	}
	var rows [][]any
	for _, record := range result.Forms[0].Records {
		rows = append(rows, record.Cells)
	}
	return rows, nil
}

func TestToolCallsAreInTheFormOfOpenAI(t *testing.T) {
	called := []any{
		[]any{"system", "be brief", nil, nil, nil},
		[]any{"user", "weather?", nil, nil, nil},
		[]any{"assistant", "", "let me see", []any{[]any{"c1", "weather", `{"city":"Bern"}`}}, nil},
		[]any{"tool", "snow", nil, nil, "c1"},
		[]any{"assistant", "It snows.", nil, nil, nil},
	}
	cut := called[:4]
	tools := `[{"type":"function","function":{"name":"weather"}}]`
	rows, err := runForm(t, &v1alpha1.Form{ToolCalling: &v1alpha1.ToolCallingForm{Trace: "answer__trace", Tools: "{{ tools }}"}},
		[]any{tools, called}, []any{tools, cut}, []any{tools, nil}, []any{nil, called})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{{[]any{
		[]any{"system", "be brief", nil, nil, nil},
		[]any{"user", "weather?", nil, nil, nil},
		[]any{"assistant", nil, []any{[]any{"c1", "function", []any{"weather", `{"city":"Bern"}`}}}, nil, nil},
		[]any{"tool", "snow", nil, "c1", "weather"},
		[]any{"assistant", "It snows.", nil, nil, nil},
	}, tools}}
	if difference := cmp.Diff(want, rows); difference != "" {
		t.Error(difference)
	}
	_, err = runForm(t, &v1alpha1.Form{ToolCalling: &v1alpha1.ToolCallingForm{Trace: "answer__trace", Tools: "{{ tools }}"}},
		[]any{"no JSON", called})
	if err == nil || !strings.Contains(err.Error(), "toolCalling.tools gives no list of objects in JSON") {
		t.Errorf("tools that are no JSON: %v", err)
	}
}
