package e2e

import (
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("What a run leaves", func() {
	It("goes after a while, but for its status and its rows, and nothing is run again", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, stories, records(20), func(dataset *v1alpha1.DatasetGeneration) { dataset.Spec.TTLSecondsAfterFinished = new(int32(2)) })
		w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Eventually(ctx, func() int {
			var jobs batchv1.JobList
			selector := client.MatchingLabels{v1alpha1.LabelDataset: "stories"}
			Expect(apiClient.List(ctx, &jobs, client.InNamespace(w.namespace), selector)).To(Succeed())
			return len(jobs.Items) + len(w.enginePods(ctx, "stories"))
		}).WithTimeout(startTimeout).Should(BeZero())
		requests := w.simulator.requests(ctx)
		Consistently(ctx, func() int { return len(w.enginePods(ctx, "stories")) }).WithTimeout(3 * time.Second).Should(BeZero())
		Expect(w.simulator.requests(ctx)).To(Equal(requests))
		dataset := w.get(ctx, "stories")
		Expect(conditionOf(dataset, v1alpha1.ConditionComplete).Status).To(Equal(metav1.ConditionTrue))
		Expect(w.readDataset(ctx, dataset).values).To(HaveLen(20))
	})

	It("goes with the resource where the policy says so, whether it is complete or generates", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		deleted := func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Output.RetentionPolicy = v1alpha1.RetentionDelete
		}
		w.apply(ctx, stories, records(20), named("kept"))
		w.apply(ctx, stories, records(20), deleted)
		kept := w.waitFor(ctx, "kept", v1alpha1.ConditionComplete)
		w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		w.simulator.answerAfter(ctx, "1s") // so that the third run is still in its middle when it is deleted
		w.apply(ctx, stories, shards(2), named("halfway"), deleted)
		w.waitForCheckpoints(ctx, "halfway", 2)

		for _, name := range []string{"stories", "halfway"} {
			// In the foreground, as GitOps tools do it.
			Expect(apiClient.Delete(ctx, w.get(ctx, name), client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		}
		for _, name := range []string{"stories", "halfway"} {
			Eventually(ctx, func() bool {
				return apierrors.IsNotFound(apiClient.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, &v1alpha1.DatasetGeneration{}))
			}).WithTimeout(runTimeout).Should(BeTrue(), name)
			Expect(filepath.Join(w.volume, w.namespace, name)).NotTo(BeAnExistingFile())
		}
		Expect(w.readDataset(ctx, kept).values).To(HaveLen(20))
	})
})
