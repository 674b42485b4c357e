// Package e2e holds the end-to-end tests: resources go into a real cluster, real Pods generate, and what a user would observe is asserted:
// conditions, events, Parquet files, metadata, and the requests that reached a simulated model server.
// Nothing here calls the engine or the controller; the tests know the API types, the files and the counters of the simulator only.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	// kubeconfigVariable names the cluster to test on.
	kubeconfigVariable = "E2E_KUBECONFIG"
	// repositoryRoot is where the tests' working directory stands to the samples and the cluster's command.
	repositoryRoot = "../.."

	pollInterval = 250 * time.Millisecond
	// startTimeout is enough for a Pod to start on a busy machine with two cores.
	startTimeout = time.Minute
	// runTimeout is enough for the longest run here, with four tests at once on such a machine.
	runTimeout = 4 * time.Minute
)

// What every process of the suite holds once it is set up. Nothing changes them afterwards.
var (
	kubeconfig string
	// clusterCommand is the built command of hack/cluster.
	clusterCommand string
	apiConfig      *rest.Config
	apiClient      client.Client
	clientset      *kubernetes.Clientset
)

func TestEndToEnd(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "End to end")
}

var _ = SynchronizedBeforeSuite(func(ctx context.Context) []byte {
	connect()
	requireOperator(ctx)
	return []byte(buildClusterCommand(ctx))
}, func(built []byte) {
	clusterCommand = string(built)
	connect()
	SetDefaultEventuallyPollingInterval(pollInterval)
	SetDefaultConsistentlyPollingInterval(pollInterval)
	EnforceDefaultTimeoutsWhenUsingContexts()
	SetDefaultEventuallyTimeout(runTimeout)
})

func connect() {
	GinkgoHelper()
	kubeconfig = os.Getenv(kubeconfigVariable)
	Expect(kubeconfig).NotTo(BeEmpty(),
		"%s is not set: run `make test-e2e` (or `make test`), which brings up a cluster with the operator and sets it",
		kubeconfigVariable)
	configuration, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	Expect(err).NotTo(HaveOccurred(), "reading %s=%s", kubeconfigVariable, kubeconfig)
	configuration.QPS, configuration.Burst = 100, 200
	apiConfig = configuration

	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	apiClient, err = client.New(configuration, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred(), "connecting to the cluster of %s", kubeconfig)
	clientset, err = kubernetes.NewForConfig(configuration)
	Expect(err).NotTo(HaveOccurred())
}

// requireOperator fails at once, and says what to do, when the cluster has no operator: otherwise every test would wait for its deadline.
func requireOperator(ctx context.Context) {
	GinkgoHelper()
	err := apiClient.List(ctx, &v1alpha1.DatasetGenerationList{}, client.Limit(1))
	Expect(err).NotTo(HaveOccurred(), "the cluster does not serve DatasetGeneration: run `make test-e2e`, which deploys config/default")
	var pods corev1.PodList
	err = apiClient.List(ctx, &pods, client.InNamespace(operatorNamespace), client.MatchingLabels(operatorLabels))
	Expect(err).NotTo(HaveOccurred())
	Expect(pods.Items).NotTo(BeEmpty(), "no operator Pod in namespace %s: run `make test-e2e`, which deploys config/default",
		operatorNamespace)
}

// buildClusterCommand builds hack/cluster once for all processes, since every volume is made with it.
func buildClusterCommand(ctx context.Context) string {
	GinkgoHelper()
	folder, err := os.MkdirTemp("", "seedloom-e2e-")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(os.RemoveAll, folder)
	path := filepath.Join(folder, "cluster")
	build := exec.CommandContext(ctx, "go", "-C", filepath.Join(repositoryRoot, "hack", "cluster"), "build", "-o", path, ".")
	output, err := build.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "building hack/cluster:\n%s", output)
	return path
}

// create creates an object in the cluster and fails the test when it is refused.
func create(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Expect(apiClient.Create(ctx, object)).To(Succeed(), "creating %T %s/%s", object, object.GetNamespace(), object.GetName())
}

// deleteAndWait deletes an object and returns once it is gone.
func deleteAndWait(ctx context.Context, object client.Object, timeout time.Duration) {
	GinkgoHelper()
	err := apiClient.Delete(ctx, object, client.PropagationPolicy("Background"))
	if apierrors.IsNotFound(err) {
		return
	}
	Expect(err).NotTo(HaveOccurred())
	key := client.ObjectKeyFromObject(object)
	Eventually(ctx, func() error {
		err := apiClient.Get(ctx, key, object)
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil:
			return err
		default:
			return fmt.Errorf("%T %s still exists", object, key)
		}
	}).WithTimeout(timeout).Should(Succeed())
}
