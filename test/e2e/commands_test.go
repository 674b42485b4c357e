package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("The commands of docs/operations.md", func() {
	It("reach what only a kubelet knows", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.kubectl(ctx, "apply", "--filename", sampleFile("minimal.yaml"))
		w.kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=120s", "datasetgeneration/minimal")
		data, err := os.ReadFile(filepath.Join(repositoryRoot, "docs", "operations.md"))
		Expect(err).NotTo(HaveOccurred())
		// The others are run by the tests of the controller, on an API server without nodes.
		commands := regexp.MustCompile("`kubectl ([^`]*(?: logs | rollout )[^`]*)`").FindAllStringSubmatch(string(data), -1)
		Expect(len(commands)).To(BeNumerically(">=", 3))
		for _, match := range commands {
			arguments := strings.Fields(strings.NewReplacer("=reviews", "=minimal").Replace(match[1]))
			for i, argument := range arguments {
				if argument == "team" {
					arguments[i] = w.namespace
				}
			}
			Expect(runCluster(ctx, append([]string{"kubectl", "--"}, arguments...)...)).NotTo(BeEmpty(), match[1])
		}
	}, SpecTimeout(endGracePeriod*3))

	It("show the end of the log of an engine that could not say why it ended", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		// The runtime of Go ends a process that has this variable before the program begins.
		dataset := w.parse(readSample("minimal.yaml"))
		dataset.Spec.Limits = &v1alpha1.Limits{BackoffLimit: new(int32(0))}
		dataset.Spec.Pod = &v1alpha1.PodSettings{Env: []v1alpha1.PodEnvironmentVariable{{Name: "GOMEMLIMIT", Value: new("nonsense")}}}
		create(ctx, dataset)
		failed := w.waitFor(ctx, "minimal", v1alpha1.ConditionFailed)
		Expect(conditionOf(failed, v1alpha1.ConditionFailed).Message).To(ContainSubstring("The end of its log: "))
		Expect(w.enginePods(ctx, "minimal")).To(ContainElement(HaveField("Status.Phase", corev1.PodFailed)))
	}, SpecTimeout(endGracePeriod*4))
})

func sampleFile(name string) string {
	GinkgoHelper()
	path, err := filepath.Abs(filepath.Join(repositoryRoot, "config", "samples", name))
	Expect(err).NotTo(HaveOccurred())
	return path
}

func readSample(name string) string {
	GinkgoHelper()
	data, err := os.ReadFile(sampleFile(name))
	Expect(err).NotTo(HaveOccurred())
	return string(data)
}
