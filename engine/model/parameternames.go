package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// specFields are the members of requests that come from a field of the spec.
var specFields = map[string]string{
	"temperature": "parameters.temperature of the model", "top_p": "parameters.topP of the model",
	"max_tokens": "parameters.maxTokens of the model",
	"seed":       "rowSeed of the model", "stream": "streaming of the model", "stream_options": "streaming of the model",
	"tools": "the tools of a column, or structuredOutput: Tool", "tool_choice": "structuredOutput: Tool, or maxTurns of tools",
	"response_format": "structuredOutput: Native", "dimensions": "embedding.dimensions of the model",
	"encoding_format": "embedding.encodingFormat of the model", "system": "the systemPrompt of a column",
}

// otherWords are what servers call members of requests by.
var otherWords = map[string][]string{
	"dimensions": {"matryoshka", "dimension"}, "response_format": {"json_schema", "json schema", "structured output", "guided decoding"},
	"tools": {"function calling", "tool use", "tool calling"}, "tool_choice": {"tool choice"}, "stream": {"streaming"},
}

// namedParameter is the member of a request that the server's error is about, and the field of the spec because of which it was sent; both
// are empty where it names none that was sent.
func (c *Client) namedParameter(problem *serverError, body []byte) (name, field string) {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return "", ""
	}
	parameter, _, _ := strings.Cut(problem.parameter, ".")
	parameter, _, _ = strings.Cut(parameter, "[")
	// Longer names first, since they may hold shorter ones.
	sorted := slices.SortedFunc(maps.Keys(members), func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	for _, name := range sorted {
		if field := c.fieldOf(name); field != "" && name == parameter {
			return name, field
		}
	}
	for _, name := range sorted {
		if field := c.fieldOf(name); field != "" && names(problem.text, name) {
			return name, field
		}
	}
	return "", ""
}

// names says whether a text names a member of requests, by its name or by another word for it.
func names(text, member string) bool {
	return hasWord(text, member) || slices.ContainsFunc(otherWords[member], func(word string) bool { return hasWord(text, word) })
}

// fieldOf is the field of the spec that a member of a request comes from; empty for what every request has.
func (c *Client) fieldOf(name string) string {
	if c.extraNames[name] {
		return "extraBody." + name
	}
	return specFields[name]
}

// hasWord says whether a text has a name that is no part of a longer one.
func hasWord(text, name string) bool {
	for rest, name := text, strings.ToLower(name); ; {
		index := strings.Index(rest, name)
		if index < 0 {
			return false
		}
		before, after := rest[:index], rest[index+len(name):]
		if !endsInWord(before) && !endsInWord(reversedHead(after)) {
			return true
		}
		rest = after
	}
}

func endsInWord(text string) bool {
	if text == "" {
		return false
	}
	last := text[len(text)-1]
	return last == '_' || last >= 'a' && last <= 'z' || last >= '0' && last <= '9'
}

// reversedHead is the first byte of a text, for endsInWord.
func reversedHead(text string) string { return text[:min(1, len(text))] }
