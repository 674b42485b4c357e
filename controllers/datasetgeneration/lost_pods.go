package datasetgeneration

import (
	"fmt"
	"time"

	"seedloom.dev/seedloom/controllers/enginepods"
)

// lostAfter is for how long after its time to stop a Pod may still be there before its node is taken to be down: a kubelet that answers
// ends what does not stop by itself.
const lostAfter = 30 * time.Second

// lostPod says that a Pod should have stopped long ago and may still run, so that nothing takes its place; empty where there is none.
// Kubernetes itself waits for the node: only its owner knows whether it comes back.
func (s *situation) lostPod() string {
	for i := range s.children.pods {
		pod := &s.children.pods[i]
		if pod.DeletionTimestamp == nil || enginepods.IsOver(pod) || s.now.Sub(pod.DeletionTimestamp.Time) < lostAfter {
			continue
		}
		return fmt.Sprintf("Pod %s should have stopped by %s and has not: its node %q may be down. It is waited for, since it may still write; "+
			"the run goes on by itself when the node is back, or when it is gone for good and you run: kubectl delete node %s",
			pod.Name, clock(pod.DeletionTimestamp.Time), pod.Spec.NodeName, pod.Spec.NodeName)
	}
	return ""
}
