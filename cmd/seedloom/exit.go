package main

import (
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The exit codes. docs/command-line.md lists them.
const (
	exitOK = 0
	// exitFailed: there is no dataset, or the command was wrong.
	exitFailed = 1
	// exitPartial: records are missing.
	exitPartial = 3
	// exitEarlyShutdown: too much failed, so the run was ended; what was made before is there.
	exitEarlyShutdown = 4
	// exitInterrupted: the run was asked to stop, as by Ctrl-C.
	exitInterrupted = 130
)

// endedError is how a command ends that has said itself what there was to say.
type endedError struct{ code int }

// Error names the code.
func (e *endedError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitCodeOf is the exit code of a run.
func exitCodeOf(result *runreport.Result) int {
	switch {
	case result.Outcome == runreport.OutcomeComplete:
		return exitOK
	case result.Outcome == runreport.OutcomeInterrupted:
		return exitInterrupted
	case result.Reason == v1alpha1.ReasonEarlyShutdown && result.Records.Actual > 0:
		return exitEarlyShutdown
	case result.Outcome == runreport.OutcomePartial:
		return exitPartial
	}
	return exitFailed
}

// ended returns the error of a run, nil when all is well.
func ended(result *runreport.Result) error {
	if code := exitCodeOf(result); code != exitOK {
		return &endedError{code: code}
	}
	return nil
}
