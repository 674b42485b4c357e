package main

import (
	"fmt"
	"regexp"
	"strings"

	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// The exit codes. The table says what they mean.
const (
	exitOK            = 0
	exitFailed        = 1
	exitPartial       = 3
	exitEarlyShutdown = 4
	exitInterrupted   = 130
)

// exitCodes is the one place that says what the exit codes mean: the help texts are written from it, and docs/command-line.md is held to
// it.
var exitCodes = []struct {
	code  int
	means string
}{
	{exitOK, "all records are there; the manifest is valid; the models can be used"},
	{exitFailed, "there is no dataset, or the command was wrong; the manifest is invalid; a model can't be used"},
	{exitPartial, "records are missing: rows were dropped"},
	{exitEarlyShutdown, "too much failed, so the run was ended early; what was made before is there"},
	{exitInterrupted, "interrupted"},
}

// exitHelp lists some of the exit codes for a help text.
func exitHelp(codes ...int) string {
	lines := []string{"Exit codes:"}
	for _, code := range codes {
		for _, known := range exitCodes {
			if known.code == code {
				lines = append(lines, fmt.Sprintf("  %3d  %s", code, known.means))
			}
		}
	}
	return strings.Join(lines, "\n")
}

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
	case reason.Of(result.Reason).TooManyFailures && result.Records.Actual > 0:
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

var links = regexp.MustCompile(` ?\(?\[([^\]]*)\]\([^)]*\)\)?`)

// plainText takes the links and the quotes of a page out of a text.
func plainText(text string) string {
	text = links.ReplaceAllStringFunc(text, func(link string) string {
		if strings.HasPrefix(strings.TrimLeft(link, " "), "(") {
			return ""
		}
		return links.ReplaceAllString(link, " $1")
	})
	return strings.ReplaceAll(text, "`", "")
}
