package structured

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rewriter turns what JSON Schema does not know into what it knows: discriminators of OpenAPI, and decimals of Pydantic.
type rewriter struct{ decimals map[string]int }

// schema returns a copy of a schema at a location.
func (r *rewriter) schema(schema any, at string) any {
	object, isObject := schema.(map[string]any)
	if !isObject {
		return schema
	}
	// Another name for the document would make its references point elsewhere.
	object = maps.Clone(object)
	delete(object, "$id")
	object = r.decimal(discriminated(object), at)
	for keyword, part := range subschemas(object) {
		below := at
		for _, token := range keyword {
			below += "/" + escapeToken(token)
		}
		replace(object, keyword, r.schema(part, below))
	}
	return object
}

// withNulls returns a copy of a schema in which the nullable of OpenAPI is said in the words of JSON Schema.
func withNulls(schema any) any {
	object, isObject := schema.(map[string]any)
	if !isObject {
		return schema
	}
	object = maps.Clone(object)
	for keyword, part := range subschemas(object) {
		replace(object, keyword, withNulls(part))
	}
	nullable, _ := object["nullable"].(bool)
	if !nullable {
		return object
	}
	delete(object, "nullable")
	switch named := object["type"].(type) {
	case string:
		object["type"] = []any{named, "null"}
	case []any:
		if !slices.Contains(named, any("null")) {
			object["type"] = append(slices.Clone(named), "null")
		}
	default:
		return map[string]any{"anyOf": []any{object, map[string]any{"type": "null"}}}
	}
	if values, isEnum := object["enum"].([]any); isEnum && !slices.Contains(values, nil) {
		object["enum"] = append(slices.Clone(values), nil)
	}
	return object
}

// replace puts a rewritten part in its place, in a container that belongs to the copy.
func replace(object map[string]any, keyword []string, part any) {
	if len(keyword) == 1 {
		object[keyword[0]] = part
		return
	}
	switch container := object[keyword[0]].(type) {
	case []any:
		container = slices.Clone(container)
		index, _ := strconv.Atoi(keyword[1]) // it was written by subschemas
		container[index] = part
		object[keyword[0]] = container
	case map[string]any:
		container = maps.Clone(container)
		container[keyword[1]] = part
		object[keyword[0]] = container
	}
}

// escapeToken writes a token of a JSON pointer as the compiler writes it in a location.
func escapeToken(token string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(token)
}

// discriminated turns alternatives with a discriminator into conditions, so that the discriminator alone selects the branch, and only that
// branch tells what is wrong.
func discriminated(object map[string]any) map[string]any {
	discriminator, _ := object["discriminator"].(map[string]any)
	property, _ := discriminator["propertyName"].(string)
	mapping, _ := discriminator["mapping"].(map[string]any)
	if property == "" || len(mapping) == 0 || object["oneOf"] == nil && object["anyOf"] == nil {
		return object
	}
	delete(object, "oneOf")
	delete(object, "anyOf")
	delete(object, "discriminator")
	values := slices.Sorted(maps.Keys(mapping))
	known := make([]any, len(values))
	all, _ := object["allOf"].([]any)
	all = slices.Clone(all)
	for i, value := range values {
		known[i] = value
		all = append(all, map[string]any{
			"if": map[string]any{"type": "object", "required": []any{property},
				"properties": map[string]any{property: map[string]any{"const": value}}},
			"then": map[string]any{"$ref": mapping[value]},
		})
	}
	object["allOf"] = append(all, map[string]any{
		"type": "object", "required": []any{property}, "properties": map[string]any{property: map[string]any{"enum": known}},
	})
	return object
}

var (
	roundedDecimal = regexp.MustCompile(`\\d\{0,(\d{1,2})\}`)
	plainDecimal   = regexp.MustCompile(`\\d\*\\\.\?\\d\*`)
)

// isDecimalPattern says whether a pattern describes a number, as Pydantic writes it for decimals.
func isDecimalPattern(pattern string) bool {
	return roundedDecimal.MatchString(pattern) || plainDecimal.MatchString(pattern)
}

