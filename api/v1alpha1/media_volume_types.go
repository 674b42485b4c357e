package v1alpha1

// MediaContexts are the columns whose media a model sees with the prompt of the column; nil where it has none.
func (c *Column) MediaContexts() []MediaContext {
	if c.Image != nil {
		return c.Image.Context
	}
	if prompt := c.Prompt(); prompt != nil {
		return prompt.Context
	}
	return nil
}

// PodVolume returns the volume that is mounted into the engine's container under a name, or nil.
func (s *DatasetGenerationSpec) PodVolume(name string) *PodVolume {
	if s.Pod == nil {
		return nil
	}
	for i := range s.Pod.Volumes {
		if volume := &s.Pod.Volumes[i]; volume.Name == name {
			return volume
		}
	}
	return nil
}
