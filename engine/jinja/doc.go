// Package jinja is a Jinja2 template engine with Python's semantics and printing, made for untrusted templates: every rendering
// has budgets of steps, depth, output and memory, nothing can be loaded from outside, and the names that a template refers to
// can be read from its syntax tree. It knows nothing of datasets: values come in as plain Go data.
package jinja

import (
	"context"
	"errors"
	"fmt"
)

// Vars gives a template its variables.
type Vars interface {
	// Lookup returns the value of a variable, one of the types listed at Value, and whether it exists.
	Lookup(name string) (Value, bool)
}

// MapVars is a Vars made of a map.
type MapVars map[string]Value

// Lookup returns the value of a key.
func (m MapVars) Lookup(name string) (Value, bool) {
	value, found := m[name]
	return value, found
}

// UndefinedMode says what happens with names that do not exist.
type UndefinedMode int

const (
	// undefinedLenient prints nothing for a missing name; going deeper into it is an error. Jinja's default.
	undefinedLenient UndefinedMode = iota
	// UndefinedStrict makes every use of a missing name an error, but for the test "is defined" and the filter "default".
	UndefinedStrict
)

// Limits are the budgets of one rendering. A zero field means its default.
type Limits struct {
	// Steps bounds evaluated nodes and iterated items.
	Steps int
	// Depth bounds nested macro calls, recursive loops and nested values.
	Depth int
	// OutputBytes bounds the rendered text.
	OutputBytes int
	// MemoryBytes bounds what all intermediate values together allocate, roughly counted; freed memory counts too.
	MemoryBytes int
}

// DefaultLimits returns the budgets that hold where none are given.
func DefaultLimits() Limits {
	return Limits{Steps: 1_000_000, Depth: 100, OutputBytes: 4 << 20, MemoryBytes: 64 << 20}
}

// Options are the settings of one rendering.
type Options struct {
	Undefined UndefinedMode
	Limits    Limits
	// Random returns a number in [0, n) for the filter "random", which fails without it: rendering is deterministic.
	Random func(n int) int
}

// Template is a parsed template. It is immutable and may be rendered from many goroutines at once.
type Template struct {
	body       []node
	references []string
	paths      []Path
}

// Parse parses a template. Its error is a *SyntaxError.
func Parse(source string) (*Template, error) {
	body, err := parseTemplate(source)
	if err != nil {
		return nil, err
	}
	collected := collectReferences(body)
	return &Template{body: body, references: collected.names, paths: collected.paths}, nil
}

// References returns the names that the template reads from its variables, in the order of their first appearance.
// Names of built-in functions, such as range, are among them: a variable of that name takes precedence.
func (t *Template) References() []string { return t.references }

// Render renders the template to text. Its error is a *RenderError, or wraps the context's.
func (t *Template) Render(ctx context.Context, vars Vars, options Options) (string, error) {
	evaluation := newEvaluation(ctx, vars, options)
	if err := evaluation.run(func() error { _, err := evaluation.statements(t.body); return err }); err != nil {
		return "", err
	}
	return evaluation.out.String(), nil
}

// IsBuiltin says whether a name is that of a built-in function.
func IsBuiltin(name string) bool {
	_, found := builtins[name]
	return found
}

// SyntaxError says why a template could not be parsed.
type SyntaxError struct {
	// Line counts from 1.
	Line    int
	Message string
}

// Error returns the message with its line.
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// ErrorKind is the class of a rendering error.
type ErrorKind string

// The classes of rendering errors.
const (
	KindUndefined    ErrorKind = "Undefined"
	KindType         ErrorKind = "Type"
	KindValue        ErrorKind = "Value"
	KindZeroDivision ErrorKind = "ZeroDivision"
	KindSecurity     ErrorKind = "Security"
	KindLimit        ErrorKind = "Limit"
	KindCanceled     ErrorKind = "Canceled"
)

// RenderError says why a template could not be rendered. Its message may name variables, filters and types, but holds no values of
// variables.
type RenderError struct {
	Kind    ErrorKind
	Line    int
	Message string
	Cause   error
}

// Error returns the message with its line.
func (e *RenderError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Message) }

// Unwrap returns the context's error, where that is the reason.
func (e *RenderError) Unwrap() error { return e.Cause }

func fail(kind ErrorKind, format string, arguments ...any) error {
	return &RenderError{Kind: kind, Message: fmt.Sprintf(format, arguments...)}
}

// atLine sets the line of an error that does not have one yet.
func atLine(err error, line int) error {
	var render *RenderError
	if errors.As(err, &render) && render.Line == 0 {
		render.Line = line
	}
	return err
}
