package datasetgeneration

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// trackingFinalizer keeps a Pod of a Job until the Job controller has counted it.
const trackingFinalizer = "batch.kubernetes.io/job-tracking"

func TestEndedPodsAreRememberedForTheirAttempt(t *testing.T) {
	var ended endedPods
	key := types.NamespacedName{Name: "reviews"}
	start := metav1.Time{Time: testNow}
	resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Name: key.Name, CreationTimestamp: start}}
	// The clock of the manager is an hour ahead of that of the API server.
	resource.Status.Run = &v1alpha1.RunStatus{ID: "run", Attempt: 2, StartTime: &metav1.Time{Time: testNow.Add(time.Hour)}}
	for name, test := range map[string]struct {
		change func(*corev1.Pod)
		want   int
	}{
		"of the attempt":                   {func(*corev1.Pod) {}, 1},
		"still running":                    {func(pod *corev1.Pod) { pod.Status = runningPod().Status }, 0},
		"of another attempt":               {func(pod *corev1.Pod) { pod.Labels[v1alpha1.LabelAttempt] = "1" }, 0},
		"of another run":                   {func(pod *corev1.Pod) { pod.Labels[v1alpha1.LabelRun] = "other" }, 0},
		"that finalizes all shards":        {func(pod *corev1.Pod) { pod.Labels[v1alpha1.LabelRole] = runreport.RoleFinalize }, 0},
		"of a former resource of its name": {func(pod *corev1.Pod) { pod.CreationTimestamp.Time = testNow.Add(-3600e9) }, 0},
	} {
		pod := endedPod(runreport.ExitInterrupted, recordsOf(60, 0))
		pod.UID, pod.CreationTimestamp = "pod", start
		pod.Labels = map[string]string{
			v1alpha1.LabelRun: "run", v1alpha1.LabelAttempt: "2", v1alpha1.LabelRole: runreport.RoleGenerate,
		}
		test.change(&pod)
		ended.note(key, &pod)
		if got := len(ended.of(resource)); got != test.want {
			t.Errorf("a Pod %s: %d are remembered, want %d", name, got, test.want)
		}
		ended.forget(key)
		if got := len(ended.of(resource)); got != 0 {
			t.Errorf("a Pod %s: %d are remembered of a resource that is gone", name, got)
		}
	}
}

var _ = Describe("A run that is stopped", func() {
	It("shows at rest what its Pods have left, although they are gone at once", func() {
		w := newWorld()
		spec := newSpec()
		spec.Parallelism = new(int32(2))
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		pods := []*corev1.Pod{w.startPod(job, 0), w.startPod(job, 1)}
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		for _, pod := range pods {
			w.setFinalizers(pod, trackingFinalizer)
		}
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = new(true) })
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSuspended))
		for i, pod := range pods {
			w.end(pod, runreport.ExitInterrupted, withRecords(complete(50), int64(20+i), 0))
			w.setFinalizers(pod)
		}
		Eventually(w.pods).Should(BeEmpty())
		Eventually(func() int64 { return w.get().Status.Records.Actual }).Should(Equal(int64(41)))
		Expect(w.get().Status.Records.Summary).To(Equal("41/100"))
	})
})

var _ = Describe("A namespace that is being deleted", func() {
	It("does not wait for Pods that a Job keeps", func() {
		w := newWorld()
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		w.setFinalizers(pod, trackingFinalizer)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		Expect(kube.Delete(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}})).To(Succeed())
		// The namespace controller deletes Pods before all else.
		Expect(kube.Delete(w.ctx, pod)).To(Succeed())
		Eventually(func() bool { return w.gone(job) }).Should(BeTrue())
		w.setFinalizers(pod)
	})
})

var _ = Describe("A request for another attempt", func() {
	It("replaces what has not begun to run, and says that the attempt goes on", func() {
		w := newWorld()
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.updatePod(w.createPod(job, 0), func(status *corev1.PodStatus) { status.Phase = corev1.PodPending })
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		})
		var next *batchv1.Job
		Eventually(func() types.UID { next = w.job(runreport.RoleGenerate, 1); return next.UID }).ShouldNot(Equal(job.UID))
		Expect(next.Name).To(Equal(job.Name))
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonRetryNotStarted))
		w.end(w.startPod(next, 0), runreport.ExitOK, complete(100))
		w.finish(next, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		// Nothing is missing: that is said, and nothing else is done.
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations[v1alpha1.AnnotationRetryRequestedAt] = "later"
		})
		Eventually(func() string { return w.get().Status.LastHandledRetryRequest }).Should(Equal("later"))
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)))
	})
})
