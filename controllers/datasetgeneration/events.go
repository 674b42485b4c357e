package datasetgeneration

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// maxEventNote bounds an event's note; the API takes 1 KiB.
const maxEventNote = 1000

// announcement is one event.
type announcement struct{ eventType, reason, note string }

// announcements derives the events from a change of the status: one for each transition, with the reason of its condition.
func announcements(before, after *v1alpha1.DatasetGenerationStatus) []announcement {
	var found []announcement
	add := func(condition *metav1.Condition, eventType string) {
		isKnown := func(known announcement) bool { return known.reason == condition.Reason }
		if !slices.ContainsFunc(found, isKnown) {
			found = append(found, announcement{eventType, condition.Reason, clip.Text(condition.Message, maxEventNote)})
		}
	}
	changed := func(conditionType string) *metav1.Condition { return changedCondition(before, after, conditionType) }
	for _, conditionType := range []string{
		v1alpha1.ConditionSyncFallback, v1alpha1.ConditionDegraded,
		// Partial may have the reason of the failure, and says less of it.
		v1alpha1.ConditionFailed, v1alpha1.ConditionStalled, v1alpha1.ConditionPartial,
	} {
		if condition := changed(conditionType); condition != nil {
			add(condition, corev1.EventTypeWarning)
		}
	}
	// What ends the run has the same reason, and its event says more.
	for _, conditionType := range []string{v1alpha1.ConditionModelsAnswered, v1alpha1.ConditionAccepted} {
		condition := changed(conditionType)
		if condition != nil && (condition.Status == metav1.ConditionFalse || condition.Reason == v1alpha1.ReasonValidWithWarnings) {
			add(condition, corev1.EventTypeWarning)
		}
	}
	if condition := changed(v1alpha1.ConditionPublished); condition != nil && condition.Reason != v1alpha1.ReasonPublishing {
		add(condition, publicationEventType(condition))
	}
	if condition := changed(v1alpha1.ConditionSuspended); condition != nil && condition.Status == metav1.ConditionFalse {
		add(condition, corev1.EventTypeNormal)
	}
	if note := recovery(before, after); note != "" {
		found = append(found, announcement{corev1.EventTypeNormal, v1alpha1.ReasonProgressing, note})
	}
	if condition := changed(v1alpha1.ConditionReconciling); condition != nil && condition.Reason == v1alpha1.ReasonProgressingWithRetry {
		add(condition, corev1.EventTypeWarning)
	}
	if note := unansweredRetry(before, after); note != "" {
		found = append(found, announcement{corev1.EventTypeNormal, v1alpha1.ReasonRetryNotStarted, note})
	}
	// The event of a failure is that of the Failed condition, which says more than Ready.
	if condition := changed(v1alpha1.ConditionReady); condition != nil && condition.Reason != v1alpha1.ReasonFailed {
		add(condition, corev1.EventTypeNormal)
	}
	return found
}

// publicationEventType is the type of the event of a publication that has ended, or is tried again.
func publicationEventType(published *metav1.Condition) string {
	if published.Status == metav1.ConditionTrue {
		return corev1.EventTypeNormal
	}
	return corev1.EventTypeWarning
}

// changedCondition is a condition of after, or nil when it has the same status and reason as before.
func changedCondition(before, after *v1alpha1.DatasetGenerationStatus, conditionType string) *metav1.Condition {
	now := meta.FindStatusCondition(after.Conditions, conditionType)
	then := meta.FindStatusCondition(before.Conditions, conditionType)
	if now == nil || (then != nil && then.Status == now.Status && then.Reason == now.Reason) {
		return nil
	}
	return now
}

// recovery says that a run which goes on is no longer slowed down, or nothing.
func recovery(before, after *v1alpha1.DatasetGenerationStatus) string {
	then := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionDegraded)
	now := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionDegraded)
	if then == nil || now != nil || !meta.IsStatusConditionTrue(after.Conditions, v1alpha1.ConditionReconciling) {
		return ""
	}
	return "the run is no longer slowed down: " + then.Reason + " is over"
}

// unansweredRetry says why a request for another attempt has not started one, or nothing when it has.
func unansweredRetry(before, after *v1alpha1.DatasetGenerationStatus) string {
	if before.LastHandledRetryRequest == after.LastHandledRetryRequest || before.Run == nil || after.Run == nil ||
		before.Run.ID != after.Run.ID || before.Run.Attempt != after.Run.Attempt {
		return ""
	}
	if published := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionPublished); published != nil &&
		published.Status == metav1.ConditionUnknown {
		return "" // the dataset is published anew
	}
	if after.Run.CompletionTime != nil {
		return "no other attempt is started: nothing is missing in the output"
	}
	return fmt.Sprintf("attempt %d is under way, and no other is started before it has ended; Pods that had not begun to run are replaced",
		after.Run.Attempt)
}

// announce emits the events of a status that has been written. The log names the Pod whose end has led to an event, and its shard.
func (r *Reconciler) announce(ctx context.Context, resource, updated *v1alpha1.DatasetGeneration, cause func(announcement) *podEnd) {
	logger := log.FromContext(ctx)
	for _, event := range announcements(&resource.Status, &updated.Status) {
		r.Recorder.Eventf(updated, nil, event.eventType, event.reason, "Reconcile", "%s", event.note)
		about := []any{"reason", event.reason, "note", event.note}
		if failed := cause(event); failed != nil {
			about = append(about, "shard", failed.shard, "pod", failed.pod)
		}
		logger.Info("Status has changed", about...)
	}
}

// causing is the Pod of a shard whose end has led to an event; nil where it was none, or not that of one Pod.
func (s *situation) causing(event announcement) *podEnd {
	end, retried := s.observed.ending, s.observed.retried
	switch {
	case end != nil && end.reason == event.reason:
		return end.pod
	case retried != nil && event.reason == v1alpha1.ReasonProgressingWithRetry && strings.Contains(event.note, retried.pod):
		return retried
	}
	return nil
}
