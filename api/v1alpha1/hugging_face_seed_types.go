package v1alpha1

// HuggingFaceSeed are files of a dataset repository of a Hugging Face hub: those of a configuration and a split, or those that paths name.
// The commit of the revision is looked up once, when the run begins; its Pods and its extensions all read that commit.
//
// +kubebuilder:validation:XValidation:rule="!has(self.paths) || !has(self.config) && !has(self.split)",message="paths name the files: config and split can't be set beside them"
type HuggingFaceSeed struct {
	// repository is OWNER/NAME.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=96
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`
	// +required
	Repository string `json:"repository,omitempty"`

	// revision is a branch, a tag or a commit. Defaults to main.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._/-]*$`
	// +optional
	Revision string `json:"revision,omitempty"`

	// config is the configuration (subset) of the dataset, by the name that its card gives it. Without it, it is the one that the card marks
	// as the default, the one called default, or the only one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[^<>:/\\|?*\x00-\x1f]+$`
	// +optional
	Config string `json:"config,omitempty"`

	// split is the part of the configuration. Without it, it is train, or the only one.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`
	// +optional
	Split string `json:"split,omitempty"`

	// paths name the files instead, whatever the card says: the path of one, that of a folder for all files in it, or a pattern for all that
	// match it, such as data/*.parquet, or **/*.csv, where ** stands for any folders. Files are read in the order of their paths, and have
	// the same columns.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^[^/]`
	// +optional
	Paths []string `json:"paths,omitempty"`

	// tokenSecretRef names the key of a Secret in this namespace that holds a token with the right to read the repository, where that is
	// private or gated. It is sent to the endpoint alone, and is not part of what names the run.
	// +optional
	TokenSecretRef *SecretKeyReference `json:"tokenSecretRef,omitempty"`

	// endpoint is the address of the hub. Defaults to https://huggingface.co.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`
}

// EffectiveEndpoint is the endpoint with its default.
func (h *HuggingFaceSeed) EffectiveEndpoint() string {
	if h.Endpoint == "" {
		return DefaultHub
	}
	return h.Endpoint
}

// EffectiveRevision is the revision with its default.
func (h *HuggingFaceSeed) EffectiveRevision() string {
	if h.Revision == "" {
		return DefaultBranch
	}
	return h.Revision
}

// SeedRepository is the repository of a hub that is the seed, or nil.
func (s *DatasetGenerationSpec) SeedRepository() *HuggingFaceSeed {
	if s.Seed == nil {
		return nil
	}
	return s.Seed.HuggingFace
}
