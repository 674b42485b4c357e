package process

import (
	"context"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// former is a processor that makes another form of the records.
type former interface {
	// formSchema is that of the form's records.
	formSchema() *table.Schema
}

func (t *transform) formSchema() *table.Schema { return t.schema }

// trainingForm makes the records of a form that trainers read.
type trainingForm struct {
	shape *FormShape
	draws random.Key
	// texts and conditions are the templates of the parts, by their positions; of each part there is one or the other, or none where the part
	// is not set.
	texts      []*jinja.Template
	conditions []*jinja.Condition
	when       *jinja.Condition
	// trace is the position of the column with a conversation; -1 for none.
	trace int
}

func newTrainingForm(spec *v1alpha1.Processor, seed int64, schema *table.Schema) (*trainingForm, error) {
	shape := ShapeOf(spec.Form)
	if shape == nil {
		return nil, fmt.Errorf("form: one of the forms must be set")
	}
	result := &trainingForm{
		shape: shape, draws: random.NewKey(seed, "processor/"+spec.Name), trace: -1,
		texts: make([]*jinja.Template, len(shape.Parts)), conditions: make([]*jinja.Condition, len(shape.Parts)),
	}
	var err error
	for i, part := range shape.Parts {
		switch {
		case part.Source == "":
		case part.IsCondition:
			result.conditions[i], err = jinja.ParseCondition(part.Source)
		default:
			result.texts[i], err = jinja.Parse(part.Source)
		}
		if err != nil {
			return nil, fmt.Errorf("form.%s: %w", part.Field, err)
		}
	}
	if spec.Form.When != "" {
		if result.when, err = jinja.ParseCondition(spec.Form.When); err != nil {
			return nil, fmt.Errorf("form.when: %w", err)
		}
	}
	if shape.Trace != "" {
		index, found := schema.Index(shape.Trace)
		if !found {
			return nil, fmt.Errorf("form.%s: no column is called %q", shape.TraceField, shape.Trace)
		}
		result.trace = index
	}
	return result, nil
}

func (f *trainingForm) formSchema() *table.Schema { return f.shape.Schema }

func (f *trainingForm) process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error) {
	form := &Form{Schema: f.shape.Schema, Records: make([]*table.Record, 0, len(batch.Records))}
	for _, record := range batch.Records {
		cells, err := f.cells(ctx, record)
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: form.%w", record.Row, err)
		}
		if cells != nil {
			form.Records = append(form.Records,
				&table.Record{Schema: form.Schema, Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Cells: cells})
		}
	}
	return batch.Records, form, nil
}

// cells are the values of a record in the form; nil where the form does not have the record.
func (f *trainingForm) cells(ctx context.Context, record *table.Record) ([]any, error) {
	vars, options := column.Vars(record), column.TemplateOptions(f.draws, record)
	if f.when != nil {
		if wanted, err := f.when.Holds(ctx, vars, options); err != nil || !wanted {
			return nil, within("when", err)
		}
	}
	parts := make([]any, len(f.shape.Parts))
	for i, part := range f.shape.Parts {
		var err error
		if parts[i], err = f.part(ctx, i, vars, options); err != nil {
			return nil, within(part.Field, err)
		}
		if parts[i] == nil && !part.optional {
			return nil, nil
		}
	}
	var trace any
	if f.trace >= 0 {
		trace = record.Cells[f.trace]
	}
	return f.shape.cells(parts, trace)
}

// part is what a template gives: a text, or whether a condition holds; nil for an empty text and for null.
func (f *trainingForm) part(ctx context.Context, index int, vars jinja.Vars, options jinja.Options) (any, error) {
	if condition := f.conditions[index]; condition != nil {
		return condition.Holds(ctx, vars, options)
	}
	if f.texts[index] == nil {
		return nil, nil
	}
	text, err := f.texts[index].Render(ctx, vars, options)
	if err != nil || text == "" {
		return nil, err
	}
	return text, nil
}

func within(field string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", field, err)
}
