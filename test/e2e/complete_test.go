package e2e

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

var _ = Describe("A dataset", func() {
	It("completes from the sample's manifests with every record, in files that another implementation reads", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		sample := filepath.Join(repositoryRoot, "config", "samples", "movies")
		sample, err := filepath.Abs(sample)
		Expect(err).NotTo(HaveOccurred())

		w.kubectl(ctx, "apply", "--kustomize", sample)
		w.kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=240s", "datasetgeneration/movie-reviews")
		dataset := w.get(ctx, "movie-reviews")

		By("reporting the numbers in the status")
		Expect(conditionOf(dataset, v1alpha1.ConditionComplete).Reason).To(Equal(v1alpha1.ReasonAllRecords))
		Expect(conditionOf(dataset, v1alpha1.ConditionReady).Reason).To(Equal(v1alpha1.ReasonSucceeded))
		Expect(dataset.Status.Records.Actual).To(Equal(dataset.Spec.NumRecords))
		Expect(dataset.Status.Records.Summary).To(Equal("200/200"))
		Expect(dataset.Status.ExecutionMode).To(Equal(v1alpha1.ExecutionAsync))
		Expect(dataset.Status.Progress.Percent).To(BeEquivalentTo(100))
		expectAccounted(dataset)
		for _, model := range dataset.Status.Models {
			Expect(model.Requests.Succeeded).To(Equal(dataset.Spec.NumRecords), "requests to %s", model.Alias)
		}

		By("writing exactly the records that were asked for, in the order of the configuration")
		read := w.readDataset(ctx, dataset)
		Expect(read.values).To(HaveLen(200))
		seedColumns, seedRows := readCSV(filepath.Join(sample, "movies.csv"))
		expected := seedColumns
		for _, column := range dataset.Spec.Columns {
			expected = append(expected, column.Name)
		}
		Expect(read.columns).To(Equal(expected))

		By("holding a real movie in every row, each once, and texts that refer to it")
		known := map[string]bool{}
		for _, row := range seedRows {
			known[row[0]] = true
		}
		titles, headlines, reviews := read.column("title"), read.column("headline"), read.column("review")
		seen := map[string]bool{}
		for row, title := range titles {
			Expect(known).To(HaveKey(title))
			Expect(seen).NotTo(HaveKey(title), "a shuffled seed repeats no row before each was used")
			seen[title] = true
			Expect(headlines[row]).To(HavePrefix(strings.ToUpper(title) + " ("))
			Expect(reviews[row]).NotTo(BeEmpty())
		}

		By("describing itself")
		metadata := w.metadata(dataset)
		Expect(metadata).To(HaveKeyWithValue("actual_num_records", BeEquivalentTo(200)))
		Expect(filepath.Join(w.folder(dataset), "_SUCCESS")).To(BeAnExistingFile())
		Expect(dataset.Status.Metadata.ActualNumRecords).To(BeEquivalentTo(200))
	})

	It("is InProgress, then Current, for tools that know kstatus", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.answerAfter(ctx, "700ms")
		w.apply(ctx, stories, records(40))
		Expect(w.kstatus(ctx, "stories")).To(Equal(status.InProgressStatus), "just created")
		w.runningPod(ctx, "stories")
		w.waitForState(ctx, "stories", v1alpha1.ConditionReady, metav1.ConditionUnknown, v1alpha1.ReasonRunning)
		Expect(w.kstatus(ctx, "stories")).To(Equal(status.InProgressStatus), "running")
		w.kubectl(ctx, "wait", "--for=condition=Complete", "--timeout=120s", "datasetgeneration/stories")
		Expect(w.kstatus(ctx, "stories")).To(Equal(status.CurrentStatus), "complete")
	})

	It("is Failed for tools that know kstatus when its run has failed", func(ctx SpecContext) {
		w := newWorld(ctx, "")
		w.simulator.refuseKeys(ctx)
		w.apply(ctx, stories)
		w.kubectl(ctx, "wait", "--for=condition=Failed", "--timeout=120s", "datasetgeneration/stories")
		Expect(w.kstatus(ctx, "stories")).To(Equal(status.FailedStatus))
	})
})

// kstatus is the verdict of the library that kubectl-like tools and Flux use.
func (w *world) kstatus(ctx SpecContext, name string) status.Status {
	GinkgoHelper()
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("DatasetGeneration"))
	Expect(apiClient.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, object)).To(Succeed())
	result, err := status.Compute(object)
	Expect(err).NotTo(HaveOccurred())
	return result.Status
}

// readCSV returns the header and the rows of a file.
func readCSV(path string) (header []string, rows [][]string) {
	GinkgoHelper()
	content, err := os.Open(path)
	Expect(err).NotTo(HaveOccurred())
	defer content.Close()
	lines, err := csv.NewReader(content).ReadAll()
	Expect(err).NotTo(HaveOccurred())
	return lines[0], lines[1:]
}
