package validation

import (
	"context"
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// caller is what calls the code of the user, which judges a row, for the rows that a call of the sandbox has. It stands behind the code, so
// that places in messages are those of the user's lines.
const (
	callerName = "validate__rows"
	caller     = "\n\ndef " + callerName + "(rows):\n    return [" + validate.EntryPoint + "(row) for row in rows]\n"
)

// starlarkValidator judges rows by a program. Each call begins anew, so that the verdict on a row depends on nothing but the row.
type starlarkValidator struct {
	judge
	program *sandbox.Program
	// extra is the schema of what the program adds to its verdicts; nil where it adds nothing.
	extra *structured.Schema
}

func newStarlarkValidator(config Config) (*starlarkValidator, error) {
	spec := config.Spec.Starlark
	program, err := config.Workers.Program(spec.Source+caller, callerName)
	if err != nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: starlark.source: %v", config.Name, err)
	}
	extra, err := column.SchemaOf(config.Name, spec.Schema)
	if err != nil {
		return nil, err
	}
	return &starlarkValidator{judge: newJudge(config), program: program, extra: extra}, nil
}

// verdictOn calls the program. Whatever it does wrong ends the run: another attempt would do the same.
func (v *starlarkValidator) verdictOn(ctx context.Context, record *table.Record) (validate.Verdict, error) {
	row, err := v.row(record)
	if err != nil {
		return validate.Verdict{}, v.fail(err)
	}
	returned, err := v.program.Call(ctx, sandbox.DefaultLimits(), []starlark.Value{row})
	if err != nil {
		if ctx.Err() != nil {
			return validate.Verdict{}, ctx.Err()
		}
		return validate.Verdict{}, v.fail(err)
	}
	items, isList := returned.(*starlark.List)
	if !isList || items.Len() != 1 {
		return validate.Verdict{}, v.fail(errors.New("it returned no verdict"))
	}
	verdict, err := v.verdict(items.Index(0))
	if err != nil {
		return validate.Verdict{}, v.fail(err)
	}
	return verdict, nil
}

func (v *starlarkValidator) row(record *table.Record) (*starlark.Dict, error) {
	row := starlark.NewDict(len(v.targets))
	for _, target := range v.targets {
		value := sandbox.ToStarlark(target.kind, record.Cells[target.index])
		if err := row.SetKey(starlark.String(target.name), value); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// verdict reads what the program says of a row.
func (v *starlarkValidator) verdict(item starlark.Value) (validate.Verdict, error) {
	said, isDict := item.(*starlark.Dict)
	if !isDict {
		outcome, err := outcomeOf(item)
		return v.complete(validate.Verdict{Outcome: outcome}, nil), err
	}
	valid, found, err := said.Get(starlark.String("is_valid"))
	if err != nil {
		return validate.Verdict{}, err
	}
	if !found {
		return validate.Verdict{}, errors.New("has no key \"is_valid\"")
	}
	outcome, err := outcomeOf(valid)
	if err != nil {
		return validate.Verdict{}, err
	}
	verdict := validate.Verdict{Outcome: outcome}
	if why, found, _ := said.Get(starlark.String("error_messages")); found && why != starlark.None {
		text, isText := starlark.AsString(why)
		if !isText {
			return validate.Verdict{}, fmt.Errorf("error_messages must be a text, but is a %s", why.Type())
		}
		verdict.Messages = validate.Bounded([]validate.Message{{Text: text}})
	}
	extra, err := v.added(said)
	return v.complete(verdict, extra), err
}

// complete gives a verdict a value for each field that the schema describes.
func (v *starlarkValidator) complete(verdict validate.Verdict, extra []any) validate.Verdict {
	if v.extra != nil && extra == nil {
		extra = make([]any, len(v.extra.Type().Fields))
	}
	verdict.Extra = extra
	return verdict
}

// added are the values of the schema's properties.
func (v *starlarkValidator) added(said *starlark.Dict) ([]any, error) {
	if v.extra == nil {
		return nil, nil
	}
	rest := starlark.NewDict(said.Len())
	for _, item := range said.Items() {
		if key, _ := starlark.AsString(item[0]); key != "is_valid" && key != "error_messages" {
			if err := rest.SetKey(item[0], item[1]); err != nil {
				return nil, err
			}
		}
	}
	text, err := sandbox.ToJSON(rest)
	if err != nil {
		return nil, err
	}
	converted, err := v.extra.Convert(text)
	if err != nil {
		return nil, fmt.Errorf("what is returned does not match the schema: %w", err)
	}
	values, _ := converted.([]any) // as the schema is one of an object
	return values, nil
}

func outcomeOf(value starlark.Value) (validate.Outcome, error) {
	switch value {
	case starlark.True:
		return validate.Valid, nil
	case starlark.False:
		return validate.Invalid, nil
	case starlark.None:
		return validate.Unjudged, nil
	}
	return validate.Unjudged, fmt.Errorf("must be True, False, None, or a dict with is_valid, but is a %s", value.Type())
}

// fail wraps what the code did wrong.
func (v *starlarkValidator) fail(err error) error {
	var wrong *sandbox.Error
	place := ""
	if errors.As(err, &wrong) && wrong.Place != "" {
		place = " at " + wrong.Place
	}
	if wrong == nil {
		wrong = sandbox.Describe(err)
	}
	return failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun, "the code of column %q failed%s: %s; correct starlark.source", v.name,
		place, wrong.Message)
}
