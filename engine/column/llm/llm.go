// Package llm makes columns that a model writes: it renders the prompts of a row, and has a conversation with the model, which may call
// tools, until it has an answer that can be used. Limits, retries of requests and the protocol of the endpoint live elsewhere.
package llm

import (
	"context"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// Model answers a conversation; *model.Client does.
type Model interface {
	Chat(ctx context.Context, request model.Request) (model.Answer, runreport.Usage, error)
}

// Media are what is sent before the prompt of a row.
type Media interface {
	Of(ctx context.Context, record *table.Record) ([]model.Media, error)
}

// Config is what a generator works with.
type Config struct {
	// Column is a column in which a model writes.
	Column *v1alpha1.Column
	// Model is the column's model.
	Model *v1alpha1.Model
	Seed  int64
	// Restarts is how often a conversation is begun anew, Corrections how often the model is told in each what is wrong with its answer.
	Restarts, Corrections int
	Client                Model
	// Tools and Media may be nil.
	Tools Tools
	Media Media
	// Validators judge the values: what is not valid is corrected.
	Validators []Validator
}

// Generator makes the cells of one column.
type Generator struct {
	config Config
	name   string
	spec   *v1alpha1.LLMPrompt
	recipe recipe
	prompt *text
	system *text
	// requests is the key of what is drawn for requests.
	requests random.Key
}

// text is a template, with the key of what it draws.
type text struct {
	field    string
	template *jinja.Template
	draws    random.Key
}

// New parses the templates, and the schema, of a column.
func New(config Config) (*Generator, error) {
	generator := &Generator{
		config: config, name: config.Column.Name, spec: config.Column.Prompt(),
		requests: random.NewKey(config.Seed, "request/"+config.Column.Name),
	}
	var err error
	if generator.recipe, err = recipeOf(config.Column, config.Model); err != nil {
		return nil, err
	}
	if generator.prompt, err = newText(config, "prompt", generator.spec.Prompt); err != nil {
		return nil, err
	}
	if generator.spec.SystemPrompt != "" {
		if generator.system, err = newText(config, "systemPrompt", generator.spec.SystemPrompt); err != nil {
			return nil, err
		}
	}
	return generator, nil
}

func newText(config Config, field, source string) (*text, error) {
	template, err := jinja.Parse(source)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: %s", config.Column.Name, field)
	}
	return &text{field: field, template: template, draws: random.NewKey(config.Seed, field+"/"+config.Column.Name)}, nil
}

// Ask has a conversation with the model about a row. When one of its requests fails in a way that passes, what was said so far is kept, and
// the next call goes on from there: no answer is paid for twice.
func (g *Generator) Ask(ctx context.Context, record *table.Record, kept any) (column.Answer, error) {
	talk, _ := kept.(*conversation)
	if talk == nil {
		messages, err := g.render(ctx, record)
		if err != nil {
			return column.Answer{}, err
		}
		talk = &conversation{messages: messages, checkpoint: len(messages)}
	}
	var spent runreport.Usage
	value, err := g.converse(ctx, record, talk, &spent)
	if err != nil {
		failed := column.Answer{Usage: spent, Earlier: talk.earlier}
		talk.earlier.Add(spent)
		if failure.Of(err).TriesAgain() && talk.requests > 0 {
			failed.Kept = talk
		}
		return failed, err
	}
	return column.Answer{Value: value, SideEffects: g.sideEffects(talk), Usage: spent, Earlier: talk.earlier}, nil
}

// render returns the messages that a conversation begins with.
func (g *Generator) render(ctx context.Context, record *table.Record) ([]model.Message, error) {
	var messages []model.Message
	if g.system != nil {
		text, err := g.text(ctx, g.system, record)
		if err != nil {
			return nil, err
		}
		// Where a row has nothing to say to the system, no message is sent: servers refuse empty ones.
		if strings.TrimSpace(text) != "" {
			messages = append(messages, model.Message{Role: model.RoleSystem, Content: text})
		}
	}
	text, err := g.text(ctx, g.prompt, record)
	if err != nil {
		return nil, err
	}
	user := model.Message{Role: model.RoleUser}
	if g.config.Media != nil {
		if user.Media, err = g.config.Media.Of(ctx, record); err != nil {
			return nil, err
		}
	}
	if strings.TrimSpace(text) == "" && len(user.Media) == 0 {
		return nil, failure.New(v1alpha1.ReasonTemplateError, failure.DropRow,
			"the prompt of column %q rendered to nothing, so the model was not asked; use skip for rows that need no answer", g.name)
	}
	if instructions := g.recipe.instructions(); instructions != "" {
		text += "\n\n" + instructions
	}
	user.Content = text
	return append(messages, user), nil
}

func (g *Generator) text(ctx context.Context, source *text, record *table.Record) (string, error) {
	rendered, err := source.template.Render(ctx, column.Vars(record), column.TemplateOptions(source.draws, record))
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "the %s of column %q failed: %v", source.field, g.name, err)
	}
	return rendered, nil
}
