package e2e

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("A column with allowResize", func() {
	It("makes the run fall back to one Pod in sync mode, and says so", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, shirts, shards(3))
		dataset := w.waitFor(ctx, "shirts", v1alpha1.ConditionComplete)

		By("running one Pod and no Job")
		Expect(dataset.Status.ExecutionMode).To(Equal(v1alpha1.ExecutionSync))
		Expect(w.enginePods(ctx, "shirts")).To(HaveLen(1), "one Pod although parallelism is 3")
		var jobs batchv1.JobList
		Expect(apiClient.List(ctx, &jobs, client.InNamespace(w.namespace))).To(Succeed())
		Expect(jobs.Items).To(BeEmpty())

		By("naming the column in a condition and in a warning event")
		fallback := conditionOf(dataset, v1alpha1.ConditionSyncFallback)
		Expect(fallback.Status).To(Equal(metav1.ConditionTrue))
		Expect(fallback.Reason).To(Equal(v1alpha1.ReasonAllowResizeColumns))
		Expect(fallback.Message).To(ContainSubstring("size"))
		Eventually(ctx, func() []string {
			var warnings []string
			for _, event := range w.events(ctx, "shirts") {
				if event.Type == corev1.EventTypeWarning && event.Reason == v1alpha1.ReasonAllowResizeColumns {
					warnings = append(warnings, event.Note)
				}
			}
			return warnings
		}).WithTimeout(startTimeout).Should(ContainElement(ContainSubstring("size")))

		By("counting what the column has added and taken away")
		read := w.readDataset(ctx, dataset)
		Expect(read.columns).To(Equal([]string{"color", "sizes", "size", "slogan"}))
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(len(read.values)))
		Expect(dataset.Status.Records.Target+dataset.Status.Records.Added-dataset.Status.Records.Filtered).
			To(Equal(dataset.Status.Records.Actual+dataset.Status.Records.Dropped), "%+v", dataset.Status.Records)
		counts, sizes := read.column("sizes"), read.column("size")
		for row := range read.values {
			Expect(map[string][]string{"1": {"S"}, "2": {"S", "M"}, "3": {"S", "M", "L"}}).To(HaveKey(counts[row]))
			Expect(sizes[row]).To(BeElementOf("S", "M", "L"))
		}

		By("having metadata with the keys of an async run")
		w.apply(ctx, stories, records(20))
		async := w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(keyPaths(withoutSchema(w.metadata(dataset)), "")).To(Equal(keyPaths(withoutSchema(w.metadata(async)), "")))
	})
})

// withoutSchema drops the objects whose keys are names of columns and models.
func withoutSchema(metadata map[string]any) map[string]any {
	kept := map[string]any{}
	for key, value := range metadata {
		switch key {
		case "schema", "column_statistics", "columns", "models", "model_usage":
			kept[key] = nil
		default:
			kept[key] = value
		}
	}
	return kept
}
