package sampler

import (
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

var subcategories = family{
	name: v1alpha1.SamplerSubcategory, member: "subcategory", converts: true,
	isSet:    func(s *v1alpha1.Sampler) bool { return s.Subcategory != nil },
	validate: validateSubcategory,
	reads: func(s *v1alpha1.Sampler) []Reference {
		return []Reference{{Field: "subcategory.category", Column: s.Subcategory.Category}}
	},
	fits: subcategoryFits,
	kind: func(s *v1alpha1.Sampler) table.Kind {
		kind, _ := categoryValues(allSubcategories(s.Subcategory))
		return convertedKind(s.ConvertTo, kind)
	},
	draws: subcategory,
}

// allSubcategories are the values of all lists as those of one, since they have one type.
func allSubcategories(spec *v1alpha1.SubcategorySampler) *v1alpha1.CategorySampler {
	all := &v1alpha1.CategorySampler{}
	for i := range spec.Values {
		all.Values = append(all.Values, spec.Values[i].Values...)
	}
	return all
}

func validateSubcategory(spec *v1alpha1.Sampler) []Violation {
	var violations []Violation
	if spec.Subcategory.Category == "" {
		violations = append(violations, Violation{"subcategory.category", "the name of another column is required"})
	}
	if len(spec.Subcategory.Values) == 0 {
		violations = append(violations, Violation{"subcategory.values", "at least one list is required"})
	}
	seen := map[string]bool{}
	for i, list := range spec.Subcategory.Values {
		at := fmt.Sprintf("subcategory.values[%d]", i)
		switch {
		case list.Of == nil:
			violations = append(violations, Violation{at, "of is required"})
		case seen[*list.Of]:
			violations = append(violations, Violation{at + ".of", fmt.Sprintf("there is another list of %q", *list.Of)})
		default:
			seen[*list.Of] = true
		}
		if len(list.Values) == 0 {
			violations = append(violations, Violation{at + ".values", "at least one value is required"})
		}
		for j, raw := range list.Values {
			if problem := categoryProblem(raw, spec.ConvertTo); problem != "" {
				violations = append(violations, Violation{fmt.Sprintf("%s.values[%d]", at, j), problem})
			}
		}
		violations = append(violations, validateWeights(at, list.Weights, len(list.Values))...)
	}
	return violations
}

// subcategoryFits looks at the lists beside the values of the other column, where those are known.
func subcategoryFits(spec *v1alpha1.Sampler, others others) []Violation {
	parent, _ := others(spec.Subcategory.Category)
	if parent == nil || parent.Type != v1alpha1.SamplerCategory {
		return nil
	}
	var violations []Violation
	possible := possibleTexts(parent)
	lists := map[string]bool{}
	for i, list := range spec.Subcategory.Values {
		lists[*list.Of] = true
		if !slices.Contains(possible, *list.Of) {
			violations = append(violations, Violation{fmt.Sprintf("subcategory.values[%d].of", i),
				fmt.Sprintf("column %q never has the value %q", spec.Subcategory.Category, *list.Of)})
		}
	}
	for _, value := range possible {
		if !lists[value] {
			violations = append(violations, Violation{"subcategory.values",
				fmt.Sprintf("has no list of %q, which column %q may have", value, spec.Subcategory.Category)})
		}
	}
	return violations
}

// possibleTexts are the values of a valid Category sampler as texts, those of its conditional parameters too.
func possibleTexts(spec *v1alpha1.Sampler) []string {
	kind := categories.commonKind(spec)
	var texts []string
	for _, variant := range append(categories.variants(spec), spec) {
		_, values := categoryValues(variant.Category)
		convertAll(values, spec.ConvertTo)
		for _, value := range values {
			if text := jinja.Str(jinja.FromGo(ofKind(value, kind))); !slices.Contains(texts, text) {
				texts = append(texts, text)
			}
		}
	}
	return texts
}

func subcategory(spec *v1alpha1.Sampler, in site) drawFunc {
	category := spec.Subcategory.Category
	_, known := in.Schema.Index(category)
	_, values := categoryValues(allSubcategories(spec.Subcategory))
	convertAll(values, spec.ConvertTo)
	lists := make(map[string]drawFunc, len(spec.Subcategory.Values))
	for _, list := range spec.Subcategory.Values {
		lists[*list.Of] = oneOf(values[:len(list.Values)], list.Weights)
		values = values[len(list.Values):]
	}
	return func(stream *random.Stream, record *table.Record) (any, error) {
		if !known {
			return nil, fmt.Errorf("there is no column %q", category)
		}
		value, _ := column.Vars(record).Lookup(category)
		text := jinja.Str(value)
		draw, found := lists[text]
		if !found {
			return nil, fmt.Errorf("subcategory.values has no list of %q, which column %q has", text, category)
		}
		return draw(stream, record)
	}
}
