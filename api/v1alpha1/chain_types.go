package v1alpha1

// DatasetSeed is the dataset of another DatasetGeneration.
type DatasetSeed struct {
	// name is the name of a DatasetGeneration of this namespace. The run begins when that one is Complete, and reads its rows in their order.
	// Another run of it starts this one anew when its rows have changed.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=52
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]*[a-z0-9])?$`
	// +required
	Name string `json:"name,omitempty"`

	// form is the name of a processor of that DatasetGeneration with schemaTransform or form: the rows are read in that form.
	// Without it, they are read as they are in the dataset.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`
	// +optional
	Form string `json:"form,omitempty"`
}

// RowsPerSeedRow says how many rows follow from each row of a seed, as the orders of each customer do.
//
// +kubebuilder:validation:ExactlyOneOf=count;sampler
type RowsPerSeedRow struct {
	// count is how many rows follow from each row of the seed.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	// +optional
	Count *int32 `json:"count,omitempty"`

	// sampler draws how many rows follow from a row of the seed, as a whole number: below 0 it counts as 0, and above 1000000 as 1000000. A
	// row of the seed has the same number in every run with the same randomSeed.
	// +optional
	Sampler *Sampler `json:"sampler,omitempty"`

	// numberColumn is the name of a column, after those of the seed, with the number of a row among those of the same row of the seed, from 1.
	// Without it there is no such column.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z][A-Za-z0-9_]*$`
	// +optional
	NumberColumn string `json:"numberColumn,omitempty"`
}

// SeedRunStatus is the dataset that a run has for its seed.
type SeedRunStatus struct {
	// name is the name of its DatasetGeneration.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	Name string `json:"name,omitempty"`

	// runID is the run of it that is read.
	// +kubebuilder:validation:MaxLength=63
	// +optional
	RunID string `json:"runID,omitempty"`

	// url is where that run's dataset lies.
	// +kubebuilder:validation:MaxLength=2048
	// +optional
	URL string `json:"url,omitempty"`

	// rowsDigest is the digest of its rows. It is a part of what names this run.
	// +kubebuilder:validation:MaxLength=80
	// +optional
	RowsDigest string `json:"rowsDigest,omitempty"`

	// records is how many rows it has.
	// +optional
	Records int64 `json:"records,omitempty"`

	// objectStore is the bucket that it lies in, as the other resource names it, where it lies in one.
	// +optional
	ObjectStore *ObjectStoreOutput `json:"objectStore,omitempty"`

	// followingRecords is how many records follow from them, where spec.numRecords does not say how many there are to be.
	// +optional
	FollowingRecords int64 `json:"followingRecords,omitempty"`
}

// SeedDataset is the dataset of another resource that is the seed, or nil.
func (s *DatasetGenerationSpec) SeedDataset() *DatasetSeed {
	if s.Seed == nil {
		return nil
	}
	return s.Seed.DatasetRef
}
