package structured

import (
	"errors"
	"fmt"
	"slices"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exact checks documents against a JSON Schema as it is written: nothing is repaired, removed or rounded before. It is immutable, and may
// be used from many goroutines.
type Exact struct{ root *jsonschema.Schema }

// CompileExact reads a JSON Schema of the draft 2020-12. It returns everything that is wrong with it.
func CompileExact(document []byte) (*Exact, []Problem) {
	if len(document) > maxSchemaBytes {
		return nil, []Problem{{Message: fmt.Sprintf("has %d bytes; the most is %d", len(document), maxSchemaBytes)}}
	}
	parsed, err := parse(string(document))
	if err != nil {
		return nil, []Problem{{Message: "is not valid JSON: " + err.Error()}}
	}
	if _, isObject := parsed.(map[string]any); !isObject {
		return nil, []Problem{{Message: "must be an object"}}
	}
	root, problems := compile(parsed)
	return &Exact{root: root}, problems
}

// Mistakes are what is wrong with a document, at most so many; none where it is as the schema says.
func (e *Exact) Mistakes(text string, most int) []string {
	document, err := parse(text)
	if err != nil {
		return []string{"it is not valid JSON: " + err.Error()}
	}
	err = e.root.Validate(document)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []string{err.Error()}
	}
	var lines []string
	for _, leaf := range leaves(invalid) {
		line := describe(leaf)
		if len(leaf.InstanceLocation) > 0 {
			line = "at " + join(leaf.InstanceLocation) + ": " + line
		}
		if len(lines) < most && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
