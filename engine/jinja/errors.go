package jinja

import (
	"errors"
	"fmt"
)

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
