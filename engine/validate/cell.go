package validate

import "seedloom.dev/seedloom/engine/table"

// Severities of a linter's messages, the gravest first.
const (
	SeverityFatal      = "fatal"
	SeverityError      = "error"
	SeverityWarning    = "warning"
	SeverityConvention = "convention"
	SeverityRefactor   = "refactor"
	SeverityNone       = "none"
)

// Form is how a column holds verdicts.
type Form int

const (
	// FormCode has the messages with their places.
	FormCode Form = iota
	// FormPython has the messages, the score and the severity of a linter.
	FormPython
	// FormRow has what validators of whole rows say, and the values that they add.
	FormRow
)

var (
	text    = table.Type{Kind: table.KindString}
	integer = table.Type{Kind: table.KindInt}
)

func structOf(fields ...table.Field) table.Type {
	return table.Type{Kind: table.KindStruct, Fields: fields}
}

func listOf(element table.Type) table.Type {
	return table.Type{Kind: table.KindList, Element: &element}
}

// Type is the type of a verdict in a form, with the fields that its validator adds.
func (f Form) Type(extra ...table.Field) table.Type {
	valid := table.Field{Name: "is_valid", Type: table.Type{Kind: table.KindBool}}
	explanation := table.Field{Name: "error_messages", Type: text}
	switch f {
	case FormPython:
		return structOf(valid,
			table.Field{Name: "python_linter_score", Type: table.Type{Kind: table.KindFloat}},
			table.Field{Name: "python_linter_severity", Type: text},
			table.Field{Name: "python_linter_messages", Type: listOf(structOf(
				table.Field{Name: "type", Type: text}, table.Field{Name: "symbol", Type: text}, table.Field{Name: "line", Type: integer},
				table.Field{Name: "column", Type: integer}, table.Field{Name: "message", Type: text},
			))},
			explanation)
	case FormRow:
		return structOf(append([]table.Field{valid, explanation}, extra...)...)
	}
	return structOf(valid, explanation, table.Field{Name: "messages", Type: listOf(structOf(
		table.Field{Name: "line", Type: integer}, table.Field{Name: "column", Type: integer}, table.Field{Name: "message", Type: text},
	))})
}

// Cell is a verdict as a column of the form holds it.
func (f Form) Cell(verdict Verdict) any {
	var valid any
	if verdict.Outcome != Unjudged {
		valid = verdict.Outcome == Valid
	}
	explanation := verdict.Explanation()
	switch f {
	case FormPython:
		return pythonCell(valid, explanation, verdict)
	case FormRow:
		return append([]any{valid, explanation}, verdict.Extra...)
	}
	messages := make([]any, len(verdict.Messages))
	for i, message := range verdict.Messages {
		messages[i] = []any{place(message.Line), place(message.Column), message.Text}
	}
	return []any{valid, explanation, messages}
}

func pythonCell(valid any, explanation string, verdict Verdict) any {
	messages := make([]any, len(verdict.Messages))
	for i, message := range verdict.Messages {
		messages[i] = []any{orNull(message.Severity), orNull(message.Symbol), place(message.Line), place(message.Column), message.Text}
	}
	if verdict.Outcome == Unjudged {
		return []any{nil, nil, nil, messages, explanation}
	}
	return []any{valid, verdict.Score, verdict.Severity, messages, explanation}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// place is a line or a column; null where it is not known.
func place(number int) any {
	if number == 0 {
		return nil
	}
	return int64(number)
}
