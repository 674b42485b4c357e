package rollout

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"seedloom.dev/seedloom/engine/table"
)

// The roles of messages.
const (
	roleUser      = "user"
	roleAssistant = "assistant"
	roleSystem    = "system"
	roleTool      = "tool"
)

// maxParts is how many messages, blocks, calls of tools and references to other sessions a session may have in all.
const maxParts = 250_000

// message is one of a session.
type message struct {
	role      string
	content   []block
	reasoning *string
	calls     []call
	// answers is the call that a message of a tool answers; nil for other messages.
	answers *string
}

// block is a part of what a message says.
type block struct {
	kind string
	// text is what it says; nil of one that has no text, such as a picture.
	text *string
	// data is the whole block as JSON, of one that has more than a type and a text; else empty.
	data string
}

// call is a call of a tool.
type call struct{ id, name, arguments string }

// callsOf reads a list of calls, each with a function that gets its members and what messages call it. No list is no calls.
func callsOf(value jsontext.Value, read func(called *call, members object, of string) error) ([]call, error) {
	if isNull(value) {
		return nil, nil
	}
	elements, err := asList(value)
	if err != nil {
		return nil, problem("tool_calls: %v", err)
	}
	calls := make([]call, len(elements))
	for i, element := range elements {
		of := fmt.Sprintf("tool_calls[%d]", i)
		members, err := asObject(element)
		if err != nil {
			return nil, problem("%s: %v", of, err)
		}
		if err := read(&calls[i], members, of); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// messagesType is the type of the messages of a session: that of conversations as chat interfaces have them.
func messagesType() table.Type {
	text := table.Type{Kind: table.KindString}
	part := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "type", Type: text}, {Name: "text", Type: text}, {Name: "data", Type: table.Type{Kind: table.KindString, Document: true}},
	}}
	function := table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "name", Type: text}, {Name: "arguments", Type: text}}}
	called := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "id", Type: text}, {Name: "type", Type: text}, {Name: "function", Type: function},
	}}
	said := table.Type{Kind: table.KindStruct, Fields: []table.Field{
		{Name: "role", Type: text}, {Name: "content", Type: table.Type{Kind: table.KindList, Element: &part}},
		{Name: "reasoning_content", Type: text}, {Name: "tool_calls", Type: table.Type{Kind: table.KindList, Element: &called}},
		{Name: "tool_call_id", Type: text},
	}}
	return table.Type{Kind: table.KindList, Element: &said}
}

func (m *message) cells() []any {
	content, calls := make([]any, len(m.content)), make([]any, len(m.calls))
	for i, part := range m.content {
		var data any
		if part.data != "" {
			data = part.data
		}
		content[i] = []any{part.kind, cell(part.text), data}
	}
	for i, called := range m.calls {
		calls[i] = []any{called.id, "function", []any{called.name, called.arguments}}
	}
	return []any{m.role, content, cell(m.reasoning), calls, cell(m.answers)}
}

// add adds a message, whose role is one of several names.
func (s *session) add(role string, said message) error {
	switch role {
	case "developer":
		role = roleSystem
	case roleUser, roleAssistant, roleSystem, roleTool:
	default:
		return problem("a message has the role %.60q, which must be user, assistant, system, developer or tool", role)
	}
	said.role = role
	if said.reasoning != nil && *said.reasoning == "" {
		said.reasoning = nil
	}
	s.messages = append(s.messages, said)
	return s.countParts(1 + len(said.content) + len(said.calls))
}

// countParts takes parts of the session into account; it is a problem when there are too many in all.
func (s *session) countParts(count int) error {
	if s.parts += count; s.parts > maxParts {
		return problem("it has more than %d messages, parts of them, calls of tools and references", maxParts)
	}
	return nil
}

// addText adds a message that is a text.
func (s *session) addText(role, text string) error {
	return s.add(role, message{content: textBlocks(text)})
}

func textBlocks(text string) []block { return []block{{kind: blockText, text: &text}} }

// blockText is the type of blocks of text.
const blockText = "text"

// blocks are those of what a message says, in whichever form: a text, a list of blocks, or nothing.
func blocks(content jsontext.Value) ([]block, error) {
	switch {
	case isNull(content):
		return nil, nil
	case !isList(content):
		return textBlocks(plain(content)), nil
	}
	elements, err := asList(content)
	if err != nil {
		return nil, err
	}
	result := make([]block, len(elements))
	for i, element := range elements {
		if result[i], err = blockOf(element); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// blockOf is a block as it is; what is none is one of text.
func blockOf(value jsontext.Value) (block, error) {
	if !isObject(value) {
		text := plain(value)
		return block{kind: blockText, text: &text}, nil
	}
	members, err := asObject(value)
	if err != nil {
		return block{}, err
	}
	_, hasKind := members["type"]
	_, hasText := members["text"]
	switch {
	case !hasKind && hasText:
		text := members.said("text")
		return block{kind: blockText, text: &text}, nil
	case !hasKind:
		text := compact(value)
		return block{kind: blockText, text: &text}, nil
	}
	result := block{kind: members.said("type")}
	if isText(members["text"]) {
		result.text = members.text("text")
	}
	if len(members) > 2 || len(members) == 2 && result.text == nil {
		result.data = compact(value)
	}
	return result, nil
}

// loose are the blocks of what a message says, where what is no text and no list stands for its JSON, and nothing for an empty text.
func loose(content jsontext.Value) ([]block, error) {
	if isNull(content) {
		return textBlocks(""), nil
	}
	return blocks(content)
}

// arguments are those of a call: a text as it is, anything else as JSON.
func arguments(value jsontext.Value) string {
	if isNull(value) {
		return "{}"
	}
	return plain(value)
}
