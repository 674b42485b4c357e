package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("A run that cannot succeed", func() {
	It("ends Failed with the reason and the counts when the model's answers are never usable", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerNothing(ctx)
		w.apply(ctx, stories)
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionFailed)

		failed := conditionOf(dataset, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(BeElementOf(v1alpha1.ReasonEarlyShutdown, v1alpha1.ReasonNoRecords))
		Expect(failed.Message).To(MatchRegexp(`\d`), "the message has numbers")
		Expect(isTrue(dataset, v1alpha1.ConditionComplete)).To(BeFalse())
		Expect(isTrue(dataset, v1alpha1.ConditionStalled)).To(BeTrue())
		Expect(dataset.Status.Records.Target).To(BeEquivalentTo(120))
		Expect(dataset.Status.Records.Actual).To(BeZero())
		for _, word := range []string{"story", "writer", "empty text"} {
			Expect(failed.Message).To(ContainSubstring(word))
		}
		// The run may be ended before any row has used up its attempts: then all are missing, and none is dropped.
		Expect(dataset.Status.DroppedReasons).To(HaveLen(min(int(dataset.Status.Records.Dropped), 1)))
		for _, drop := range dataset.Status.DroppedReasons {
			Expect(drop.Reason).To(Equal(v1alpha1.ReasonModelGenerationInvalid))
			Expect(drop.Column).To(Equal("story"))
		}
		var unusable []v1alpha1.UnusableAnswers
		for _, column := range dataset.Status.Columns {
			if column.Name == "story" {
				unusable = column.UnusableAnswers
			}
		}
		Expect(unusable).To(HaveLen(1), "what was paid for and not used has its reason, be it that no row was given up yet")
		Expect(unusable[0].Reason).To(Equal(v1alpha1.ReasonModelGenerationInvalid))
		Expect(unusable[0].Count).To(BeNumerically(">=", 5))
		expectAccounted(dataset)
		Expect(w.simulator.requests(ctx)).To(BeNumerically("<=", 120*2), "it does not go on paying for answers that are of no use")
		Eventually(ctx, func() []string { return eventReasons(w.events(ctx, "stories")) }).WithTimeout(startTimeout).
			Should(ContainElement(failed.Reason))
	})

	DescribeTable("says why, and what to do, when its seed cannot be read",
		func(ctx SpecContext, prepare func(context.Context, *world) v1alpha1.Seed, words ...string) {
			w := newWorld(ctx, "")
			w.apply(ctx, stories, seeded(prepare(ctx, w)))
			dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionFailed)
			failed := conditionOf(dataset, v1alpha1.ConditionFailed)
			Expect(failed.Reason).To(Equal(v1alpha1.ReasonSeedFailed))
			for _, word := range words {
				Expect(failed.Message).To(ContainSubstring(word))
			}
			Expect(w.simulator.requests(ctx)).To(BeZero(), "nothing is paid for")
		},
		Entry("CSV with an open quote", func(ctx context.Context, w *world) v1alpha1.Seed {
			w.configMap(ctx, "seed", "seed.csv", "animal,legs\nowl,2\n\"fox,4\n")
			return v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seed", Key: "seed.csv"}}
		}, "seed.csv"),
		Entry("JSON that is cut off", func(ctx context.Context, w *world) v1alpha1.Seed {
			w.configMap(ctx, "seed", "seed.json", `[{"animal": "owl"}, {"ani`)
			return v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seed", Key: "seed.json"}}
		}, "seed.json"),
		// What a tenant names must not have the engine look around inside of the cluster.
		Entry("a URL that leads to an address inside", func(context.Context, *world) v1alpha1.Seed {
			return v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: "http://llmsim:8000/no-such-seed.csv"}}
		}, "http://llmsim:8000/no-such-seed.csv", "only machines near this one", "SEEDLOOM_ALLOWED_ADDRESSES"),
	)

	It("names the missing Secret, and goes on by itself when it is made", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, stories, records(10), apiKey("keys"))
		stalled := w.waitForState(ctx, "stories", v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPodStartupFailed)
		Expect(stalled.Message).To(And(ContainSubstring("keys"), ContainSubstring("create")))
		create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "keys"}, StringData: map[string]string{"api-key": "any"},
		})
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(isTrue(dataset, v1alpha1.ConditionStalled)).To(BeFalse())
	})

	It("names the missing ConfigMap, and goes on by itself when it is made", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.apply(ctx, stories, records(10), seeded(v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: "seed", Key: "seed.csv"}}))
		Eventually(ctx, func() string {
			if stalled := meta.FindStatusCondition(w.get(ctx, "stories").Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
				return stalled.Message
			}
			return ""
		}).WithTimeout(startTimeout).Should(And(ContainSubstring(`ConfigMap "seed"`), ContainSubstring("create")))
		w.configMap(ctx, "seed", "seed.csv", "animal\nowl\nfox\n")
		w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
	})

	It("ends at once when the provider refuses the API key, says so in the output, and tells the key to nobody", func(ctx SpecContext) {
		const key = "sk-this-must-not-leak"
		w := newWorld(ctx, "")
		create(ctx, &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "keys"}, StringData: map[string]string{"api-key": key},
		})
		w.simulator.refuseKeys(ctx)
		w.apply(ctx, stories, apiKey("keys"), shards(2))
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionFailed)
		failed := conditionOf(dataset, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal(v1alpha1.ReasonModelAuthentication))
		Expect(failed.Message).To(ContainSubstring("simulator"), "the provider is named")
		Expect(w.simulator.requests(ctx)).To(BeNumerically("<", 10))
		Expect(w.metadata(dataset)["run"]).To(And(
			HaveKeyWithValue("outcome", "Failed"), HaveKeyWithValue("reason", v1alpha1.ReasonModelAuthentication),
			HaveKeyWithValue("phase", "Ended")))

		Expect(w.kubectl(ctx, "get", "datasetgenerations,events,configmaps,pods,jobs", "--output", "yaml")).NotTo(ContainSubstring(key))
		Expect(w.kubectl(ctx, "logs", "--selector", v1alpha1.LabelDataset, "--tail", "-1")).NotTo(ContainSubstring(key))
	})

	It("names the endpoint that refuses connections", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		// The model server listens at another port.
		closed := strings.TrimSpace(w.kubectl(ctx, "get", "pods", "--selector", "app.kubernetes.io/name=llmsim",
			"--output", "jsonpath={.items[0].status.podIP}")) + ":9"
		w.apply(ctx, stories, endpoint("http://"+closed+"/v1"), requestAttempts(2), backoffLimit(0))
		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionFailed)
		failed := conditionOf(dataset, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(BeElementOf(v1alpha1.ReasonProviderUnavailable, v1alpha1.ReasonEarlyShutdown))
		said := failed.Message
		for _, dropped := range dataset.Status.DroppedReasons {
			Expect(dropped.Reason).To(Equal(v1alpha1.ReasonProviderUnavailable))
			said += dropped.Message
		}
		Expect(said).To(And(ContainSubstring(closed), ContainSubstring("refused")))
		expectAccounted(dataset)
	})

	It("keeps what was generated when the volume is full, and completes once there is room", func(ctx SpecContext) {
		w := newWorld(ctx, "8Mi")
		w.simulator.answerAfter(ctx, "150ms")
		w.apply(ctx, stories, backoffLimit(0), allRecords)
		w.waitForCheckpoints(ctx, "stories", 3)
		filler := filepath.Join(w.volume, "filler")
		fill(filler)

		dataset := w.waitFor(ctx, "stories", v1alpha1.ConditionFailed)
		failed := conditionOf(dataset, v1alpha1.ConditionFailed)
		Expect(failed.Reason).To(Equal(v1alpha1.ReasonStorageFailed))
		Expect(failed.Message).To(And(ContainSubstring("no space left"), ContainSubstring(v1alpha1.AnnotationRetryRequestedAt)))
		checkpointed := w.checkpoints("stories")
		Expect(len(checkpointed)).To(BeNumerically(">=", 3))
		before := fingerprints(checkpointed)
		paid := readParquet(ctx, checkpointed...).column("id")

		By("making room, and trying again as the message says")
		Expect(os.Remove(filler)).To(Succeed())
		w.retry(ctx, "stories")
		Eventually(ctx, func() bool { return isTrue(w.get(ctx, "stories"), v1alpha1.ConditionFailed) }).
			WithTimeout(startTimeout).Should(BeFalse())
		dataset = w.waitFor(ctx, "stories", v1alpha1.ConditionComplete)
		Expect(dataset.Status.Records.Actual).To(BeEquivalentTo(120))
		Expect(fingerprints(checkpointed)).To(Equal(before))
		prompts := w.simulator.prompts(ctx)
		for _, id := range paid {
			Expect(prompts).To(HaveKeyWithValue(id, 1), "requests for the checkpointed row %s", id)
		}
	})
})

// fill writes a file until the volume has no room left.
func fill(path string) {
	GinkgoHelper()
	filler, err := os.Create(path)
	Expect(err).NotTo(HaveOccurred())
	defer filler.Close()
	for size := 1 << 20; size > 0; {
		if _, err := filler.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 4
		} else {
			Expect(err).NotTo(HaveOccurred())
		}
	}
}

func (w *world) configMap(ctx context.Context, name, key, text string) {
	GinkgoHelper()
	create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Data: map[string]string{key: text},
	})
}
