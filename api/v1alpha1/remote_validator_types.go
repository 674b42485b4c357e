package v1alpha1

import (
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// RemoteValidator judges rows by a server of the user's. Rows are sent as {"data": [{"column": value, …}, …]}; the server answers with
// {"data": [{"is_valid": true, …}, …]}, one verdict for each row in their order, where is_valid may be null.
type RemoteValidator struct {
	// endpoint is the http or https URL to which rows are posted.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:Pattern=`^https?://[^/]`
	// +required
	Endpoint string `json:"endpoint,omitempty"`

	// headers are sent with each request, to the endpoint alone: no redirect is followed. They are not part of what names the run.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	// +optional
	Headers []RequestHeader `json:"headers,omitempty"`

	// schema is a JSON Schema of an object with what the server returns beside is_valid and error_messages.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +optional
	Schema *apiextensionsv1.JSON `json:"schema,omitempty"`

	// batchSize is how many rows are sent with one request. Defaults to 10.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	// +optional
	BatchSize *int32 `json:"batchSize,omitempty"`

	// maxParallelRequests is how many requests about a row group are under way at once. Defaults to 4.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=256
	// +optional
	MaxParallelRequests *int32 `json:"maxParallelRequests,omitempty"`

	// timeoutSeconds is how long a request may take. Defaults to 30.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=3600
	// +optional
	TimeoutSeconds *int32 `json:"timeoutSeconds,omitempty"`

	// maxRetries is how often a request is sent again that has failed in a way that passes. Defaults to 3.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	// +optional
	MaxRetries *int32 `json:"maxRetries,omitempty"`
}

// ValidatorHeaders are the headers of requests to the server that judges the rows of a column, or nil.
func (c *Column) ValidatorHeaders() []RequestHeader {
	if c.Validation == nil || c.Validation.Remote == nil {
		return nil
	}
	return c.Validation.Remote.Headers
}

// What holds where a spec says nothing.
const (
	defaultRemoteBatchSize           = 10
	defaultRemoteMaxParallelRequests = 4
	defaultRemoteTimeoutSeconds      = 30
	defaultRemoteMaxRetries          = 3
)

func numberOr(set *int32, fallback int) int {
	if set == nil {
		return fallback
	}
	return int(*set)
}

// EffectiveBatchSize is how many rows are sent with one request.
func (r *RemoteValidator) EffectiveBatchSize() int {
	return numberOr(r.BatchSize, defaultRemoteBatchSize)
}

// EffectiveMaxParallelRequests is how many requests about a row group are under way at once.
func (r *RemoteValidator) EffectiveMaxParallelRequests() int {
	return numberOr(r.MaxParallelRequests, defaultRemoteMaxParallelRequests)
}

// EffectiveTimeout is how long a request may take.
func (r *RemoteValidator) EffectiveTimeout() time.Duration {
	return time.Duration(numberOr(r.TimeoutSeconds, defaultRemoteTimeoutSeconds)) * time.Second
}

// EffectiveMaxRetries is how often a request is sent again that has failed in a way that passes.
func (r *RemoteValidator) EffectiveMaxRetries() int {
	return numberOr(r.MaxRetries, defaultRemoteMaxRetries)
}
