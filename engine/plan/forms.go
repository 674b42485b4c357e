package plan

import (
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
