package structured

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// denyAll loads nothing: the library's own loader would read files of the machine.
type denyAll struct{}

// Load refuses.
func (denyAll) Load(string) (any, error) {
	return nil, errors.New("references to other documents are not followed")
}

func newCompiler(document any) (*jsonschema.Compiler, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	compiler.UseLoader(denyAll{})
	return compiler, compiler.AddResource(location, document)
}

// compile compiles a schema that was checked.
func compile(document any) (*jsonschema.Schema, []Problem) {
	compiler, err := newCompiler(document)
	if err != nil {
		return nil, []Problem{{Message: err.Error()}}
	}
	compiled, err := compiler.Compile(location)
	if err != nil {
		return nil, compileProblems(err)
	}
	return compiled, nil
}

// metaProblems are what the meta-schema finds in a schema that does not compile for other reasons too.
func metaProblems(document any) []Problem {
	compiler, err := newCompiler(document)
	if err != nil {
		return nil
	}
	var invalid *jsonschema.SchemaValidationError
	if _, err := compiler.Compile(location); errors.As(err, &invalid) {
		return compileProblems(err)
	}
	return nil
}

func compileProblems(err error) []Problem {
	var invalid *jsonschema.ValidationError
	if schemaError := (*jsonschema.SchemaValidationError)(nil); errors.As(err, &schemaError) && errors.As(schemaError.Err, &invalid) {
		var problems []Problem
		for _, leaf := range leaves(invalid) {
			problem := Problem{Path: join(leaf.InstanceLocation), Message: describe(leaf)}
			if !slices.Contains(problems, problem) {
				problems = append(problems, problem)
			}
		}
		return problems
	}
	var pattern *jsonschema.InvalidRegexError
	if errors.As(err, &pattern) {
		return []Problem{{Path: pathOf(pattern.URL), Message: fmt.Sprintf("is not a regular expression of RE2: %v", pattern.Err)}}
	}
	return []Problem{{Message: err.Error()}}
}

// pathOf is the path of a location in the schema.
func pathOf(at string) string {
	_, pointer, _ := strings.Cut(at, "#/")
	pointer, err := url.PathUnescape(pointer)
	if err != nil || pointer == "" {
		return ""
	}
	tokens := strings.Split(pointer, "/")
	for i, token := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
	}
	return join(tokens)
}

// maxListed is how many violations of a document are told at once.
const maxListed = 10

// validationError tells what is wrong with a document.
func validationError(err error) *AnswerError {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return answerError("the document can't be validated: %v", err)
	}
	var lines []string
	for _, leaf := range leaves(invalid) {
		line := describe(leaf)
		if len(leaf.InstanceLocation) > 0 {
			line = "at " + join(leaf.InstanceLocation) + ": " + line
		}
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	more := ""
	if len(lines) > maxListed {
		more = fmt.Sprintf("; and %d more", len(lines)-maxListed)
		lines = lines[:maxListed]
	}
	return answerError("the document does not match the schema: %s%s", strings.Join(lines, "; "), more)
}

// leaves are the errors that have no causes, in the order of their places.
func leaves(err *jsonschema.ValidationError) []*jsonschema.ValidationError {
	if len(err.Causes) == 0 {
		return []*jsonschema.ValidationError{err}
	}
	var found []*jsonschema.ValidationError
	for _, cause := range err.Causes {
		found = append(found, leaves(cause)...)
	}
	slices.SortStableFunc(found, func(a, b *jsonschema.ValidationError) int {
		return slices.Compare(a.InstanceLocation, b.InstanceLocation)
	})
	return found
}

var english = message.NewPrinter(language.English)

// describe says what is wrong without quoting the document.
func describe(err *jsonschema.ValidationError) string {
	number := func(value interface{ FloatString(int) string }) string {
		return strings.TrimRight(strings.TrimRight(value.FloatString(6), "0"), ".")
	}
	switch problem := err.ErrorKind.(type) {
	case *kind.Type:
		return fmt.Sprintf("must be %s, but is %s", strings.Join(problem.Want, " or "), problem.Got)
	case *kind.Pattern:
		return fmt.Sprintf("does not match the pattern %s", problem.Want)
	case *kind.Format:
		return fmt.Sprintf("is not a valid %s", problem.Want)
	case *kind.Minimum:
		return "must be at least " + number(problem.Want)
	case *kind.Maximum:
		return "must be at most " + number(problem.Want)
	case *kind.ExclusiveMinimum:
		return "must be above " + number(problem.Want)
	case *kind.ExclusiveMaximum:
		return "must be below " + number(problem.Want)
	case *kind.MultipleOf:
		return "must be a multiple of " + number(problem.Want)
	case *kind.AdditionalProperties:
		return "has properties that are not allowed"
	case *kind.PropertyNames:
		return "has a property whose name is not allowed"
	}
	return err.ErrorKind.LocalizedString(english)
}
