package datasetgeneration

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/allowlist"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// pollInterval is after how long a resource with a live run is looked at again: it bounds how old the shown progress is.
	pollInterval = 3 * time.Second
	// maxPollInterval is after how long at most a resource that waits for something is looked at again.
	maxPollInterval = time.Minute
	// lookPriority lets events go before looks without one.
	lookPriority = -10
	// conflictDelay is after how long a reconcile that read outdated objects is repeated: by then the cache has caught up.
	conflictDelay = 200 * time.Millisecond
)

// Options are the settings of the controller.
type Options struct {
	// EngineImage is the image of engine Pods. Required.
	EngineImage string
	// Environment is set in the container of every engine, as for a proxy that the whole cluster uses.
	Environment []corev1.EnvVar
	// PodDefaults are the settings of Pods where a spec has none. They are valid (see plan.ValidatePod). It may be nil.
	PodDefaults *v1alpha1.PodSettings
	// TTLSecondsAfterFinished is after how long the Jobs, Pods and ConfigMaps of finished runs are deleted where a spec does not say so; nil
	// leaves them.
	TTLSecondsAfterFinished *int32
	// Endpoints says which endpoints runs may send requests to. Nil allows all but those near the Pod.
	Endpoints *allowlist.List
	// LabelledSecretsOnly has runs use only Secrets with the label seedloom.dev/allow-in-runs, whose metadata the controller must be
	// allowed to read.
	LabelledSecretsOnly bool
	// MaxConcurrentReconciles is how many resources are reconciled at the same time. 0 means 16.
	MaxConcurrentReconciles int
}

// Reconciler reconciles DatasetGeneration resources. Its fields are set once, before SetupWithManager.
type Reconciler struct {
	client.Client
	// APIReader reads past the cache.
	APIReader client.Reader
	Recorder  events.EventRecorder
	// Progress knows what running Pods report.
	Progress ProgressSource
	// Shares divides the limits of endpoints that several Pods send requests to.
	Shares  ShareSource
	Metrics *Metrics
	Options Options
	// Now is the clock.
	Now func() time.Time

	foreign foreignObjects
	ended   endedPods
	lookUps lookUps
}

// ShareSource keeps the running Pods of a resource in mind, and returns the endpoints to which some of them may send nothing.
type ShareSource interface {
	Watch(resource *v1alpha1.DatasetGeneration, pods []corev1.Pod) []enginepods.ShutEndpoint
}

// ProgressSource returns what is known of Pods, by their UIDs, and goes on asking those that run.
type ProgressSource interface {
	Of(pods []corev1.Pod) map[types.UID]runreport.Progress
}
