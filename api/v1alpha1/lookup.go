package v1alpha1

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
