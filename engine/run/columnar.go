package run

import (
	"context"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// columnar makes row groups column by column, without a record for each row. It is for runs whose columns are all drawn, or those of the
// seed, and of which nothing else looks at rows: no processor and no trace. Its methods may be called from any goroutine; a nil one makes
// nothing.
type columnar struct {
	plan       *plan.Plan
	generators *column.Generators
	// ofSeed are the places of the seed's columns in the schema, and requiresSeed says that other columns need their rows.
	ofSeed       []int
	requiresSeed bool
}

// newColumnar returns nil where cells have to be made row by row.
func newColumnar(e *executor) *columnar {
	isOther := func(column *plan.Column) bool { return !column.Kind.IsSampled() }
	if e.Plan.Mode != v1alpha1.ExecutionAsync || e.tracer != nil || slices.ContainsFunc(e.Plan.Columns, isOther) ||
		e.Processors.Has(v1alpha1.ProcessorPreBatch) || e.Processors.Has(v1alpha1.ProcessorPostBatch) {
		return nil
	}
	made := &columnar{plan: e.Plan, generators: e.Generators}
	for index := range e.Plan.Schema.Len() {
		makes := func(column *plan.Column) bool { return column.Makes(index) }
		if !slices.ContainsFunc(e.Plan.Columns, makes) {
			made.ofSeed = append(made.ofSeed, index)
		}
	}
	made.requiresSeed = slices.ContainsFunc(e.Plan.Columns, func(column *plan.Column) bool {
		return slices.ContainsFunc(column.Requires, func(index int) bool { return slices.Contains(made.ofSeed, index) })
	})
	return made
}

// takesColumns says whether the columns of the seed are wanted as such, and none of its rows.
func (c *columnar) takesColumns() bool { return c != nil && !c.requiresSeed }

// takes says whether a row group can be made so: one of which the store and its journal have nothing, and all of whose rows of the seed
// were read.
func (c *columnar) takes(group *rowGroup) bool {
	return c != nil && (len(c.ofSeed) == 0 || group.values.hasAll()) &&
		!group.rowByRow && group.manifest == nil && len(group.usage) == 0 && len(group.todo) > 0 &&
		!slices.ContainsFunc(group.todo, func(todo schedule.Todo) bool { return todo.Attempt > 0 || todo.Resumed > 0 })
}

// columnsOf makes the rows of a row group, and counts the draws of the columns that have constraints. It returns nil where one of the rows
// fails, so that the group has to be made row by row, and after the end of the context.
func (c *columnar) columnsOf(ctx context.Context, group *rowGroup) (made *table.Columns, drawn []runreport.Column) {
	defer func() {
		if recover() != nil {
			made = nil // row by row the same happens again, and the run is ended in order
		}
	}()
	made = &table.Columns{First: group.start, Rows: int(group.end - group.start), Of: make([]*table.Column, c.plan.Schema.Len())}
	values := group.takeValues()
	if err := values.columns(made.Of, c.ofSeed); err != nil {
		return nil, nil
	}
	makes := cells{generators: c.generators}
	for _, next := range c.plan.Columns {
		var drawn *table.Column
		if whole, isWhole := c.generators.Cell[next.Index].(column.ColumnGenerator); isWhole {
			drawn = whole.GenerateColumn(made.First, made.Rows)
		}
		if drawn == nil {
			drawn = c.cellByCell(ctx, &makes, next, made, values.texts)
		}
		if drawn == nil || ctx.Err() != nil {
			return nil, nil
		}
		made.Of[next.Index] = drawn
	}
	return made, makes.counts()
}

// cellByCell makes a column that can't be made at once: each cell from a record that has what the column requires, and, with a seed, the
// texts of its row.
func (c *columnar) cellByCell(
	ctx context.Context, makes *cells, of *plan.Column, made *table.Columns, texts [][]string,
) *table.Column {
	record, values := table.NewRecord(c.plan.Schema, made.First, 0), make([]any, made.Rows)
	for i := range values {
		if i%chunkRows == 0 && ctx.Err() != nil {
			return nil
		}
		record.Row = made.First + table.RowIndex(i)
		if texts != nil {
			record.Texts = texts[i]
		}
		for _, required := range of.Requires {
			record.Cells[required] = made.Of[required].Value(i)
		}
		value, err := makes.generate(ctx, of, record)
		if err != nil {
			return nil
		}
		values[i] = value
	}
	return &table.Column{Values: values}
}
