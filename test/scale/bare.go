package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// writers is how many resources the operator works at once by default.
const writers = 16

// template is what the operator has written for a run until its Job is there.
type template struct {
	resource  v1alpha1.DatasetGeneration
	configMap corev1.ConfigMap
	job       batchv1.Job
}

// createBare creates as many resources at the same pace as createFresh, and writes for each what the operator would have written, without
// an operator: what this takes is what the control plane takes on this machine, whoever asks.
func (s *stage) createBare(ctx context.Context, size profile) ([]figure, error) {
	written, err := s.readTemplate(ctx, held, freshName(0))
	if err != nil {
		return nil, err
	}
	if err := s.stopManager(); err != nil {
		return nil, err
	}
	// The writes of a run wait in a queue, as they do in the operator.
	created, queue := make([]time.Time, size.Creations), make(chan *v1alpha1.DatasetGeneration, size.Creations)
	var workers sync.WaitGroup
	var mutex sync.Mutex
	var failures []error
	for range writers {
		workers.Go(func() {
			for resource := range queue {
				if err := s.writeBare(ctx, written, resource); err != nil {
					mutex.Lock()
					failures = append(failures, err)
					mutex.Unlock()
				}
			}
		})
	}
	err = atPace(ctx, size, func(number int) error {
		resource := dataset(held, bareName(number))
		created[number] = time.Now()
		if err := s.plane.kube.Create(ctx, resource); err != nil {
			return err
		}
		queue <- resource
		return nil
	})
	close(queue)
	workers.Wait()
	if err := errors.Join(err, errors.Join(failures[:min(len(failures), 4)]...)); err != nil {
		return nil, fmt.Errorf("writing what the operator would have written: %w", err)
	}
	all := func() (bool, error) { return s.cluster.seen(held) >= 2*size.Creations, nil }
	if err := eventually(ctx, "every bare run has a Job", all); err != nil {
		return nil, err
	}
	at := s.waits(created, bareName)
	return []figure{{"without the operator, p99 (s)", at(0.99),
		"the same writes by a program that does nothing else; it says what the control plane can on this machine"}}, nil
}

func bareName(number int) string { return fmt.Sprintf("bare-%04d", number) }

func (s *stage) readTemplate(ctx context.Context, namespace, name string) (*template, error) {
	written := &template{}
	if err := s.plane.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &written.resource); err != nil {
		return nil, fmt.Errorf("reading a resource: %w", err)
	}
	key := client.ObjectKey{Namespace: namespace, Name: written.resource.Status.Run.ID + "-1"}
	if err := errors.Join(s.plane.kube.Get(ctx, key, &written.configMap), s.plane.kube.Get(ctx, key, &written.job)); err != nil {
		return nil, fmt.Errorf("reading what a run has: %w", err)
	}
	return written, nil
}

// writeBare writes the status of a resource, its ConfigMap and its Job.
func (s *stage) writeBare(ctx context.Context, written *template, resource *v1alpha1.DatasetGeneration) error {
	patch := client.MergeFromWithOptions(resource.DeepCopy(), client.MergeFromWithOptimisticLock{})
	resource.Status = written.resource.Status
	if err := s.plane.kube.Status().Patch(ctx, resource, patch); err != nil {
		return err
	}
	name := resource.Name + "-1"
	configMap, job := written.configMap.DeepCopy(), written.job.DeepCopy()
	job.Spec.Selector, job.Spec.Template.Labels = nil, nil
	for _, object := range []client.Object{configMap, job} {
		object.SetName(name)
		object.SetResourceVersion("")
		object.SetUID("")
		object.SetManagedFields(nil)
		labels := object.GetLabels()
		labels[v1alpha1.LabelDataset] = resource.Name
		owners := object.GetOwnerReferences()
		owners[0].Name, owners[0].UID = resource.Name, resource.UID
		object.SetOwnerReferences(owners)
		if err := s.plane.kube.Create(ctx, object); err != nil {
			return err
		}
	}
	return nil
}
