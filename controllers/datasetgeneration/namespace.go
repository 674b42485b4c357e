package datasetgeneration

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// losesPods says whether somebody deletes Pods of Jobs that are to go on.
func (in *input) losesPods() bool {
	for i := range in.children.pods {
		owner := metav1.GetControllerOf(&in.children.pods[i])
		if in.children.pods[i].DeletionTimestamp == nil || owner == nil {
			continue
		}
		for j := range in.children.jobs {
			if job := &in.children.jobs[j]; job.UID == owner.UID && job.DeletionTimestamp == nil {
				return true
			}
		}
	}
	return false
}

// namespaceTerminates asks whether the namespace is being deleted. Without the right to know, it is taken not to be.
func (r *Reconciler) namespaceTerminates(ctx context.Context, name string) bool {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	if err := r.APIReader.Get(ctx, client.ObjectKey{Name: name}, namespace); err != nil {
		log.FromContext(ctx).V(1).Info("Cannot see whether the namespace is being deleted", "error", err.Error())
		return false
	}
	return namespace.DeletionTimestamp != nil
}

// releasePods deletes the Jobs of a namespace that is being deleted. Such a namespace waits for all Pods before it deletes Jobs, and a
// Job with a backoff limit for each index keeps a failed Pod until it has another one, which the namespace no longer takes: without
// this, they would wait for each other for ever.
func (r *Reconciler) releasePods(ctx context.Context, in *input) error {
	var failures []error
	for i := range in.children.jobs {
		job := &in.children.jobs[i]
		options := []client.DeleteOption{client.Preconditions{UID: &job.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground)}
		if err := client.IgnoreNotFound(r.Delete(ctx, job, options...)); err != nil {
			failures = append(failures, fmt.Errorf("deleting Job %s: %w", job.Name, err))
		}
	}
	return errors.Join(failures...)
}
