package datasetgeneration

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

var _ = Describe("A finished run", func() {
	completes := func(w *world) {
		GinkgoHelper()
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
	}
	configMaps := func(w *world) []corev1.ConfigMap {
		GinkgoHelper()
		var list corev1.ConfigMapList
		Expect(kube.List(w.ctx, &list, client.InNamespace(w.namespace), client.MatchingLabels(ManagedBySelector()))).To(Succeed())
		return list.Items
	}

	It("keeps its Jobs and Pods for as long as the spec says, and its status for ever", func() {
		w := newWorld()
		w.create(newSpec())
		completes(w)
		version := w.settled()
		Expect(w.jobs()).To(HaveLen(1), "without a time they stay")
		status := w.get().Status
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.TTLSecondsAfterFinished = new(int32(3600)) })
		Eventually(func() int64 { return w.get().Status.ObservedGeneration }).Should(Equal(int64(2)))
		Expect(w.jobs()).To(HaveLen(1), "the time has not passed")
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.TTLSecondsAfterFinished = new(int32(1)) })
		Eventually(w.jobs).Should(BeEmpty())
		Eventually(w.pods).Should(BeEmpty())
		Eventually(func() []corev1.ConfigMap { return configMaps(w) }).Should(BeEmpty())
		Expect(w.settled()).NotTo(Equal(version))
		after := w.get().Status
		Expect(after.ObservedGeneration).To(Equal(int64(3)))
		after.ObservedGeneration = status.ObservedGeneration
		for i := range after.Conditions {
			after.Conditions[i].ObservedGeneration = status.Conditions[i].ObservedGeneration
		}
		Expect(after).To(Equal(status), "what is told of the run stays")
		Consistently(w.jobs, "500ms").Should(BeEmpty(), "nothing is run again")

		By("what is asked for afterwards")
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.NumRecords = 150 })
		w.job(runreport.RoleGenerate, 2)
	})

	It("goes by the operator's configuration where the spec says nothing", func() {
		w := newWorldOf(Options{TTLSecondsAfterFinished: new(int32(0))})
		w.create(newSpec())
		completes(w)
		Eventually(w.jobs).Should(BeEmpty())
		Eventually(func() []corev1.ConfigMap { return configMaps(w) }).Should(BeEmpty())
		Expect(w.condition(v1alpha1.ConditionComplete).Reason).To(Equal(v1alpha1.ReasonAllRecords))
	})
})

var _ = Describe("A resource whose dataset goes with it", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	deleting := func() v1alpha1.DatasetGenerationSpec {
		spec := newSpec()
		spec.Output.RetentionPolicy = v1alpha1.RetentionDelete
		return spec
	}
	gone := func() bool {
		return w.gone(&v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reviews"}})
	}
	deletion := func() *batchv1.Job {
		GinkgoHelper()
		return w.job(runreport.RoleDelete, 1)
	}

	It("waits for its Pods, and then for a Job that deletes, however it is deleted", func() {
		spec := deleting()
		spec.Pod = &v1alpha1.PodSettings{Volumes: []v1alpha1.PodVolume{
			{Name: "keys", MountPath: "/keys", Secret: &v1alpha1.SecretReference{Name: "gone"}},
		}}
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		Expect(w.get().Finalizers).To(ConsistOf(v1alpha1.FinalizerOutput))
		w.setFinalizers(pod, "test/kubelet")
		Expect(kube.Delete(w.ctx, w.get(), client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonDeletingOutput))
		Expect(w.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring("waiting for the Pods"))
		for _, job := range w.jobs() {
			Expect(job.Labels[v1alpha1.LabelRole]).To(Equal(runreport.RoleGenerate), "nothing is deleted while something writes")
		}
		w.setFinalizers(pod)
		cleanUp := deletion()
		Expect(cleanUp.OwnerReferences).To(BeEmpty())
		template := cleanUp.Spec.Template.Spec
		Expect(template.Containers[0].Command).To(Equal([]string{"/engine", "delete"}))
		Expect(template.Containers[0].Args).To(Equal([]string{w.namespace, "reviews"}))
		Expect(template.Volumes).To(ConsistOf(HaveField("Name", "output"), HaveField("Name", "tmp")))
		Expect(template.Containers[0].VolumeMounts).To(ConsistOf(HaveField("Name", "output"), HaveField("Name", "tmp")))
		w.createPod(cleanUp, 0)
		Expect(gone()).To(BeFalse())
		w.finish(cleanUp, "")
		w.expectGone()
		Eventually(func() bool { return w.gone(cleanUp) }).Should(BeTrue())
	})

	It("says why its dataset could not be deleted, tries again when the Job is deleted, and goes when the dataset may stay", func() {
		w.create(deleting())
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		cleanUp := deletion()
		pod := w.startPod(cleanUp, 0)
		w.end(pod, runreport.ExitStorage, nil)
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.ContainerStatuses[0].State.Terminated.Message =
				`{"level":"ERROR","msg":"the datasets could not be deleted","error":"the volume is read-only"}`
		})
		w.finish(cleanUp, batchv1.JobReasonBackoffLimitExceeded)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonOutputDeletionFailed))
		Eventually(func() string { return w.condition(v1alpha1.ConditionStalled).Message }).Should(And(
			ContainSubstring("the volume is read-only"), ContainSubstring("kubectl delete job "+cleanUp.Name+" --namespace "+w.namespace)))
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonOutputDeletionFailed))
		Expect(gone()).To(BeFalse())
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Output.RetentionPolicy = v1alpha1.RetentionRetain
		})
		w.expectGone()
	})

	It("waits for nothing when its claim is gone, or nothing was ever started", func() {
		spec := deleting()
		spec.Output.PersistentVolumeClaim.ClaimName = "missing"
		w.create(spec)
		w.job(runreport.RoleGenerate, 1)
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		w.expectGone()
		spec.Suspend = new(true)
		w.create(spec)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSuspended))
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		w.expectGone()
	})

	It("does not hold up its namespace", func() {
		w.create(deleting())
		job := w.job(runreport.RoleGenerate, 1)
		w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
		Expect(kube.Delete(w.ctx, namespace)).To(Succeed())
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		w.expectGone()
	})

	It("follows an edit of the policy", func() {
		w.create(newSpec())
		w.job(runreport.RoleGenerate, 1)
		Expect(w.get().Finalizers).To(BeEmpty())
		set := func(policy v1alpha1.RetentionPolicy) {
			w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Output.RetentionPolicy = policy })
		}
		set(v1alpha1.RetentionDelete)
		Eventually(func() []string { return w.get().Finalizers }).Should(ConsistOf(v1alpha1.FinalizerOutput))
		set(v1alpha1.RetentionRetain)
		Eventually(func() []string { return w.get().Finalizers }).Should(BeEmpty())
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)), "the run goes on")
	})
})

// expectGone waits until the resource is gone. No garbage collector of the test ends a deletion in the foreground for it.
func (w *world) expectGone() {
	GinkgoHelper()
	resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "reviews"}}
	Eventually(func() bool {
		if err := kube.Get(w.ctx, client.ObjectKeyFromObject(resource), resource); err != nil {
			return client.IgnoreNotFound(err) == nil
		}
		if len(resource.Finalizers) == 1 && resource.Finalizers[0] == metav1.FinalizerDeleteDependents {
			resource.Finalizers = nil
			_ = kube.Update(w.ctx, resource)
		}
		return false
	}, 30*time.Second).Should(BeTrue())
}
