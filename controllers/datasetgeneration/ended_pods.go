package datasetgeneration

import (
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// endedPods remembers what Pods have left as their result: when a run is stopped, they are gone so soon that a reconcile may not see
// them any more. It learns of them by the watch. A controller that begins anew knows nothing of those that were gone before.
type endedPods struct {
	mutex sync.Mutex
	// pods are the ended Pods of a resource; only what says how they have ended is kept of them.
	pods map[types.NamespacedName]map[types.UID]corev1.Pod
}

// note remembers a Pod that has ended. Only those of shards count: what a finalizing Pod says is of all of them.
func (e *endedPods) note(resource types.NamespacedName, pod *corev1.Pod) {
	status := enginepods.EngineStatus(pod)
	isShard := pod.Labels[v1alpha1.LabelRole] == runreport.RoleGenerate
	if !isShard || !enginepods.IsOver(pod) || status == nil || status.State.Terminated == nil {
		return
	}
	e.mutex.Lock()
	defer e.mutex.Unlock()
	if e.pods == nil {
		e.pods = map[types.NamespacedName]map[types.UID]corev1.Pod{}
	}
	if e.pods[resource] == nil {
		e.pods[resource] = map[types.UID]corev1.Pod{}
	}
	e.pods[resource][pod.UID] = corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID, Labels: pod.Labels, CreationTimestamp: pod.CreationTimestamp,
		},
		Status: corev1.PodStatus{Phase: pod.Status.Phase, ContainerStatuses: []corev1.ContainerStatus{*status}},
	}
}

// of returns the Pods of the attempt of a resource that have ended, and forgets all others. Those that are older than the resource are of
// another one that had its name; both times are by the clock of the API server.
func (e *endedPods) of(owner *v1alpha1.DatasetGeneration) []corev1.Pod {
	resource, run := client.ObjectKeyFromObject(owner), owner.Status.Run
	e.mutex.Lock()
	defer e.mutex.Unlock()
	var pods []corev1.Pod
	for uid, pod := range e.pods[resource] {
		if run == nil || pod.Labels[v1alpha1.LabelRun] != run.ID || pod.Labels[v1alpha1.LabelAttempt] != fmt.Sprint(run.Attempt) ||
			pod.CreationTimestamp.Before(&owner.CreationTimestamp) {
			delete(e.pods[resource], uid)
			continue
		}
		pods = append(pods, pod)
	}
	return pods
}

// forget is called when the resource is gone.
func (e *endedPods) forget(resource types.NamespacedName) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	delete(e.pods, resource)
}
