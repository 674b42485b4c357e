package datasetgeneration

import (
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// maxMessage bounds, in bytes, what is taken over into a message from elsewhere.
	maxMessage = 1024
	// maxViolations bounds the list of violations in a message.
	maxViolations = 8192
	// maxCondition bounds a condition's message; the API takes 32 KiB.
	maxCondition = maxViolations + maxMessage
)

// conditionSet changes the conditions of one status. Every condition that it sets has the generation that was looked at.
type conditionSet struct {
	list       *[]metav1.Condition
	generation int64
	now        time.Time
}

func (c conditionSet) set(conditionType string, status metav1.ConditionStatus, reason, message string) {
	meta.SetStatusCondition(c.list, metav1.Condition{
		Type:               conditionType,
		Status:             status,
		Reason:             reason,
		Message:            clip(message, maxCondition),
		ObservedGeneration: c.generation,
		LastTransitionTime: metav1.Time{Time: c.now},
	})
}

func (c conditionSet) remove(conditionTypes ...string) {
	for _, conditionType := range conditionTypes {
		meta.RemoveStatusCondition(c.list, conditionType)
	}
}

// keep says of all conditions that they hold for the generation.
func (c conditionSet) keep() {
	for i := range *c.list {
		(*c.list)[i].ObservedGeneration = c.generation
	}
}

// clip shortens text to at most limit bytes at a character boundary.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	end := max(limit-len("…"), 0)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "…"
}
