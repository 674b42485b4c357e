package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	operatorNamespace = "seedloom-system"
	// claimName is the claim that the samples write to.
	claimName = "datasets"
	// endGracePeriod is how long Pods may take to stop; the tests allow it when they clean up.
	endGracePeriod = 90 * time.Second
)

var operatorLabels = map[string]string{"app.kubernetes.io/name": "seedloom", "app.kubernetes.io/component": "manager"}

// world is what one test has to itself: a namespace under the restricted Pod security standard, a volume, and a simulated model server.
type world struct {
	namespace string
	// volume is the folder of the claim on this machine, and output the one below it in which datasets lie.
	volume, output string
	simulator      *simulator
}

// newWorld makes a world that is taken down after the test. size limits the volume, which is a folder without a limit when it is empty.
func newWorld(ctx context.Context, size string) *world {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "e2e-",
		Labels:       map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	create(ctx, namespace)
	w := &world{namespace: namespace.Name}
	DeferCleanup(func(ctx context.Context) { deleteAndWait(ctx, namespace, endGracePeriod) }, NodeTimeout(2*endGracePeriod))

	arguments := []string{"volume", "--namespace", w.namespace, "--name", claimName}
	if size != "" {
		arguments = append(arguments, "--size", size)
	}
	output := w.cluster(ctx, arguments...)
	w.volume = lastLine(output)
	w.output = w.volume
	Expect(filepath.IsAbs(w.volume)).To(BeTrue(), "the command `volume` ends with the folder on this machine, and printed:\n%s", output)
	DeferCleanup(func(ctx context.Context) {
		// Pods that write are gone before their volume is.
		Expect(apiClient.DeleteAllOf(ctx, &v1alpha1.DatasetGeneration{}, client.InNamespace(w.namespace))).To(Succeed())
		Eventually(ctx, func() []corev1.Pod { return w.enginePods(ctx, "") }).WithTimeout(endGracePeriod).Should(BeEmpty())
		w.stopStandIns(ctx)
		w.cluster(ctx, "volume-remove", "--namespace", w.namespace, "--name", claimName)
	}, NodeTimeout(2*endGracePeriod))

	w.simulator = startSimulator(ctx, w.namespace)
	DeferCleanup(func(ctx context.Context) {
		if CurrentSpecReport().Failed() {
			w.describe(ctx)
		}
	}, NodeTimeout(time.Minute))
	watchStatuses(w)
	DeferCleanup(func(ctx context.Context) {
		if !CurrentSpecReport().Failed() {
			w.expectTrueAtRest(ctx)
		}
	}, NodeTimeout(time.Minute))
	return w
}

// cluster runs the command of hack/cluster and returns what it prints to standard output.
func (w *world) cluster(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	return runCluster(ctx, arguments...)
}

func runCluster(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	command := exec.CommandContext(ctx, clusterCommand, arguments...)
	var problems strings.Builder
	command.Stderr = &problems
	output, err := command.Output()
	Expect(err).NotTo(HaveOccurred(), "cluster %s:\n%s%s", strings.Join(arguments, " "), output, problems.String())
	return string(output)
}

// kubectl runs kubectl in the world's namespace, as a user would.
func (w *world) kubectl(ctx context.Context, arguments ...string) string {
	GinkgoHelper()
	return w.cluster(ctx, append([]string{"kubectl", "--", "--namespace", w.namespace}, arguments...)...)
}

// apply creates a dataset from a manifest, with changes.
func (w *world) apply(ctx context.Context, manifest string, changes ...func(*v1alpha1.DatasetGeneration)) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	dataset := w.parse(manifest, changes...)
	create(ctx, dataset)
	return dataset
}

func (w *world) parse(manifest string, changes ...func(*v1alpha1.DatasetGeneration)) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	dataset := &v1alpha1.DatasetGeneration{}
	Expect(yaml.UnmarshalStrict([]byte(manifest), dataset)).To(Succeed(), "the manifest of the test:\n%s", manifest)
	dataset.Namespace = w.namespace
	for _, change := range changes {
		change(dataset)
	}
	return dataset
}

// patch changes a dataset as `kubectl patch --type=merge` does.
func (w *world) patch(ctx context.Context, name, patch string) {
	GinkgoHelper()
	dataset := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}}
	Expect(apiClient.Patch(ctx, dataset, client.RawPatch("application/merge-patch+json", []byte(patch)))).To(Succeed())
}

// retry asks for another attempt, in the way that the messages of failures name.
func (w *world) retry(ctx context.Context, name string) {
	GinkgoHelper()
	w.patch(ctx, name, fmt.Sprintf(`{"metadata":{"annotations":{%q:%q}}}`,
		v1alpha1.AnnotationRetryRequestedAt, time.Now().Format(time.RFC3339Nano)))
}

func (w *world) get(ctx context.Context, name string) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	dataset := &v1alpha1.DatasetGeneration{}
	Expect(apiClient.Get(ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, dataset)).To(Succeed())
	return dataset
}

// enginePods lists the Pods of a dataset, or of all when the name is empty.
func (w *world) enginePods(ctx context.Context, dataset string) []corev1.Pod {
	GinkgoHelper()
	selector := client.ListOption(client.HasLabels{v1alpha1.LabelDataset})
	if dataset != "" {
		selector = client.MatchingLabels{v1alpha1.LabelDataset: dataset}
	}
	var pods corev1.PodList
	Expect(apiClient.List(ctx, &pods, client.InNamespace(w.namespace), selector)).To(Succeed())
	return pods.Items
}

// runningPod waits for a Pod of the dataset whose engine runs.
func (w *world) runningPod(ctx context.Context, dataset string) corev1.Pod {
	GinkgoHelper()
	var found corev1.Pod
	Eventually(ctx, func() bool {
		for _, pod := range w.enginePods(ctx, dataset) {
			if pod.DeletionTimestamp == nil && pod.Status.Phase == corev1.PodRunning {
				found = pod
				return true
			}
		}
		return false
	}).WithTimeout(startTimeout).Should(BeTrue(), "no Pod of %s runs", dataset)
	return found
}

// describe prints what a person would look at after a failure.
func (w *world) describe(ctx context.Context) {
	look := func(title string, arguments ...string) {
		output, _ := exec.CommandContext(ctx, clusterCommand,
			append([]string{"kubectl", "--", "--namespace", w.namespace}, arguments...)...).CombinedOutput()
		GinkgoWriter.Printf("\n--- %s\n%s", title, output)
	}
	look("datasets", "get", "datasetgenerations", "--output", "yaml")
	look("Pods and Jobs", "get", "pods,jobs", "--output", "wide")
	look("events", "get", "events", "--sort-by", ".lastTimestamp")
	look("log of the engine", "logs", "--selector", v1alpha1.LabelDataset, "--tail", "40", "--prefix")
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
