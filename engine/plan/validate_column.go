package plan

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/custom"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/structured"
)

func (v *validation) column(index int, unknownSeed bool) {
	column := &v.spec.Columns[index]
	field := fmt.Sprintf("spec.columns[%d]", index)
	v.columnName(index, field+".name")
	configured := kindsOf(column)
	if len(configured) != 1 {
		var all, set []string
		for kind := range kinds {
			all = append(all, Kind(kind).String())
		}
		for _, kind := range configured {
			set = append(set, kind.String())
		}
		v.add(field, ReasonInvalidUnion, "exactly one of %s must be set, but %s", strings.Join(all, ", "), listSet(set))
	}
	mayResize := func(kind Kind) bool { return kinds[kind].resizes }
	if column.AllowResize != nil && *column.AllowResize && !slices.ContainsFunc(configured, mayResize) {
		v.add(field+".allowResize", ReasonInvalidValue, "is possible for custom columns only")
	}
	for _, kind := range configured {
		kinds[kind].check(v, index, field+"."+kind.String())
	}
	v.capabilities(field, column)
	v.weight(column, field+".weight")
	v.sideEffectNames(index)
	v.skipField(index, field+".skip")
	v.unknownReferences(index, unknownSeed)
}

// unknownReferences drops, from what a column reads, the names that do not exist, and reports them.
func (v *validation) unknownReferences(index int, unknownSeed bool) {
	for _, reference := range v.references[index] {
		if _, found := v.producers[reference.name]; found || unknownSeed || v.isSeedName(reference.name) {
			continue
		}
		v.add(reference.field, ReasonUnknownReference, "no column is called %q%s", reference.name,
			suggestion(reference.name, v.candidates(index)))
	}
}

func (v *validation) isSeedName(name string) bool {
	for _, seedName := range v.seedNames {
		if seedName == name {
			return true
		}
	}
	return false
}

// template parses a template and notes the columns that it reads.
func (v *validation) template(index int, field, source string) {
	if strings.TrimSpace(source) == "" {
		v.add(field, ReasonRequired, "must not be empty")
		return
	}
	parsed, err := jinja.Parse(source)
	if err != nil {
		v.add(field, ReasonTemplateSyntax, "is not a valid template: %v", err)
		return
	}
	for _, name := range v.columnReferences(parsed.References()) {
		v.references[index] = append(v.references[index], reference{name: name, field: field})
	}
	v.templates = append(v.templates, fieldTemplate{field, parsed})
}

// columnReferences are the names that a template reads from the columns.
func (v *validation) columnReferences(names []string) []string {
	var columns []string
	for _, name := range names {
		// A column with the name of a built-in function takes precedence over it, here as in rendering.
		if _, isColumn := v.producers[name]; isColumn || v.isSeedName(name) || !jinja.IsBuiltin(name) {
			columns = append(columns, name)
		}
	}
	return columns
}

func (v *validation) samplerColumn(index int, field string) {
	spec := v.spec.Columns[index].Sampler
	violations := sampler.Validate(spec)
	for _, violation := range violations {
		at := field
		if violation.Field != "" {
			at += "." + violation.Field
		}
		v.add(at, ReasonInvalidSampler, "%s", violation.Message)
	}
	for i, conditional := range spec.Conditional {
		at := fmt.Sprintf("%s.conditional[%d].when", field, i)
		for _, name := range v.condition(at, conditional.When) {
			v.references[index] = append(v.references[index], reference{name: name, field: at})
		}
	}
	v.takenValues(index, field+".category.valuesOf")
	if len(violations) > 0 {
		return
	}
	for _, misfit := range sampler.Misfits(spec, v.samplerOf) {
		v.add(field+"."+misfit.Field, ReasonInvalidSampler, "%s", misfit.Message)
	}
	for _, read := range sampler.References(spec) {
		v.references[index] = append(v.references[index], reference{name: read.Column, field: field + "." + read.Field})
	}
}

// samplerOf is the sampler of a column; nil where it has none.
func (v *validation) samplerOf(name string) *v1alpha1.Sampler { return v.spec.SamplerOf(name) }

func (v *validation) llmColumn(index int, field string) {
	llm := v.spec.Columns[index].Prompt()
	v.modelAlias(field+".model", llm.Model)
	v.toolsAlias(field+".tools", llm.Tools)
	v.template(index, field+".prompt", llm.Prompt)
	if llm.SystemPrompt != "" {
		v.template(index, field+".systemPrompt", llm.SystemPrompt)
	}
	v.contexts(index, field+".context", llm.Context)
	if text := v.spec.Columns[index].LLMText; text != nil {
		v.onTruncation(field+".onTruncation", text.OnTruncation)
	}
}

func (v *validation) modelAlias(field, alias string) {
	var aliases []string
	for _, model := range v.spec.Models {
		aliases = append(aliases, model.Alias)
	}
	if !slices.Contains(aliases, alias) {
		v.add(field, ReasonUnknownModel, "no model has the alias %q%s", alias, suggestion(alias, aliases))
	}
}

func (v *validation) expressionColumn(index int, field string) {
	expression := v.spec.Columns[index].Expression
	v.template(index, field+".expr", expression.Expr)
	v.valueType(field, expression.Type, expression.Schema)
}

func (v *validation) customColumn(index int, field string) {
	code := v.spec.Columns[index].Custom
	if code.Strategy != v1alpha1.CustomBatch {
		v.add(field+".strategy", ReasonInvalidValue, "must be %s, but is %q", v1alpha1.CustomBatch, code.Strategy)
	}
	v.valueType(field, code.Type, code.Schema)
	for i, name := range code.RequiredColumns {
		at := fmt.Sprintf("%s.requiredColumns[%d]", field, i)
		if name == sandbox.RowKey {
			v.add(at, ReasonInvalidValue, "every row has %s without asking for it", sandbox.RowKey)
			continue
		}
		v.references[index] = append(v.references[index], reference{name: name, field: at})
	}
	if code.Starlark == nil {
		v.add(field, ReasonInvalidUnion, "the code is needed: set starlark")
		return
	}
	for _, problem := range sandbox.Check(code.Starlark.Source, custom.EntryPoint) {
		v.add(field+".starlark.source", ReasonStarlarkSyntax, "%s", problem)
	}
}

// valueTypes are the names of types, in the order of the API.
var valueTypes = []string{"str", "int", "float", "bool", "decimal", "date", "time", "timestamp"}

// valueType checks what says the type of computed values.
func (v *validation) valueType(field string, kind v1alpha1.ValueType, schema *apiextensionsv1.JSON) {
	switch {
	case schema != nil && kind != "":
		v.add(field+".type", ReasonInvalidUnion, "can't be set beside schema, which says the type too: remove one of them")
	case kind != "" && !slices.Contains(valueTypes, string(kind)):
		v.add(field+".type", ReasonInvalidValue, "must be one of %s, but is %q; schema describes lists and structs",
			strings.Join(valueTypes, ", "), kind)
	case schema != nil:
		_, problems := structured.Compile(schema.Raw)
		v.schemaProblems(field+".schema", problems)
	}
}
