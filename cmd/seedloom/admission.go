package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/config/crd"
	"seedloom.dev/seedloom/engine/plan"
)

// validate lists all that is wrong with a resource, as an API server and the controller would: first what the spec says of itself, then what
// else its type does not allow.
func validate(ctx context.Context, resource *v1alpha1.DatasetGeneration) ([]plan.Violation, error) {
	violations := plan.Validate(&resource.Spec)
	known := map[string]bool{}
	for _, violation := range violations {
		known[violation.Field] = true
	}
	refusals, err := refusalsOf(ctx, resource)
	if err != nil {
		return nil, fmt.Errorf("checking the manifest against the resource's definition: %w", err)
	}
	for _, refusal := range refusals {
		path := refusal.Field
		if path == "" || path == "<nil>" {
			path = "the resource"
		}
		if known[path] {
			continue // it is said above, in better words
		}
		message := refusal.Detail
		if refusal.Type != field.ErrorTypeInvalid || message == "" {
			message = refusal.ErrorBody()
		}
		violations = append(violations, plan.Violation{Field: path, Reason: plan.ReasonInvalidValue, Message: message})
	}
	return violations, nil
}

// refusalsOf are the errors with which an API server would refuse a resource, found by its own code.
func refusalsOf(ctx context.Context, resource *v1alpha1.DatasetGeneration) (field.ErrorList, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crd.DatasetGenerations, &definition); err != nil {
		return nil, err
	}
	var properties apiextensions.JSONSchemaProps
	err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(definition.Spec.Versions[0].Schema.OpenAPIV3Schema, &properties, nil)
	if err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(&properties)
	if err != nil {
		return nil, err
	}
	structural, err := schema.NewStructural(&properties)
	if err != nil {
		return nil, err
	}
	object, err := objectOf(resource)
	if err != nil {
		return nil, err
	}
	defaulting.Default(object, structural)
	refusals := validation.ValidateCustomResource(nil, object, validator)
	refusals = append(refusals, listtype.ValidateListSetsAndMaps(nil, structural, object)...)
	if slices.ContainsFunc(refusals, misshaped) {
		return refusals, nil // the rules are for what has the right form
	}
	// The budget of the rules was checked when the definition was made; here nobody else waits.
	broken, _ := cel.NewValidator(structural, true, math.MaxInt64).Validate(ctx, nil, structural, object, nil, math.MaxInt64)
	return append(refusals, broken...), nil
}

// misshaped says whether an error keeps an API server from looking at the rules.
func misshaped(refusal *field.Error) bool {
	switch refusal.Type {
	case field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

// objectOf returns a resource as an API server gets it.
func objectOf(resource *v1alpha1.DatasetGeneration) (map[string]any, error) {
	copied := resource.DeepCopy()
	copied.APIVersion, copied.Kind = v1alpha1.SchemeGroupVersion.String(), kindDatasetGeneration
	copied.Status = v1alpha1.DatasetGenerationStatus{}
	data, err := json.Marshal(copied)
	if err != nil {
		return nil, err
	}
	var object map[string]any
	err = yaml.Unmarshal(data, &object)
	delete(object, "status")
	return object, err
}
