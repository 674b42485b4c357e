package custom

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// Generator runs a program for all the records of a batch.
type Generator struct {
	name     string
	kind     table.Kind
	requires []string
	program  *starlark.Program
	limits   limits
}

// limits bound one call, so that a mistake in a program ends as a message and not as a process without memory.
type limits struct {
	// steps bounds the work. A step is one operation of Starlark's virtual machine; the default takes seconds.
	steps uint64
	// values and bytes bound what is returned: the number of values, and the sum of their texts' lengths.
	values, bytes int
}

var defaultLimits = limits{steps: 200_000_000, values: 1_000_000, bytes: 256 << 20}

// maxMessage bounds, in bytes, what is repeated of an error: the code chooses the text, and it becomes part of the status.
const maxMessage = 400

// New compiles the program of a column whose values are of the kind.
func New(name string, spec *v1alpha1.Custom, kind table.Kind) (*Generator, error) {
	if found := Check(spec.Starlark.Source); len(found) > 0 {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: starlark.source: %s", name, found[0])
	}
	_, program, err := starlark.SourceProgramOptions(options, fileName, spec.Starlark.Source, isPredeclared)
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: starlark.source", name)
	}
	return &Generator{name: name, kind: kind, requires: spec.RequiredColumns, program: program, limits: defaultLimits}, nil
}

// GenerateBatch calls generate(rows). Whatever the code does wrong ends the run: another attempt would do the same.
func (g *Generator) GenerateBatch(ctx context.Context, records []*table.Record, resize bool) ([]column.BatchValue, error) {
	thread := &starlark.Thread{Name: g.name, Print: func(*starlark.Thread, string) {}}
	thread.SetMaxExecutionSteps(g.limits.steps)
	tooManySteps := false
	thread.OnMaxSteps = func(thread *starlark.Thread) {
		tooManySteps = true
		thread.Cancel("too many steps")
	}
	stop := context.AfterFunc(ctx, func() { thread.Cancel("the run was asked to stop") })
	defer stop()

	returned, err := g.call(thread, records)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if tooManySteps {
			return nil, failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun, "the code of column %q needed more than %d steps for %d rows; "+
				"make starlark.source cheaper, or lower run.rowGroupSize", g.name, g.limits.steps, len(records))
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

func (g *Generator) call(thread *starlark.Thread, records []*table.Record) (starlark.Value, error) {
	globals, err := g.program.Init(thread, nil)
	if err != nil {
		return nil, err
	}
	rows := make([]starlark.Value, len(records))
	for i, record := range records {
		row := starlark.NewDict(len(g.requires) + 1)
		if err := row.SetKey(starlark.String(RowKey), starlark.MakeInt(i)); err != nil {
			return nil, err
		}
		for _, name := range g.requires {
			index, found := record.Schema.Index(name)
			if !found {
				return nil, fmt.Errorf("required column %q does not exist", name)
			}
			if err := row.SetKey(starlark.String(name), toStarlark(record.Schema.Fields()[index].Type, record.Cells[index])); err != nil {
				return nil, err
			}
		}
		rows[i] = row
	}
	return starlark.Call(thread, globals[entryPoint], starlark.Tuple{starlark.NewList(rows)}, nil)
}

// collect reads what the code returned: a list of dicts, each with the column's name and _row.
func (g *Generator) collect(returned starlark.Value, rows int) ([]column.BatchValue, error) {
	list, isIterable := returned.(starlark.Iterable)
	if !isIterable {
		return nil, fmt.Errorf("generate must return a list of dicts, but returned a %s", returned.Type())
	}
	iterator := list.Iterate()
	defer iterator.Done()
	var values []column.BatchValue
	var item starlark.Value
	bytes := 0
	for position := 0; iterator.Next(&item); position++ {
		dict, isDict := item.(*starlark.Dict)
		if !isDict {
			return nil, fmt.Errorf("generate must return a list of dicts, but item %d is a %s", position, item.Type())
		}
		source, err := sourceRow(dict, rows)
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
		converted, err := fromStarlark(g.kind, value)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", position, err)
		}
		if text, isText := converted.(string); isText {
			bytes += len(text)
		}
		if position >= g.limits.values || bytes > g.limits.bytes {
			return nil, fmt.Errorf("generate must return at most %d values with %d bytes of text in all", g.limits.values, g.limits.bytes)
		}
		values = append(values, column.BatchValue{Source: source, Value: converted})
	}
	return values, nil
}

func sourceRow(dict *starlark.Dict, rows int) (int, error) {
	value, found, err := dict.Get(starlark.String(RowKey))
	if err != nil {
		return 0, err
	}
	if !found {
		return 0, fmt.Errorf("has no key %q, which says to which row it belongs", RowKey)
	}
	var source int
	if err := starlark.AsInt(value, &source); err != nil || source < 0 || source >= rows {
		return 0, fmt.Errorf("%s must be the %s of one of the %d rows, but is %s", RowKey, RowKey, rows, value)
	}
	return source, nil
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
	message, place := err.Error(), ""
	var evaluation *starlark.EvalError
	if errors.As(err, &evaluation) {
		message = evaluation.Msg
		for i := range evaluation.CallStack {
			// The innermost frames may be those of built-in functions, which have no place.
			if position := evaluation.CallStack.At(i).Pos; position.Filename() == fileName {
				place = " at " + position.String()
				break
			}
		}
	}
	return failure.New(v1alpha1.ReasonCustomCodeError, failure.EndRun, "the code of column %q failed%s: %s; correct starlark.source",
		g.name, place, shorten(message))
}

// shorten cuts a message, and what is not text out of it.
func shorten(message string) string {
	if len(message) > maxMessage {
		message = message[:maxMessage] + "…"
	}
	return strings.ToValidUTF8(message, "")
}
