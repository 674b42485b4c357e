package e2e

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("The life of a run", func() {
	It("pauses when suspended, and goes on from its checkpoints when resumed", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerAfter(ctx, "500ms") // so that the run is still in its middle when a busy cluster has suspended it
		w.apply(ctx, stories)
		w.waitForCheckpoints(ctx, "stories", 3)

		By("stopping the Pods, keeping the files and sending no request while suspended")
		w.patch(ctx, "stories", `{"spec":{"suspend":true}}`)
		w.waitForState(ctx, "stories", v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonUserRequested)
		Eventually(ctx, func() int { return len(w.enginePods(ctx, "stories")) }).WithTimeout(startTimeout).Should(BeZero())
		checkpointed := w.checkpoints("stories")
		kept := readParquet(ctx, checkpointed...)
		requests := w.simulator.requests(ctx)
		Consistently(ctx, func() int { return w.simulator.requests(ctx) }).WithTimeout(3 * time.Second).Should(Equal(requests))
		suspended := w.get(ctx, "stories")
		Expect(conditionOf(suspended, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonSuspended))
		Expect(len(kept.values)).To(And(BeNumerically(">=", 30), BeNumerically("<", 120)), "the run was suspended in its middle")

		By("going on when resumed")
		w.simulator.answerAfter(ctx, "50ms")
		w.patch(ctx, "stories", `{"spec":{"suspend":false}}`)
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(conditionOf(dataset, v1alpha1.ConditionSuspended).Status).To(Equal(metav1.ConditionFalse))
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
		Expect(dataset.Status.Run.ID).To(Equal(suspended.Status.Run.ID), "it is the same run")
		expectAccounted(dataset)
		By("having every row that was written before, and having asked for none of them again")
		// Row groups that were cut short are written anew when the rest of their rows is there: rows count here, not files.
		Expect(w.readDataset(ctx, dataset).values).To(ContainElements(kept.values))
		prompts := w.simulator.prompts(ctx)
		for _, id := range kept.column("id") {
			Expect(prompts).To(HaveKeyWithValue(id, 1), "requests for the checkpointed row %s", id)
		}
	})

	It("ends with the resource: the Pods stop within the grace period, and the files stay", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerAfter(ctx, "1s") // so that the run is still in its middle when a busy cluster has deleted it
		dataset := w.apply(ctx, stories, shards(2))
		w.waitForCheckpoints(ctx, "stories", 3)
		pod := w.runningPod(ctx, "stories")
		grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second

		Expect(apiClient.Delete(ctx, dataset, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		// The garbage collector and the kubelet need a moment beside the Pod's own grace period.
		Eventually(ctx, func() int { return len(w.enginePods(ctx, "stories")) }).WithTimeout(grace + 15*time.Second).Should(BeZero())

		files := w.checkpoints("stories")
		Expect(len(files)).To(BeNumerically(">=", 3))
		Expect(readParquet(ctx, files...).values).NotTo(BeEmpty(), "what was generated is readable")
		requests := w.simulator.requests(ctx)
		Consistently(ctx, func() int { return w.simulator.requests(ctx) }).WithTimeout(3 * time.Second).Should(Equal(requests))
		Expect(requests).To(BeNumerically("<", 120), "the resource was deleted in mid-run")
	})
})
