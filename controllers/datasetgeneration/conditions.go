package datasetgeneration

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

const (
	// maxMessage bounds, in bytes, what is taken over into a message from elsewhere.
	maxMessage = 1024
	// maxViolations bounds the list of violations in a message.
	maxViolations = 8192
	// maxCondition bounds a condition's message; the API takes 32 KiB.
	maxCondition = maxViolations + maxMessage
)

// ownConditions are the types of all conditions that the controller sets. Those of others are left alone.
var ownConditions = []string{
	v1alpha1.ConditionReady, v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionAccepted,
	v1alpha1.ConditionSuspended, v1alpha1.ConditionComplete, v1alpha1.ConditionFailed, v1alpha1.ConditionPartial,
	v1alpha1.ConditionModelsAnswered, v1alpha1.ConditionDegraded, v1alpha1.ConditionSyncFallback,
	v1alpha1.ConditionPublished,
}

// conditionSet are the conditions that hold, built from nothing: what is not in it does not hold.
type conditionSet []metav1.Condition

func (c *conditionSet) add(conditionType string, status metav1.ConditionStatus, reason, message string) {
	*c = append(*c, metav1.Condition{Type: conditionType, Status: status, Reason: reason, Message: clip.Text(message, maxCondition)})
}

// keep adds those of the types that stand already, and hold for the present generation too.
func (c *conditionSet) keep(standing []metav1.Condition, conditionTypes ...string) {
	before := len(*c)
	c.keepOfBefore(standing, conditionTypes...)
	for i := before; i < len(*c); i++ {
		(*c)[i].ObservedGeneration = 0
	}
}

// keepOfBefore adds them as what they say of the generation that they were of.
func (c *conditionSet) keepOfBefore(standing []metav1.Condition, conditionTypes ...string) {
	for _, condition := range standing {
		if slices.Contains(conditionTypes, condition.Type) {
			*c = append(*c, condition)
		}
	}
}

// applyTo makes the conditions of a status these, as they are at a generation, and removes all others of ours.
func (c *conditionSet) applyTo(list *[]metav1.Condition, generation int64, now time.Time) {
	for _, conditionType := range ownConditions {
		if !slices.ContainsFunc(*c, func(condition metav1.Condition) bool { return condition.Type == conditionType }) {
			meta.RemoveStatusCondition(list, conditionType)
		}
	}
	for _, condition := range *c {
		if condition.ObservedGeneration == 0 {
			condition.ObservedGeneration = generation
		}
		condition.LastTransitionTime = metav1.Time{Time: now}
		meta.SetStatusCondition(list, condition)
	}
}
