package datasetgeneration

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// TestCacheHoldsWhatIsRead trims the Job of a run and its Pod. That decisions need no more is what the whole suite holds, whose manager has
// the same cache.
func TestCacheHoldsWhatIsRead(t *testing.T) {
	job := decide(fixture{spec: newSpec()}.input()).generateJob()
	pod := waitingPod("ErrImagePull", "no such image")
	pod.Spec, pod.Labels = *job.Spec.Template.Spec.DeepCopy(), job.Labels
	pod.Annotations = map[string]string{v1alpha1.AnnotationPodHash: "1", "cni.example.com/state": "a lot"}
	pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
	trimJob(job)
	if _, err := trimmed(trimPod)(&pod); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]corev1.PodSpec{"Job": job.Spec.Template.Spec, "Pod": pod.Spec} {
		encoded, err := json.Marshal(spec)
		if err != nil || len(encoded) > 100 || spec.Containers[0].Image != "engine" {
			t.Errorf("of the %s the cache has %s", name, encoded)
		}
	}
	if len(pod.Annotations) != 1 || pod.ManagedFields != nil || waitingCause(&pod) == "" || len(pod.Labels) == 0 {
		t.Errorf("of the Pod the cache has %+v", pod)
	}
}

// TestEventsAboutOtherThingsAreNotHeld has warnings about a Job and a Node.
func TestEventsAboutOtherThingsAreNotHeld(t *testing.T) {
	event := func(kind string) *corev1.Event {
		return &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Name: "e", Annotations: map[string]string{"a": "b"}},
			InvolvedObject: corev1.ObjectReference{Kind: kind, UID: "1"}, Reason: "FailedCreate", Message: "exceeded quota",
		}
	}
	ours, others := event("Job"), event("Node")
	trimEvent(ours)
	trimEvent(others)
	if ours.Message != "exceeded quota" || ours.Reason != "FailedCreate" || ours.InvolvedObject.UID != "1" || ours.Annotations != nil {
		t.Errorf("of a Job's event the cache has %+v", ours)
	}
	if others.Message != "" || others.InvolvedObject.UID != "" || others.Name != "e" {
		t.Errorf("of a Node's event the cache has %+v", others)
	}
}

// TestManifestsAreHeldOnce has a resource as kubectl apply makes it.
func TestManifestsAreHeldOnce(t *testing.T) {
	resource := fixture{spec: newSpec()}.input().resource
	resource.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", "team": "search"}
	trimResource(resource)
	if len(resource.Annotations) != 1 || len(resource.Spec.Columns) == 0 {
		t.Errorf("of the resource the cache has %+v", resource)
	}
}
