package structured

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Limits of an example: a model reads it with every prompt.
const (
	maxExampleDepth   = 6
	maxExampleFields  = 200
	maxPlaceholder    = 120
	maxListedOptions  = 12
	placeholderOpen   = "<"
	placeholderClosed = ">"
)

// exampler fills in a schema: every text, number and truth is a placeholder that says what belongs in its place.
type exampler struct {
	root         map[string]any
	placeholders map[string]bool
	fields       int
	// optional says that the next value may be left out.
	optional bool
	// partial says that the schema has more to say than the form.
	partial bool
}

// form is what a document of a schema looks like.
type form struct {
	// text is JSON but for the placeholders of numbers and truths, which have no quotes, with the fields in their order.
	text []byte
	// placeholders are those of texts, which a document must not have.
	placeholders map[string]bool
	// whole says that the form says all that the schema does.
	whole bool
}

// formOf returns the form of a schema. Small models follow a form far better than a schema, which many of them repeat.
func formOf(root map[string]any) form {
	e := &exampler{root: root, placeholders: map[string]bool{}}
	text := e.value(nil, root, "value", 0)
	return form{text: text, placeholders: e.placeholders, whole: !e.partial}
}

// Keywords that a form says, or that say nothing of values.
var (
	silentKeywords = []string{"$schema", "$id", "$defs", "definitions", "title", "default", "examples", "type", "nullable"}
	saidOfObjects  = []string{"properties", "required", "additionalProperties"}
	saidOfTexts    = []string{"description", "format", "minLength", "maxLength"}
	saidOfNumbers  = []string{"description", "minimum", "maximum"}
)

// saysAll notes when a schema has keywords beside those that the form says.
func (e *exampler) saysAll(object map[string]any, said ...string) {
	for keyword := range object {
		if !slices.Contains(silentKeywords, keyword) && !slices.Contains(said, keyword) {
			e.partial = true
		}
	}
}

// value appends the example of a schema; name is what its value is called.
func (e *exampler) value(text []byte, schema any, name string, depth int) []byte {
	object := e.resolved(schema)
	orNull := ""
	if types, _ := object["type"].([]any); slices.Contains(types, any("null")) || e.optional {
		orNull = "or null"
	}
	e.optional = false
	if depth > maxExampleDepth || e.fields > maxExampleFields {
		e.partial = true
		return append(text, "null"...)
	}
	if constant, found := object["const"]; found {
		e.saysAll(object, "const")
		e.partial = e.partial || orNull != ""
		return appendJSON(text, constant)
	}
	if options, found := object["enum"].([]any); found && len(options) > 0 {
		e.saysAll(object, "enum")
		return e.option(text, options, orNull)
	}
	for _, keyword := range []string{"anyOf", "oneOf"} {
		if branch := firstBranch(object[keyword]); branch != nil && object["properties"] == nil {
			e.saysAll(object, keyword)
			e.partial, e.optional = e.partial || countBranches(object[keyword]) > 1, orNull != "" || hasNull(object[keyword])
			return e.value(text, branch, name, depth+1)
		}
	}
	switch kind := typeOfSchema(object); kind {
	case "object":
		e.partial = e.partial || orNull != ""
		return e.object(text, object, depth)
	case "array":
		e.partial = e.partial || orNull != ""
		return e.array(text, object, name, depth)
	case "null":
		e.saysAll(object)
		return append(text, "null"...)
	case "integer", "number":
		e.saysAll(object, saidOfNumbers...)
		return append(text, inBrackets(e.described(object), kind, bounds(object, "minimum", "maximum", ""), orNull)...)
	case "boolean":
		e.saysAll(object, "description")
		return append(text, inBrackets(e.described(object), "true or false", orNull)...)
	case "string":
		e.saysAll(object, saidOfTexts...)
		return e.placeholder(text, e.describeText(object, name), bounds(object, "minLength", "maxLength", " characters"), orNull)
	}
	e.partial = true
	return e.placeholder(text, e.describeText(object, name))
}

