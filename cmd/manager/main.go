// Command manager runs the controller of DatasetGeneration resources.
// Flags are read and parts are put together here; what the controller does is in the packages below controllers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	ctrlmanager "sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/configuration"
	"seedloom.dev/seedloom/controllers/datasetgeneration"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/controllers/webhook"
	"seedloom.dev/seedloom/internal/buildversion"
	"seedloom.dev/seedloom/internal/memory"
	"seedloom.dev/seedloom/internal/runreport"
)

// settings are the values of the flags.
type settings struct {
	configuration           string
	engineImage             string
	namespaces              string
	leaderElect             bool
	leaderElectionNamespace string
	metricsAddress          string
	metricsSecure           bool
	metricsCertificates     string
	webhookAddress          string
	webhookCertificates     string
	probeAddress            string
	profilesAddress         string
	concurrency             int
	queriesPerSecond        float64
}

func main() {
	memory.TuneCache()
	var flags settings
	flag.StringVar(&flags.configuration, "config", "", "File with the operator's configuration (docs/configuration.md); none when empty.")
	flag.StringVar(&flags.engineImage, "engine-image", "", "Image of engine Pods; the manager's own when empty.")
	flag.StringVar(&flags.namespaces, "namespaces", "",
		"Comma-separated namespaces to watch; all when empty. With a list, Roles in those namespaces are enough.")
	flag.BoolVar(&flags.leaderElect, "leader-elect", true,
		"Act only while holding the Lease, so that two managers never act at once.")
	flag.StringVar(&flags.leaderElectionNamespace, "leader-election-namespace", "",
		"Namespace of the Lease; the manager's own when empty.")
	flag.StringVar(&flags.metricsAddress, "metrics-bind-address", ":8443", "Address of the metrics; 0 turns them off.")
	flag.BoolVar(&flags.metricsSecure, "metrics-secure", true, "Serve the metrics over TLS, and only to those who may read /metrics "+
		"by the cluster's roles. Without it they are for everybody who reaches the address: keep that on loopback.")
	flag.StringVar(&flags.metricsCertificates, "metrics-cert-path", "",
		"Folder with tls.crt and tls.key of the metrics; the manager makes a certificate of its own when empty.")
	flag.StringVar(&flags.webhookAddress, "webhook-bind-address", "0", "Address of the validating webhook (config/webhook), such as :9443; "+
		"0 turns it off.")
	flag.StringVar(&flags.webhookCertificates, "webhook-cert-path", "", "Folder with tls.crt and tls.key of the webhook; "+
		"the managers make and rotate a certificate in the Secret "+webhook.Name+" when empty.")
	flag.StringVar(&flags.probeAddress, "health-probe-bind-address", ":8081", "Address of /healthz and /readyz.")
	flag.StringVar(&flags.profilesAddress, "pprof-bind-address", "", "Address of Go's profiles (/debug/pprof); none when empty. "+
		"They are for everybody who reaches it: keep it on loopback.")
	flag.IntVar(&flags.concurrency, "max-concurrent-reconciles", 16, "Resources that are reconciled at the same time.")
	flag.Float64Var(&flags.queriesPerSecond, "kube-api-qps", 500, "Requests per second to the API server; bursts are twice as large.")
	logging := zap.Options{}
	logging.BindFlags(flag.CommandLine)
	flag.Parse()
	ctrl.SetLogger(zap.New(zap.UseFlagOptions(&logging)))

	ctrl.Log.Info("The manager starts", "version", buildversion.Version())
	if err := run(ctrl.SetupSignalHandler(), flags); err != nil {
		ctrl.Log.Error(err, "The manager has ended")
		os.Exit(1)
	}
}

