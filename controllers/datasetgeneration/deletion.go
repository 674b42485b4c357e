package datasetgeneration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// deletionBackoffLimit is how often the deletion of a dataset is tried again.
	deletionBackoffLimit int32 = 3
	// deletionTTLSeconds is for the Job that deletes, should the controller not come to do it: it has no owner that would take it along.
	deletionTTLSeconds int32 = 3600
)

// syncFinalizer has a resource wait for the deletion of its dataset exactly when its spec asks for it.
func (r *Reconciler) syncFinalizer(ctx context.Context, resource *v1alpha1.DatasetGeneration) error {
	before := resource.DeepCopy()
	if resource.Spec.Output.RetentionPolicy == v1alpha1.RetentionDelete {
		controllerutil.AddFinalizer(resource, v1alpha1.FinalizerOutput)
	} else {
		controllerutil.RemoveFinalizer(resource, v1alpha1.FinalizerOutput)
	}
	return r.patchFinalizers(ctx, before, resource)
}

// patchFinalizers writes the finalizers when they have changed.
func (r *Reconciler) patchFinalizers(ctx context.Context, before, after *v1alpha1.DatasetGeneration) error {
	if slices.Equal(before.Finalizers, after.Finalizers) {
		return nil
	}
	err := r.Patch(ctx, after, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("changing the finalizers: %w", err)
	}
	return nil
}

// finish does what has to be done before a resource that is being deleted is gone. Most have nothing: the garbage collector deletes their
// children by the owner references.
func (r *Reconciler) finish(ctx context.Context, resource *v1alpha1.DatasetGeneration) (reconcile.Result, error) {
	if !controllerutil.ContainsFinalizer(resource, v1alpha1.FinalizerOutput) {
		return reconcile.Result{}, nil
	}
	in := &input{now: r.Now(), options: &r.Options, resource: resource}
	found, err := r.listLabelled(ctx, resource)
	if err != nil {
		return reconcile.Result{}, err
	}
	in.children, in.foreign = found.ownedBy(resource)
	s := &situation{input: in, stale: in.children}
	if recorded := resource.Status.Run; recorded != nil {
		s.run = *recorded
	}
	if s.run.ID == "" || resource.Spec.Output.RetentionPolicy != v1alpha1.RetentionDelete {
		return reconcile.Result{}, r.release(ctx, resource, "nothing is to be deleted")
	}
	if err := r.deleteStale(ctx, s); err != nil {
		return reconcile.Result{}, err
	}
	again := reconcile.Result{RequeueAfter: pollInterval, Priority: new(lookPriority)}
	if s.stale.writes() {
		message := "waiting for the Pods to end before the dataset is deleted"
		if lost := s.lostPod(); lost != "" {
			message += ". " + lost
		}
		return again, r.recordDeletion(ctx, resource, v1alpha1.ReasonDeletingOutput, message)
	}
	job := found.job(s.deletionName())
	if job == nil {
		reader, err := r.reader(ctx, resource)
		if err != nil {
			return reconcile.Result{}, err
		}
		if reader != "" {
			return again, r.recordDeletion(ctx, resource, v1alpha1.ReasonDeletingOutput, fmt.Sprintf(
				"waiting for DatasetGeneration %q, whose run reads this dataset, to end; suspend or delete it to go on at once", reader))
		}
		if job, err = r.startDeletion(ctx, s); apierrors.IsConflict(err) {
			return reconcile.Result{RequeueAfter: conflictDelay}, nil
		} else if err != nil || job == nil {
			return reconcile.Result{}, err
		}
	}
	return r.followDeletion(ctx, s, job, found.pods)
}

