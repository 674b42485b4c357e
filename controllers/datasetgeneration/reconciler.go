package datasetgeneration

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// pollInterval is after how long a resource with a live run is looked at again: it bounds how old the shown progress is.
	pollInterval = 3 * time.Second
	// conflictDelay is after how long a reconcile that read outdated objects is repeated: by then the cache has caught up.
	conflictDelay = 200 * time.Millisecond
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = time.Minute
)

// Options are the settings of the controller.
type Options struct {
	// EngineImage is the image of engine Pods. Required.
	EngineImage string
	// Environment is set in the container of every engine, as for a proxy that the whole cluster uses.
	Environment []corev1.EnvVar
	// MaxConcurrentReconciles is how many resources are reconciled at the same time. 0 means 4.
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
	Shares  *enginepods.ShareCoordinator
	Metrics *Metrics
	Options Options
	// Now is the clock.
	Now func() time.Time
}

// ProgressSource returns what is known of Pods, by their UIDs, and goes on asking those that run.
type ProgressSource interface {
	Of(pods []corev1.Pod) map[types.UID]runreport.Progress
}

var _ reconcile.Reconciler = (*Reconciler)(nil)

// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations,verbs=get;list;watch
// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations/status,verbs=get;patch
// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations/finalizers,verbs=update
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get
// +kubebuilder:rbac:groups="",resources=events,verbs=list
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one resource closer to what its spec asks for. It gathers what is there, decides, changes children, and
// writes the status once.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	resource := &v1alpha1.DatasetGeneration{}
	if err := r.Get(ctx, request.NamespacedName, resource); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if !resource.DeletionTimestamp.IsZero() {
		// The garbage collector deletes the children by their owner references.
		return reconcile.Result{}, nil
	}
	f, err := r.gather(ctx, resource)
	if err != nil {
		return reconcile.Result{}, err
	}
	f.enter(decideRun(f))
	if f.startsAttempt() {
		// The attempt is recorded before anything of it is created, so that no crash in between can start it twice.
		f.observed = f.observe()
		result, err := r.record(ctx, f)
		if err == nil {
			result.RequeueAfter = conflictDelay
		}
		return result, err
	}
	f.applyError = r.syncChildren(ctx, f)
	if apierrors.IsConflict(f.applyError) {
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	}
	f.observed = f.observe()
	result, err := r.record(ctx, f)
	if err == nil && f.applyError != nil && f.lifetime != lifetimeFinished {
		return reconcile.Result{}, f.applyError
	}
	return result, err
}

// record writes the status when it has changed, and then tells others of the change.
func (r *Reconciler) record(ctx context.Context, f *facts) (reconcile.Result, error) {
	updated := f.resource.DeepCopy()
	updated.Status = f.nextStatus()
	if equality.Semantic.DeepEqual(f.resource.Status, updated.Status) {
		return f.nextLook(), nil
	}
	patch := client.MergeFromWithOptions(f.resource.DeepCopy(), client.MergeFromWithOptimisticLock{})
	written := updated.DeepCopy()
	if err := r.Status().Patch(ctx, written, patch); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return reconcile.Result{RequeueAfter: conflictDelay}, nil
		}
		return reconcile.Result{}, fmt.Errorf("writing the status: %w", err)
	}
	r.announce(ctx, f.resource, updated)
	r.Metrics.observe(&f.resource.Status, &updated.Status)
	return f.nextLook(), nil
}

// nextLook says when the resource is looked at again without an event. A resource at rest costs no work.
func (f *facts) nextLook() reconcile.Result {
	switch {
	case f.lifetime == lifetimeActive && f.observed.ending == nil:
		wait := pollInterval
		if left := f.syncRetryIn(); left > 0 {
			wait = min(wait, left)
		}
		return reconcile.Result{RequeueAfter: wait}
	case f.lifetime != lifetimeFinished && !f.stale.empty():
		return reconcile.Result{RequeueAfter: pollInterval}
	}
	return reconcile.Result{}
}

// startsAttempt says whether the attempt that is to be carried out is not in the status yet.
func (f *facts) startsAttempt() bool {
	recorded := f.resource.Status.Run
	return f.lifetime == lifetimeActive &&
		(recorded == nil || recorded.ID != f.run.ID || recorded.Attempt != f.run.Attempt)
}

// SetupWithManager registers the controller under a name that must be unique in the process.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager, name string) error {
	concurrency := r.Options.MaxConcurrentReconciles
	if concurrency == 0 {
		concurrency = 4
	}
	return ctrl.NewControllerManagedBy(manager).
		Named(name).
		For(&v1alpha1.DatasetGeneration{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Owns(&batchv1.Job{}).
		Owns(&corev1.ConfigMap{}, builder.OnlyMetadata).
		// A Job's Pods are owned by the Job, so they are found by their label.
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(requestOfPod)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, ReconciliationTimeout: reconcileTimeout}).
		Complete(r)
}

func requestOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[v1alpha1.LabelDataset]
	if name == "" {
		return nil
	}
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}}}
}

// logger names the resource's run in every line.
func (f *facts) logger(ctx context.Context) (context.Context, func(message string, keysAndValues ...any)) {
	logger := log.FromContext(ctx).WithValues("run", f.run.ID, "attempt", f.run.Attempt)
	return log.IntoContext(ctx, logger), logger.Info
}
