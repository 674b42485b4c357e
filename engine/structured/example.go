package structured

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of an example: a model reads it with every prompt.
const (
	maxExampleDepth   = 6
	maxExampleFields  = 200
	maxPlaceholder    = 60
	maxListedOptions  = 12
	placeholderOpen   = "<"
	placeholderClosed = ">"
)

// exampler fills in a schema: every text is a placeholder that says what belongs in its place.
type exampler struct {
	root         map[string]any
	placeholders map[string]bool
	fields       int
}

// exampleOf returns a document in the form of a schema, as compact JSON with the fields in their order, and its placeholders. Small models
// follow a form far better than a schema, which many of them repeat.
func exampleOf(root map[string]any) (text []byte, placeholders map[string]bool) {
	e := &exampler{root: root, placeholders: map[string]bool{}}
	return e.value(nil, root, "value", 0), e.placeholders
}

// value appends the example of a schema; name is what its value is called.
func (e *exampler) value(text []byte, schema any, name string, depth int) []byte {
	object := e.resolved(schema)
	if depth > maxExampleDepth || e.fields > maxExampleFields {
		return append(text, "null"...)
	}
	if constant, found := object["const"]; found {
		return appendJSON(text, constant)
	}
	if options, found := object["enum"].([]any); found && len(options) > 0 {
		return e.option(text, options)
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if branch := firstBranch(object[keyword]); branch != nil && object["properties"] == nil {
			return e.value(text, branch, name, depth+1)
		}
	}
	switch typeOfSchema(object) {
	case "object":
		return e.object(text, object, depth)
	case "array":
		return e.array(text, object, name, depth)
	case "integer", "number":
		if minimum, found := object["minimum"]; found {
			return appendJSON(text, minimum)
		}
		return append(text, '0')
	case "boolean":
		return append(text, "true"...)
	case "null":
		return append(text, "null"...)
	}
	return e.placeholder(text, describeText(object, name))
}

func (e *exampler) object(text []byte, object map[string]any, depth int) []byte {
	properties, _ := object["properties"].(map[string]any)
	if len(properties) == 0 {
		return append(text, "{}"...)
	}
	return encodeMembers(text, orderedNames(properties, object["required"]), func(text []byte, name string) []byte {
		e.fields++
		return e.value(text, properties[name], name, depth+1)
	})
}

func (e *exampler) array(text []byte, object map[string]any, name string, depth int) []byte {
	if fixed, found := object["prefixItems"].([]any); found {
		text = append(text, '[')
		for i, item := range fixed {
			if i > 0 {
				text = append(text, ',')
			}
			text = e.value(text, item, name, depth+1)
		}
		return append(text, ']')
	}
	if depth >= maxExampleDepth {
		return append(text, "[]"...)
	}
	return append(e.value(append(text, '['), object["items"], name, depth+1), ']')
}

// option shows texts to choose from as a placeholder, since a model would take the first one otherwise; other values by the first one.
func (e *exampler) option(text []byte, options []any) []byte {
	var names []string
	for _, option := range options {
		if name, isText := option.(string); isText {
			names = append(names, name)
		}
	}
	if len(names) < 2 || len(names) > maxListedOptions {
		return appendJSON(text, options[0])
	}
	return e.placeholder(text, "one of: "+strings.Join(names, ", "))
}

func (e *exampler) placeholder(text []byte, meaning string) []byte {
	placeholder := placeholderOpen + meaning + placeholderClosed
	e.placeholders[placeholder] = true
	return appendJSON(text, placeholder)
}

