package ruff

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	"seedloom.dev/seedloom/engine/validate"
)

// syntaxSymbol is the symbol of what is no Python at all.
const syntaxSymbol = "invalid-syntax"

// gravest are the severities, the gravest first.
var gravest = []string{
	validate.SeverityFatal, validate.SeverityError, validate.SeverityWarning, validate.SeverityConvention, validate.SeverityRefactor,
}

// severities are those of rules, by the letters that their names begin with; all others are warnings.
var severities = map[string]string{
	"E": validate.SeverityRefactor, "F": validate.SeverityError, "SIM": validate.SeverityRefactor, "PLC": validate.SeverityConvention,
	"PLE": validate.SeverityError, "PLR": validate.SeverityRefactor, "PLW": validate.SeverityWarning,
}

func severityOf(symbol string) string {
	if symbol == syntaxSymbol {
		return validate.SeverityFatal
	}
	if known, found := severities[strings.TrimRight(symbol, "0123456789")]; found {
		return known
	}
	return validate.SeverityWarning
}

// messagesOf are what Ruff says, the gravest first, and then by lines.
func messagesOf(diagnostics []any) []validate.Message {
	messages := make([]validate.Message, 0, len(diagnostics))
	for _, diagnostic := range diagnostics {
		members, _ := diagnostic.(map[string]any)
		message := validate.Message{Symbol: syntaxSymbol}
		if code, _ := members["code"].(string); code != "" {
			message.Symbol = code
		}
		message.Severity = severityOf(message.Symbol)
		message.Text, _ = members["message"].(string)
		if start, found := members["start_location"].(map[string]any); found {
			row, _ := start["row"].(float64)
			column, _ := start["column"].(float64)
			message.Line, message.Column = int(row), int(column)
		}
		messages = append(messages, message)
	}
	slices.SortStableFunc(messages, func(a, b validate.Message) int {
		return cmp.Or(slices.Index(gravest, a.Severity)-slices.Index(gravest, b.Severity), a.Line-b.Line)
	})
	return messages
}

// Points that the score loses for a message, of ten for each statement.
const (
	wholeScore  = 10.0
	errorWeight = 5.0
)

// verdictOf is the verdict on code with so many statements. Errors make it invalid, and what is no Python; other messages cost points only.
func verdictOf(messages []validate.Message, statements int) validate.Verdict {
	verdict := validate.Verdict{Outcome: validate.Valid, Score: wholeScore, Severity: validate.SeverityNone}
	if len(messages) == 0 {
		return verdict
	}
	lost := 0.0
	for _, message := range messages {
		if message.Severity == validate.SeverityError {
			lost += errorWeight
		} else {
			lost++
		}
	}
	verdict.Severity = messages[0].Severity
	verdict.Score = max(0, wholeScore-lost/float64(max(1, statements))*wholeScore)
	switch verdict.Severity {
	case validate.SeverityFatal:
		verdict.Outcome, verdict.Score = validate.Invalid, 0
	case validate.SeverityError:
		verdict.Outcome = validate.Invalid
	}
	verdict.Messages = validate.Bounded(messages)
	return verdict
}

// statement is how the text of a syntax tree shows a statement; texts of the code are quoted in it.
var (
	statement = regexp.MustCompile(`\bStmt[A-Z]\w* \{`)
	quoted    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
)

// statements counts the statements of code, those within others too.
func (i *instance) statements(ctx context.Context, workspace uint64, code string) (int, error) {
	returned, err := i.call(ctx, "workspace_parse", workspace, code)
	if err != nil || len(returned) < 4 || returned[3] != 0 {
		return 0, err
	}
	tree := i.host.read(returned[0], returned[1])
	if _, err := i.host.module.ExportedFunction("__wbindgen_free").Call(ctx, returned[0], returned[1], 1); err != nil {
		return 0, err
	}
	return len(statement.FindAllString(quoted.ReplaceAllString(tree, ""), -1)), nil
}
