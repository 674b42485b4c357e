package datasetgeneration

import (
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"seedloom.dev/seedloom/engine/plan"
)

// BenchmarkAtRest is what one look at a resource costs whose run has ended, beside the reads from the cache.
func BenchmarkAtRest(b *testing.B) {
	ended := fixture{spec: newSpec(), jobEnd: jobCondition(batchv1.JobComplete, ""), pods: []corev1.Pod{endedPod(0, recordsOf(100, 0))}}
	in := ended.input()
	in.resource.Status = decide(in).status(nil)
	b.ReportAllocs()
	for b.Loop() {
		spec := &in.resource.Spec
		in.violations = slices.Concat(plan.Validate(spec), invalidReferences(spec), oversized(spec))
		in.configHash, in.advice = plan.ConfigHash(spec), plan.Warnings(spec)
		if got := decide(in).status(nil); !equality.Semantic.DeepEqual(got, in.resource.Status) {
			b.Fatal("a resource at rest is written")
		}
	}
}
