package runreport

import (
	"encoding/json"
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// PublicationVariable is the environment variable with the order of a Pod that publishes.
	PublicationVariable = "SEEDLOOM_PUBLICATION"
	// HubTokenVariable is the environment variable with the token for the hub.
	HubTokenVariable = "SEEDLOOM_HUB_TOKEN"
)

// PublicationOrder is the input of a Pod that publishes.
type PublicationOrder struct {
	Version   int    `json:"version"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// ConfigHash names the folder of the dataset (see Folder).
	ConfigHash string `json:"configHash"`
	// ObjectStore is where the dataset is, where it is not on the volume.
	ObjectStore *v1alpha1.ObjectStoreOutput     `json:"objectStore,omitempty"`
	HuggingFace *v1alpha1.HuggingFaceRepository `json:"huggingFace"`
}

// PublicationResult is the termination message of a Pod that publishes.
type PublicationResult struct {
	Version int `json:"version"`
	// Reason is one of the reasons in api/v1alpha1, Message says what happened and what to do next. Empty where the dataset is published.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
	// URL is the address of the repository, and Commit the commit that holds the dataset.
	URL    string `json:"url,omitempty"`
	Commit string `json:"commit,omitempty"`
	// Uploaded, Kept and Removed count the files of the repository.
	Uploaded int `json:"uploaded"`
	Kept     int `json:"kept"`
	Removed  int `json:"removed"`
}

// Encode returns the result as JSON of at most MaxMessageBytes.
func (r PublicationResult) Encode() []byte {
	r.Version, r.Message = Version, clip.Text(r.Message, 1024)
	data, _ := json.Marshal(r) // has nothing but texts and numbers
	return data
}

// ParsePublicationResult reads the termination message of a Pod that publishes.
func ParsePublicationResult(message string) (*PublicationResult, error) {
	var result PublicationResult
	if err := parse([]byte(message), &result); err != nil {
		return nil, err
	}
	if result.Version != Version {
		return nil, fmt.Errorf("the result of a publication has version %d, want %d", result.Version, Version)
	}
	return &result, nil
}
