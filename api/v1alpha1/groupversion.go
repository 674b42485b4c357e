// Package v1alpha1 holds the DatasetGeneration resource: its Go types are the one source of truth for the
// CustomResourceDefinition, the deep copies, the apply configurations, the API reference and the engine's input.
// It may depend on apimachinery and the types of the Kubernetes API only, so that any client can import it; behaviour beyond small
// accessors lives elsewhere.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +groupName=seedloom.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupName is the API group of Seedloom.
const GroupName = "seedloom.dev"

var (
	// SchemeGroupVersion is the group and version of the types in this package.
	SchemeGroupVersion = schema.GroupVersion{Group: GroupName, Version: "v1alpha1"}

	schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

	// AddToScheme registers the types of this package in a scheme.
	AddToScheme = schemeBuilder.AddToScheme
)

func addKnownTypes(scheme *runtime.Scheme) error {
	scheme.AddKnownTypes(SchemeGroupVersion, &DatasetGeneration{}, &DatasetGenerationList{})
	metav1.AddToGroupVersion(scheme, SchemeGroupVersion)
	return nil
}
