package datasetgeneration

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

var _ = Describe("A sync run", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("runs in one Pod, says so, and completes with a changed number of rows", func() {
		spec := syncSpec()
		spec.Parallelism = new(int32(4))
		w.create(spec)
		pod := w.syncPod(0)
		Expect(w.jobs()).To(BeEmpty())
		fallback := w.condition(v1alpha1.ConditionSyncFallback)
		Expect(fallback.Reason).To(Equal(v1alpha1.ReasonAllowResizeColumns))
		Expect(fallback.Message).To(ContainSubstring("twice"))
		Expect(w.get().Status.ExecutionMode).To(Equal(v1alpha1.ExecutionSync))
		w.run(pod)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		result := complete(100)
		result.Records.Actual, result.Records.Added = 180, 80
		w.end(pod, runreport.ExitOK, result)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(w.condition(v1alpha1.ConditionPartial)).To(BeZero())
		Expect(w.condition(v1alpha1.ConditionComplete).Message).To(Equal(
			"180 records are in the output: 100 were asked for, and processors or allowResize columns have added 80 records"))
		Expect(w.get().Status.Records.Actual).To(Equal(int64(180)))
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonAllowResizeColumns))
	})

	It("starts an interrupted Pod again without counting", func() {
		w.create(syncSpec())
		first := w.syncPod(0)
		w.run(first)
		w.end(first, runreport.ExitInterrupted, nil)
		Eventually(func() bool { second := w.syncPod(0); return second.UID != first.UID }).Should(BeTrue())
		Expect(w.get().Status.Run.Failures).To(BeZero())
	})

	It("counts failures, and gives up at the backoff limit", func() {
		spec := syncSpec()
		spec.Limits = &v1alpha1.Limits{BackoffLimit: new(int32(0))}
		w.create(spec)
		pod := w.syncPod(0)
		w.run(pod)
		w.end(pod, runreport.ExitRetry, nil)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonBackoffLimitExceeded))
		Expect(w.get().Status.Run.Failures).To(Equal(int32(1)))
	})
})

var _ = Describe("A sync run whose Pods are killed too often", func() {
	It("ends once, with what is in the output", func() {
		w := newWorld()
		spec := syncSpec()
		spec.Limits = &v1alpha1.Limits{BackoffLimit: new(int32(0))}
		w.create(spec)
		pod := w.syncPod(0)
		w.run(pod)
		w.end(pod, exitKilled, nil)
		finalize := w.job(runreport.RoleFinalize, 1)
		Eventually(func() int32 { return w.get().Status.Run.Failures }).Should(Equal(int32(1)))
		w.end(w.startPod(finalize, 0), runreport.ExitOK, withRecords(complete(100), 80, 0))
		w.finish(finalize, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonBackoffLimitExceeded))
		Expect(w.get().Status.Records.Actual).To(Equal(int64(80)))
		Expect(w.pods()).To(HaveLen(2), "no other Pod generates")
	})
})

var _ = Describe("Pods that do not start", func() {
	It("are reported after the startup timeout with their cause, and the run goes on when it is mended", func() {
		w := newWorld()
		spec := newSpec()
		spec.Output.PersistentVolumeClaim.ClaimName = "other"
		spec.Limits = &v1alpha1.Limits{StartupTimeoutSeconds: new(int32(1))}
		w.create(spec)
		pod := w.createPod(w.job(runreport.RoleGenerate, 1), 0)
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.Phase = corev1.PodPending
			status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse,
				Reason: corev1.PodReasonUnschedulable, Message: "a claim is not found"}}
		})
		// The time begins anew with the Pod, so that the report may have been there before it, and go away once more: that which stays knows
		// of the Pod.
		Eventually(func(g Gomega) {
			g.Expect(w.ready()).To(Equal(v1alpha1.ReasonPodStartupFailed))
			stalled := w.condition(v1alpha1.ConditionStalled)
			g.Expect(stalled.Status).To(Equal(metav1.ConditionTrue))
			g.Expect(stalled.Message).To(And(ContainSubstring(`"other" does not exist`),
				ContainSubstring("spec.output.persistentVolumeClaim.claimName"), ContainSubstring("cannot be scheduled")))
			g.Expect(w.condition(v1alpha1.ConditionAccepted).Reason).To(Equal(v1alpha1.ReasonReferenceNotFound))
		}).Should(Succeed())
		Expect(kube.Create(w.ctx, claim(w.namespace, "other"))).To(Succeed())
		w.run(pod)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		Expect(w.condition(v1alpha1.ConditionStalled)).To(BeZero())
		Expect(w.condition(v1alpha1.ConditionAccepted).Status).To(Equal(metav1.ConditionTrue))
	})
})
