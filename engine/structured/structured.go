// Package structured reads documents of a JSON Schema out of what models have written: it finds the JSON in an answer, repairs, prunes and
// validates it, and maps it to the type of a column. It is pure: it knows no model, no prompt and no file, and loads nothing that a schema
// refers to; the controller validates schemas with it.
package structured

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// Limits of what is looked at. They are far beyond what models write and people need; they keep broken or hostile input from using up a
// Pod.
const (
	maxAnswerBytes = 4 << 20
	// Repairing takes a time that grows with the square of the length: at this one a second, at the worst.
	maxRepairBytes     = 32 << 10
	maxCandidates      = 50
	maxSchemaBytes     = 256 << 10
	maxDepth           = 100
	maxNumberBytes     = 400
	maxExponent        = 400
	maxSubschemas      = 2000
	maxFields          = 2000
	maxValidationSteps = 300_000
)

// AnswerError says why no document could be read out of an answer, in words that help a model to do better. It quotes the schema, and never
// the answer.
type AnswerError struct {
	Message string
	// Truncated says that the answer ends before its document does.
	Truncated bool
}

// Error returns the message.
func (e *AnswerError) Error() string { return e.Message }

func answerError(format string, arguments ...any) *AnswerError {
	return &AnswerError{Message: fmt.Sprintf(format, arguments...)}
}

// trim removes white space and byte order marks around a text.
func trim(text string) string {
	return strings.TrimFunc(text, func(char rune) bool { return char == '\ufeff' || unicode.IsSpace(char) })
}

// find hands the documents in an answer to accept, the most likely first, until one is accepted.
func find(answer string, wanted kinds, accept func(document any) (any, error)) (any, error) {
	answer = trim(answer)
	switch {
	case answer == "":
		return nil, answerError("the answer is empty")
	case len(answer) > maxAnswerBytes:
		return nil, answerError("the answer has more than %d MiB", maxAnswerBytes>>20)
	}
	var rejected, unread *AnswerError
	tried := 0
	for candidate := range candidates(answer, wanted) {
		if tried++; tried > maxCandidates {
			break
		}
		if candidate.problem != nil {
			if unread == nil || candidate.problem.Truncated {
				unread = candidate.problem
			}
			continue
		}
		accepted, err := accept(candidate.document)
		if err == nil {
			return accepted, nil
		}
		if rejected == nil && !errors.As(err, &rejected) {
			rejected = answerError("%v", err)
		}
	}
	switch {
	case rejected != nil && (unread == nil || !unread.Truncated):
		return nil, rejected
	case unread != nil:
		return nil, unread
	}
	return nil, answerError("there is no JSON in the answer")
}