// followDeletion reports how far the Job that deletes the dataset is, and lets the resource go once the dataset is deleted.
func (r *Reconciler) followDeletion(ctx context.Context, s *situation, job *batchv1.Job, pods []corev1.Pod) (reconcile.Result, error) {
	again := reconcile.Result{RequeueAfter: pollInterval, Priority: new(lookPriority)}
	end := jobEnd(job)
	switch {
	case end == nil:
		return again, r.recordDeletion(ctx, s.resource, v1alpha1.ReasonDeletingOutput,
			fmt.Sprintf("Job %s deletes the dataset, as spec.output.retentionPolicy asks", job.Name))
	case end.Type == batchv1.JobFailed:
		// That somebody deletes the Job, which has no owner, is no event.
		again.RequeueAfter = maxPollInterval
		return again, r.recordDeletion(ctx, s.resource, v1alpha1.ReasonOutputDeletionFailed, s.deletionFailure(job, pods))
	}
	// A Job that is gone while the resource is not would be created again.
	if err := r.release(ctx, s.resource, "the dataset is deleted"); err != nil {
		return reconcile.Result{}, err
	}
	background := client.PropagationPolicy(metav1.DeletePropagationBackground)
	if err := client.IgnoreNotFound(r.Delete(ctx, job, background)); err != nil {
		return reconcile.Result{}, fmt.Errorf("deleting Job %s: %w", job.Name, err)
	}
	return reconcile.Result{}, nil
}

// release lets the resource go.
func (r *Reconciler) release(ctx context.Context, resource *v1alpha1.DatasetGeneration, why string) error {
	before := resource.DeepCopy()
	controllerutil.RemoveFinalizer(resource, v1alpha1.FinalizerOutput)
	if err := r.patchFinalizers(ctx, before, resource); err != nil {
		return err
	}
	log.FromContext(ctx).Info("The resource can go", "why", why)
	return nil
}

// job finds a Job by its name.
func (c children) job(name string) *batchv1.Job {
	for i := range c.jobs {
		if c.jobs[i].Name == name {
			return &c.jobs[i]
		}
	}
	return nil
}

// deletionName is the name of the Job that deletes. It has a part of the resource's UID, so that one of a predecessor is not taken for
// it, and of a long name as much as fits before that.
func (s *situation) deletionName() string {
	name, suffix := attemptName(s.run), "-d-"+string(s.resource.UID[:min(len(s.resource.UID), shortHash)])
	return strings.TrimRight(name[:min(len(name), validation.DNS1123LabelMaxLength-len(suffix))], "-") + suffix
}

// startDeletion creates the Job that deletes the dataset. It returns nil when the resource can go without: when the claim is gone, or goes
// with its whole namespace, which takes no new objects.
func (r *Reconciler) startDeletion(ctx context.Context, s *situation) (*batchv1.Job, error) {
	if claim := s.resource.Spec.Output.PersistentVolumeClaim; claim != nil {
		key := client.ObjectKey{Namespace: s.resource.Namespace, Name: claim.ClaimName}
		if err := r.APIReader.Get(ctx, key, metadataOf(kindClaim)); apierrors.IsNotFound(err) {
			return nil, r.release(ctx, s.resource, "the claim is gone")
		} else if err != nil {
			return nil, fmt.Errorf("looking for the claim: %w", err)
		}
	}
	// A cache that lags behind may still have a resource that is gone, and whose name another one has by now.
	if err := r.confirm(ctx, s.resource); err != nil {
		return nil, err
	}
	job, err := s.deletionJob()
	if err != nil {
		return nil, err
	}
	err = r.Create(ctx, job)
	switch {
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil, r.release(ctx, s.resource, "the namespace is being deleted, with its claims; what is in a bucket stays there")
	case apierrors.IsAlreadyExists(err):
		// The cache has not heard of it yet.
		return job, nil
	case apierrors.IsInvalid(err):
		// It would be refused again and again: only an edit of the resource, which is an event, helps.
		return nil, r.recordDeletion(ctx, s.resource, v1alpha1.ReasonOutputDeletionFailed, clip.Text(fmt.Sprintf(
			"the API server does not take the Pod that would delete the dataset: %s; correct spec.pod, "+
				"or set spec.output.retentionPolicy to Retain, to leave the dataset where it is", withoutMomentary(err.Error())), maxViolations))
	case err != nil:
		err = fmt.Errorf("creating Job %s: %w", job.Name, err)
		return nil, errors.Join(err, r.recordDeletion(ctx, s.resource, v1alpha1.ReasonDeletingOutput, withoutMomentary(err.Error())))
	}
	return job, nil
}

