package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// ConditionalParameters are the parameters of a sampler for some of the rows.
type ConditionalParameters struct {
	// when is a Jinja template that refers to at least one other column; for instance "{{ plan == 'gold' }}". The parameters are for the rows
	// where its value is true. A text is false when it is blank, 0, None or False.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=4096
	// +required
	When string `json:"when,omitempty"`

	// parameters are those of the sampler's type, with the fields that they have beside it: {mean: 5, stddev: 1} for Gaussian.
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	// +required
	Parameters *apiextensionsv1.JSON `json:"parameters,omitempty"`
}
