package datasetgeneration

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// TestRunsAreCountedOnce follows a run from its start to its end, each status of which is seen twice.
func TestRunsAreCountedOnce(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	metrics, err := NewMetrics(registry)
	if err != nil {
		t.Fatal(err)
	}
	waits := fixture{spec: newSpec(), age: 3 * time.Second}.reconcile().Status
	runs := fixture{spec: newSpec(), age: 3 * time.Second, pods: []corev1.Pod{runningPod()}}.reconcile().Status
	ends := fixture{
		spec: newSpec(), age: 3 * time.Second, jobEnd: jobCondition(batchv1.JobComplete, ""), pods: []corev1.Pod{endedPod(0, recordsOf(95, 5))},
	}.reconcile().Status
	for _, step := range [][2]*v1alpha1.DatasetGenerationStatus{{&waits, &waits}, {&waits, &runs}, {&runs, &runs}, {&runs, &ends}, {&ends, &ends}} {
		metrics.observe(step[0], step[1], testNow)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += " " + label.GetValue()
			}
			if histogram := metric.GetHistogram(); histogram != nil {
				got[name+" count"], got[name+" sum"] = float64(histogram.GetSampleCount()), histogram.GetSampleSum()
			} else {
				got[name] = metric.GetCounter().GetValue()
			}
		}
	}
	want := map[string]float64{
		"seedloom_runs_finished_total Partial":        1,
		"seedloom_run_start_seconds count":            1,
		"seedloom_run_start_seconds sum":              3,
		"seedloom_run_duration_seconds Partial count": 1,
		"seedloom_run_duration_seconds Partial sum":   3,
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}
