package datasetgeneration

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// syncChildren deletes what the current attempt does not want and creates the next thing that it does.
func (r *Reconciler) syncChildren(ctx context.Context, s *situation) error {
	if err := r.deleteStale(ctx, s); err != nil {
		return err
	}
	if s.lifetime == lifetimeFinished {
		return r.syncPublication(ctx, s)
	}
	if s.lifetime != lifetimeActive || s.stale.writes() || !s.mayStart() {
		// Two attempts never write at the same time: the next one is created when the last Pod of the former is gone.
		return nil
	}
	if err := r.updateDeadline(ctx, s); err != nil {
		return err
	}
	wanted, err := s.wanted()
	if err != nil || len(wanted) == 0 {
		return err
	}
	if !s.written {
		if err := r.confirm(ctx, s.resource); err != nil {
			return err
		}
	}
	if !s.observed.finalizes {
		if err := r.askSecrets(ctx, s); err != nil {
			return err
		}
	}
	for _, object := range wanted {
		if err := r.create(ctx, s, object); err != nil {
			return err
		}
		log.FromContext(ctx).Info("Created", "kind", fmt.Sprintf("%T", object), "object", object.GetName())
	}
	return nil
}

// mayStart says whether all that the spec refers to is for runs, as far as it counts. What is not known is not permitted; what has been
// generated is finalized.
func (s *situation) mayStart() bool {
	return s.observed.finalizes || s.secretsArePermitted()
}

// deleteStale deletes Jobs in the foreground: a Job is gone when its Pods are.
func (r *Reconciler) deleteStale(ctx context.Context, s *situation) error {
	var failures []error
	remove := func(object client.Object, kind string) {
		if object.GetDeletionTimestamp() != nil {
			return
		}
		uid := object.GetUID()
		options := []client.DeleteOption{client.Preconditions{UID: &uid}}
		if kind == "Job" {
			options = append(options, client.PropagationPolicy(metav1.DeletePropagationForeground))
		}
		if err := client.IgnoreNotFound(r.Delete(ctx, object, options...)); err != nil {
			failures = append(failures, fmt.Errorf("deleting %s %s: %w", kind, object.GetName(), err))
		}
	}
	for i := range s.stale.jobs {
		remove(&s.stale.jobs[i], "Job")
	}
	for i := range s.stale.pods {
		pod := &s.stale.pods[i]
		if owner := metav1.GetControllerOf(pod); owner == nil || owner.Kind != "Job" || !s.children.hasJob(owner.Name) {
			remove(pod, "Pod")
		}
	}
	for i := range s.stale.configMaps {
		configMap := s.stale.configMaps[i].DeepCopy()
		configMap.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMap"))
		remove(configMap, "ConfigMap")
	}
	return errors.Join(failures...)
}

// updateDeadline brings an edit of the deadline to a Job that is running already. Other settings hold from the next attempt.
func (r *Reconciler) updateDeadline(ctx context.Context, s *situation) error {
	job := s.workload.generate
	if job == nil || jobEnd(job) != nil {
		return nil
	}
	want := activeDeadline(&s.resource.Spec)
	have := job.Spec.ActiveDeadlineSeconds
	if (want == nil && have == nil) || (want != nil && have != nil && *want == *have) {
		return nil
	}
	changed := job.DeepCopy()
	changed.Spec.ActiveDeadlineSeconds = want
	if err := r.Patch(ctx, changed, client.MergeFrom(job)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("changing the deadline of Job %s: %w", job.Name, err)
	}
	return nil
}

// confirm asks the API server whether the decision to create something is based on the latest resource. A cache that
// lags behind could otherwise start work again that has just been finished or suspended.
func (r *Reconciler) confirm(ctx context.Context, resource *v1alpha1.DatasetGeneration) error {
	live := &v1alpha1.DatasetGeneration{}
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(resource), live); err != nil {
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("reading the resource: %w", err)
		}
	} else if live.UID == resource.UID && live.ResourceVersion == resource.ResourceVersion {
		return nil
	}
	return hasChanged(resource)
}

// askSecrets asks anew whether all Secrets are for runs, where something is to be created by an answer that is remembered: their owner
// may have closed one since.
func (r *Reconciler) askSecrets(ctx context.Context, s *situation) error {
	if !r.Options.LabelledSecretsOnly || s.secretsAsked {
		return nil
	}
	refused, _, err := r.secretsNotPermitted(ctx, s.resource, true)
	if err == nil && len(refused) > 0 {
		// What is remembered has just been corrected.
		return hasChanged(s.resource)
	}
	return err
}

// create creates the object. When one of its name exists, it is the same one, of which the cache has not heard yet;
// one that belongs to someone else is an error.
func (r *Reconciler) create(ctx context.Context, s *situation, object client.Object) error {
	gvk, err := apiutil.GVKForObject(object, r.Scheme())
	if err != nil {
		return fmt.Errorf("creating %s: %w", object.GetName(), err)
	}
	err = r.Create(ctx, object)
	if err == nil {
		return nil
	}
	if !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating %s %s: %w", gvk.Kind, object.GetName(), err)
	}
	existing := &metav1.PartialObjectMetadata{}
	existing.SetGroupVersionKind(gvk)
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(object), existing); err != nil {
		return fmt.Errorf("reading %s %s: %w", gvk.Kind, object.GetName(), err)
	}
	if !metav1.IsControlledBy(existing, s.resource) {
		return fmt.Errorf("%s %s exists already and belongs to something else: delete or rename it", gvk.Kind, object.GetName())
	}
	return nil
}

// syncPublication creates the Job that publishes, where one is wanted and not there.
func (r *Reconciler) syncPublication(ctx context.Context, s *situation) error {
	if s.publication.isSettled || s.publication.job != nil || s.stale.writes() || s.resource.Spec.IsSuspended() || !s.secretsArePermitted() {
		return nil
	}
	if err := r.confirm(ctx, s.resource); err != nil {
		return err
	}
	if err := r.askSecrets(ctx, s); err != nil {
		return err
	}
	job, err := s.publicationJob()
	if err != nil {
		return err
	}
	if err := r.create(ctx, s, job); err != nil {
		return err
	}
	log.FromContext(ctx).Info("Created", "kind", fmt.Sprintf("%T", job), "object", job.Name)
	return nil
}