// deletionJob has no owner: a resource that is deleted in the foreground would take it along before it has run. Of what a run has, its Pod
// gets the output and where it is to run, and nothing of seeds, models and users' own volumes, which may be gone already.
func (s *situation) deletionJob() (*batchv1.Job, error) {
	template := s.podTemplate(runreport.RoleDelete)
	volumes := []string{volumeOutput, volumeObjectStore, volumeTmp}
	pod := &template.Spec
	pod.Volumes = slices.DeleteFunc(pod.Volumes, func(volume corev1.Volume) bool { return !slices.Contains(volumes, volume.Name) })
	engine := &pod.Containers[0]
	engine.VolumeMounts = slices.DeleteFunc(engine.VolumeMounts, func(mount corev1.VolumeMount) bool {
		return !slices.Contains(volumes, mount.Name) || isInput(&mount)
	})
	engine.Env = []corev1.EnvVar{memoryLimit(enginepods.Container)}
	if place := s.resource.Spec.Output.ObjectStore; place != nil {
		variable, err := objectStoreVariable(place)
		if err != nil {
			return nil, err
		}
		engine.Env = append(append(engine.Env, s.operatorVariables()...), variable)
	}
	engine.Args = []string{s.resource.Namespace, s.resource.Name}
	metadata := s.objectMeta(s.deletionName(), runreport.RoleDelete)
	metadata.OwnerReferences = nil
	return &batchv1.Job{
		ObjectMeta: metadata,
		Spec: batchv1.JobSpec{
			Completions:             new(int32(1)),
			Parallelism:             new(int32(1)),
			BackoffLimit:            new(deletionBackoffLimit),
			PodReplacementPolicy:    new(batchv1.Failed),
			TTLSecondsAfterFinished: new(deletionTTLSeconds),
			Template:                template,
		},
	}, nil
}

// deletionFailure says why the dataset could not be deleted, and what can be done.
func (s *situation) deletionFailure(job *batchv1.Job, pods []corev1.Pod) string {
	cause := ""
	for i := range pods {
		owner := metav1.GetControllerOf(&pods[i])
		if end, over := endOf(&pods[i]); over && owner != nil && owner.UID == job.UID {
			_, cause = causeOf(end)
		}
	}
	return clip.Text(fmt.Sprintf("the dataset could not be deleted. %s To try again, run: kubectl delete job %s --namespace %s. "+
		"To leave the dataset where it is, set spec.output.retentionPolicy to Retain", withStop(cause), job.Name, job.Namespace), maxViolations)
}

// recordDeletion says how far the deletion is.
func (r *Reconciler) recordDeletion(ctx context.Context, resource *v1alpha1.DatasetGeneration, reason, message string) error {
	updated := resource.DeepCopy()
	var conditions conditionSet
	conditions.keep(updated.Status.Conditions, v1alpha1.ConditionAccepted, v1alpha1.ConditionComplete, v1alpha1.ConditionFailed,
		v1alpha1.ConditionPartial, v1alpha1.ConditionSyncFallback, v1alpha1.ConditionSuspended, v1alpha1.ConditionModelsAnswered,
		v1alpha1.ConditionPublished)
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, reason, message)
	if reason == v1alpha1.ReasonOutputDeletionFailed {
		conditions.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
	} else {
		conditions.add(v1alpha1.ConditionReconciling, metav1.ConditionTrue, v1alpha1.ReasonProgressing, message)
	}
	conditions.applyTo(&updated.Status.Conditions, resource.Generation, r.Now())
	if equality.Semantic.DeepEqual(resource.Status, updated.Status) {
		return nil
	}
	err := r.Status().Patch(ctx, updated.DeepCopy(), client.MergeFromWithOptions(resource.DeepCopy(), client.MergeFromWithOptimisticLock{}))
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	r.announce(ctx, resource, updated, func(announcement) *podEnd { return nil })
	return nil
}
