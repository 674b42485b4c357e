package validation

import (
	"context"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/engine/validate"
)

// Corrector judges the values of one target while its model can still correct them.
type Corrector struct {
	generator *Generator
	target    target
	// reads are the indexes of all columns that the validation reads, the target among them.
	reads       []int
	corrections int
	keeps       bool
}

// Corrector returns what judges a target of the generator, which reads the columns with these indexes in the schema.
func (g *Generator) Corrector(spec *v1alpha1.Validation, name string, reads []int) *Corrector {
	position := slices.IndexFunc(g.targets, func(of target) bool { return of.name == name })
	return &Corrector{
		generator: g, target: g.targets[position], reads: reads, corrections: int(spec.EffectiveCorrections()), keeps: spec.KeepsExhausted(),
	}
}

// Corrections is how often the model may be asked again about a value.
func (c *Corrector) Corrections() int { return c.corrections }

// Keeps says whether a value is kept that is not valid after all of them.
func (c *Corrector) Keeps() bool { return c.keeps }

// Problem says what is wrong with a value of the target in a row; nothing where it is valid or can't be judged.
func (c *Corrector) Problem(ctx context.Context, record *table.Record, value any) (string, error) {
	verdict, err := c.verdict(ctx, record, value)
	if err != nil || verdict.Outcome != validate.Invalid {
		return "", err
	}
	if why := verdict.Explanation(); why != "" {
		return why, nil
	}
	return "column \"" + c.generator.name + "\" says that it is not valid", nil
}

func (c *Corrector) verdict(ctx context.Context, record *table.Record, value any) (validate.Verdict, error) {
	if c.generator.rows == nil {
		return c.generator.valueVerdict(ctx, c.target, value)
	}
	// Other cells of the record may be written meanwhile, so that only those are looked at that the column of the model waits for.
	judged := table.NewRecord(record.Schema, record.Row, record.Attempt)
	judged.Ordinal = record.Ordinal
	if record.Texts != nil {
		judged.Texts = make([]string, len(record.Texts))
	}
	for _, index := range c.reads {
		if index == c.target.index {
			continue
		}
		judged.Cells[index] = record.Cells[index]
		if index < len(record.Texts) {
			judged.Texts[index] = record.Texts[index]
		}
	}
	judged.Cells[c.target.index] = value
	return c.generator.rows.verdictOn(ctx, judged)
}
