package enginepods

import (
	corev1 "k8s.io/api/core/v1"
)

func runningPod() corev1.Pod {
	return corev1.Pod{Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{
		{Name: Container, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}},
	}}}
}
