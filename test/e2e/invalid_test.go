package e2e

import (
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("An invalid spec", func() {
	It("gets Accepted=False with every violation and its field path, and starts nothing", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, stories, func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Columns = []v1alpha1.Column{
				{Name: "lost", Expression: &v1alpha1.Expression{Expr: "{{ nowhere }}"}},
				{Name: "chicken", Expression: &v1alpha1.Expression{Expr: "{{ egg }}"}},
				{Name: "egg", Expression: &v1alpha1.Expression{Expr: "{{ chicken }}"}},
				{Name: "story", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "ghostwriter", Prompt: "Write."}}},
			}
		})
		accepted := w.waitForState(ctx, "stories", v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec)
		Expect(accepted.Message).To(And(
			ContainSubstring("spec.columns[0].expression.expr"), ContainSubstring("nowhere"),
			ContainSubstring("spec.columns[3].llmText.model"), ContainSubstring("ghostwriter"),
			ContainSubstring("chicken"), ContainSubstring("egg"), ContainSubstring("circle"),
		))
		Expect(w.kstatus(ctx, "stories")).To(Equal(status.FailedStatus))
		Consistently(ctx, func() int { return len(w.enginePods(ctx, "stories")) }).WithTimeout(pollInterval * 8).Should(BeZero())

		By("going on by itself once the spec is mended")
		mended := w.parse(stories, records(10))
		current := w.get(ctx, "stories")
		current.Spec = mended.Spec
		Expect(apiClient.Update(ctx, current)).To(Succeed())
		w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
	})

	DescribeTable("is refused at once when the schema can tell",
		func(ctx SpecContext, change func(*v1alpha1.DatasetGeneration), message string) {
			w := &world{namespace: metav1.NamespaceDefault}
			err := apiClient.Create(ctx, w.parse(stories, change))
			Expect(apierrors.IsInvalid(err)).To(BeTrue(), "creating answered: %v", err)
			Expect(err.Error()).To(ContainSubstring(message))
		},
		Entry("two kinds in one column", func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Columns[0].Expression = &v1alpha1.Expression{Expr: "x"}
		}, "spec.columns[0]"),
		Entry("no records", records(-1), "spec.numRecords"),
		Entry("a model column without models", func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Models = nil
		}, "columns of models need at least one entry in models"),
		Entry("allowResize where nothing can resize", func(dataset *v1alpha1.DatasetGeneration) {
			dataset.Spec.Columns[0].AllowResize = new(true)
		}, "allowResize is possible for custom columns only"),
	)
})
