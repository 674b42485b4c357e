package plan

import (
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// Compile makes the plan of a spec. seedFields are the columns of the seed, none when the spec has no seed. The error is an
// *InvalidError with everything that is wrong.
func Compile(spec *v1alpha1.DatasetGenerationSpec, seedFields []table.Field) (*Plan, error) {
	spec = withCategories(spec.DeepCopy())
	checks := newValidation(spec)
	for _, field := range seedFields {
		checks.seedNames = append(checks.seedNames, field.Name)
		checks.seedTypes[field.Name] = field.Type
	}
	checks.run(false)
	if len(checks.violations) > 0 {
		return nil, &InvalidError{Violations: checks.violations}
	}
	fields := slices.Clone(seedFields)
	for i := range spec.Columns {
		kind, err := checks.compiledType(i)
		if err != nil {
			return nil, err
		}
		fields = append(fields, table.Field{Name: spec.Columns[i].Name, Type: kind})
		for _, sideEffect := range sideEffects(&spec.Columns[i]) {
			fields = append(fields, sideEffect.Field)
		}
	}
	output, dropped := split(spec, fields)
	plan := &Plan{
		Spec:         spec,
		Schema:       table.NewSchema(fields...),
		Output:       table.NewSchema(output...),
		Dropped:      table.NewSchema(dropped...),
		SeedFields:   len(seedFields),
		Mode:         spec.ExecutionMode(),
		RowGroupSize: spec.EffectiveRowGroupSize(),
		NumRecords:   spec.NumRecords,
	}
	plan.Columns = planColumns(plan, checks)
	plan.Links = planLinks(plan, checks)
	return plan, nil
}

// planColumns returns the columns of a valid spec in topological order.
func planColumns(plan *Plan, checks *validation) []*Column {
	configured := make([]*Column, len(plan.Spec.Columns))
	for i := range plan.Spec.Columns {
		spec := &plan.Spec.Columns[i]
		column := &Column{
			Name:   spec.Name,
			Index:  index(plan, spec.Name),
			Kind:   kindsOf(spec)[0],
			Resize: spec.AllowResize != nil && *spec.AllowResize,
			Spec:   spec,
		}
		column.Execution = kinds[column.Kind].runs(spec)
		for range sideEffects(spec) {
			column.SideEffects = append(column.SideEffects, column.Index+len(column.SideEffects)+1)
		}
		if alias := spec.ModelAlias(); alias != nil {
			column.Model = plan.Spec.Model(*alias)
			column.Lane = Lane{Provider: column.Model.Provider, Model: column.Model.Model, Requests: kinds[column.Kind].requests}
		}
		for _, reference := range checks.references[i] {
			column.Requires = append(column.Requires, index(plan, reference.name))
		}
		slices.Sort(column.Requires)
		column.Requires = slices.Compact(column.Requires)
		column.Skip = planSkip(plan, spec, checks.references[i])
		configured[i] = column
	}
	for _, column := range configured {
		for _, required := range column.Requires {
			if source := producer(configured, required); source != nil {
				source.Dependents = append(source.Dependents, column.Index)
			}
		}
	}
	ordered := make([]*Column, 0, len(configured))
	for _, i := range topological(edges(checks.producers, checks.references), checks.links.members) {
		ordered = append(ordered, configured[i])
	}
	skippable(ordered)
	return ordered
}

// planLinks are the columns that constraints link.
func planLinks(plan *Plan, checks *validation) []Link {
	var all []Link
	for _, root := range checks.links.roots() {
		link := Link{Constraints: checks.links.constraintsOf(root)}
		members := checks.links.members(root)
		for _, column := range plan.Columns {
			if slices.Contains(members, checks.columns[column.Name]) {
				link.Columns = append(link.Columns, column)
			}
		}
		all = append(all, link)
	}
	return all
}

// index is the position of a column that a valid spec names.
func index(plan *Plan, name string) int {
	position, _ := plan.Schema.Index(name)
	return position
}

// producer is the column that makes what stands at an index of the schema; nil for a column of the seed.
func producer(configured []*Column, index int) *Column {
	for _, column := range configured {
		if column.Makes(index) {
			return column
		}
	}
	return nil
}

func samplerType(column *v1alpha1.Column) (table.Type, error) { return sampler.TypeOf(column.Sampler) }

func textType(*v1alpha1.Column) (table.Type, error) { return table.Type{Kind: table.KindString}, nil }

func expressionType(column *v1alpha1.Column) (table.Type, error) {
	return computedType(column, column.Expression.Type, column.Expression.Schema)
}

func customType(column *v1alpha1.Column) (table.Type, error) {
	return computedType(column, column.Custom.Type, column.Custom.Schema)
}

// documentType is the type of the documents of a column.
func documentType(column *v1alpha1.Column) (table.Type, error) {
	var schema *structured.Schema
	var problems []structured.Problem
	switch {
	case column.LLMJudge != nil:
		schema, problems = structured.Judge(column.LLMJudge.Scores)
	case column.LLMStructured.Schema != nil:
		schema, problems = structured.Compile(column.LLMStructured.Schema.Raw)
	}
	return typeOfSchema(column, schema, problems)
}

func typeOfSchema(column *v1alpha1.Column, schema *structured.Schema, problems []structured.Problem) (table.Type, error) {
	if schema == nil {
		return table.Type{}, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "column %q: the schema has %d problems", column.Name,
			max(1, len(problems)))
	}
	return schema.Type(), nil
}

// computedType is that of values which a template or code gives: by its name, or by a schema.
func computedType(column *v1alpha1.Column, kind v1alpha1.ValueType, document *apiextensionsv1.JSON) (table.Type, error) {
	if document == nil {
		return valueType(kind), nil
	}
	schema, problems := structured.Compile(document.Raw)
	return typeOfSchema(column, schema, problems)
}

func valueType(kind v1alpha1.ValueType) table.Type {
	switch kind {
	case v1alpha1.ValueTypeInt:
		return table.Type{Kind: table.KindInt}
	case v1alpha1.ValueTypeFloat:
		return table.Type{Kind: table.KindFloat}
	case v1alpha1.ValueTypeBool:
		return table.Type{Kind: table.KindBool}
	case v1alpha1.ValueTypeDecimal:
		return table.AnyDecimal()
	case v1alpha1.ValueTypeDate:
		return table.Type{Kind: table.KindDate}
	case v1alpha1.ValueTypeTime:
		return table.Type{Kind: table.KindTime}
	case v1alpha1.ValueTypeTimestamp:
		return table.Type{Kind: table.KindTimestamp}
	}
	return table.Type{Kind: table.KindString}
}