// run returns when the context ends, or with an error that only a restart can mend.
func run(ctx context.Context, flags settings) error {
	configured, err := configuration.Read(flags.configuration)
	if err != nil {
		return err
	}
	config, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster: %w", err)
	}
	config.QPS, config.Burst = float32(flags.queriesPerSecond), int(2*flags.queriesPerSecond)
	config.UserAgent = "seedloom-manager"

	options := managerOptions(flags)
	webhooks, err := newWebhooks(flags, os.Getenv)
	if err != nil {
		return err
	}
	if webhooks != nil {
		options.WebhookServer = webhooks.server
	}
	manager, err := ctrl.NewManager(config, options)
	if err != nil {
		return fmt.Errorf("setting up the manager: %w", err)
	}
	if flags.engineImage == "" {
		if flags.engineImage, err = ownImage(ctx, manager.GetAPIReader(), os.Getenv); err != nil {
			return err
		}
	}
	ctrl.Log.Info("Engine Pods get an image", "image", flags.engineImage)
	reconciler, err := newReconciler(manager, config)
	if err != nil {
		return err
	}
	reconciler.Options = datasetgeneration.Options{
		EngineImage: flags.engineImage, MaxConcurrentReconciles: flags.concurrency, Environment: engineVariables(os.Getenv),
		PodDefaults: configured.Pod, Endpoints: configured.Endpoints.List,
		TTLSecondsAfterFinished: configured.TTLSecondsAfterFinished,
		LabelledSecretsOnly:     configured.Secrets.Policy == configuration.SecretsLabelled,
	}
	if err := reconciler.SetupWithManager(manager, "datasetgeneration"); err != nil {
		return fmt.Errorf("setting up the controller: %w", err)
	}
	if err := webhooks.addTo(manager, &reconciler.Options); err != nil {
		return err
	}
	if err := addProbes(manager); err != nil {
		return err
	}
	return manager.Start(ctx)
}

// newReconciler returns a reconciler without options, and adds to the manager what it works with.
func newReconciler(manager ctrlmanager.Manager, config *rest.Config) (*datasetgeneration.Reconciler, error) {
	controllerMetrics, err := registerMetrics(manager)
	if err != nil {
		return nil, err
	}
	now := time.Now
	progress, shares := enginepods.NewProgressPoller(now), enginepods.NewShareCoordinator(now)
	events, err := newEventWriter(config)
	if err != nil {
		return nil, err
	}
	for _, part := range []ctrlmanager.Runnable{progress, shares, events, memory.Keeper{}} {
		if err := manager.Add(part); err != nil {
			return nil, fmt.Errorf("adding what runs beside the controller: %w", err)
		}
	}
	return &datasetgeneration.Reconciler{
		Client:    manager.GetClient(),
		APIReader: manager.GetAPIReader(),
		Recorder:  events.recorder(manager.GetScheme()),
		Progress:  progress,
		Shares:    shares,
		Metrics:   controllerMetrics,
		Now:       now,
	}, nil
}

func registerMetrics(manager ctrlmanager.Manager) (*datasetgeneration.Metrics, error) {
	if err := metrics.Registry.Register(datasetgeneration.NewResourcesCollector(manager.GetCache())); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return datasetgeneration.NewMetrics(metrics.Registry)
}

func managerOptions(flags settings) ctrl.Options {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	options := ctrl.Options{
		Scheme:                  scheme,
		Cache:                   datasetgeneration.CacheOptions(),
		Metrics:                 metricsOptions(flags),
		HealthProbeBindAddress:  flags.probeAddress,
		PprofBindAddress:        flags.profilesAddress,
		LeaderElection:          flags.leaderElect,
		LeaderElectionID:        "manager.seedloom.dev",
		LeaderElectionNamespace: flags.leaderElectionNamespace,
		// The process ends when the manager does, so the next one need not wait for the Lease to expire.
		LeaderElectionReleaseOnCancel: true,
	}
	for _, namespace := range strings.Split(flags.namespaces, ",") {
		if namespace = strings.TrimSpace(namespace); namespace != "" {
			if options.Cache.DefaultNamespaces == nil {
				options.Cache.DefaultNamespaces = map[string]cache.Config{}
			}
			options.Cache.DefaultNamespaces[namespace] = cache.Config{}
		}
	}
	return options
}

// engineVariables hands the manager's own proxy on to the engines, which send requests to models from the same cluster, and the addresses
// inside that they may be led to. A proxy with a password is left out: whoever may read Pods would read it.
func engineVariables(lookup func(string) string) []corev1.EnvVar {
	var variables []corev1.EnvVar
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		value := lookup(name)
		if value == "" {
			value = lookup(strings.ToLower(name))
		}
		if value != "" && !strings.Contains(value, "@") {
			variables = append(variables, corev1.EnvVar{Name: name, Value: value})
		}
	}
	if value := lookup(runreport.AllowedAddressesVariable); value != "" {
		variables = append(variables, corev1.EnvVar{Name: runreport.AllowedAddressesVariable, Value: value})
	}
	return variables
}
