package jinja

import (
	"context"
	"strings"
)

// Condition is a template that is asked for a decision rather than for a text. It is immutable, and may be evaluated from many goroutines
// at once.
type Condition struct {
	template *Template
}

// ParseCondition parses a template whose value decides something, such as "{{ stars > 2 }}". Its error is a *SyntaxError.
func ParseCondition(source string) (*Condition, error) {
	template, err := Parse(source)
	if err != nil {
		return nil, err
	}
	return &Condition{template: template}, nil
}

// onlyExpression returns the expression of a template that has nothing else but space around it.
func onlyExpression(body []node) *outputNode {
	var only *outputNode
	for _, statement := range body {
		switch typed := statement.(type) {
		case *textNode:
			if strings.TrimSpace(typed.text) != "" {
				return nil
			}
		case *outputNode:
			if only != nil {
				return nil
			}
			only = typed
		default:
			return nil
		}
	}
	return only
}

// Holds says whether the condition is true: a template that is one expression by the truth of its value, any other by its text.
// A text is false when it is blank, 0, None or False, in any case. The error is as that of Template.Render.
func (c *Condition) Holds(ctx context.Context, vars Vars, options Options) (bool, error) {
	only := c.template.only
	if only == nil {
		text, err := c.template.Render(ctx, vars, options)
		return textHolds(text), err
	}
	evaluation := newEvaluation(ctx, vars, options)
	holds := false
	err := evaluation.run(func() error {
		value, err := evaluation.eval(only.value)
		if err != nil {
			return atLine(err, only.lineNumber())
		}
		if text, isText := value.(string); isText {
			holds = textHolds(text)
			return nil
		}
		holds, err = evaluation.truthy(value)
		return atLine(err, only.lineNumber())
	})
	return holds && err == nil, err
}

func textHolds(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "", "0", "none", "false":
		return false
	}
	return true
}

// IsExpression says whether a template is one expression, with nothing but space around it.
func (t *Template) IsExpression() bool { return t.only != nil }

// IsBare says whether a template is one expression, without even space around it.
func (t *Template) IsBare() bool { return t.only != nil && len(t.body) == 1 }

// Evaluate returns the value of a template that is one expression, as it is, rather than its text: Null for a null of the data, nil for
// the constant none, and Undefined for an "if" without an "else" that was false. Its error is that of Render.
func (t *Template) Evaluate(ctx context.Context, vars Vars, options Options) (Value, error) {
	only := t.only
	if only == nil {
		return t.Render(ctx, vars, options)
	}
	evaluation := newEvaluation(ctx, vars, options)
	var result Value
	err := evaluation.run(func() error {
		value, err := evaluation.eval(only.value)
		if err != nil {
			return atLine(err, only.lineNumber())
		}
		switch typed := value.(type) {
		case Undefined:
			if err := evaluation.useUndefined(typed); err != nil {
				return atLine(err, only.lineNumber())
			}
			if typed.absent {
				value = Null
			}
		case *boundMethod:
			return atLine(typed.uncalled(), only.lineNumber())
		}
		result = value
		if text, isText := value.(string); isText && len(text) > evaluation.limits.OutputBytes {
			return evaluation.write(text) // which says so
		}
		return atLine(evaluation.measure(value, 0), only.lineNumber())
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// Expression returns the path that a template is, where it is one expression that is nothing but a path.
func (t *Template) Expression() (Path, bool) {
	only := t.only
	if only == nil {
		return Path{}, false
	}
	path, isPath := pathOf(only.value)
	path.Line = only.lineNumber()
	return path, isPath
}
