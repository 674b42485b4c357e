package plan

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// The endings of the names of side-effect columns.
const (
	traceSuffix     = "__trace"
	reasoningSuffix = "__reasoning_content"
)

// sideEffect is a column that is made together with another one.
type sideEffect struct {
	table.Field
	// setting is the field of the spec that asks for it, below that of the column's kind.
	setting string
}

// sideEffects are the columns that are made together with a column, in the order in which they stand after it.
func sideEffects(column *v1alpha1.Column) []sideEffect {
	prompt := column.Prompt()
	if prompt == nil {
		return nil
	}
	var effects []sideEffect
	if prompt.Trace != "" && prompt.Trace != v1alpha1.ConversationTraceNone {
		effects = append(effects, sideEffect{table.Field{Name: column.Name + traceSuffix, Type: traceType()}, "trace"})
	}
	if prompt.ExtractsReasoning() {
		effects = append(effects, sideEffect{table.Field{Name: column.Name + reasoningSuffix}, "extractReasoning"})
	}
	return effects
}

// SideEffects maps the names of all side-effect columns of a spec to those of the columns that they are made with.
func SideEffects(spec *v1alpha1.DatasetGenerationSpec) map[string]string {
	producers := map[string]string{}
	for i := range spec.Columns {
		for _, effect := range sideEffects(&spec.Columns[i]) {
			producers[effect.Name] = spec.Columns[i].Name
		}
	}
	return producers
}

// traceType is the type of a conversation: its messages, each with the tools that it calls or answers.
func traceType() table.Type {
	text := table.Type{Kind: table.KindString}
	call := table.Type{Kind: table.KindStruct,
		Fields: []table.Field{{Name: "id", Type: text}, {Name: "name", Type: text}, {Name: "arguments", Type: text}}}
	message := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "role", Type: text}, {Name: "content", Type: text}, {Name: "reasoning_content", Type: text},
		{Name: "tool_calls", Type: table.Type{Kind: table.KindList, Element: &call}}, {Name: "tool_call_id", Type: text},
	}}
	return table.Type{Kind: table.KindList, Element: &message}
}
