package plan

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

// Compile makes the plan of a spec. seedFields are the columns of the seed, none when the spec has no seed. The error is an
// *InvalidError with everything that is wrong.
func Compile(spec *v1alpha1.DatasetGenerationSpec, seedFields []table.Field) (*Plan, error) {
	spec = spec.DeepCopy()
	checks := newValidation(spec)
	for _, field := range seedFields {
		checks.seedNames = append(checks.seedNames, field.Name)
	}
	checks.run(false)
	if len(checks.violations) > 0 {
		return nil, &InvalidError{Violations: checks.violations}
	}
	fields := slices.Clone(seedFields)
	for i := range spec.Columns {
		kind, err := columnType(spec, &spec.Columns[i])
		if err != nil {
			return nil, err
		}
		fields = append(fields, table.Field{Name: spec.Columns[i].Name, Type: kind})
	}
	plan := &Plan{
		Spec:         spec,
		Schema:       table.NewSchema(fields...),
		SeedFields:   len(seedFields),
		Mode:         spec.ExecutionMode(),
		RowGroupSize: spec.EffectiveRowGroupSize(),
		NumRecords:   spec.NumRecords,
	}
	plan.Columns = planColumns(plan, checks)
	return plan, nil
}

// planColumns returns the columns of a valid spec in topological order.
func planColumns(plan *Plan, checks *validation) []*Column {
	configured := make([]*Column, len(plan.Spec.Columns))
	for i := range plan.Spec.Columns {
		spec := &plan.Spec.Columns[i]
		column := &Column{
			Name:   spec.Name,
			Index:  plan.SeedFields + i,
			Kind:   kindsOf(spec)[0],
			Resize: spec.AllowResize != nil && *spec.AllowResize,
			Batch:  spec.Custom != nil,
			Spec:   spec,
		}
		if spec.LLMText != nil {
			column.Model = findModel(plan.Spec, spec.LLMText.Model)
		}
		for _, reference := range checks.references[i] {
			index, _ := plan.Schema.Index(reference.name)
			column.Requires = append(column.Requires, index)
		}
		slices.Sort(column.Requires)
		column.Requires = slices.Compact(column.Requires)
		configured[i] = column
	}
	for _, column := range configured {
		for _, required := range column.Requires {
			if required >= plan.SeedFields {
				source := configured[required-plan.SeedFields]
				source.Dependents = append(source.Dependents, column.Index)
			}
		}
	}
	ordered := make([]*Column, 0, len(configured))
	for _, i := range topological(edges(checks.columns, checks.references)) {
		ordered = append(ordered, configured[i])
	}
	return ordered
}

func findModel(spec *v1alpha1.DatasetGenerationSpec, alias string) *v1alpha1.Model {
	for i := range spec.Models {
		if spec.Models[i].Alias == alias {
			return &spec.Models[i]
		}
	}
	return nil
}

// columnType is the type of a valid column's values.
func columnType(spec *v1alpha1.DatasetGenerationSpec, column *v1alpha1.Column) (table.Type, error) {
	switch {
	case column.Sampler != nil:
		generator, err := sampler.New(column.Name, column.Sampler, spec.RandomSeed)
		if err != nil {
			return table.Type{}, err
		}
		return generator.Type(), nil
	case column.Expression != nil:
		return valueType(column.Expression.Type), nil
	case column.Custom != nil:
		return valueType(column.Custom.Type), nil
	}
	return table.Type{Kind: table.KindString}, nil
}

func valueType(kind v1alpha1.ValueType) table.Type {
	switch kind {
	case v1alpha1.ValueTypeInt:
		return table.Type{Kind: table.KindInt}
	case v1alpha1.ValueTypeFloat:
		return table.Type{Kind: table.KindFloat}
	case v1alpha1.ValueTypeBool:
		return table.Type{Kind: table.KindBool}
	}
	return table.Type{Kind: table.KindString}
}
