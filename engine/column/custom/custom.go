// Package custom makes columns by code of the user, which runs in the sandbox. Nothing here knows how rows are scheduled or stored.
package custom

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// EntryPoint is the function that the code defines.
const EntryPoint = "generate"

// Generator runs a program for all the records of a batch.
type Generator struct {
	name string
	kind table.Type
	// schema is that of the values, where they are documents; nil for others.
	schema   *structured.Schema
	requires []string
	program  *sandbox.Program
	limits   sandbox.Limits
}

// New returns the generator of a column whose values have the type. Its program runs in the workers.
func New(name string, spec *v1alpha1.Custom, kind table.Type, workers *sandbox.Workers) (*Generator, error) {
	program, err := workers.Program(spec.Starlark.Source, EntryPoint)
	if err != nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: starlark.source: %v", name, err)
	}
	schema, err := column.SchemaOf(name, spec.Schema)
	if err != nil {
		return nil, err
	}
	return &Generator{
		name: name, kind: kind, schema: schema, requires: spec.RequiredColumns, program: program, limits: sandbox.DefaultLimits(),
	}, nil
}

// convert brings a value that the code has returned into the column's type.
func (g *Generator) convert(value starlark.Value) (any, error) {
	if g.schema == nil || value == starlark.None {
		return sandbox.FromStarlark(g.kind, value)
	}
	text, err := sandbox.ToJSON(value)
	if err != nil {
		return nil, err
	}
	converted, err := g.schema.Convert(text)
	if err != nil {
		return nil, fmt.Errorf("the value does not match the schema: %w", err)
	}
	return converted, nil
}

// GenerateBatch calls generate(rows). Whatever the code does wrong ends the run: another attempt would do the same.
func (g *Generator) GenerateBatch(ctx context.Context, records []*table.Record, resize bool) ([]column.BatchValue, error) {
	rows, err := g.rows(records)
	if err != nil {
		return nil, g.fail(err)
	}
	returned, err := g.program.Call(ctx, g.limits, rows)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, g.fail(err)
	}
	values, err := g.collect(returned, len(records))
	if err != nil {
		return nil, g.fail(err)
	}
	slices.SortStableFunc(values, func(a, b column.BatchValue) int { return a.Source - b.Source })
	if !resize {
		if err := checkOneEach(values, len(records)); err != nil {
			return nil, g.fail(err)
		}
	}
	return values, nil
}

// rows are the dicts that the code gets: _row is the position of the row in the batch.
func (g *Generator) rows(records []*table.Record) ([]starlark.Value, error) {
	rows := make([]starlark.Value, len(records))
	for i, record := range records {
		row := starlark.NewDict(len(g.requires) + 1)
		if err := row.SetKey(starlark.String(sandbox.RowKey), starlark.MakeInt(i)); err != nil {
			return nil, err
		}
		for _, name := range g.requires {
			index, found := record.Schema.Index(name)
			if !found {
				return nil, fmt.Errorf("required column %q does not exist", name)
			}
			if err := row.SetKey(starlark.String(name), sandbox.ToStarlark(record.Schema.Fields()[index].Type, record.Cells[index])); err != nil {
				return nil, err
			}
		}
		rows[i] = row
	}
	return rows, nil
}

// collect reads what the code returned: a list of dicts, each with the column's name and _row.
func (g *Generator) collect(returned starlark.Value, rows int) ([]column.BatchValue, error) {
	dicts, err := g.program.Items(returned)
	if err != nil {
		return nil, err
	}
	meter := sandbox.NewMeter(g.limits)
	var values []column.BatchValue
	for position, dict := range dicts {
		source, number, err := sandbox.RowNumber(dict)
		if err == nil && (source < 0 || source >= int64(rows)) {
			err = fmt.Errorf("%s must be the %s of one of the %d rows, but is %s", sandbox.RowKey, sandbox.RowKey, rows, number)
		}
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", position, err)
		}
		value, found, err := dict.Get(starlark.String(g.name))
		if err != nil {
			return nil, err
		}
		if !found {
			return nil, fmt.Errorf("item %d has no key %q, the name of the column", position, g.name)
		}
		converted, err := g.convert(value)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", position, err)
		}
		if err := meter.Add(converted); err != nil {
			return nil, err
		}
		values = append(values, column.BatchValue{Source: int(source), Value: converted})
	}
	return values, nil
}

func checkOneEach(values []column.BatchValue, rows int) error {
	counts := make([]int, rows)
	for _, value := range values {
		counts[value.Source]++
	}
	for row, count := range counts {
		if count != 1 {
			return fmt.Errorf("generate returned %d values for row %d, and %d values for %d rows in all; without allowResize it must return "+
				"exactly one for every row", count, row, len(values), rows)
		}
	}
	return nil
}

// fail wraps what the code did wrong, with the place in the source where it happened.
func (g *Generator) fail(err error) error {
	var wrong *sandbox.Error
	if !errors.As(err, &wrong) {
		wrong = sandbox.Describe(err)
	}
	if wrong.TooManySteps {
		return failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun,
			"the code of column %q %s; make starlark.source cheaper, or lower run.rowGroupSize",
			g.name, wrong.Message)
	}
	place := ""
	if wrong.Place != "" {
		place = " at " + wrong.Place
	}
	return failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun, "the code of column %q failed%s: %s; correct starlark.source",
		g.name, place, wrong.Message)
}
