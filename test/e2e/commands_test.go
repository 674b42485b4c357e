package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/documented"
)

var _ = Describe("The commands of the documentation", func() {
	It("reach what only a kubelet knows", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.kubectl(ctx, "apply", "--filename", sampleFile("minimal.yaml"))
		w.kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=120s", "datasetgeneration/minimal")
		// The others are run by the tests of the controller, on an API server without nodes.
		commands, err := documented.Of(repositoryRoot, documented.Cluster)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(commands)).To(BeNumerically(">=", 4))
		pod := w.enginePods(ctx, "minimal")[0].Name
		users := strings.NewReplacer("=reviews", "=minimal", " POD ", " "+pod+" ", "tool-NAME", "engine")
		for _, command := range commands {
			arguments := strings.Fields(users.Replace(command.Text))[1:]
			for i, argument := range arguments {
				if argument == "team" {
					arguments[i] = w.namespace
				}
			}
			if !slices.Contains(arguments, "--namespace") {
				arguments = append([]string{"--namespace", w.namespace}, arguments...)
			}
			Expect(runCluster(ctx, append([]string{"kubectl", "--"}, arguments...)...)).NotTo(BeEmpty(), command.Text)
		}

		By("naming the resource, the run and the shard in each line of a log")
		run := w.get(ctx, "minimal").Status.Run.ID
		engine := linesOf(w.kubectl(ctx, "logs", pod, "--container", "engine"))
		Expect(len(engine)).To(BeNumerically(">=", 2))
		Expect(engine).To(HaveEach(And(HaveKeyWithValue("namespace", w.namespace), HaveKeyWithValue("dataset", "minimal"),
			HaveKeyWithValue("run", run), HaveKeyWithValue("attempt", 1.0), HaveKeyWithValue("shard", 0.0))))
		manager := slices.DeleteFunc(linesOf(w.kubectl(ctx, "logs", "--namespace", operatorNamespace, "--selector",
			"app.kubernetes.io/component=manager", "--tail=-1")), func(line map[string]any) bool { return line["namespace"] != w.namespace })
		Expect(len(manager)).To(BeNumerically(">=", 4))
		Expect(manager).To(HaveEach(And(HaveKeyWithValue("name", "minimal"), HaveKeyWithValue("run", run), HaveKeyWithValue("attempt", 1.0))))
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

// linesOf are the lines of a log, each a JSON object.
func linesOf(log string) (lines []map[string]any) {
	GinkgoHelper()
	for text := range strings.Lines(log) {
		var line map[string]any
		Expect(json.Unmarshal([]byte(text), &line)).To(Succeed(), text)
		lines = append(lines, line)
	}
	return lines
}

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
