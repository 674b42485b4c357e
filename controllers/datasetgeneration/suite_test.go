package datasetgeneration

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/logtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// operatorLog is what the operators of the suite have logged, a JSON object a line.
var operatorLog logtest.Buffer

// The API server of the suite, and the one manager that runs against it.
var (
	environment *envtest.Environment
	apiServer   *rest.Config
	kube        client.Client
	testScheme  = runtime.NewScheme()
)

func TestControllers(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(20 * time.Second)
	SetDefaultEventuallyPollingInterval(50 * time.Millisecond)
	RunSpecs(t, "Controllers")
}

var _ = BeforeSuite(func() {
	ctrl.SetLogger(zap.New(zap.WriteTo(io.MultiWriter(GinkgoWriter, &operatorLog)), zap.UseDevMode(true), zap.JSONEncoder()))
	Expect(clientgoscheme.AddToScheme(testScheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(testScheme)).To(Succeed())
	environment = &envtest.Environment{
		// Beside our own, those of cert-manager and of the Prometheus operator, for which there are overlays.
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases"), filepath.Join("testdata", "definitions")},
		ErrorIfCRDPathMissing: true,
		Scheme:                testScheme,
	}
	var err error
	apiServer, err = environment.Start()
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(environment.Stop)
	kube, err = client.New(apiServer, client.Options{Scheme: testScheme})
	Expect(err).NotTo(HaveOccurred())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	w := &world{ctx: ctx}
	install(w, ofKinds(kustomized("default"), "Namespace", "ServiceAccount", "ClusterRole", "ClusterRoleBinding"))
	manager := newManager(asManager("seedloom-system"), withoutOwned(CacheOptions()), Options{}, "datasetgeneration", time.Now)
	go func() { ended <- manager.Start(ctx) }()
	go func() { ended <- collectGarbage(ctx) }()
	DeferCleanup(func() {
		cancel()
		for range cap(ended) {
			Eventually(ended).Should(Receive(BeNil()))
		}
	})
})

// progressOfPods is what Pods report; the tests, which play the kubelet, have no Pods that could be asked.
var progressOfPods = &reportedProgress{reports: map[types.UID]runreport.Progress{}}

type reportedProgress struct {
	mutex   sync.Mutex
	reports map[types.UID]runreport.Progress
}

func (p *reportedProgress) report(pod types.UID, progress runreport.Progress) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.reports[pod] = progress
}

// Of implements ProgressSource.
func (p *reportedProgress) Of(pods []corev1.Pod) map[types.UID]runreport.Progress {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	known := map[types.UID]runreport.Progress{}
	for i := range pods {
		if progress, found := p.reports[pods[i].UID]; found && enginepods.IsRunning(&pods[i]) {
			known[pods[i].UID] = progress
		}
	}
	return known
}

// sharesOfPods are the endpoints that are shut for the Pods of a resource; the tests have no Pods that could be told their shares.
var sharesOfPods = &shutEndpoints{shut: map[types.UID][]enginepods.ShutEndpoint{}}

type shutEndpoints struct {
	mutex sync.Mutex
	shut  map[types.UID][]enginepods.ShutEndpoint
}

func (s *shutEndpoints) set(resource types.UID, shut ...enginepods.ShutEndpoint) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.shut[resource] = shut
}

// Watch implements ShareSource.
func (s *shutEndpoints) Watch(resource *v1alpha1.DatasetGeneration, _ []corev1.Pod) []enginepods.ShutEndpoint {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.shut[resource.UID]
}

// ownOperator is a label of resources that have an operator of their own, which the one of the suite leaves alone.
const ownOperator = "test/own-operator"

// withoutOwned leaves them out of a cache.
func withoutOwned(options cache.Options) cache.Options {
	for object, settings := range options.ByObject {
		if _, is := object.(*v1alpha1.DatasetGeneration); is {
			others, err := labels.Parse("!" + ownOperator)
			Expect(err).NotTo(HaveOccurred())
			settings.Label = others
			options.ByObject[object] = settings
		}
	}
	return options
}

// newManager sets a manager up as the program does, with the rights of its roles.
func newManager(config *rest.Config, held cache.Options, options Options, name string, now func() time.Time) ctrl.Manager {
	GinkgoHelper()
	options.EngineImage = cmp.Or(options.EngineImage, "example.com/engine:test")
	manager, err := ctrl.NewManager(config, ctrl.Options{Scheme: testScheme, Metrics: metricsserver.Options{BindAddress: "0"}, Cache: held})
	Expect(err).NotTo(HaveOccurred())
	reconciler := &Reconciler{
		Client:    manager.GetClient(),
		APIReader: manager.GetAPIReader(),
		Recorder:  manager.GetEventRecorder("seedloom"),
		Progress:  progressOfPods,
		Shares:    sharesOfPods,
		Now:       now,
		Options:   options,
	}
	Expect(reconciler.SetupWithManager(manager, name)).To(Succeed())
	return manager
}

// collectGarbage plays the part of the garbage collector that the tests need: it ends deletions in the foreground.
func collectGarbage(ctx context.Context) error {
	for {
		var jobs batchv1.JobList
		if err := kube.List(ctx, &jobs); err == nil {
			for i := range jobs.Items {
				if job := &jobs.Items[i]; job.DeletionTimestamp != nil {
					_ = kube.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(job.Namespace),
						client.MatchingLabels{batchv1.JobNameLabel: job.Name}, client.GracePeriodSeconds(0))
					job.Finalizers = nil
					_ = kube.Update(ctx, job)
				}
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(50 * time.Millisecond):
		}
	}
}
