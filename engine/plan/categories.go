package plan

import "seedloom.dev/seedloom/api/v1alpha1"

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
