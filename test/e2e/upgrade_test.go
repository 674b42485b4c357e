package e2e

import (
	"context"
	"os"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	// formerVariable names the manifests of the version before, whose image is in the cluster (former.sh).
	formerVariable = "E2E_FORMER"
	formerImage    = "seedloom.dev/seedloom:former"
	currentImage   = "seedloom.dev/seedloom:dev"
)

// No other test runs at the same time: the operator is replaced by the one before, and back.
var _ = Describe("An upgrade from the version before", Serial, func() {
	It("lets Pods end with the image that they have, and has the next attempt go on in their files", func(ctx SpecContext) {
		former := os.Getenv(formerVariable)
		if former == "" {
			Skip(formerVariable + " names no manifests of the version before: test/e2e/former.sh makes them where there is one in the history")
		}
		w := newWorld(ctx, "")
		deploy := func(ctx context.Context, overlay string) {
			w.kubectl(ctx, "apply", "--server-side", "--force-conflicts", "--namespace", operatorNamespace, "--kustomize", overlay)
			w.kubectl(ctx, "rollout", "status", "deployment", "--namespace", operatorNamespace, "--timeout=120s")
		}
		current, err := filepath.Abs(filepath.Join(repositoryRoot, "config", "default"))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func(ctx context.Context) { deploy(ctx, current) }, NodeTimeout(3*time.Minute))
		deploy(ctx, former)

		w.simulator.answerAfter(ctx, "2s") // so that the runs are still in their middle when the operator has been replaced
		w.apply(ctx, stories, named("goes-on"), shards(2))
		w.apply(ctx, stories, named("resumes"))
		w.waitForCheckpoints(ctx, "goes-on", 2)
		w.waitForCheckpoints(ctx, "resumes", 2)
		before, hash := w.imagesOf(ctx, "goes-on"), w.get(ctx, "resumes").Status.Run.ConfigHash
		Expect(before).To(HaveLen(2))
		deploy(ctx, current)

		By("stopping a run, and resuming it with the new image")
		w.patch(ctx, "resumes", `{"spec":{"suspend":true}}`)
		Eventually(ctx, func() []corev1.Pod { return w.enginePods(ctx, "resumes") }).WithTimeout(startTimeout).Should(BeEmpty())
		kept := readParquet(ctx, w.checkpoints("resumes")...).column("id")
		Expect(len(kept)).To(And(BeNumerically(">", 0), BeNumerically("<", 120)), "it was stopped in its middle")
		w.simulator.answerAfter(ctx, "50ms")
		w.patch(ctx, "resumes", `{"spec":{"suspend":false}}`)
		resumed := w.waitFor(ctx, "resumes", v1alpha1.ConditionComplete)
		ended := w.waitFor(ctx, "goes-on", v1alpha1.ConditionComplete)
		if resumed.Status.Run.ConfigHash != hash {
			Skip("this version makes other rows of the same spec than the one before, so that runs begin anew")
		}
		Expect(resumed.Status.Run.Attempt).To(BeEquivalentTo(2))
		Expect(w.imagesOf(ctx, "resumes")).To(HaveEach(currentImage))
		prompts := w.simulator.prompts(ctx)
		for _, id := range kept {
			// Both datasets have the same rows.
			Expect(prompts[id]).To(BeNumerically("<=", 2), "requests for row %s, which the engine before has made", id)
		}

		By("leaving the Pods of the other run alone")
		Expect(ended.Status.Run.Attempt).To(BeEquivalentTo(1))
		after := w.imagesOf(ctx, "goes-on")
		for pod, image := range before {
			Expect(image).To(Equal(formerImage))
			Expect(after).To(HaveKeyWithValue(pod, formerImage), "the Pod is the one that there was")
		}
		for _, dataset := range []*v1alpha1.DatasetGeneration{ended, resumed} {
			Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
			Expect(distinct(w.readDataset(ctx, dataset).column("id"))).To(Equal(120))
			expectAccounted(dataset)
		}
	}, SpecTimeout(8*time.Minute))
})

// imagesOf are the images of the Pods of a dataset by their names.
func (w *world) imagesOf(ctx context.Context, dataset string) map[string]string {
	GinkgoHelper()
	images := map[string]string{}
	for _, pod := range w.enginePods(ctx, dataset) {
		images[pod.Name] = pod.Spec.Containers[0].Image
	}
	return images
}