// decimal turns a number that may also be a string of digits into a number.
func (r *rewriter) decimal(object map[string]any, at string) map[string]any {
	branches, _ := object["anyOf"].([]any)
	var number map[string]any
	places, nullable := -2, false
	for _, branch := range branches {
		part, _ := branch.(map[string]any)
		pattern, _ := part["pattern"].(string)
		switch {
		case part["type"] == "number" && number == nil:
			number = part
		case part["type"] == "null":
			nullable = true
		case part["type"] == "string" && isDecimalPattern(pattern) && places == -2:
			places = -1
			if match := roundedDecimal.FindStringSubmatch(pattern); match != nil {
				places, _ = strconv.Atoi(match[1]) // one or two digits
			}
		default:
			return object
		}
	}
	if number == nil || places == -2 {
		return object
	}
	delete(object, "anyOf")
	maps.Copy(object, number)
	object["type"] = "number"
	if nullable {
		object["type"] = []any{"number", "null"}
	}
	r.decimals[at] = places
	return object
}

// marshal writes compact JSON without the escapes of HTML.
func marshal(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}

// encode writes a schema for models: the properties of an object in the order of its fields, and closed, since what is beyond them is
// removed.
func encode(root map[string]any) []byte { return encodeValue(nil, root, asSchema) }

// role says what a value is within a schema.
type role int

const (
	asData role = iota
	asSchema
	asSchemas // a list of schemas, or a map of them
)

func encodeValue(text []byte, value any, as role) []byte {
	switch typed := value.(type) {
	case map[string]any:
		if as == asSchema {
			return encodeSchema(text, typed)
		}
		return encodeMembers(text, slices.Sorted(maps.Keys(typed)), func(text []byte, name string) []byte {
			return encodeValue(text, typed[name], below(as))
		})
	case []any:
		text = append(text, '[')
		for i, item := range typed {
			if i > 0 {
				text = append(text, ',')
			}
			text = encodeValue(text, item, below(as))
		}
		return append(text, ']')
	}
	// What was read from JSON can be written as JSON.
	written, _ := marshal(value)
	return append(text, written...)
}

func below(as role) role {
	if as == asSchemas {
		return asSchema
	}
	return asData
}

func encodeSchema(text []byte, object map[string]any) []byte {
	object = maps.Clone(object)
	properties, _ := object["properties"].(map[string]any)
	if _, said := object["additionalProperties"]; len(properties) > 0 && !said && isClosed(object) {
		object["additionalProperties"] = false
	}
	return encodeMembers(text, slices.Sorted(maps.Keys(object)), func(text []byte, name string) []byte {
		switch {
		case name == "properties" && properties != nil:
			return encodeMembers(text, orderedNames(properties, object["required"]), func(text []byte, name string) []byte {
				return encodeValue(text, properties[name], asSchema)
			})
		case slices.Contains(schemaKeywords, name):
			return encodeValue(text, object[name], asSchema)
		case slices.Contains(schemaLists, name), slices.Contains(schemaMaps, name):
			return encodeValue(text, object[name], asSchemas)
		}
		return encodeValue(text, object[name], asData)
	})
}

// isClosed says whether an object's own properties are all that it may have.
func isClosed(object map[string]any) bool {
	for _, keyword := range []string{"allOf", "anyOf", "oneOf", "$ref", "if", "patternProperties", "dependentSchemas",
		"unevaluatedProperties"} {
		if object[keyword] != nil {
			return false
		}
	}
	return true
}

// orderedNames puts those that are required first, in their order, and then the others by name: an order that survives the API server,
// which sorts the members of objects and leaves lists alone.
func orderedNames(properties map[string]any, required any) []string {
	var names []string
	list, _ := required.([]any)
	for _, item := range list {
		if name, isName := item.(string); isName && !slices.Contains(names, name) {
			if _, known := properties[name]; known {
				names = append(names, name)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func encodeMembers(text []byte, names []string, member func(text []byte, name string) []byte) []byte {
	text = append(text, '{')
	for i, name := range names {
		if i > 0 {
			text = append(text, ',')
		}
		written, _ := marshal(name) // a string
		text = member(append(append(text, written...), ':'), name)
	}
	return append(text, '}')
}
