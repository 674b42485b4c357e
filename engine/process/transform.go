package process

import (
	"context"
	"errors"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// transform makes another form of the records by a template.
type transform struct {
	name     string
	draws    random.Key
	template *Template
	// schema is that of the form's records.
	schema *table.Schema
	// when decides which records the form has; nil for all.
	when *jinja.Condition
	// document is the JSON Schema that the records are brought into; nil where the template says the types.
	document *structured.Schema
}

func newTransform(spec *v1alpha1.Processor, seed int64, schema *table.Schema) (*transform, error) {
	configured := spec.SchemaTransform
	if configured.Template == nil {
		return nil, errors.New("schemaTransform.template: is needed")
	}
	result := &transform{name: spec.Name, draws: random.NewKey(seed, "processor/"+spec.Name)}
	var problems []Problem
	if configured.Schema != nil {
		result.document, result.schema, problems = ParseSchema(configured.Schema.Raw)
		if len(problems) > 0 {
			return nil, fmt.Errorf("schemaTransform.schema: %s %s", problems[0].Path, problems[0].Message)
		}
		result.template, problems = ParseDocument(configured.Template.Raw)
	} else {
		result.template, problems = parseTypedTemplate(configured.Template.Raw, schema)
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("schemaTransform.template: %s %s", problems[0].Path, problems[0].Message)
	}
	if result.schema == nil {
		result.schema = result.template.Schema()
	}
	if configured.When != "" {
		var err error
		if result.when, err = jinja.ParseCondition(configured.When); err != nil {
			return nil, fmt.Errorf("schemaTransform.when: %w", err)
		}
	}
	return result, nil
}

// ParseSchema reads the JSON Schema of a form's rows, and returns the columns that it describes.
func ParseSchema(raw []byte) (*structured.Schema, *table.Schema, []Problem) {
	schema, found := structured.Compile(raw)
	var problems []Problem
	for _, problem := range found {
		problems = append(problems, Problem(problem))
	}
	if len(problems) > 0 {
		return nil, nil, problems
	}
	kind := schema.Type()
	if kind.Kind != table.KindStruct || len(kind.Fields) == 0 {
		return nil, nil, []Problem{{Message: "must describe an object with properties, which become the columns of the form"}}
	}
	return schema, table.NewSchema(kind.Fields...), nil
}

func (t *transform) process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error) {
	form := &Form{Schema: t.schema, Records: make([]*table.Record, 0, len(batch.Records))}
	for _, record := range batch.Records {
		if t.when != nil {
			wanted, err := t.when.Holds(ctx, column.Vars(record), column.TemplateOptions(t.draws, record))
			if err != nil {
				return nil, nil, fmt.Errorf("row %d: schemaTransform.when: %w", record.Row, err)
			}
			if !wanted {
				continue
			}
		}
		cells, err := t.cells(ctx, record)
		if err != nil {
			return nil, nil, fmt.Errorf("row %d: the template at %w", record.Row, err)
		}
		form.Records = append(form.Records,
			&table.Record{Schema: form.Schema, Row: record.Row, Ordinal: record.Ordinal, Attempt: record.Attempt, Cells: cells})
	}
	return batch.Records, form, nil
}

// cells are the values of a record in its other form.
func (t *transform) cells(ctx context.Context, record *table.Record) ([]any, error) {
	options := column.TemplateOptions(t.draws, record)
	if t.document == nil {
		return t.template.Render(ctx, record, options)
	}
	text, err := t.template.renderJSON(ctx, record, options)
	if err != nil {
		return nil, err
	}
	converted, err := t.document.Convert(string(text))
	if err != nil {
		return nil, fmt.Errorf("its top: what it gives does not match schemaTransform.schema: %w", err)
	}
	cells, _ := converted.([]any)
	return cells, nil
}
