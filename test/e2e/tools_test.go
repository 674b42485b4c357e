package e2e

import (
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// words is a dataset whose model looks each row up with a tool, which a program in a sidecar has.
const words = `
apiVersion: seedloom.dev/v1alpha1
kind: DatasetGeneration
metadata: {name: words}
spec:
  numRecords: 30
  randomSeed: 5
  providers:
  - {name: simulator, type: OpenAI, endpoint: "http://llmsim:8000/v1"}
  models:
  - {alias: writer, provider: simulator, model: test/calls-tools, maxParallelRequests: 4, timeoutSeconds: 20}
  toolServers:
  - name: lexicon
    type: Stdio
    stdio:
      image: seedloom.dev/toolserver:dev
      command: [/toolserver]
      env:
      - {name: LEXICON_PREFIX, secretKeyRef: {name: lexicon, key: prefix}}
  tools:
  - {alias: lexicon, servers: [lexicon], allowTools: [define], maxTurns: 2}
  columns:
  - name: id
    sampler: {type: UUID, uuid: {length: 16}}
  - name: entry
    llmText: {model: writer, prompt: "{{ id }}", tools: lexicon}
  output: {persistentVolumeClaim: {claimName: datasets}}
  limits: {startupTimeoutSeconds: 20}
  run: {rowGroupSize: 10}
`

var _ = Describe("A column with tools", func() {
	It("has its model call a program in a sidecar, which ends with the engine", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "lexicon"}, StringData: map[string]string{"prefix": "entry of "},
		})
		w.apply(ctx, words, shards(2))
		dataset := w.waitFor(ctx, "words", v1alpha1.ConditionComplete)
		expectAccounted(dataset)

		By("having the tool's result in every row")
		read := w.readDataset(ctx, dataset)
		Expect(read.values).To(HaveLen(30))
		for _, entry := range read.column("entry") {
			Expect(entry).To(MatchRegexp(`^entry of .+: [0-9]+ letters, .+ backwards\n`))
		}

		By("counting requests and calls")
		Expect(dataset.Status.Models[0].ToolCalls).To(BeEquivalentTo(30))
		Expect(dataset.Status.Models[0].Requests.Succeeded).To(BeEquivalentTo(60))

		By("stopping the sidecars when the engines have ended")
		for _, pod := range w.enginePods(ctx, "words") {
			if pod.Labels[v1alpha1.LabelRole] != "generate" {
				Expect(pod.Spec.InitContainers).To(BeEmpty(), "finalizing needs no tools")
				continue
			}
			Expect(pod.Status.Phase).To(Equal(corev1.PodSucceeded))
			engine := pod.Status.ContainerStatuses[0].State.Terminated
			for _, status := range pod.Status.InitContainerStatuses {
				if strings.HasPrefix(status.Name, "tool-") {
					Expect(status.State.Terminated).NotTo(BeNil())
					Expect(status.State.Terminated.FinishedAt.Sub(engine.FinishedAt.Time)).To(BeNumerically("<", 30*time.Second))
					Expect(status.RestartCount).To(BeZero())
				}
			}
		}
	})

	It("says which sidecar can't start, and goes on when its Secret is there", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, words)
		ready := w.waitForState(ctx, "words", v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPodStartupFailed)
		Expect(ready.Message).To(And(ContainSubstring("tool-lexicon"), ContainSubstring(`secret "lexicon" not found`)))
		create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "lexicon"}, StringData: map[string]string{"prefix": "late "},
		})
		w.waitFor(ctx, "words", v1alpha1.ConditionComplete)
	})
})
