package process

import (
	"context"
	"errors"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// transform makes another form of every record by a template.
type transform struct {
	name     string
	draws    random.Key
	template *Template
}

func newTransform(spec *v1alpha1.Processor, seed int64, schema *table.Schema) (*transform, error) {
	if spec.SchemaTransform.Template == nil {
		return nil, errors.New("schemaTransform.template: is needed")
	}
	template, problems := parseTypedTemplate(spec.SchemaTransform.Template.Raw, schema)
	if len(problems) > 0 {
		return nil, fmt.Errorf("schemaTransform.template: %s %s", problems[0].Path, problems[0].Message)
	}
	return &transform{name: spec.Name, draws: random.NewKey(seed, "processor/"+spec.Name), template: template}, nil
}

func (t *transform) process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error) {
	form := &Form{Schema: t.template.Schema(), Records: make([]*table.Record, len(batch.Records))}
	for i, record := range batch.Records {
		cells, err := t.template.Render(ctx, record, column.TemplateOptions(t.draws, record))
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: the template at %w", record.Row, err)
		}
		form.Records[i] = &table.Record{Schema: form.Schema, Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Cells: cells}
	}
	return batch.Records, form, nil
}
