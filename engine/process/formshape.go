package process

import (
	"encoding/json"
	"errors"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// FormPart is a template of a form, with the place of its field below the form.
type FormPart struct {
	Field  string
	Source string
	// IsCondition says that it stands for whether something holds, and not for a text.
	IsCondition bool
	// optional says that rows without it are in the form.
	optional bool
}

// FormShape is what a form consists of: templates, and the columns that are made of what they give.
type FormShape struct {
	Parts  []FormPart
	Schema *table.Schema
	// Trace is the column with a conversation that the form is made of, and TraceField the field that names it; empty for none.
	Trace, TraceField string
	// cells makes the columns of the parts: texts, truth values, and nil for a part that is empty. A nil result is a row that the form does
	// not have.
	cells func(parts []any, trace any) ([]any, error)
}

var textType = table.Type{Kind: table.KindString}

func structType(fields ...table.Field) table.Type {
	return table.Type{Kind: table.KindStruct, Fields: fields}
}

func listType(element table.Type) table.Type {
	return table.Type{Kind: table.KindList, Element: &element}
}

func columnsOf(fields ...table.Field) *table.Schema { return table.NewSchema(fields...) }

// messageList is the type of messages with a role and a content.
var messageList = listType(structType(table.Field{Name: "role", Type: textType}, table.Field{Name: "content", Type: textType}))

// ShapeOf returns the shape of a form; nil where none is set.
func ShapeOf(form *v1alpha1.Form) *FormShape {
	switch {
	case form.Chat != nil:
		return chatShape(form.Chat)
	case form.ShareGPT != nil:
		return shareGPTShape(form.ShareGPT)
	case form.Alpaca != nil:
		return alpacaShape(form.Alpaca)
	case form.PromptCompletion != nil:
		return promptCompletionShape(form.PromptCompletion)
	case form.Preference != nil:
		return preferenceShape(form.Preference)
	case form.UnpairedPreference != nil:
		return unpairedShape(form.UnpairedPreference)
	case form.ToolCalling != nil:
		return toolCallingShape(form.ToolCalling)
	case form.Embedding != nil:
		return embeddingShape(form.Embedding)
	}
	return nil
}

// messages are those of some roles whose content is not empty.
func messages(roles []string, contents []any) []any {
	var list []any
	for i, role := range roles {
		if contents[i] != nil {
			list = append(list, []any{role, contents[i]})
		}
	}
	return list
}

func chatShape(form *v1alpha1.ChatForm) *FormShape {
	return &FormShape{
		Parts: []FormPart{
			{Field: "chat.system", Source: form.System, optional: true}, {Field: "chat.user", Source: form.User},
			{Field: "chat.assistant", Source: form.Assistant},
		},
		Schema: columnsOf(table.Field{Name: "messages", Type: messageList}),
		cells: func(parts []any, _ any) ([]any, error) {
			return []any{messages([]string{"system", "user", "assistant"}, parts)}, nil
		},
	}
}

func shareGPTShape(form *v1alpha1.ShareGPTForm) *FormShape {
	message := structType(table.Field{Name: "from", Type: textType}, table.Field{Name: "value", Type: textType})
	return &FormShape{
		Parts: []FormPart{
			{Field: "shareGPT.system", Source: form.System, optional: true}, {Field: "shareGPT.human", Source: form.Human},
			{Field: "shareGPT.gpt", Source: form.GPT},
		},
		Schema: columnsOf(table.Field{Name: "conversations", Type: listType(message)}),
		cells: func(parts []any, _ any) ([]any, error) {
			return []any{messages([]string{"system", "human", "gpt"}, parts)}, nil
		},
	}
}

func alpacaShape(form *v1alpha1.AlpacaForm) *FormShape {
	shape := &FormShape{Parts: []FormPart{
		{Field: "alpaca.instruction", Source: form.Instruction}, {Field: "alpaca.input", Source: form.Input, optional: true},
		{Field: "alpaca.output", Source: form.Output},
	}}
	fields := []table.Field{{Name: "instruction"}, {Name: "input"}, {Name: "output"}}
	if form.System != "" {
		shape.Parts = append(shape.Parts, FormPart{Field: "alpaca.system", Source: form.System, optional: true})
		fields = append(fields, table.Field{Name: "system"})
	}
	shape.Schema = columnsOf(fields...)
	shape.cells = func(parts []any, _ any) ([]any, error) {
		cells := make([]any, len(parts))
		for i, part := range parts {
			if cells[i] = part; part == nil {
				cells[i] = ""
			}
		}
		return cells, nil
	}
	return shape
}

// answerType is how a prompt or an answer stands in its column.
func answerType(style v1alpha1.FormStyle) table.Type {
	if style == v1alpha1.FormStandard {
		return textType
	}
	return messageList
}

// promptOf is a prompt in a style, and answerOf an answer.
func promptOf(style v1alpha1.FormStyle, system, prompt any) any {
	if style == v1alpha1.FormStandard {
		return prompt
	}
	return messages([]string{"system", "user"}, []any{system, prompt})
}

func answerOf(style v1alpha1.FormStyle, answer any) any {
	if style == v1alpha1.FormStandard {
		return answer
	}
	return messages([]string{"assistant"}, []any{answer})
}

func promptCompletionShape(form *v1alpha1.PromptCompletionForm) *FormShape {
	kind := answerType(form.Style)
	return &FormShape{
		Parts: []FormPart{
			{Field: "promptCompletion.system", Source: form.System, optional: true},
			{Field: "promptCompletion.prompt", Source: form.Prompt}, {Field: "promptCompletion.completion", Source: form.Completion},
		},
		Schema: columnsOf(table.Field{Name: "prompt", Type: kind}, table.Field{Name: "completion", Type: kind}),
		cells: func(parts []any, _ any) ([]any, error) {
			return []any{promptOf(form.Style, parts[0], parts[1]), answerOf(form.Style, parts[2])}, nil
		},
	}
}

func preferenceShape(form *v1alpha1.PreferenceForm) *FormShape {
	kind := answerType(form.Style)
	return &FormShape{
		Parts: []FormPart{
			{Field: "preference.system", Source: form.System, optional: true}, {Field: "preference.prompt", Source: form.Prompt},
			{Field: "preference.chosen", Source: form.Chosen}, {Field: "preference.rejected", Source: form.Rejected},
		},
		Schema: columnsOf(
			table.Field{Name: "prompt", Type: kind}, table.Field{Name: "chosen", Type: kind}, table.Field{Name: "rejected", Type: kind}),
		cells: func(parts []any, _ any) ([]any, error) {
			if parts[2] == parts[3] {
				return nil, nil
			}
			return []any{promptOf(form.Style, parts[0], parts[1]), answerOf(form.Style, parts[2]), answerOf(form.Style, parts[3])}, nil
		},
	}
}

func unpairedShape(form *v1alpha1.UnpairedPreferenceForm) *FormShape {
	kind := answerType(form.Style)
	return &FormShape{
		Parts: []FormPart{
			{Field: "unpairedPreference.system", Source: form.System, optional: true},
			{Field: "unpairedPreference.prompt", Source: form.Prompt}, {Field: "unpairedPreference.completion", Source: form.Completion},
			{Field: "unpairedPreference.label", Source: form.Label, IsCondition: true},
		},
		Schema: columnsOf(table.Field{Name: "prompt", Type: kind}, table.Field{Name: "completion", Type: kind},
			table.Field{Name: "label", Type: table.Type{Kind: table.KindBool}}),
		cells: func(parts []any, _ any) ([]any, error) {
			return []any{promptOf(form.Style, parts[0], parts[1]), answerOf(form.Style, parts[2]), parts[3]}, nil
		},
	}
}

func embeddingShape(form *v1alpha1.EmbeddingForm) *FormShape {
	shape := &FormShape{Parts: []FormPart{
		{Field: "embedding.anchor", Source: form.Anchor}, {Field: "embedding.positive", Source: form.Positive},
	}}
	fields := []table.Field{{Name: "anchor"}, {Name: "positive"}}
	if form.Negative != "" {
		shape.Parts = append(shape.Parts, FormPart{Field: "embedding.negative", Source: form.Negative})
		fields = append(fields, table.Field{Name: "negative"})
	}
	shape.Schema = columnsOf(fields...)
	shape.cells = func(parts []any, _ any) ([]any, error) { return parts, nil }
	return shape
}

// toolMessage is the type of a message in OpenAI's form, in which the arguments of a call are JSON as text.
func toolMessage() table.Type {
	function := structType(table.Field{Name: "name", Type: textType}, table.Field{Name: "arguments", Type: textType})
	call := structType(table.Field{Name: "id", Type: textType}, table.Field{Name: "type", Type: textType},
		table.Field{Name: "function", Type: function})
	return structType(table.Field{Name: "role", Type: textType}, table.Field{Name: "content", Type: textType},
		table.Field{Name: "tool_calls", Type: listType(call)}, table.Field{Name: "tool_call_id", Type: textType},
		table.Field{Name: "name", Type: textType})
}

func toolCallingShape(form *v1alpha1.ToolCallingForm) *FormShape {
	shape := &FormShape{Trace: form.Trace, TraceField: "toolCalling.trace"}
	fields := []table.Field{{Name: "messages", Type: listType(toolMessage())}}
	if form.Tools != "" {
		shape.Parts = []FormPart{{Field: "toolCalling.tools", Source: form.Tools}}
		fields = append(fields, table.Field{Name: "tools"})
	}
	shape.Schema = columnsOf(fields...)
	shape.cells = func(parts []any, trace any) ([]any, error) {
		cells := []any{toolMessages(trace)}
		for _, part := range parts {
			var tools []map[string]any
			if text, _ := part.(string); json.Unmarshal([]byte(text), &tools) != nil {
				return nil, errors.New("toolCalling.tools gives no list of objects in JSON")
			}
			cells = append(cells, part)
		}
		if cells[0] == nil {
			return nil, nil
		}
		return cells, nil
	}
	return shape
}

// The members of a message of a trace, in their order; those of a call are its id, its name and its arguments.
const (
	traceRole = iota
	traceContent
	_ // the reasoning, which OpenAI's form does not have
	traceCalls
	traceCallID
	traceMembers
)

// toolMessages are the messages of a trace in OpenAI's form; nil where it does not end with an answer.
func toolMessages(trace any) any {
	list, _ := trace.([]any)
	names := map[any]any{}
	var result []any
	answered := false
	for _, entry := range list {
		message, _ := entry.([]any)
		if len(message) != traceMembers {
			return nil
		}
		role, content := message[traceRole], message[traceContent]
		calls := openAICalls(message[traceCalls], names)
		if content == "" && calls != nil {
			content = nil
		}
		answered = role == "assistant" && calls == nil && content != ""
		result = append(result, []any{role, content, calls, message[traceCallID], names[message[traceCallID]]})
	}
	if !answered {
		return nil
	}
	return result
}

// openAICalls are the calls of a message, whose names it notes by their ids; nil where there is none.
func openAICalls(calls any, names map[any]any) any {
	list, _ := calls.([]any)
	var result []any
	for _, entry := range list {
		call, _ := entry.([]any)
		if len(call) != 3 {
			continue
		}
		names[call[0]] = call[1]
		result = append(result, []any{call[0], "function", []any{call[1], call[2]}})
	}
	if result == nil {
		return nil
	}
	return result
}

// IsNeeded says whether the form has no rows without the part.
func (p *FormPart) IsNeeded() bool { return !p.optional }
