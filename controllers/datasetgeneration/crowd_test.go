package datasetgeneration

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestWhatWaitsIsLookedAtLessOften has attempts without a Pod that runs.
func TestWhatWaitsIsLookedAtLessOften(t *testing.T) {
	for name, test := range map[string]struct {
		age  time.Duration
		pods []corev1.Pod
		want time.Duration
	}{
		"just begun":                    {0, nil, pollInterval},
		"for a little":                  {40 * time.Second, nil, 5 * time.Second},
		"it is told in time":            {118 * time.Second, nil, pollInterval},
		"for minutes":                   {4 * time.Minute, nil, 30 * time.Second},
		"for hours":                     {5 * time.Hour, nil, maxPollInterval},
		"one that runs for hours":       {5 * time.Hour, []corev1.Pod{runningPod()}, pollInterval},
		"one that waits with its image": {5 * time.Hour, []corev1.Pod{waitingPod("ErrImagePull", "")}, maxPollInterval},
	} {
		result := decide(fixture{spec: newSpec(), age: test.age, pods: test.pods}.input()).nextLook()
		if result.RequeueAfter != test.want {
			t.Errorf("%s: looked at again after %s, want %s", name, result.RequeueAfter, test.want)
		}
		if result.Priority == nil || *result.Priority >= 0 {
			t.Errorf("%s: a look without an event goes before those with one", name)
		}
	}
}
