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
func (f *facts) failures() int32 {
	failures := f.run.Failures
	if end := f.syncEnd(); end != nil && consequenceOf(*end) == consequenceRetry {
		failures++
	}
	return failures
}

// syncPod finds the Pod that the recorded number of failures names.
func (f *facts) syncPod() *corev1.Pod {
	return f.podNamed(syncPodName(f.run, f.run.Failures))
}

func (f *facts) podNamed(name string) *corev1.Pod {
	for i := range f.workload.generating {
		if pod := &f.workload.generating[i]; pod.Name == name {
			return pod
		}
	}
	return nil
}

// syncEnd is how the current Pod of a sync run has ended, or nil.
func (f *facts) syncEnd() *podEnd {
	if f.run.ID == "" || f.resource.Spec.ExecutionMode() != v1alpha1.ExecutionSync {
		return nil
	}
	pod := f.syncPod()
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
func (f *facts) nextSyncPod() *corev1.Pod {
	if f.syncPod() != nil || f.syncRetryIn() > 0 {
		return nil
	}
	template := f.podTemplate(runreport.RoleGenerate)
	pod := &corev1.Pod{ObjectMeta: f.objectMeta(syncPodName(f.run, f.run.Failures), runreport.RoleGenerate), Spec: template.Spec}
	if deadline := f.deadline(); !deadline.IsZero() {
		left := int64(math.Ceil(deadline.Sub(f.now).Seconds()))
		pod.Spec.ActiveDeadlineSeconds = new(max(left, 1))
	}
	return pod
}

// syncRetryIn is how long to wait before the next Pod of a sync run.
func (f *facts) syncRetryIn() time.Duration {
	if f.run.Failures == 0 || f.resource.Spec.ExecutionMode() != v1alpha1.ExecutionSync || f.syncPod() != nil {
		return 0
	}
	previous := f.podNamed(syncPodName(f.run, f.run.Failures-1))
	if previous == nil {
		return 0
	}
	end, over := endOf(previous)
	if !over {
		return 0
	}
	wait := min(firstSyncRetry<<min(f.run.Failures-1, 10), lastSyncRetry)
	return end.at.Add(wait).Sub(f.now)
}

// retireInterrupted makes a Pod of a sync run that was interrupted stale, so that its successor can have its name.
func (f *facts) retireInterrupted() {
	end := f.syncEnd()
	if f.lifetime != lifetimeActive || end == nil || consequenceOf(*end) != consequenceRetryFree || end.deadline {
		return
	}
	kept := f.workload.generating[:0:0]
	for _, pod := range f.workload.generating {
		if pod.Name == end.pod {
			f.stale.pods = append(f.stale.pods, pod)
		} else {
			kept = append(kept, pod)
		}
	}
	f.workload.generating = kept
}
