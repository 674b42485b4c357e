package v1alpha1

import "slices"

// Provider returns the provider with a name; nil where there is none.
func (s *DatasetGenerationSpec) Provider(name string) *Provider {
	for i := range s.Providers {
		if s.Providers[i].Name == name {
			return &s.Providers[i]
		}
	}
	return nil
}

// Model returns the model with an alias; nil where there is none.
func (s *DatasetGenerationSpec) Model(alias string) *Model {
	for i := range s.Models {
		if s.Models[i].Alias == alias {
			return &s.Models[i]
		}
	}
	return nil
}

// UsesTools says whether a column gives the tools with an alias to its model.
func (s *DatasetGenerationSpec) UsesTools(alias string) bool {
	return slices.ContainsFunc(s.Columns, func(column Column) bool {
		prompt := column.Prompt()
		return prompt != nil && prompt.Tools != "" && prompt.Tools == alias
	})
}

// ToolServersInUse returns the indexes, in spec.toolServers, of the servers whose tools a column uses. Ascending.
func (s *DatasetGenerationSpec) ToolServersInUse() []int {
	var used []int
	for i := range s.ToolServers {
		if slices.ContainsFunc(s.Tools, func(set ToolSet) bool {
			return slices.Contains(set.Servers, s.ToolServers[i].Name) && s.UsesTools(set.Alias)
		}) {
			used = append(used, i)
		}
	}
	return used
}

// Column returns the configured column with a name; nil where there is none.
func (s *DatasetGenerationSpec) Column(name string) *Column {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return &s.Columns[i]
		}
	}
	return nil
}

// SamplerOf returns the sampler of a column, or nil where it has none.
func (s *DatasetGenerationSpec) SamplerOf(column string) *Sampler {
	if found := s.Column(column); found != nil {
		return found.Sampler
	}
	return nil
}

// SeedCategories are the indexes of the columns whose Category takes its values from a column of the seed: one that no other column is.
func (s *DatasetGenerationSpec) SeedCategories() []int {
	var found []int
	for i := range s.Columns {
		sampler := s.Columns[i].Sampler
		if s.Seed == nil || sampler == nil || !sampler.Category.TakesValues() {
			continue
		}
		if s.Column(sampler.Category.ValuesOf) == nil {
			found = append(found, i)
		}
	}
	return found
}