// inBrackets is a placeholder that says these things, but for the empty ones.
func inBrackets(parts ...string) string {
	said := slices.DeleteFunc(parts, func(text string) bool { return text == "" })
	return placeholderOpen + strings.Join(said, ", ") + placeholderClosed
}

// bounds says in words between which numbers something lies; empty where there are none.
func bounds(object map[string]any, least, most, of string) string {
	from, bounded := object[least]
	to, limited := object[most]
	switch {
	case bounded && limited:
		return fmt.Sprintf("%s to %s%s", appendJSON(nil, from), appendJSON(nil, to), of)
	case bounded:
		return fmt.Sprintf("at least %s%s", appendJSON(nil, from), of)
	case limited:
		return fmt.Sprintf("at most %s%s", appendJSON(nil, to), of)
	}
	return ""
}

func (e *exampler) object(text []byte, object map[string]any, depth int) []byte {
	e.saysAll(object, saidOfObjects...)
	properties, _ := object["properties"].(map[string]any)
	if closed, found := object["additionalProperties"]; found && closed != false {
		e.partial = true
	}
	if len(properties) == 0 {
		e.partial = true
		return append(text, "{}"...)
	}
	required, _ := object["required"].([]any)
	return encodeMembers(text, orderedNames(properties, object["required"]), func(text []byte, name string) []byte {
		e.fields++
		e.optional = !slices.Contains(required, any(name))
		return e.value(text, properties[name], name, depth+1)
	})
}

func (e *exampler) array(text []byte, object map[string]any, name string, depth int) []byte {
	e.saysAll(object, "items")
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
		e.partial = true
		return append(text, "[]"...)
	}
	item := e.value(nil, object["items"], name, depth+1)
	text = append(append(text, '['), item...)
	if !bytes.HasPrefix(item, []byte("{")) && !bytes.HasPrefix(item, []byte("[")) {
		text = append(append(text, ','), item...) // a list of one would be taken at its word
	}
	return append(text, ']')
}

// option shows texts to choose from as a placeholder, since a model would take the first one otherwise; other values by the first one.
func (e *exampler) option(text []byte, options []any, orNull string) []byte {
	var names []string
	for _, option := range options {
		if name, isText := option.(string); isText {
			names = append(names, name)
		}
	}
	if len(names) != len(options) || len(names) < 2 || len(names) > maxListedOptions {
		e.partial = e.partial || len(options) > 1 || orNull != ""
		return appendJSON(text, options[0])
	}
	return e.placeholder(text, "one of: "+strings.Join(names, ", "), orNull)
}

func (e *exampler) placeholder(text []byte, meaning ...string) []byte {
	placeholder := inBrackets(meaning...)
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
	e.partial = e.partial || len(all) > 0
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

// hasNull says whether null is one of the alternatives.
func hasNull(alternatives any) bool {
	list, _ := alternatives.([]any)
	return countBranches(alternatives) < len(list)
}

// countBranches is how many alternatives there are beside null.
func countBranches(alternatives any) (count int) {
	list, _ := alternatives.([]any)
	for _, branch := range list {
		if object, isObject := branch.(map[string]any); !isObject || object["type"] != "null" {
			count++
		}
	}
	return count
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
func (e *exampler) describeText(object map[string]any, name string) string {
	description := e.described(object)
	if format, found := object["format"].(string); found {
		e.partial = e.partial || description != ""
		return name + ", a " + format
	}
	if description == "" {
		return name
	}
	return description
}

// described is the description of a value on one line, as far as there is room for it.
func (e *exampler) described(object map[string]any) string {
	description, _ := object["description"].(string)
	description = strings.TrimSpace(whiteSpace.ReplaceAllString(description, " "))
	description = strings.NewReplacer(placeholderOpen, "", placeholderClosed, "").Replace(description)
	if letters := []rune(description); len(letters) > maxPlaceholder {
		e.partial = true
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
		return path, s.form.placeholders[typed]
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
