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
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	// waitingShare is after which part of the time that its Pods have waited to start a resource is looked at again.
	waitingShare = 8
	// reconcileTimeout bounds one reconcile.
	reconcileTimeout = time.Minute
	// defaultConcurrency is how many resources are reconciled at the same time: most of the time they wait for the API server.
	defaultConcurrency = 16
)

var _ reconcile.Reconciler = (*Reconciler)(nil)

// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations/status,verbs=get;patch
// +kubebuilder:rbac:groups=seedloom.dev,resources=datasetgenerations/finalizers,verbs=update
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch;create;patch;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=events,verbs=list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconcile brings one resource closer to what its spec asks for. Its errors name the run, since the lines in which they are logged know
// the resource alone.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	resource := &v1alpha1.DatasetGeneration{}
	if err := r.Get(ctx, request.NamespacedName, resource); err != nil {
		r.foreign.isNews(request.NamespacedName, nil)
		r.ended.forget(request.NamespacedName)
		r.lookUps.forget(request.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	result, err := r.reconcile(ctx, request.NamespacedName, resource)
	if recorded := resource.Status.Run; err != nil && recorded != nil && recorded.ID != "" {
		err = fmt.Errorf("run %s, attempt %d: %w", recorded.ID, recorded.Attempt, err)
	}
	return result, err
}

// reconcile gathers what is there, decides, changes children, and writes the status once.
func (r *Reconciler) reconcile(
	ctx context.Context, name types.NamespacedName, resource *v1alpha1.DatasetGeneration,
) (reconcile.Result, error) {
	unnamed := ctx
	if recorded := resource.Status.Run; recorded != nil {
		ctx = runContext(unnamed, recorded)
	}
	if !resource.DeletionTimestamp.IsZero() {
		return r.finish(ctx, resource)
	}
	if err := r.syncFinalizer(ctx, resource); err != nil {
		return reconcile.Result{}, err
	}
	in, err := r.gather(ctx, resource)
	if err != nil {
		return reconcile.Result{}, err
	}
	r.reportForeign(ctx, in)
	if in.losesPods() && r.namespaceTerminates(ctx, resource.Namespace) {
		return reconcile.Result{}, r.releasePods(ctx, in)
	}
	s := decide(in)
	ctx = runContext(unnamed, &s.run)
	if s.lifetime == lifetimeFinished {
		r.ended.forget(name)
	}
	if s.startsAttempt() {
		// The attempt is recorded before anything of it is created, so that no crash in between can start it twice.
		recorded, err := r.record(ctx, s, nil)
		if recorded == nil || resource.Status.Run != nil {
			// Of children of an earlier attempt, the cache may not have heard yet.
			return reconcile.Result{RequeueAfter: conflictDelay}, err
		}
		s = decide(in.after(recorded))
	}
	applyError := r.syncChildren(ctx, s)
	if apierrors.IsConflict(applyError) {
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	}
	recorded, err := r.record(ctx, s, applyError)
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case recorded == nil:
		return reconcile.Result{RequeueAfter: conflictDelay}, nil
	case applyError != nil && s.lifetime != lifetimeFinished:
		return reconcile.Result{}, applyError
	}
	return s.nextLook(), nil
}

// record writes the status when it has changed, and then tells others of the change. It returns the resource as it is then, or nil when
// somebody else has changed it before.
func (r *Reconciler) record(ctx context.Context, s *situation, applyError error) (*v1alpha1.DatasetGeneration, error) {
	updated := s.resource.DeepCopy()
	updated.Status = s.status(applyError)
	if equality.Semantic.DeepEqual(s.resource.Status, updated.Status) {
		return updated, nil
	}
	patch := client.MergeFromWithOptions(s.resource.DeepCopy(), client.MergeFromWithOptimisticLock{})
	written := updated.DeepCopy()
	if err := r.Status().Patch(ctx, written, patch); err != nil {
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("writing the status: %w", err)
	}
	r.announce(ctx, s.resource, updated, s.causing)
	r.Metrics.observe(&s.resource.Status, &updated.Status, s.now)
	return written, nil
}

