package v1alpha1

// PersistentVolumeClaimSeed are files on a volume: one, or several whose rows follow each other. Exactly one of path and paths is set.
//
// +kubebuilder:validation:ExactlyOneOf=path;paths
type PersistentVolumeClaimSeed struct {
	// claimName is the name of a claim in this namespace. It is mounted read-only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	ClaimName string `json:"claimName,omitempty"`

	// path is the path of the file within the volume. That of a folder stands for all files in it, and a pattern for all that match it:
	// parts/*.parquet, 2024-??.csv, {train,test}.jsonl, or **/*.csv, where ** stands for any folders. Files are read in the order of their
	// paths, and have the same columns.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..')",message="must be relative to the volume, without '..'"
	// +optional
	Path string `json:"path,omitempty"`

	// paths are several of them. Files are read in the order of their paths, whatever the order here.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^[^/]`
	// +optional
	Paths []string `json:"paths,omitempty"`
}

// Patterns are the paths and patterns that name the files.
func (s *PersistentVolumeClaimSeed) Patterns() []string {
	if s.Path != "" {
		return []string{s.Path}
	}
	return s.Paths
}

// PersistentVolumeClaimFile is a file on a volume.
type PersistentVolumeClaimFile struct {
	// claimName is the name of a claim in this namespace. It is mounted read-only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	// +required
	ClaimName string `json:"claimName,omitempty"`

	// path is the path of the file within the volume.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:XValidation:rule="!self.startsWith('/') && !self.split('/').exists(part, part == '..')",message="must be relative to the volume, without '..'"
	// +required
	Path string `json:"path,omitempty"`
}
