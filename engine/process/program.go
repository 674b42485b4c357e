package process

import (
	"context"
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

// EntryPoint is the function that a program defines.
const EntryPoint = "process"

// program is code of the user that gets the rows as dicts, and returns dicts.
type program struct {
	compiled *sandbox.Program
	schema   *table.Schema
	limits   sandbox.Limits
}

func newProgram(spec *v1alpha1.StarlarkProcessor, schema *table.Schema, workers *sandbox.Workers) (*program, error) {
	compiled, err := workers.Program(spec.Source, EntryPoint)
	if err != nil {
		return nil, fmt.Errorf("starlark.source: %w", err)
	}
	limits := sandbox.DefaultLimits()
	limits.Values *= max(1, schema.Len())
	return &program{compiled: compiled, schema: schema, limits: limits}, nil
}

func (p *program) process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error) {
	rows := make([]starlark.Value, len(batch.Records))
	for i, record := range batch.Records {
		row, err := p.row(record, batch.Columns)
		if err != nil {
			return nil, nil, err
		}
		rows[i] = row
	}
	returned, err := p.compiled.Call(ctx, p.limits, rows)
	if err != nil {
		return nil, nil, fmt.Errorf("the code failed at %w", err)
	}
	dicts, err := p.compiled.Items(returned)
	if err != nil {
		return nil, nil, err
	}
	if !batch.Resize && len(dicts) != len(batch.Records) {
		return nil, nil, &resizedError{expected: len(batch.Records), returned: len(dicts)}
	}
	records, err := p.records(batch, dicts)
	return records, nil, err
}

func (p *program) row(record *table.Record, columns []int) (*starlark.Dict, error) {
	row := starlark.NewDict(len(columns) + 1)
	if err := row.SetKey(starlark.String(sandbox.RowKey), starlark.MakeInt64(int64(record.Row))); err != nil {
		return nil, err
	}
	for _, index := range columns {
		field := p.schema.Fields()[index]
		if err := row.SetKey(starlark.String(field.Name), sandbox.ToStarlark(field.Type, record.Cells[index])); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// records makes records of the returned dicts. Of several that belong to one row, each is the next of those that the row had.
func (p *program) records(batch *Batch, dicts []*starlark.Dict) ([]*table.Record, error) {
	sources := make(map[table.RowIndex][]*table.Record, len(batch.Records))
	for _, record := range batch.Records {
		sources[record.Row] = append(sources[record.Row], record)
	}
	meter := sandbox.NewMeter(p.limits)
	taken := make(map[table.RowIndex]int, len(sources))
	records := make([]*table.Record, 0, len(dicts))
	for position, dict := range dicts {
		number, text, err := sandbox.RowNumber(dict)
		if err != nil {
			return nil, fmt.Errorf("item %d of what it returned: %w", position, err)
		}
		row := table.RowIndex(number)
		candidates := sources[row]
		if len(candidates) == 0 {
			return nil, fmt.Errorf("item %d of what it returned: %s is %s, which is none of the rows that it was given", position, sandbox.RowKey,
				text)
		}
		ordinal := taken[row]
		taken[row]++
		record := *candidates[min(ordinal, len(candidates)-1)]
		record.Cells, record.Skipped = slices.Clone(record.Cells), slices.Clone(record.Skipped)
		if ordinal >= len(candidates) || batch.Resize {
			record.Ordinal = int32(ordinal)
		}
		if err := p.fill(&record, dict, batch.Columns, meter); err != nil {
			return nil, fmt.Errorf("row %d: %w", row, err)
		}
		records = append(records, &record)
	}
	return records, nil
}

// isSameOddFloat says whether code has returned an infinite number, or none, as the row had it: a seed may, though code can't make one.
func isSameOddFloat(cell any, value starlark.Value) bool {
	number, isNumber := cell.(float64)
	returned, isFloat := value.(starlark.Float)
	if !isNumber || !isFloat {
		return false
	}
	return math.IsInf(number, 0) && float64(returned) == number || math.IsNaN(number) && math.IsNaN(float64(returned))
}

// fill writes the values of a dict into a record: those of all columns that the code was given, and no others.
func (p *program) fill(record *table.Record, dict *starlark.Dict, columns []int, meter *sandbox.Meter) error {
	for _, index := range columns {
		field := p.schema.Fields()[index]
		value, found, err := dict.Get(starlark.String(field.Name))
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("the column %q is missing in what it returned; return every column (dropColumns leaves some out of the dataset)",
				field.Name)
		}
		if isSameOddFloat(record.Cells[index], value) {
			continue
		}
		cell, err := sandbox.FromStarlark(field.Type, value)
		if err == nil {
			err = meter.Add(cell)
		}
		if err != nil {
			return fmt.Errorf("column %q: %w", field.Name, err)
		}
		record.Cells[index] = cell
	}
	if dict.Len() == len(columns)+1 {
		return nil
	}
	for _, key := range dict.Keys() {
		name, isText := starlark.AsString(key)
		if isText && name == sandbox.RowKey {
			continue
		}
		index, known := p.schema.Index(name)
		switch {
		case !isText || !known:
			return fmt.Errorf("the key %s in what it returned is the name of no column; a processor can't add columns", key)
		case !slices.Contains(columns, index):
			return fmt.Errorf("the column %q is not made yet at this stage, so the processor can't set it", name)
		}
	}
	return nil
}
