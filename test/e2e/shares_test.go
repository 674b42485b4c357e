package e2e

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// sharedStories could have 32 requests in flight from each of its Pods, and may have six together with all others.
const sharedStories = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: NAME}
spec:
  numRecords: 120
  parallelism: 2
  run: {rowGroupSize: 10}
  providers: [{name: simulator, type: OpenAI, endpoint: "http://llmsim:8000/v1", maxParallelRequests: 6}]
  models: [{alias: writer, provider: simulator, model: NAME, maxParallelRequests: 32}]
  columns:
  - {name: id, sampler: {type: UUID}}
  - {name: story, llmText: {model: writer, prompt: "{{ id }}"}}
  output: {persistentVolumeClaim: {claimName: datasets}}
`

var _ = Describe("Two datasets with one endpoint", func() {
	It("never have more requests in flight than their maxParallelRequests, and both get on", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerAfter(ctx, "400ms")
		for _, name := range []string{"first", "second"} {
			w.apply(ctx, strings.ReplaceAll(sharedStories, "NAME", name))
		}

		By("making records of both at the same time")
		Eventually(ctx, func() map[string]bool {
			going := map[string]bool{}
			for _, name := range []string{"first", "second"} {
				dataset := w.get(ctx, name)
				going[name] = dataset.Status.Records != nil && dataset.Status.Records.Actual > 0 && !isTrue(dataset, v1alpha1.ConditionComplete)
			}
			return going
		}).WithTimeout(runTimeout).Should(Equal(map[string]bool{"first": true, "second": true}))

		for _, name := range []string{"first", "second"} {
			dataset := w.waitFor(ctx, name, v1alpha1.ConditionComplete)
			Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
			expectAccounted(dataset)
		}
		Expect(w.simulator.mostInFlight(ctx)).To(And(BeNumerically("<=", 6), BeNumerically(">", 3)), "the requests that were in flight together")
	})
})

// mostInFlight is how many requests were in flight at the same time.
func (s *simulator) mostInFlight(ctx context.Context) int {
	GinkgoHelper()
	var answer struct{ InFlightHighWater int }
	s.read(ctx, "_sim/counters", &answer)
	return answer.InFlightHighWater
}
