package datasetgeneration

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	publishes     = "publishes a complete dataset by a Job that alone has the token, and says where it is"
	asksToPublish = "says why a dataset could not be published, and publishes it when asked again"
)

// publishedSpec is a spec whose dataset is published.
func publishedSpec() v1alpha1.DatasetGenerationSpec {
	spec := newSpec()
	spec.Seed = &v1alpha1.Seed{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimSeed{ClaimName: "datasets", Path: "seed.csv"}}
	spec.Publish = &v1alpha1.Publish{HuggingFace: &v1alpha1.HuggingFaceRepository{
		Repository: "team/reviews", TokenSecretRef: v1alpha1.SecretKeyReference{Name: "hub", Key: "token"},
	}}
	return spec
}

// endPublishing has a Pod that publishes end.
func (w *world) endPublishing(pod *corev1.Pod, code int32, result runreport.PublicationResult) {
	GinkgoHelper()
	w.endSaying(pod, code, string(result.Encode()))
}

func (w *world) published() string {
	condition := w.condition(v1alpha1.ConditionPublished)
	return string(condition.Status) + " " + condition.Reason
}

// completeRun has the only shard of the run end well.
func (w *world) completeRun(attempt int) {
	GinkgoHelper()
	job := w.job(runreport.RoleGenerate, attempt)
	w.end(w.startPod(job, 0), runreport.ExitOK, complete(100))
	w.finish(job, "")
	Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
}

// secretsOf are the Secrets that the containers of a Job's Pods get variables from.
func secretsOf(job *batchv1.Job) (names []string) {
	for _, variable := range job.Spec.Template.Spec.Containers[0].Env {
		if variable.ValueFrom != nil && variable.ValueFrom.SecretKeyRef != nil {
			names = append(names, variable.ValueFrom.SecretKeyRef.Name)
		}
	}
	return names
}

var _ = Describe("Publishing", func() {
	It(publishes, func() {
		w := newWorld()
		w.create(publishedSpec())
		Expect(secretsOf(w.job(runreport.RoleGenerate, 1))).To(BeEmpty())
		w.completeRun(1)
		job := w.job(runreport.RolePublish, 1)
		Expect(secretsOf(job)).To(ConsistOf("hub"))
		pod := job.Spec.Template.Spec
		Expect(pod.Containers[0].Command).To(Equal([]string{runreport.EnginePath, runreport.RolePublish}))
		for _, mount := range pod.Containers[0].VolumeMounts {
			Expect(mount.ReadOnly || mount.Name == volumeTmp).To(BeTrue(), "%s can be written to", mount.MountPath)
			Expect(mount.MountPath).NotTo(Equal(runreport.SeedDirectory))
		}
		Eventually(w.published).Should(Equal("Unknown " + v1alpha1.ReasonPublishing))
		Expect(w.ready()).To(Equal(v1alpha1.ReasonSucceeded))

		By("trying again")
		first := w.startPod(job, 0)
		w.endPublishing(first, runreport.ExitRetry, runreport.PublicationResult{
			Reason: v1alpha1.ReasonPublicationFailed, Message: "hub.example answers 503",
		})
		Eventually(w.published).Should(Equal("Unknown " + v1alpha1.ReasonProgressingWithRetry))
		Expect(w.condition(v1alpha1.ConditionPublished).Message).To(ContainSubstring("hub.example answers 503"))

		By("having published")
		commit := strings.Repeat("ab", 20)
		w.endPublishing(w.startPod(job, 0), runreport.ExitOK, runreport.PublicationResult{
			URL: "https://hub.example/datasets/team/reviews", Commit: commit, Uploaded: 3,
		})
		w.finish(job, "")
		Eventually(w.published).Should(Equal("True " + v1alpha1.ReasonPublished))
		status := w.get().Status.Publication
		Expect(status.URL).To(Equal("https://hub.example/datasets/team/reviews"))
		Expect([]string{status.Commit, status.Repository, status.Revision}).To(Equal([]string{commit, "team/reviews", "main"}))
		Expect(w.condition(v1alpha1.ConditionPublished).Message).To(ContainSubstring(commit))
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonPublished))

		By("leaving it alone when the Job is gone")
		Expect(kube.Delete(w.ctx, job)).To(Succeed())
		Consistently(func() int { return len(w.jobs()) }, time.Second).Should(BeNumerically("<=", 2))
		Expect(w.published()).To(Equal("True " + v1alpha1.ReasonPublished))

		By("publishing it anew elsewhere")
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Publish.HuggingFace.Revision = "v2" })
		next := w.job(runreport.RolePublish, 1)
		Expect(next.Name).NotTo(Equal(job.Name))
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)))

		By("not publishing any more")
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Publish = nil })
		Eventually(func() *v1alpha1.PublicationStatus { return w.get().Status.Publication }).Should(BeNil())
		Expect(w.condition(v1alpha1.ConditionPublished)).To(Equal(metav1.Condition{}))
	})

	It(asksToPublish, func() {
		w := newWorld()
		w.create(publishedSpec())
		w.completeRun(1)
		job := w.job(runreport.RolePublish, 1)
		pod := w.createPod(job, 0)
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.Phase = corev1.PodPending
			status.ContainerStatuses = []corev1.ContainerStatus{{Name: enginepods.Container, State: corev1.ContainerState{
				Waiting: &corev1.ContainerStateWaiting{Reason: "CreateContainerConfigError", Message: `secret "hub" not found`},
			}}}
		})
		Eventually(func() string { return w.condition(v1alpha1.ConditionPublished).Message }).Should(ContainSubstring(`secret "hub" not found`))
		w.endPublishing(pod, runreport.ExitInvalid, runreport.PublicationResult{
			Reason: v1alpha1.ReasonPublicationRefused, Message: "hub.example answers 401 Unauthorized",
		})
		w.finish(job, batchv1.JobReasonPodFailurePolicy)
		Eventually(w.published).Should(Equal("False " + v1alpha1.ReasonPublicationRefused))
		Expect(w.condition(v1alpha1.ConditionPublished).Message).To(And(ContainSubstring("401 Unauthorized"),
			ContainSubstring(v1alpha1.AnnotationRetryRequestedAt)))
		Expect(w.ready()).To(Equal(v1alpha1.ReasonSucceeded))
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonPublicationRefused))

		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		})
		Eventually(w.published).Should(Equal("Unknown " + v1alpha1.ReasonPublishing))
		Eventually(func() bool { return w.job(runreport.RolePublish, 1).UID != job.UID }).Should(BeTrue())
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)))
		Expect(w.eventReasons()).NotTo(ContainElement(v1alpha1.ReasonRetryNotStarted))

		By("giving up on a hub that is down")
		again := w.job(runreport.RolePublish, 1)
		w.endPublishing(w.startPod(again, 0), runreport.ExitRetry, runreport.PublicationResult{
			Reason: v1alpha1.ReasonPublicationFailed, Message: "hub.example: connection refused",
		})
		w.finish(again, batchv1.JobReasonBackoffLimitExceeded)
		Eventually(w.published).Should(Equal("False " + v1alpha1.ReasonPublicationFailed))

		By("publishing what another attempt has added")
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.NumRecords = 101 })
		w.job(runreport.RoleGenerate, 2)
		Eventually(w.published).Should(Equal(" "))
	})
})
