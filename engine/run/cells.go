package run

import (
	"context"

	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

// cells makes cells in the process, and counts the draws of columns whose draws constraints may reject. It belongs to one goroutine.
type cells struct {
	generators *column.Generators
	drawn      []drawnColumn
}

type drawnColumn struct {
	of *plan.Column
	runreport.Draws
}

// generate makes a cell of a record.
func (c *cells) generate(ctx context.Context, of *plan.Column, record *table.Record) (any, error) {
	generator := c.generators.Cell[of.Index]
	drawing, isCounted := generator.(column.DrawGenerator)
	if !isCounted {
		return generator.Generate(ctx, record)
	}
	value, draws, err := drawing.Draw(ctx, record)
	for i := range c.drawn {
		if c.drawn[i].of == of {
			c.drawn[i].Add(draws)
			return value, err
		}
	}
	c.drawn = append(c.drawn, drawnColumn{of, draws})
	return value, err
}

// counts are the draws of all cells by their columns; nil where none were counted.
func (c *cells) counts() []runreport.Column {
	var counts []runreport.Column
	for _, drawn := range c.drawn {
		counts = append(counts, runreport.Column{Name: drawn.of.Name, Draws: drawn.Draws})
	}
	return counts
}
