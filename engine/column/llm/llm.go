// Package llm makes columns whose text a model writes: it renders the prompts of a row and asks the model, which may call tools before it
// answers. Retries, limits and the
// protocol of the endpoint live elsewhere.
package llm

import (
	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/table"
)

// Model answers a conversation; *model.Client does.
type Model interface {
	Chat(ctx context.Context, request model.Request) (model.Answer, column.Usage, error)
}

// Generator makes the cells of one column.
type Generator struct {
	name   string
	seed   int64
	model  Model
	prompt *jinja.Template
	system *jinja.Template
	tools  Tools
}

// New parses the templates of a column. tools is nil for a column without any.
func New(name string, spec *v1alpha1.LLMPrompt, seed int64, client Model, tools Tools) (*Generator, error) {
	generator := &Generator{name: name, seed: seed, model: client, tools: tools}
	var err error
	if generator.prompt, err = jinja.Parse(spec.Prompt); err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: prompt", name)
	}
	if spec.SystemPrompt != "" {
		if generator.system, err = jinja.Parse(spec.SystemPrompt); err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: systemPrompt", name)
		}
	}
	return generator, nil
}

// Ask renders the prompts with the row's cells and returns the model's text.
func (g *Generator) Ask(ctx context.Context, record *table.Record) (column.Answer, error) {
	var messages []model.Message
	if g.system != nil {
		text, err := g.render(ctx, g.system, "systemPrompt", record)
		if err != nil {
			return column.Answer{}, err
		}
		messages = append(messages, model.Message{Role: model.RoleSystem, Content: text})
	}
	text, err := g.render(ctx, g.prompt, "prompt", record)
	if err != nil {
		return column.Answer{}, err
	}
	messages = append(messages, model.Message{Role: model.RoleUser, Content: text})
	conversation := turns{tools: g.tools}
	answer, _, usage, err := conversation.ask(ctx, g.model, model.Request{Messages: messages})
	if err != nil {
		return column.Answer{Usage: usage}, err
	}
	return column.Answer{Value: answer.Text, Usage: usage}, nil
}

func (g *Generator) render(ctx context.Context, template *jinja.Template, field string, record *table.Record) (string, error) {
	text, err := template.Render(ctx, column.Vars(record), column.TemplateOptions(g.seed, g.name, record))
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the %s of column %q failed: %v", field, g.name, err)
	}
	return text, nil
}
