package structured

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"seedloom.dev/seedloom/engine/table"
)

// shape is how values of a schema become values of a column.
type shape struct {
	kind table.Kind
	// text says that the value is written as JSON.
	text bool
	// names and parts are the fields of a struct; a list has one part.
	names []string
	parts []*shape
}

func (s *shape) tableType() table.Type {
	result := table.Type{Kind: s.kind, Document: s.text}
	switch s.kind {
	case table.KindList:
		element := s.parts[0].tableType()
		result.Element = &element
	case table.KindStruct:
		for i, part := range s.parts {
			result.Fields = append(result.Fields, table.Field{Name: s.names[i], Type: part.tableType()})
		}
	}
	return result
}

// equal says whether values of both shapes can stand in one column.
func (s *shape) equal(other *shape) bool {
	return s.kind == other.kind && s.text == other.text && slices.Equal(s.names, other.names) &&
		slices.EqualFunc(s.parts, other.parts, (*shape).equal)
}

// shaper finds the shapes of schemas.
type shaper struct {
	decimals map[string]int
	path     []*jsonschema.Schema
	count    int
}

func asText() *shape { return &shape{kind: table.KindString, text: true} }

// of returns the shape of a schema: JSON text where no type can hold all its values, and where the schema contains itself.
func (s *shaper) of(schema *jsonschema.Schema) *shape {
	if found := s.maybe(schema); found != nil {
		return found
	}
	return asText()
}

// maybe returns nil when the schema says nothing of the type.
func (s *shaper) maybe(schema *jsonschema.Schema) *shape {
	if s.count++; schema == nil || s.count > maxFields {
		return asText()
	}
	if slices.Contains(s.path, schema) {
		return asText()
	}
	s.path = append(s.path, schema)
	defer func() { s.path = s.path[:len(s.path)-1] }()
	// All of these hold at once.
	said := []*shape{s.own(schema), s.alternatives(schema.AnyOf), s.alternatives(schema.OneOf)}
	if schema.Ref != nil {
		said = append(said, s.maybe(schema.Ref))
	}
	for _, part := range schema.AllOf {
		said = append(said, s.maybe(part))
	}
	for _, branch := range []*jsonschema.Schema{schema.Then, schema.Else} {
		if branch != nil && s.maybe(branch) != nil {
			// What the value looks like depends on the value.
			said = append(said, asText())
		}
	}
	return merge(said)
}

// merge joins what several schemas say of one value.
func merge(said []*shape) *shape {
	var merged *shape
	for _, next := range said {
		switch {
		case next == nil:
		case merged == nil:
			merged = next
		case merged.equal(next):
		case merged.kind == table.KindStruct && next.kind == table.KindStruct:
			joined := &shape{kind: table.KindStruct, names: slices.Clone(merged.names), parts: slices.Clone(merged.parts)}
			for i, name := range next.names {
				at := slices.Index(joined.names, name)
				if at < 0 {
					joined.names, joined.parts = append(joined.names, name), append(joined.parts, next.parts[i])
				} else if !joined.parts[at].equal(next.parts[i]) {
					return asText()
				}
			}
			merged = joined
		default:
			return asText()
		}
	}
	return merged
}

// alternatives returns the one shape of all alternatives, apart from null.
func (s *shaper) alternatives(schemas []*jsonschema.Schema) *shape {
	var common *shape
	said, silent := 0, 0
	for _, schema := range schemas {
		if isNull(schema) {
			continue
		}
		found := s.maybe(schema)
		if found == nil {
			silent++
			continue
		}
		said++
		switch {
		case common == nil:
			common = found
		case common.equal(found):
		case isNumber(common) && isNumber(found):
			common = &shape{kind: table.KindFloat}
		default:
			common = asText()
		}
	}
	if said > 0 && silent > 0 {
		return asText()
	}
	return common
}

func isNumber(s *shape) bool { return s.kind == table.KindInt || s.kind == table.KindFloat }

func isNull(schema *jsonschema.Schema) bool {
	if schema.Types != nil {
		return slices.Equal(schema.Types.ToStrings(), []string{"null"})
	}
	return schema.Const != nil && *schema.Const == nil
}

