// Package validate holds what all validators of values have in common: the verdict, its messages, and how a column holds them. It knows
// no parser and no process; the packages below it do.
package validate

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Outcome is what a validator says of a value.
type Outcome int

const (
	// Unjudged values could not be judged: there is none, it is too large, or the validator could not do its work in its limits.
	Unjudged Outcome = iota
	// Valid values are as they must be.
	Valid
	// Invalid values are not.
	Invalid
)

// Message is one thing that a validator says about a value.
type Message struct {
	// Line and Column are where, counted from one; zero where the validator does not say.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Text says what, in one line.
	Text string `json:"text"`
	// Symbol and Severity are the rule of a linter, and how grave it is.
	Symbol   string `json:"symbol,omitempty"`
	Severity string `json:"severity,omitempty"`
}

// Verdict is all that a validator says of a value.
type Verdict struct {
	Outcome  Outcome
	Messages []Message
	// Score and Severity are those of a linter: ten points at most, and the gravest of the messages.
	Score    float64
	Severity string
	// Extra are the values that a validator of the user adds, in the order of their fields.
	Extra []any
}

// What is kept of messages.
const (
	// MaxMessages is how many messages a verdict has at most.
	MaxMessages     = 50
	maxMessageRunes = 400
)

// Judge is the verdict of a validator that finds only what makes a value invalid.
func Judge(problems []Message) Verdict {
	if len(problems) == 0 {
		return Verdict{Outcome: Valid}
	}
	return Verdict{Outcome: Invalid, Messages: Bounded(problems)}
}

// Undecided is the verdict on a value that could not be judged, and why.
func Undecided(format string, values ...any) Verdict {
	return Verdict{Outcome: Unjudged, Messages: Bounded([]Message{{Text: fmt.Sprintf(format, values...)}})}
}

// Bounded keeps the first messages, on a line each and no longer than a person would read.
func Bounded(messages []Message) []Message {
	messages = messages[:min(len(messages), MaxMessages)]
	for i := range messages {
		text := strings.Join(strings.Fields(strings.ToValidUTF8(messages[i].Text, "\uFFFD")), " ")
		if utf8.RuneCountInString(text) > maxMessageRunes {
			text = string([]rune(text)[:maxMessageRunes-1]) + "…"
		}
		messages[i].Text = text
	}
	return messages
}

// Explanation says why a value is invalid, or why it was not judged: a line for each message that tells so.
func (v Verdict) Explanation() string {
	if v.Outcome == Valid {
		return ""
	}
	var lines []string
	for _, message := range v.Messages {
		if v.Outcome == Invalid && message.isAdvice() {
			continue
		}
		line := message.Text
		if message.Symbol != "" {
			line = message.Symbol + ": " + line
		}
		if message.Line > 0 {
			line = fmt.Sprintf("line %d, column %d: %s", message.Line, message.Column, line)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// isAdvice says whether a value stays valid in spite of the message.
func (m Message) isAdvice() bool {
	return m.Severity != "" && m.Severity != SeverityError && m.Severity != SeverityFatal
}
