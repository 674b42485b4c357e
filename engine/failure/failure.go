// Package failure holds the typed error of the engine: a stable reason and one of four consequences.
// Classification happens where an error arises; nothing here or above looks at the text of an error.
package failure

import (
	"context"
	"errors"
	"fmt"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/reason"
)

// Consequence is what a failure leads to.
type Consequence int

const (
	// EndRun ends the run: whole rows are checkpointed, metadata is written, and the result names the reason.
	EndRun Consequence = iota
	// DropRow gives up this attempt of the row. After the last attempt the row is dropped and counted.
	DropRow
	// RetryLater tries the cell again after a backoff.
	RetryLater
	// PauseEndpoint does the same, and also counts against the health of the endpoint: when nothing gets through,
	// the run ends as ProviderUnavailable, resumable.
	PauseEndpoint
)

// Error is a failure with a stable reason (one of the reasons in api/v1alpha1).
type Error struct {
	Reason      string
	Consequence Consequence
	// Message is for people: it names the thing, the numbers and the next step. It never holds a secret, a prompt or an answer.
	Message string
	// RetryAfter is how long the other side has asked to wait, which may be absurdly long; 0 when it has not.
	RetryAfter time.Duration
	// Overloaded says that the other side has refused the request because it has too much to do just now.
	Overloaded bool
	// Temporary says, of an EndRun failure, that starting the engine again may help.
	Temporary bool
	// Cause is the wrapped error, or nil.
	Cause error
}

// TriesAgain says whether the same cell is tried again, by the same attempt of its row.
func (e *Error) TriesAgain() bool {
	return e.Consequence == RetryLater || e.Consequence == PauseEndpoint
}

// Error returns the message, and the cause where there is one.
func (e *Error) Error() string {
	if e.Cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.Cause.Error()
}

// Traits are what the reason leads to.
func (e *Error) Traits() reason.Traits { return reason.Of(e.Reason) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns an error without a cause.
func New(reason string, consequence Consequence, format string, arguments ...any) *Error {
	return &Error{Reason: reason, Consequence: consequence, Message: fmt.Sprintf(format, arguments...)}
}

// Wrap returns an error with a cause.
func Wrap(cause error, reason string, consequence Consequence, format string, arguments ...any) *Error {
	failure := New(reason, consequence, format, arguments...)
	failure.Cause = cause
	return failure
}

// Of returns the failure in an error's chain. An error without one is a defect of ours (InternalError), or an interruption
// when it is the end of a context.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var failure *Error
	if errors.As(err, &failure) {
		return failure
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &Error{Reason: v1alpha1.ReasonInterrupted, Consequence: EndRun, Message: "the run was asked to stop", Temporary: true,
			Cause: err}
	}
	return &Error{Reason: v1alpha1.ReasonInternalError, Consequence: EndRun, Message: "unexpected error", Cause: err}
}
