package datasetgeneration

import (
	"math"
	"time"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// firstSyncRetry and lastSyncRetry bound the time between the Pods of a sync run; it doubles with every failure,
	// as the Job controller does it.
	firstSyncRetry = 10 * time.Second
	lastSyncRetry  = 6 * time.Minute
)

// failures is how many Pods of a sync run have failed in a way that counts: those recorded, and the current Pod.
func (s *situation) failures() int32 {
	failures := s.run.Failures
	if end := s.syncEnd(); end != nil && !s.syncExhausted() && consequenceOf(*end) == consequenceRetry {
		failures++
	}
	return failures
}

// syncExhausted says whether more failures of a sync run are recorded than may be: no other Pod follows the last one.
func (s *situation) syncExhausted() bool {
	return s.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync && s.run.Failures > s.resource.Spec.EffectiveBackoffLimit()
}

// syncPod finds the current Pod: that which the recorded number of failures names, or the last one when none may follow it.
func (s *situation) syncPod() *corev1.Pod {
	number := s.run.Failures
	if s.syncExhausted() {
		number--
	}
	return s.podNamed(syncPodName(s.run, number))
}

func (s *situation) podNamed(name string) *corev1.Pod {
	for i := range s.workload.generating {
		if pod := &s.workload.generating[i]; pod.Name == name {
			return pod
		}
	}
	return nil
}

// syncEnd is how the current Pod of a sync run has ended, or nil.
func (s *situation) syncEnd() *podEnd {
	if s.run.ID == "" || s.resource.Spec.ExecutionMode() != v1alpha1.ExecutionSync {
		return nil
	}
	pod := s.syncPod()
	if pod == nil {
		return nil
	}
	if end, over := endOf(pod); over {
		return &end
	}
	return nil
}

// nextSyncPod returns the Pod to create, or nil while there is one, or while it is too early for the next. A Pod that has
// failed is replaced once its failure is in the status; a Pod that was interrupted, when it was deleted.
func (s *situation) nextSyncPod() *corev1.Pod {
	if s.syncExhausted() || s.syncPod() != nil || s.syncRetryIn() > 0 {
		return nil
	}
	template := s.podTemplate(runreport.RoleGenerate)
	pod := &corev1.Pod{ObjectMeta: s.objectMeta(syncPodName(s.run, s.run.Failures), runreport.RoleGenerate), Spec: template.Spec}
	pod.Labels, pod.Annotations = template.Labels, template.Annotations
	if deadline := s.deadline(); !deadline.IsZero() {
		left := int64(math.Ceil(deadline.Sub(s.now).Seconds()))
		pod.Spec.ActiveDeadlineSeconds = new(max(left, 1))
	}
	return pod
}

// syncRetryIn is how long to wait before the next Pod of a sync run.
func (s *situation) syncRetryIn() time.Duration {
	if s.run.Failures == 0 || s.syncExhausted() || s.resource.Spec.ExecutionMode() != v1alpha1.ExecutionSync || s.syncPod() != nil {
		return 0
	}
	previous := s.podNamed(syncPodName(s.run, s.run.Failures-1))
	if previous == nil {
		return 0
	}
	end, over := endOf(previous)
	if !over {
		return 0
	}
	wait := min(firstSyncRetry<<min(s.run.Failures-1, 10), lastSyncRetry)
	return end.at.Add(wait).Sub(s.now)
}

// retireInterrupted makes a Pod of a sync run that was interrupted stale, so that its successor can have its name.
func (s *situation) retireInterrupted() {
	end := s.syncEnd()
	if end == nil || consequenceOf(*end) != consequenceRetryFree || end.deadline {
		return
	}
	s.retire(func(pod *corev1.Pod) bool { return pod.Name == end.pod })
}