// resolved follows references, and joins what allOf says.
func (e *exampler) resolved(schema any) map[string]any {
	object, _ := schema.(map[string]any)
	for range maxDepth {
		reference, refers := object["$ref"].(string)
		if !refers {
			break
		}
		target, _ := resolve(e.root, reference)
		object, _ = target.(map[string]any)
	}
	all, _ := object["allOf"].([]any)
	if len(all) == 0 || object["properties"] != nil {
		return object
	}
	properties := map[string]any{}
	var required []any
	for _, part := range all {
		piece, _ := part.(map[string]any)
		if reference, refers := piece["$ref"].(string); refers {
			target, _ := resolve(e.root, reference)
			piece, _ = target.(map[string]any)
		}
		named, _ := piece["properties"].(map[string]any)
		for name, property := range named {
			properties[name] = property
		}
		list, _ := piece["required"].([]any)
		required = append(required, list...)
	}
	if len(properties) == 0 {
		return object
	}
	return map[string]any{"type": "object", "properties": properties, "required": required}
}

func firstBranch(alternatives any) any {
	list, _ := alternatives.([]any)
	for _, branch := range list {
		if object, isObject := branch.(map[string]any); isObject && object["type"] != "null" {
			return branch
		}
	}
	return nil
}

// typeOfSchema is the type that a schema names, or that its keywords imply.
func typeOfSchema(object map[string]any) string {
	switch named := object["type"].(type) {
	case string:
		return named
	case []any:
		for _, name := range named {
			if text, isText := name.(string); isText && text != "null" {
				return text
			}
		}
	}
	switch {
	case object["properties"] != nil:
		return "object"
	case object["items"] != nil, object["prefixItems"] != nil:
		return "array"
	}
	return ""
}

var whiteSpace = regexp.MustCompile(`\s+`)

// describeText says in a few words what belongs in the place of a text.
func describeText(object map[string]any, name string) string {
	if format, found := object["format"].(string); found {
		return name + ", a " + format
	}
	description, _ := object["description"].(string)
	description = strings.TrimSpace(whiteSpace.ReplaceAllString(description, " "))
	description = strings.NewReplacer(placeholderOpen, "", placeholderClosed, "").Replace(description)
	if description == "" {
		return name
	}
	if letters := []rune(description); len(letters) > maxPlaceholder {
		description = strings.TrimSpace(string(letters[:maxPlaceholder])) + "…"
	}
	return description
}

func appendJSON(text []byte, value any) []byte {
	written, _ := marshal(value) // what was read from JSON can be written as JSON
	return append(text, written...)
}

// echo says in which way a document is no answer but what the model was shown: the schema itself, or the form with its placeholders. It is
// nil for every other document.
func (s *Schema) echo(document any) error {
	if object, isObject := document.(map[string]any); isObject && s.isSchema(object) {
		return answerError("the answer is the schema itself; write a document in its form, with values")
	}
	if place, found := s.placeholderIn(document, nil); found {
		where := ""
		if len(place) > 0 {
			where = " at " + join(place)
		}
		return answerError("the document still has the placeholder of the form%s; write a value in its place", where)
	}
	return nil
}

// isSchema says whether a document describes the properties that it should have.
func (s *Schema) isSchema(document map[string]any) bool {
	described, found := document["properties"].(map[string]any)
	if !found || len(s.names) == 0 || slices.Contains(s.names, "properties") {
		return false
	}
	for _, name := range s.names {
		if part, isObject := described[name].(map[string]any); isObject && (part["type"] != nil || part["$ref"] != nil || part["enum"] != nil) {
			return true
		}
	}
	return false
}

// placeholderIn returns the place of the first placeholder in a document, in the order of names.
func (s *Schema) placeholderIn(document any, path []string) ([]string, bool) {
	switch typed := document.(type) {
	case string:
		return path, s.placeholders[typed]
	case []any:
		for i, item := range typed {
			if place, found := s.placeholderIn(item, append(slices.Clone(path), fmt.Sprint(i))); found {
				return place, true
			}
		}
	case map[string]any:
		for _, name := range orderedNames(typed, nil) {
			if place, found := s.placeholderIn(typed[name], append(slices.Clone(path), name)); found {
				return place, true
			}
		}
	}
	return nil, false
}