// nextLook says when the resource is looked at again without an event. A resource at rest costs no work.
func (s *situation) nextLook() reconcile.Result {
	switch {
	case s.lifetime == lifetimeActive && s.observed.ending == nil:
		wait := s.waitingInterval()
		if left := s.syncRetryIn(); left > 0 {
			wait = min(wait, left)
		}
		return reconcile.Result{RequeueAfter: wait, Priority: new(lookPriority)}
	case s.lifetime == lifetimeActive && s.resource.Spec.HubRepository() != nil:
		// The verdict has just been written: what follows from it is no event.
		return reconcile.Result{RequeueAfter: conflictDelay, Priority: new(lookPriority)}
	case s.lifetime == lifetimeFinished && !s.publication.isSettled && !s.resource.Spec.IsSuspended():
		return reconcile.Result{RequeueAfter: pollInterval, Priority: new(lookPriority)}
	case s.lifetime != lifetimeFinished && !s.stale.empty():
		return reconcile.Result{RequeueAfter: pollInterval, Priority: new(lookPriority)}
	case s.stale.empty() && !s.children.empty() && s.timeToLive() != nil:
		// The verdict has just been written, or stands already.
		left := *s.timeToLive()
		if completed := s.run.CompletionTime; completed != nil {
			left -= s.now.Sub(completed.Time)
		}
		return reconcile.Result{RequeueAfter: max(left, time.Second), Priority: new(lookPriority)}
	}
	return reconcile.Result{}
}

// waitingInterval is the time between two looks at a live attempt. What waits to start is looked at the less often the longer it has
// waited: its start is an event, and only the reason for which it waits is not.
func (s *situation) waitingInterval() time.Duration {
	if s.run.StartTime == nil || engineRuns(s.children.pods) {
		return pollInterval
	}
	waited := s.now.Sub(s.run.StartTime.Time)
	timeout := time.Duration(s.resource.Spec.EffectiveStartupTimeoutSeconds()) * time.Second
	wait := min(max(waited/waitingShare, pollInterval), maxPollInterval)
	if waited < timeout {
		// That it takes too long is shown in time.
		wait = min(wait, max(timeout-waited, pollInterval))
	}
	return wait
}

// SetupWithManager registers the controller under a name that must be unique in the process.
func (r *Reconciler) SetupWithManager(manager ctrl.Manager, name string) error {
	concurrency := r.Options.MaxConcurrentReconciles
	if concurrency == 0 {
		concurrency = defaultConcurrency
	}
	if err := addIndexes(context.Background(), manager.GetFieldIndexer()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(manager).
		Named(name).
		For(&v1alpha1.DatasetGeneration{}, builder.WithPredicates(predicate.Or(
			predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&v1alpha1.DatasetGeneration{}, handler.EnqueueRequestsFromMapFunc(r.requestsOfDependents),
			builder.WithPredicates(concernsDependents())).
		Owns(&batchv1.Job{}).
		Owns(&corev1.ConfigMap{}, builder.OnlyMetadata).
		// A Job's Pods are owned by the Job, so they are found by their label.
		Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(r.requestOfPod)).
		WithOptions(controller.Options{MaxConcurrentReconciles: concurrency, ReconciliationTimeout: reconcileTimeout}).
		Complete(r)
}

// requestOfPod finds the resource of a Pod that has changed, and notes how the Pod has ended: it may be gone when the resource is
// looked at.
func (r *Reconciler) requestOfPod(_ context.Context, pod client.Object) []reconcile.Request {
	name := pod.GetLabels()[v1alpha1.LabelDataset]
	if name == "" {
		return nil
	}
	resource := types.NamespacedName{Namespace: pod.GetNamespace(), Name: name}
	if pod, isPod := pod.(*corev1.Pod); isPod {
		r.ended.note(resource, pod)
	}
	return []reconcile.Request{{NamespacedName: resource}}
}

// runContext has every line of the log name the resource's run.
func runContext(ctx context.Context, run *v1alpha1.RunStatus) context.Context {
	if run.ID == "" {
		return ctx
	}
	return log.IntoContext(ctx, log.FromContext(ctx).WithValues("run", run.ID, "attempt", run.Attempt))
}