// own returns what a schema's own keywords say.
func (s *shaper) own(schema *jsonschema.Schema) *shape {
	var names []string
	switch {
	case schema.Types != nil:
		names = schema.Types.ToStrings()
	case schema.Const != nil:
		names = kindsOf(*schema.Const)
	case schema.Enum != nil:
		names = kindsOf(schema.Enum.Values...)
	case len(schema.Properties) > 0:
		names = []string{"object"}
	case schema.Items2020 != nil || len(schema.PrefixItems) > 0:
		names = []string{"array"}
	default:
		return nil
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "null" })
	if slices.Contains(names, "number") {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "integer" })
	}
	if len(names) != 1 {
		return asText()
	}
	switch names[0] {
	case "string":
		return &shape{kind: table.KindString}
	case "integer":
		return &shape{kind: table.KindInt}
	case "number":
		return &shape{kind: table.KindFloat}
	case "boolean":
		return &shape{kind: table.KindBool}
	case "array":
		return s.list(schema)
	}
	return s.object(schema)
}

func kindsOf(values ...any) []string {
	var names []string
	for _, value := range values {
		name := kindName(value)
		if number, isNumber := value.(json.Number); isNumber && !strings.ContainsAny(string(number), ".eE") {
			name = "integer"
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s *shaper) list(schema *jsonschema.Schema) *shape {
	if len(schema.PrefixItems) > 0 || schema.Items2020 == nil || schema.Items2020.Bool != nil {
		return asText()
	}
	return &shape{kind: table.KindList, parts: []*shape{s.of(schema.Items2020)}}
}

func (s *shaper) object(schema *jsonschema.Schema) *shape {
	if len(schema.PatternProperties) > 0 || schema.Properties[""] != nil || isOpen(schema) {
		return asText()
	}
	if len(schema.Properties) == 0 {
		// An object that is described elsewhere beside this says nothing here.
		if schema.Ref != nil || len(schema.AllOf)+len(schema.AnyOf)+len(schema.OneOf) > 0 {
			return nil
		}
		return asText()
	}
	result := &shape{kind: table.KindStruct, names: fieldNames(schema)}
	for _, name := range result.names {
		result.parts = append(result.parts, s.of(schema.Properties[name]))
	}
	return result
}

func fieldNames(schema *jsonschema.Schema) []string {
	var names []string
	for _, name := range slices.Concat(schema.Required, slices.Sorted(maps.Keys(schema.Properties))) {
		if _, known := schema.Properties[name]; known && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// value turns a valid document into a value of the shape's type.
func (s *shape) value(document any) (any, error) {
	if document == nil {
		return nil, nil
	}
	if s.text {
		text, err := marshal(document)
		return string(text), err
	}
	switch typed := document.(type) {
	case map[string]any:
		if s.kind == table.KindStruct {
			return s.fields(typed)
		}
	case []any:
		if s.kind == table.KindList {
			return s.items(typed)
		}
	case string:
		if s.kind == table.KindString {
			return typed, nil
		}
	case bool:
		if s.kind == table.KindBool {
			return typed, nil
		}
	case json.Number:
		switch s.kind {
		case table.KindInt:
			return whole(typed)
		case table.KindFloat:
			return float(typed)
		}
	}
	return nil, fmt.Errorf("%s is wanted, but the document has %s", s.kind, kindName(document))
}

// fields are the values of a struct.
func (s *shape) fields(object map[string]any) (any, error) {
	values := make([]any, len(s.names))
	for i, name := range s.names {
		var err error
		if values[i], err = s.parts[i].value(object[name]); err != nil {
			return nil, err
		}
	}
	return values, nil
}

// items are the values of a list.
func (s *shape) items(list []any) (any, error) {
	values := make([]any, len(list))
	for i, item := range list {
		var err error
		if values[i], err = s.parts[0].value(item); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func whole(number json.Number) (any, error) {
	if value, err := number.Int64(); err == nil {
		return value, nil
	}
	exact, read := new(big.Rat).SetString(string(number))
	if !read || !exact.IsInt() || !exact.Num().IsInt64() {
		return nil, fmt.Errorf("a whole number does not fit into 64 bits")
	}
	return exact.Num().Int64(), nil
}

func float(number json.Number) (any, error) {
	value, err := number.Float64()
	if err != nil || math.IsInf(value, 0) {
		return nil, fmt.Errorf("a number is too large")
	}
	return value, nil
}
