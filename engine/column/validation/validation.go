// Package validation makes columns that judge other columns. What is wrong with a value, the validators say; here stands which values they
// get, what becomes of their verdicts, and what rows that are not valid lead to.
package validation

import (
	"context"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// Config is what a generator works with.
type Config struct {
	// Name is that of the column, Spec what it judges and how.
	Name   string
	Spec   *v1alpha1.Validation
	Schema *table.Schema
	Seed   int64
	// Checkers and Workers are shared by all columns of a run; code of the user runs in the workers.
	Checkers *Checkers
	Workers  *sandbox.Workers
}

// judge is the part of a generator that all kinds of validations have: the targets, and what follows from a verdict.
type judge struct {
	name    string
	form    validate.Form
	drops   bool
	targets []target
}

// target is a column that is judged: its name, type and index in the schema.
type target struct {
	name  string
	kind  table.Type
	index int
}

func newJudge(config Config) judge {
	made := judge{name: config.Name, form: validate.FormOf(config.Spec), drops: config.Spec.OnInvalid == v1alpha1.InvalidDrop}
	for _, name := range config.Spec.Targets {
		index, _ := config.Schema.Index(name) // which the plan has checked
		made.targets = append(made.targets, target{name: name, kind: config.Schema.Fields()[index].Type, index: index})
	}
	return made
}

// refuse is the failure of a row that is not valid, where such rows are not kept.
func (j *judge) refuse(what string, verdict validate.Verdict) error {
	if !j.drops || verdict.Outcome != validate.Invalid {
		return nil
	}
	first, _, more := strings.Cut(verdict.Explanation(), "\n")
	if more {
		first += " (the first of several)"
	}
	return failure.New(v1alpha1.ReasonValidationFailed, failure.DropRow, "column %q found %s not valid: %s", j.name, what, first)
}

// rowValidator judges rows as a whole. It is called from many goroutines at once.
type rowValidator interface {
	// verdictOn judges a row. Its error is that of the context, or a failure.Error.
	verdictOn(ctx context.Context, record *table.Record) (validate.Verdict, error)
}

// Generator judges the rows of one column.
type Generator struct {
	judge
	// values judges each target by itself; nil where rows judges all of them together.
	values valueValidator
	rows   rowValidator
}

// New makes the generator of a column.
func New(config Config) (*Generator, error) {
	made := &Generator{judge: newJudge(config)}
	var err error
	switch spec := config.Spec; {
	case spec.Expression != nil:
		made.rows, err = newExpressionValidator(config)
	case spec.Starlark != nil:
		made.rows, err = newStarlarkValidator(config)
	case spec.Remote != nil:
		made.rows, err = newRemoteValidator(config)
	default:
		made.values, err = newValueValidator(config.Name, spec, config.Checkers)
	}
	return made, err
}

// Generate judges a row.
func (g *Generator) Generate(ctx context.Context, record *table.Record) (any, error) {
	if g.rows != nil {
		verdict, err := g.rows.verdictOn(ctx, record)
		if err == nil {
			err = g.refuse("the row", verdict)
		}
		if err != nil {
			return nil, err
		}
		return g.form.Cell(verdict), nil
	}
	cells := make([]any, len(g.targets))
	for i, target := range g.targets {
		verdict, err := g.valueVerdict(ctx, target, record.Cells[target.index])
		if err == nil {
			err = g.refuse("column \""+target.name+"\"", verdict)
		}
		if err != nil {
			return nil, err
		}
		cells[i] = g.form.Cell(verdict)
	}
	if len(cells) == 1 {
		return cells[0], nil
	}
	return cells, nil
}

func (g *Generator) valueVerdict(ctx context.Context, of target, value any) (validate.Verdict, error) {
	if value == nil {
		return validate.Undecided("there is no value"), nil
	}
	return g.values.judge(ctx, of.kind, value)
}
