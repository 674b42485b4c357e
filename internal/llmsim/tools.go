package llmsim

import (
	"encoding/json"
	"strings"
)

// The models that call tools without being forced to, after the last slash of their names.
const (
	// callsTools asks for one call, and answers once it has the result.
	callsTools = "calls-tools"
	// alwaysCallsTools asks for calls as long as it is offered tools, and even when it may not.
	alwaysCallsTools = "always-calls-tools"
)

type chatTool struct {
	Function struct {
		Name       string          `json:"name"`
		Parameters json.RawMessage `json:"parameters"`
	} `json:"function"`
}

// toolChoice is the tool_choice of a request: a word, or the name of a function.
type toolChoice struct{ word, function string }

// UnmarshalJSON reads both forms.
func (c *toolChoice) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, &c.word)
	}
	var forced struct {
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	err := json.Unmarshal(data, &forced)
	c.function = forced.Function.Name
	return err
}

// toolCall is a call that an answer asks for.
type toolCall struct{ name, arguments string }

// readTools finds out which tool the answer will call, if any, and what tools have said since the last message of a user.
func (r *request) readTools(body *chatBody) {
	for _, message := range body.Messages {
		switch message.Role {
		case "user":
			r.toolResults = nil
		case "tool":
			r.toolResults = append(r.toolResults, message.Content.text)
		}
	}
	name := body.Model[strings.LastIndexByte(body.Model, '/')+1:]
	for i := range body.Tools {
		tool := &body.Tools[i]
		switch {
		case body.ToolChoice.function != "":
			if tool.Function.Name == body.ToolChoice.function {
				r.tool = tool
			}
		case name == alwaysCallsTools,
			body.ToolChoice.word == "required",
			name == callsTools && body.ToolChoice.word != "none" && len(r.toolResults) == 0:
			r.tool = tool
		}
		if r.tool != nil {
			return
		}
	}
}

// call makes a call of the tool, with arguments that satisfy its schema.
func (r *request) call() *toolCall {
	var schema map[string]any
	if json.Unmarshal(r.tool.Function.Parameters, &schema) != nil || schema == nil {
		schema = map[string]any{"type": "object"}
	}
	writer := schemaWriter{root: schema, draws: newRandom(r.hash ^ textStream)}
	arguments, err := json.Marshal(writer.value(schema, 0))
	if err != nil {
		arguments = []byte("{}")
	}
	return &toolCall{name: r.tool.Function.Name, arguments: string(arguments)}
}

// appendToolCalls appends the member tool_calls with one call.
func appendToolCalls(body []byte, request *request, call *toolCall, index string) []byte {
	body = append(body, `"tool_calls":[{`...)
	body = append(body, index...)
	body = append(body, `"id":"call_`...)
	body = appendHex(body, request.hash)
	body = append(body, `","type":"function","function":{"name":`...)
	body = appendJSONString(body, call.name)
	body = append(body, `,"arguments":`...)
	body = appendJSONString(body, call.arguments)
	return append(body, `}}]`...)
}
