package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// severity says whether a problem keeps a manifest from being used.
type severity string

const (
	severityError   severity = "error"
	severityWarning severity = "warning"
)

// problem is one thing that is wrong with a manifest, or odd in it.
type problem struct {
	File string `json:"file"`
	// Line and Column count from 1, and are 0 when the file as a whole is meant.
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Severity severity `json:"severity"`
	// Field is the path of the field, such as spec.columns[2].name; empty for what is wrong with the file.
	Field string `json:"field,omitempty"`
	// Message says what is wrong, and what would be right.
	Message string `json:"message"`
}

// text is the field and the message.
func (p *problem) text() string {
	if p.Field == "" {
		return p.Message
	}
	return p.Field + ": " + p.Message
}

// String is the problem as compilers write theirs.
func (p *problem) String() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	return fmt.Sprintf("%s: %s: %s", place, p.Severity, strings.Join(strings.Fields(p.text()), " "))
}

// annotation is the problem as GitHub Actions reads it from a log, and shows it beside the line.
func (p *problem) annotation() string {
	properties := "file=" + escaped(p.File, ":", ",")
	if p.Line > 0 {
		properties += fmt.Sprintf(",line=%d,col=%d", p.Line, p.Column)
	}
	return fmt.Sprintf("::%s %s::%s", p.Severity, properties, escaped(p.text()))
}

// escaped is a text with what would end it written as the runner reads it.
func escaped(text string, more ...string) string {
	for _, character := range append([]string{"%", "\r", "\n"}, more...) {
		text = strings.ReplaceAll(text, character, fmt.Sprintf("%%%02X", character[0]))
	}
	return text
}

// inOrder sorts problems by their places, errors before warnings, and leaves out what is said twice.
func inOrder(problems []problem) []problem {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Severity, b.Severity))
	})
	return slices.Compact(problems)
}

func countOf(problems []problem, of severity) (count int) {
	for _, one := range problems {
		if one.Severity == of {
			count++
		}
	}
	return count
}

// counted is a number with its noun.
func counted(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

// validationReport is what validate prints as JSON.
type validationReport struct {
	Valid     bool             `json:"valid"`
	Manifests []manifestReport `json:"manifests"`
	// Problems are all errors and warnings, in the order of the files.
	Problems []problem `json:"problems"`
}

type manifestReport struct {
	File      string `json:"file"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Valid     bool   `json:"valid"`
	// note says to people what could not be checked.
	note string
}

func printReport(streams *Streams, report *validationReport) error {
	encoder := json.NewEncoder(streams.Out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}
