package run

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/journal"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/skip"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/trace"
	"seedloom.dev/seedloom/internal/runreport"
)

// result is a task, and what it came back with.
type result struct {
	task schedule.Task
	// request is the number of the request, or the batch, in the watch; 0 is none.
	request int64
	// kept is what an earlier task for the same cell has left for this one.
	kept   any
	answer column.Answer
	values []column.BatchValue
	// failures are those of single rows of a local step, bytes the size of the values that it has made, and drawn counts the draws of its
	// columns that have constraints.
	failures []schedule.RowFailure
	bytes    int64
	drawn    []runreport.Column
	err      error
	// requests are those that the task has sent to a model; nil for one that sends none.
	requests *model.Progress
	// try is nil where the cell has no more than one task at once.
	try *try
	// traced is nil where the run is not traced.
	traced *trace.Task
}

// performer runs tasks. It is called from many goroutines at once, and nothing of it changes.
type performer struct {
	steps      []*step
	generators *column.Generators
	skips      *skip.Rules
	journals   *journal.Set
	logger     *slog.Logger
}

// perform runs a task in a goroutine that has nothing else to do. A panic of a generator is a defect of ours, and ends the run in order.
func (p *performer) perform(ctx context.Context, started result) (back result) {
	back = started
	task := back.task
	step := p.steps[task.Column]
	column := step.columns[0]
	back.traced.Begin()
	defer back.traced.End()
	defer func() {
		if cause := recover(); cause != nil {
			back.err = p.panicked(strings.Join(step.names(), ", "), cause)
		}
	}()
	switch {
	case step.local:
		p.performLocal(ctx, step.columns, &back)
	case column.Execution == plan.Batch:
		back.values, back.err = p.generators.Batch[column.Index].GenerateBatch(ctx, task.Records, column.Resize)
	default:
		back.answer, back.err = p.generators.Model[column.Index].Ask(ctx, task.Records[0], back.kept)
		if back.err == nil && errors.Is(context.Cause(ctx), errFaster) {
			break // what is not wanted is not kept
		}
		if back.err == nil {
			back.err = p.journals.Append(task.Group(), journalled(task.Records[0], column, back.answer))
		} else if failure.Of(back.err).Consequence == failure.DropRow {
			back.answer.Value, back.answer.SideEffects = nil, nil
			p.journals.AppendFailed(task.Group(), journalled(task.Records[0], column, back.answer))
		}
	}
	return back
}

// performLocal makes the cells of a local step. They belong to this attempt of their rows and to this task alone, so they are written where
// they are made.
func (p *performer) performLocal(ctx context.Context, columns []*plan.Column, back *result) {
	makes := cells{generators: p.generators}
rows:
	for position, record := range back.task.Records {
		for part, column := range columns {
			if p.skips.Skips(ctx, record, column) {
				continue
			}
			value, err := makes.generate(ctx, column, record)
			if err != nil {
				back.failures = append(back.failures, schedule.RowFailure{Position: position, Part: part, Cause: failure.Of(err)})
				continue rows
			}
			record.Cells[column.Index] = value
			back.bytes += table.Bytes(value)
		}
	}
	back.drawn = makes.counts()
}

// panicked is the end of a run in whose generator a panic was recovered: a defect of ours. It is called where the panic was.
func (p *performer) panicked(column string, cause any) error {
	p.logger.Error("a generator panicked", "column", column, "stack", string(debug.Stack()))
	return failure.New(v1alpha1.ReasonInternalError, failure.EndRun, "a defect in the generator of column %q ended the run: %v", column, cause)
}

// journalled is what is kept of an answer, whatever becomes of the process.
func journalled(record *table.Record, of *plan.Column, answer column.Answer) journal.Cell {
	usage := answer.Usage
	usage.Add(answer.Earlier)
	return journal.Cell{
		Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Column: of.Name,
		Value: answer.Value, SideEffects: answer.SideEffects, Usage: usage,
	}
}

// resizedBy are the values that code has returned, by the records that it was called with.
func resizedBy(back result) map[*table.Record][]any {
	resized := make(map[*table.Record][]any, len(back.task.Records))
	for _, record := range back.task.Records {
		resized[record] = nil
	}
	for _, value := range back.values {
		record := back.task.Records[value.Source]
		resized[record] = append(resized[record], value.Value)
	}
	return resized
}
