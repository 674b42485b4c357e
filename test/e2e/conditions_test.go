package e2e

import (
	"context"
	"fmt"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// waitFor waits until a condition is True for the current generation, and returns the dataset. It gives up at once when the run has
// ended in the other way.
func (w *world) waitFor(ctx context.Context, name, conditionType string) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	return w.waitForWithin(ctx, name, conditionType, runTimeout)
}

func (w *world) waitForWithin(ctx context.Context, name, conditionType string, timeout time.Duration) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	var dataset *v1alpha1.DatasetGeneration
	Eventually(ctx, func() error {
		dataset = w.get(ctx, name)
		if isTrue(dataset, conditionType) {
			return nil
		}
		state := fmt.Errorf("%s is not %s:\n%s", name, conditionType, conditionLines(dataset))
		for _, other := range []string{v1alpha1.ConditionComplete, v1alpha1.ConditionFailed} {
			if other != conditionType && isTrue(dataset, other) {
				return StopTrying(state.Error())
			}
		}
		return state
	}).WithTimeout(timeout).Should(Succeed())
	return dataset
}

// waitForState waits until a condition has a status and a reason.
func (w *world) waitForState(ctx context.Context, name, conditionType string, status metav1.ConditionStatus,
	reason string) *metav1.Condition {
	GinkgoHelper()
	var found *metav1.Condition
	Eventually(ctx, func() error {
		dataset := w.get(ctx, name)
		found = meta.FindStatusCondition(dataset.Status.Conditions, conditionType)
		if found == nil || found.Status != status || found.Reason != reason {
			return fmt.Errorf("%s has no %s=%s/%s:\n%s", name, conditionType, status, reason, conditionLines(dataset))
		}
		return nil
	}).WithTimeout(runTimeout).Should(Succeed())
	return found
}

func isTrue(dataset *v1alpha1.DatasetGeneration, conditionType string) bool {
	condition := meta.FindStatusCondition(dataset.Status.Conditions, conditionType)
	return condition != nil && condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == dataset.Generation
}

func conditionOf(dataset *v1alpha1.DatasetGeneration, conditionType string) *metav1.Condition {
	GinkgoHelper()
	condition := meta.FindStatusCondition(dataset.Status.Conditions, conditionType)
	Expect(condition).NotTo(BeNil(), "%s has no condition %s:\n%s", dataset.Name, conditionType, conditionLines(dataset))
	return condition
}

func conditionLines(dataset *v1alpha1.DatasetGeneration) string {
	var lines []string
	for _, condition := range dataset.Status.Conditions {
		lines = append(lines, fmt.Sprintf("  %s=%s %s: %s", condition.Type, condition.Status, condition.Reason, condition.Message))
	}
	return strings.Join(lines, "\n")
}

// expectAccounted checks the invariant of counts: every record that was asked for is in the output or is counted.
func expectAccounted(dataset *v1alpha1.DatasetGeneration) {
	GinkgoHelper()
	records := dataset.Status.Records
	Expect(records).NotTo(BeNil())
	Expect(records.Actual+records.Dropped+records.Missing).To(Equal(records.Target), "actual + dropped + missing = target: %+v", records)
	var dropped int64
	for _, reason := range dataset.Status.DroppedReasons {
		dropped += reason.Count
	}
	Expect(dropped).To(Equal(records.Dropped), "every dropped record has a reason: %+v", dataset.Status.DroppedReasons)
}

// events lists the events about a dataset.
func (w *world) events(ctx context.Context, name string) []eventsv1.Event {
	GinkgoHelper()
	var all eventsv1.EventList
	Expect(apiClient.List(ctx, &all, client.InNamespace(w.namespace))).To(Succeed())
	var about []eventsv1.Event
	for _, event := range all.Items {
		if event.Regarding.Kind == "DatasetGeneration" && event.Regarding.Name == name {
			about = append(about, event)
		}
	}
	return about
}

func eventReasons(events []eventsv1.Event) []string {
	var reasons []string
	for _, event := range events {
		reasons = append(reasons, event.Reason)
	}
	return reasons
}
