package enginepods

import (
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// Container is the name of the container in which the engine runs.
	Container = "engine"
	// ShardLabel is set by the Job controller on the Pods of an Indexed Job.
	ShardLabel = batchv1.JobCompletionIndexAnnotation
)

// IsOver says whether all containers of the Pod have ended for good.
func IsOver(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// IsRunning says whether the engine runs at this moment.
func IsRunning(pod *corev1.Pod) bool {
	status := EngineStatus(pod)
	return !IsOver(pod) && status != nil && status.State.Running != nil
}

// HasRun says whether the engine in a Pod has begun to run; its container ends a little before its Pod is over.
func HasRun(pod *corev1.Pod) bool {
	status := EngineStatus(pod)
	return status != nil && (status.State.Running != nil || status.State.Terminated != nil)
}

// EngineStatus is what the kubelet says of the engine's container, or nil while it has said nothing.
func EngineStatus(pod *corev1.Pod) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == Container {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// ShardOf is the shard that a Pod generates: its index, or 0 where it has none, as in a run of a single Pod.
func ShardOf(pod *corev1.Pod) int32 {
	index, err := strconv.ParseInt(pod.Labels[ShardLabel], 10, 32)
	if err != nil {
		return 0
	}
	return int32(index)
}

// isReachable says whether a Pod is one that generates at this moment, and where it can be asked.
func isReachable(pod *corev1.Pod) bool {
	return pod.Labels[v1alpha1.LabelRole] == runreport.RoleGenerate && IsRunning(pod) && pod.Status.PodIP != ""
}
