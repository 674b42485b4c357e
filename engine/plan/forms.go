package plan

import (
	"fmt"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/process"
)

// schemaTransform checks what makes another form of the rows.
func (v *validation) schemaTransform(spec *v1alpha1.SchemaTransform, field string, unknownSeed bool) {
	v.formSchema(spec, field+".schema")
	if spec.When != "" {
		v.formWhen(spec.When, field+".when", unknownSeed)
	}
	field += ".template"
	if spec.Template == nil {
		v.add(field, ReasonRequired, "a template is needed: an object whose members become the columns")
		return
	}
	parse := process.ParseTemplate
	if spec.Schema != nil {
		parse = process.ParseDocument
	}
	template, problems := parse(spec.Template.Raw)
	for _, problem := range problems {
		v.add(below(field, problem.Path), ReasonTemplateSyntax, "%s", problem.Message)
	}
	if len(problems) > 0 {
		return
	}
	if spec.Schema == nil {
		v.formNames(field, fieldNames(template.Schema().Fields()))
	}
	for path, text := range template.Texts() {
		v.formReferences(below(field, path), text, unknownSeed)
	}
}

// below is the field at a path below another one.
func below(field, path string) string {
	if path == "" {
		return field
	}
	return strings.ReplaceAll(field+"."+path, ".[", "[")
}

func (v *validation) formSchema(spec *v1alpha1.SchemaTransform, field string) {
	if spec.Schema == nil {
		return
	}
	_, columns, problems := process.ParseSchema(spec.Schema.Raw)
	for _, problem := range problems {
		v.add(below(field, problem.Path), ReasonInvalidSchema, "%s", problem.Message)
	}
	if columns != nil {
		v.formNames(field, fieldNames(columns.Fields()))
	}
}

func (v *validation) formWhen(source, field string, unknownSeed bool) {
	condition, err := jinja.Parse(source)
	if err != nil {
		v.add(field, ReasonTemplateSyntax, "is not a valid template: %v", err)
		return
	}
	v.formReferences(field, condition, unknownSeed)
}

// formReferences reports names that a template of a form reads, and no column has, and members that no value of a column has.
func (v *validation) formReferences(field string, template *jinja.Template, unknownSeed bool) {
	for _, name := range v.columnReferences(template.References()) {
		if _, found := v.producers[name]; !found && !unknownSeed && !v.isSeedName(name) {
			v.add(field, ReasonUnknownReference, "no column is called %q%s", name, suggestion(name, v.candidates(-1)))
		}
	}
	v.paths(field, template)
}

// formsOfDroppedColumns reports forms that are made of the generated dataset, and read columns that are not kept until then.
func (v *validation) formsOfDroppedColumns() {
	if v.spec.PreservesDroppedColumns() {
		return
	}
	patterns := dropPatterns(v.spec)
	for i := range v.spec.Processors {
		transform := v.spec.Processors[i].SchemaTransform
		if transform == nil || process.StageOf(v.spec, i) != v1alpha1.ProcessorAfterGeneration || transform.Template == nil {
			continue
		}
		template, problems := process.ParseDocument(transform.Template.Raw)
		if len(problems) > 0 {
			continue // reported where the template is checked
		}
		field := fmt.Sprintf("spec.processors[%d].schemaTransform.template", i)
		for path, text := range template.Texts() {
			for _, name := range text.References() {
				index, isColumn := v.producers[name]
				if isColumn && (v.spec.Columns[index].IsDropped() || matchesAny(patterns, name)) {
					v.add(below(field, path), ReasonInvalidValue, "reads %q, a dropped column that is not kept until the dataset is there: set "+
						"run.preserveDroppedColumns, or put the processor before those of the stage AfterGeneration", name)
				}
			}
		}
	}
}
