package plan

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// withCategories is the spec in which each Category that takes the values of another one has them itself. The given one is not changed.
// One that names no such column stays as it is, which its validation reports.
func withCategories(spec *v1alpha1.DatasetGenerationSpec) *v1alpha1.DatasetGenerationSpec {
	resolved := spec
	for i := range spec.Columns {
		of := valuesOf(spec, spec.Columns[i].Sampler)
		if of == nil {
			continue
		}
		if resolved == spec {
			resolved = spec.DeepCopy()
		}
		category := resolved.Columns[i].Sampler.Category
		category.ValuesOf, category.Values = "", of.DeepCopy().Values
		if category.Weights == nil {
			category.Weights = of.DeepCopy().Weights
		}
	}
	return resolved
}

// valuesOf is the Category whose values a sampler takes; nil where it takes none.
func valuesOf(spec *v1alpha1.DatasetGenerationSpec, sampler *v1alpha1.Sampler) *v1alpha1.CategorySampler {
	if sampler == nil || sampler.Category == nil || sampler.Category.ValuesOf == "" || len(sampler.Category.Values) > 0 {
		return nil
	}
	other := spec.SamplerOf(sampler.Category.ValuesOf)
	if other == nil || other.Category == nil || len(other.Category.Values) == 0 {
		return nil
	}
	return other.Category
}

// takenValues checks the column whose values a Category takes, where it is not another Category: then it is one of the seed.
func (v *validation) takenValues(index int, field string) {
	category := v.spec.Columns[index].Sampler.Category
	if !category.TakesValues() {
		return
	}
	name := category.ValuesOf
	_, isColumn := v.producers[name]
	added := slices.IndexFunc(addedColumns(v.spec.Seed), func(column addedColumn) bool { return column.name == name })
	switch {
	case isColumn:
		v.add(field, ReasonInvalidSampler,
			"must be another column with a Category sampler that has values, or a column of the seed, and %q is neither", name)
	case v.spec.Seed == nil || len(v.seedNames) > 0 && !v.isSeedName(name):
		v.add(field, ReasonUnknownReference, "no column is called %q%s", name, suggestion(name, v.candidates(index)))
	case added >= 0:
		v.add(field, ReasonInvalidSampler, "can't be %s, which the seed does not have", addedColumns(v.spec.Seed)[added].what)
	case v.isSeedName(name) && !slices.Contains(categoryKinds, v.seedTypes[name].Kind):
		v.add(field, ReasonInvalidSampler,
			"must be a column of texts, numbers, booleans, dates or times, and %q of the seed is of the type %s", name, v.seedTypes[name])
	}
}

// categoryKinds are the kinds of the columns of which a Category can take the values.
var categoryKinds = []table.Kind{
	table.KindString, table.KindInt, table.KindFloat, table.KindBool, table.KindDecimal, table.KindDate, table.KindTime, table.KindTimestamp,
}

// compiledType is the type of a column of a valid spec. That of a Category whose values the seed has, which were not read, is that of the
// seed's column, where this has numbers.
func (v *validation) compiledType(index int) (table.Type, error) {
	column := &v.spec.Columns[index]
	if column.Sampler == nil || !column.Sampler.Category.TakesValues() || column.Sampler.ConvertTo != "" {
		return columnType(column)
	}
	switch kind := v.seedTypes[column.Sampler.Category.ValuesOf]; kind.Kind {
	case table.KindInt, table.KindFloat:
		return kind, nil
	}
	return columnType(column)
}
