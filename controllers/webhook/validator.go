package webhook

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// maxListed bounds how many violations, or warnings, an answer has.
	maxListed = 64
	// maxText bounds one of them, in bytes.
	maxText = 1024
)

// Validator answers the API server's questions about resources that are to be stored. It has no state, and reads nothing but what it is
// asked about: a dry run is answered as any other.
type Validator struct {
	// Violations are all that is wrong with a spec. Required.
	Violations func(*v1alpha1.DatasetGenerationSpec) []plan.Violation
}

var _ admission.Validator[*v1alpha1.DatasetGeneration] = (*Validator)(nil)

// SetupWithManager registers the validator at the manager's webhook server.
func (v *Validator) SetupWithManager(manager manager.Manager) error {
	return builder.WebhookManagedBy(manager, &v1alpha1.DatasetGeneration{}).WithValidator(v).Complete()
}

// ValidateCreate refuses a resource with anything wrong in its spec.
func (v *Validator) ValidateCreate(_ context.Context, resource *v1alpha1.DatasetGeneration) (admission.Warnings, error) {
	return warnings(&resource.Spec), refusal(resource, v.Violations(&resource.Spec))
}

// ValidateUpdate refuses what a change makes wrong. What was wrong before, as in a resource that is older than a check, is only warned of:
// it must not keep anybody from suspending the resource or from mending it step by step. A change of anything but the spec is none of its
// business, nor is a resource that is being deleted.
func (v *Validator) ValidateUpdate(_ context.Context, before, after *v1alpha1.DatasetGeneration) (admission.Warnings, error) {
	if after.DeletionTimestamp != nil || equality.Semantic.DeepEqual(before.Spec, after.Spec) {
		return nil, nil
	}
	known := v.Violations(&before.Spec)
	var added []plan.Violation
	var said admission.Warnings
	for _, violation := range v.Violations(&after.Spec) {
		if slices.Contains(known, violation) {
			said = append(said, text(violation.Field, "was invalid before this change, and still is: "+violation.Message))
		} else {
			added = append(added, violation)
		}
	}
	if len(added) == 0 && len(said) == 0 {
		said = append(said, leavesRecords(before, after)...)
	}
	return bounded(append(said, warnings(&after.Spec)...)), refusal(after, added)
}

// ValidateDelete lets everything be deleted. It is not asked (see config/webhook).
func (v *Validator) ValidateDelete(context.Context, *v1alpha1.DatasetGeneration) (admission.Warnings, error) {
	return nil, nil
}

// leavesRecords warns of a change that shapes rows, when there are rows already.
func leavesRecords(before, after *v1alpha1.DatasetGeneration) admission.Warnings {
	run, records := before.Status.Run, before.Status.Records
	if run == nil || records == nil || records.Actual == 0 || run.ConfigHash == plan.ConfigHash(&after.Spec) ||
		run.ConfigHash != plan.ConfigHash(&before.Spec) {
		return nil
	}
	return admission.Warnings{text("spec", fmt.Sprintf("this change shapes rows, so that another run begins with none; "+
		"the %d records of run %s stay in the output", records.Actual, run.ID))}
}

// warnings are what is odd in a spec, each as a line by itself.
func warnings(spec *v1alpha1.DatasetGenerationSpec) admission.Warnings {
	var said admission.Warnings
	for _, warning := range plan.Warnings(spec) {
		said = append(said, text(warning.Field, warning.Message))
	}
	return bounded(said)
}

func bounded(said admission.Warnings) admission.Warnings {
	if len(said) > maxListed {
		return append(said[:maxListed:maxListed], fmt.Sprintf("and %d more warnings", len(said)-maxListed))
	}
	return said
}

// text is a warning as the API server's own are: a field, and one line.
func text(path, message string) string {
	return clip.Text(path+": "+strings.Join(strings.Fields(message), " "), maxText)
}

// refusal is the error of the API server's own validation, with a cause for each violation; nil where there is none.
func refusal(resource *v1alpha1.DatasetGeneration, violations []plan.Violation) error {
	if len(violations) == 0 {
		return nil
	}
	var problems field.ErrorList
	for i, violation := range violations {
		if i == maxListed {
			problems = append(problems, field.TooMany(field.NewPath("spec"), len(violations), maxListed))
			break
		}
		problems = append(problems, &field.Error{
			Type: typeOf(violation.Reason), Field: violation.Field, BadValue: field.OmitValueType{}, Detail: clip.Text(violation.Message, maxText),
		})
	}
	return apierrors.NewInvalid(v1alpha1.SchemeGroupVersion.WithKind("DatasetGeneration").GroupKind(), resource.Name, problems)
}

// typeOf is what the API server calls a violation.
func typeOf(reason string) field.ErrorType {
	if reason == plan.ReasonRequired {
		return field.ErrorTypeRequired
	}
	return field.ErrorTypeInvalid
}
