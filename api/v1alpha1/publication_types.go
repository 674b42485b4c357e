package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

const (
	// DefaultHub is the hub where no other is named.
	DefaultHub = "https://huggingface.co"
	// DefaultBranch is the branch of a repository where no other is named.
	DefaultBranch = "main"
)

// Publish says where a complete dataset is published. Exactly one member is set.
//
// +kubebuilder:validation:ExactlyOneOf=huggingFace
type Publish struct {
	// huggingFace is a dataset repository of a Hugging Face hub.
	// +optional
	HuggingFace *HuggingFaceRepository `json:"huggingFace,omitempty"`
}

// HuggingFaceRepository is a dataset repository of a Hugging Face hub. When the run is complete, a Job brings the rows, their other forms,
// the images and the dataset card there, in one commit. What is there already is not sent again.
type HuggingFaceRepository struct {
	// repository is OWNER/NAME. It is created where it is not there. One that holds something that was not published from here is refused.
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=96
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$`
	// +required
	Repository string `json:"repository,omitempty"`

	// tokenSecretRef names the key of a Secret in this namespace that holds a token with the right to write to the repository. Only the Pod
	// that publishes gets it.
	// +required
	TokenSecretRef SecretKeyReference `json:"tokenSecretRef,omitzero"`

	// private says whether only the owner may see the repository. With it, a repository that is public is refused; that of one which is there
	// already is never changed. Defaults to true.
	// +optional
	Private *bool `json:"private,omitempty"`

	// revision is the branch that is committed to; it is created where it is not there. Defaults to main.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=96
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9][A-Za-z0-9._-]*$`
	// +optional
	Revision string `json:"revision,omitempty"`

	// endpoint is the address of the hub. Defaults to https://huggingface.co.
	// +kubebuilder:validation:MinLength=8
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:Pattern=`^https?://[^/?#@\s]+/?$`
	// +optional
	Endpoint string `json:"endpoint,omitempty"`

	// license is what the dataset card names as the licence, by the hub's identifier, such as apache-2.0 or cc-by-4.0. Without it the card
	// names none.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[a-z0-9][a-z0-9.+-]*$`
	// +optional
	License string `json:"license,omitempty"`

	// tags stand in the dataset card, besides synthetic and seedloom.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=64
	// +kubebuilder:validation:items:Pattern=`^[A-Za-z0-9][A-Za-z0-9 _.:-]*$`
	// +optional
	Tags []string `json:"tags,omitempty"`
}

// PublicationStatus says what was published, and where it is.
type PublicationStatus struct {
	// repository is OWNER/NAME.
	// +kubebuilder:validation:MaxLength=96
	// +optional
	Repository string `json:"repository,omitempty"`

	// revision is the branch.
	// +kubebuilder:validation:MaxLength=96
	// +optional
	Revision string `json:"revision,omitempty"`

	// url is the address of the repository.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	URL string `json:"url,omitempty"`

	// commit is the commit that holds the dataset.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Commit string `json:"commit,omitempty"`

	// publishedAt is when that was seen.
	// +optional
	PublishedAt *metav1.Time `json:"publishedAt,omitempty"`

	// attempted identifies what was published last, or could not be: the run, the attempt and the settings of spec.publish.
	// +kubebuilder:validation:MaxLength=64
	// +optional
	Attempted string `json:"attempted,omitempty"`
}

// EffectiveEndpoint is the endpoint with its default.
func (h *HuggingFaceRepository) EffectiveEndpoint() string {
	if h.Endpoint == "" {
		return DefaultHub
	}
	return h.Endpoint
}

// EffectiveRevision is the revision with its default.
func (h *HuggingFaceRepository) EffectiveRevision() string {
	if h.Revision == "" {
		return DefaultBranch
	}
	return h.Revision
}

// IsPrivate is private with its default.
func (h *HuggingFaceRepository) IsPrivate() bool { return h.Private == nil || *h.Private }

// HubRepository is where the dataset is published; nil where it is not.
func (s *DatasetGenerationSpec) HubRepository() *HuggingFaceRepository {
	if s.Publish == nil {
		return nil
	}
	return s.Publish.HuggingFace
}
