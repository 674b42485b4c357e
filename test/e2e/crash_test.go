package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("A killed engine", func() {
	It("is started again, and does not generate what it had checkpointed", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerAfter(ctx, "500ms")
		w.apply(ctx, stories)
		w.waitForCheckpoints(ctx, "stories", 3)
		pod := w.runningPod(ctx, "stories")

		kill(pod)
		w.simulator.answerAfter(ctx, "50ms")

		checkpointed := w.checkpoints("stories")
		before := fingerprints(checkpointed)
		paid := readParquet(ctx, checkpointed...).column("id")
		Expect(len(paid)).To(BeNumerically("<", 120), "the engine was killed in mid-run")

		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
		expectAccounted(dataset)

		By("having been killed, and started again")
		codes := map[int32]int{}
		for _, pod := range w.enginePods(ctx, "stories") {
			if pod.Labels[v1alpha1.LabelRole] != "generate" {
				continue
			}
			for _, container := range pod.Status.ContainerStatuses {
				if container.State.Terminated != nil {
					codes[container.State.Terminated.ExitCode]++
				}
			}
		}
		Expect(codes).To(Equal(map[int32]int{137: 1, 0: 1}), "exit codes of the generating Pods")

		By("leaving the checkpoints as they were, and asking for none of their rows again")
		Expect(fingerprints(checkpointed)).To(Equal(before))
		prompts := w.simulator.prompts(ctx)
		for _, id := range paid {
			Expect(prompts).To(HaveKeyWithValue(id, 1), "requests for the checkpointed row %s", id)
		}
		ids := w.readDataset(ctx, dataset).column("id")
		Expect(ids).To(HaveLen(120))
		for _, id := range ids {
			Expect(prompts).To(HaveKey(id))
		}
	})
})

// kill ends the engine's process with SIGKILL, as the kernel does when memory runs out: the engine can do nothing about it.
// The container has no shell, so the process is looked up on this machine, which is the node.
func kill(pod corev1.Pod) {
	GinkgoHelper()
	process, err := engineProcess(pod)
	Expect(err).NotTo(HaveOccurred())
	Expect(syscall.Kill(process, syscall.SIGKILL)).To(Succeed())
}

// engineProcess finds the process whose command is /engine, and which is in the control group of the Pod's container.
func engineProcess(pod corev1.Pod) (int, error) {
	_, container, _ := strings.Cut(pod.Status.ContainerStatuses[0].ContainerID, "://")
	folders, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return 0, err
	}
	for _, folder := range folders {
		// Processes come and go: what cannot be read is not the one.
		command, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
		groups, _ := os.ReadFile(filepath.Join(folder, "cgroup"))
		if bytes.HasPrefix(command, []byte("/engine\x00")) && bytes.Contains(groups, []byte(container)) {
			return strconv.Atoi(filepath.Base(folder))
		}
	}
	return 0, fmt.Errorf("no process of Pod %s is on this machine; the tests need root, and a node that is this machine", pod.Name)
}

var _ = Describe("A dataset's rows", func() {
	It("have the same sampled and seed values whatever the parallelism", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.configMap(ctx, "seed", "seed.csv", "animal,legs\nowl,2\nfox,4\nant,6\ncrab,10\nsnail,0\nspider,8\n")
		seed := v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seed", Key: "seed.csv"}, Order: v1alpha1.SeedShuffled}
		w.apply(ctx, stories, named("alone"), seeded(seed))
		w.apply(ctx, stories, named("shared"), seeded(seed), shards(3))

		read := map[string]*rows{}
		for _, name := range []string{"alone", "shared"} {
			dataset := w.waitFor(ctx, name, v1alpha1.ConditionComplete)
			read[name] = w.readDataset(ctx, dataset)
			Expect(read[name].values).To(HaveLen(120))
		}
		Expect(w.generatingPods(ctx, "shared")).To(Equal(3))
		Expect(w.generatingPods(ctx, "alone")).To(Equal(1))

		Expect(read["shared"].columns).To(Equal(read["alone"].columns))
		for _, column := range []string{"animal", "legs", "id", "mood"} {
			Expect(read["shared"].column(column)).To(Equal(read["alone"].column(column)), "the values of %s, row by row", column)
		}
		Expect(distinct(read["alone"].column("id"))).To(Equal(120))
		Expect(distinct(read["alone"].column("mood"))).To(Equal(3))
		Expect(distinct(read["alone"].column("animal"))).To(Equal(6))
	})
})

func (w *world) generatingPods(ctx context.Context, dataset string) int {
	GinkgoHelper()
	count := 0
	for _, pod := range w.enginePods(ctx, dataset) {
		if pod.Labels[v1alpha1.LabelRole] == "generate" {
			count++
		}
	}
	return count
}

func distinct(values []string) int {
	seen := map[string]bool{}
	for _, value := range values {
		seen[value] = true
	}
	return len(seen)
}
