package validation

import (
	"context"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// expressionValidator judges rows by a template.
type expressionValidator struct {
	name      string
	source    string
	condition *jinja.Condition
	// message may be nil.
	message *jinja.Template
	draws   random.Key
}

func newExpressionValidator(config Config) (*expressionValidator, error) {
	spec := config.Spec.Expression
	condition, err := jinja.ParseCondition(spec.Expr)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: expression.expr", config.Name)
	}
	made := &expressionValidator{name: config.Name, source: spec.Expr, condition: condition, draws: random.NewKey(config.Seed, config.Name)}
	if spec.Message != "" {
		if made.message, err = jinja.Parse(spec.Message); err != nil {
			return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: expression.message", config.Name)
		}
	}
	return made, nil
}

func (v *expressionValidator) verdictOn(ctx context.Context, record *table.Record) (validate.Verdict, error) {
	holds, err := v.condition.Holds(ctx, column.Vars(record), column.TemplateOptions(v.draws, record))
	if err != nil {
		return validate.Verdict{}, v.fail(ctx, "expr", err)
	}
	if holds {
		return validate.Verdict{Outcome: validate.Valid}, nil
	}
	text := "this is not true: " + strings.TrimSpace(v.source)
	if v.message != nil {
		if text, err = v.message.Render(ctx, column.Vars(record), column.TemplateOptions(v.draws, record)); err != nil {
			return validate.Verdict{}, v.fail(ctx, "message", err)
		}
	}
	return validate.Judge([]validate.Message{{Text: text}}), nil
}

func (v *expressionValidator) fail(ctx context.Context, field string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return failure.New(v1alpha1.ReasonTemplateError, failure.DropRow, "expression.%s of column %q failed: %v", field, v.name, err)
}
