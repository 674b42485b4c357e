package structured

import (
	"encoding/json"
	"fmt"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"seedloom.dev/seedloom/engine/table"
)

// Schema is a compiled JSON Schema. It is immutable, and may be used from many goroutines.
type Schema struct {
	root   *jsonschema.Schema
	shape  *shape
	wanted kinds
	text   []byte
	form   form
	// names are the properties of the root.
	names []string
	// decimals are, by the location of their schema, to how many places numbers are rounded; -1 is not at all.
	decimals map[string]int
	// coerce brings a document nearer to the schema before it is validated. It may be nil.
	coerce func(document any)
}

// Problem is something that is wrong with a schema.
type Problem struct {
	// Path leads to the place in the schema, such as properties.age.pattern. It is empty for the schema as a whole.
	Path    string
	Message string
}

// location is under which the schema is known to its compiler. Nothing is ever loaded from there.
const location = "seedloom:///schema"

// Compile reads a JSON Schema of the draft 2020-12. It returns everything that is wrong with it.
func Compile(document []byte) (*Schema, []Problem) {
	if len(document) > maxSchemaBytes {
		return nil, []Problem{{Message: fmt.Sprintf("has %d bytes; the most is %d", len(document), maxSchemaBytes)}}
	}
	parsed, err := parse(string(document))
	if err != nil {
		return nil, []Problem{{Message: "is not valid JSON: " + err.Error()}}
	}
	raw, isObject := parsed.(map[string]any)
	if !isObject {
		return nil, []Problem{{Message: "must be an object"}}
	}
	checked := check(raw)
	// The check of the meta-schema would only repeat what was found of a place.
	if len(checked.problems) > 0 {
		return nil, append(checked.problems, otherPlaces(metaProblems(raw), checked.problems)...)
	}
	raw, _ = withNulls(raw).(map[string]any) // which is an object as it was one before
	schema := &Schema{text: encode(raw), decimals: map[string]int{}}
	schema.form = formOf(raw)
	if properties, described := raw["properties"].(map[string]any); described {
		schema.names = orderedNames(properties, raw["required"])
	}
	rewritten := (&rewriter{decimals: schema.decimals}).schema(raw, location+"#")
	var problems []Problem
	if schema.root, problems = compile(rewritten); len(problems) > 0 {
		return nil, problems
	}
	schema.wanted = wantedKinds(schema.root)
	builder := shaper{decimals: schema.decimals}
	schema.shape = builder.of(schema.root)
	if builder.count > maxFields {
		return nil, []Problem{{Message: fmt.Sprintf("describes more than %d fields", maxFields)}}
	}
	return schema, nil
}

func otherPlaces(problems, known []Problem) []Problem {
	places := map[string]bool{}
	for _, problem := range known {
		places[problem.Path] = true
	}
	var others []Problem
	for _, problem := range problems {
		if !places[problem.Path] {
			others = append(others, problem)
		}
	}
	return others
}

// Text is the schema as compact JSON, with the properties of an object in the order of their fields.
func (s *Schema) Text() []byte { return s.text }

// Form is what a document of the schema looks like: compact JSON in which placeholders in angle brackets say what belongs in their places.
// A document that has one of them is refused. whole says that it has all that the schema says.
func (s *Schema) Form() (text []byte, whole bool) { return s.form.text, s.form.whole }

// Type is the type of the values: objects are structs, whose fields stand in the order of required, and then by name; arrays are lists.
// What has no type of its own (free objects, unions of different types, recursion) is a string with JSON in it.
func (s *Schema) Type() table.Type { return s.shape.tableType() }

// Read finds the document in an answer, and returns it as a value of Type. The error is an *AnswerError.
func (s *Schema) Read(answer string) (any, error) {
	var value any
	_, err := find(answer, s.wanted, func(document any) (valid any, err error) {
		if valid, err = s.validate(document); err == nil {
			value, err = s.shape.value(valid)
		}
		return valid, err
	})
	return value, err
}

// Convert reads a document that no model has written: it is the whole text, and nothing of it is repaired. Otherwise it is as Read.
func (s *Schema) Convert(text string) (any, error) {
	if len(text) > maxAnswerBytes {
		return nil, answerError("the document has more than %d MiB", maxAnswerBytes>>20)
	}
	document, err := parse(text)
	if err != nil {
		return nil, answerError("the text is not JSON: %v", err)
	}
	if document, err = s.conform(document); err != nil {
		return nil, err
	}
	return s.shape.value(document)
}

// TakesText says whether a document may be a text, rather than an object or a list.
func (s *Schema) TakesText() bool { return s.wanted.scalar }

// validate prunes a document, brings its decimals into their form, and says what is wrong with it. The document is changed.
func (s *Schema) validate(document any) (any, error) {
	if err := s.echo(document); err != nil {
		return nil, err
	}
	return s.conform(document)
}

// conform is validate for documents that no model has written.
func (s *Schema) conform(document any) (any, error) {
	if s.coerce != nil {
		s.coerce(document)
	}
	cost, prune := walker{}, pruner{schema: s}
	affordable := cost.affordable(s.root, document, 0)
	if affordable {
		document = prune.value([]*jsonschema.Schema{s.root}, document, 0)
	}
	if !affordable || prune.steps > maxValidationSteps {
		return nil, answerError("the document is too deep, or too large, for a schema with so many alternatives")
	}
	if err := s.root.Validate(document); err != nil {
		return nil, validationError(err)
	}
	return document, nil
}

func wantedKinds(root *jsonschema.Schema) kinds {
	for range maxDepth {
		if root.Ref == nil || root.Types != nil {
			break
		}
		root = root.Ref
	}
	if root.Types == nil {
		return kinds{object: true, array: true, scalar: true}
	}
	var wanted kinds
	for _, name := range root.Types.ToStrings() {
		switch name {
		case "object":
			wanted.object = true
		case "array":
			wanted.array = true
		default:
			wanted.scalar = true
		}
	}
	return wanted
}

// kindName is the name that JSON Schema gives to the type of a value.
func kindName(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}
