package plan

import (
	"fmt"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	maxRampSeconds = 3600
	maxWeight      = 1000
)

// admission checks how many requests of the models are sent at once.
func (v *validation) admission() {
	type sharing struct{ provider, model string }
	policies := map[sharing]int{}
	for i := range v.spec.Models {
		model := &v.spec.Models[i]
		field := fmt.Sprintf("spec.models[%d]", i)
		if most := model.EffectiveMaxParallelRequests(); most < 1 {
			v.add(field+".maxParallelRequests", ReasonInvalidValue, "must be at least 1, but is %d", most)
		}
		rules := model.Admission
		if rules == nil {
			continue
		}
		field += ".admission"
		switch rules.Policy {
		case "":
		case v1alpha1.AdmissionAdaptive, v1alpha1.AdmissionFixed:
			// Aliases of one model share what they are allowed, so they can't be treated in two ways.
			key := sharing{model.Provider, model.Model}
			if other, known := policies[key]; !known {
				policies[key] = i
			} else if set := v.spec.Models[other].Admission.Policy; set != rules.Policy {
				v.add(field+".policy", ReasonInvalidValue,
					"is %s, but spec.models[%d] is the same model of the same provider and has %s; give both the same policy",
					rules.Policy, other, set)
			}
		default:
			v.add(field+".policy", ReasonInvalidValue, "must be %s or %s, but is %q", v1alpha1.AdmissionAdaptive, v1alpha1.AdmissionFixed,
				rules.Policy)
		}
		v.admissionLimits(rules, field)
	}
}

// admissionLimits checks the limits that a user sets on the requests of a model.
func (v *validation) admissionLimits(rules *v1alpha1.Admission, field string) {
	if seconds := rules.StartupRampSeconds; seconds != nil && (*seconds < 0 || *seconds > maxRampSeconds) {
		v.add(field+".startupRampSeconds", ReasonInvalidValue, "must be from 0 to %d, but is %d", maxRampSeconds, *seconds)
	}
	if most := rules.RequestsPerMinute; most != nil && *most < 1 {
		v.add(field+".requestsPerMinute", ReasonInvalidValue, "must be at least 1, but is %d", *most)
	}
	if most := rules.TokensPerMinute; most != nil && *most < 1 {
		v.add(field+".tokensPerMinute", ReasonInvalidValue, "must be at least 1, but is %d", *most)
	}
}

// weight checks the share that a column has of its model's requests.
func (v *validation) weight(column *v1alpha1.Column, field string) {
	switch weight := column.Weight; {
	case weight == nil:
	case *weight < 1 || *weight > maxWeight:
		v.add(field, ReasonInvalidValue, "must be from 1 to %d, but is %d", maxWeight, *weight)
	case column.ModelAlias() == nil:
		v.add(field, ReasonInvalidValue, "is a share of a model's requests, and this column has no model; remove it")
	}
}
