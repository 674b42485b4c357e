// Package jinja is a Jinja2 template engine with Python's semantics and printing, made for untrusted templates: every rendering
// has budgets of steps, depth, output and memory, nothing can be loaded from outside, and the names that a template refers to
// can be read from its syntax tree. It knows nothing of datasets: values come in as plain Go data.
package jinja

import "context"

// Template is a parsed template. It is immutable and may be rendered from many goroutines at once.
type Template struct {
	body       []node
	references []string
	paths      []Path
	// only is the one expression of a template that has nothing else but space around it; nil for others.
	only *outputNode
}

// Parse parses a template. Its error is a *SyntaxError.
func Parse(source string) (*Template, error) {
	body, err := parseTemplate(source)
	if err != nil {
		return nil, err
	}
	collected := collectReferences(body)
	return &Template{body: body, references: collected.names, paths: collected.paths, only: onlyExpression(body)}, nil
}

// Paths are the members and items that the template reads of its variables, as far as they are constants, in the order in which they stand.
func (t *Template) Paths() []Path { return t.paths }

// References returns the names that the template reads from its variables, in the order of their first appearance.
// Names of built-in functions, such as range, are among them: a variable of that name takes precedence.
func (t *Template) References() []string { return t.references }

// Render renders the template to text. Its error is a *RenderError, or wraps the context's.
func (t *Template) Render(ctx context.Context, vars Vars, options Options) (string, error) {
	evaluation := newEvaluation(ctx, vars, options)
	if err := evaluation.run(func() error { _, err := evaluation.statements(t.body); return err }); err != nil {
		return "", err
	}
	return evaluation.out.String(), nil
}
