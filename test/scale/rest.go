package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// measureRest has many resources whose runs have ended, starts an operator, and measures it.
func measureRest(ctx context.Context, size profile) ([]figure, error) {
	s, err := newStage(ctx, size)
	if err != nil {
		return nil, err
	}
	figures, err := s.measureRest(ctx, size)
	return figures, s.explain(err)
}

func (s *stage) measureRest(ctx context.Context, size profile) ([]figure, error) {
	ended, err := s.endOne(ctx)
	if err != nil {
		return nil, err
	}
	// The Jobs of the copies have ended: the cluster does nothing with them, and the operator must not either.
	if err := s.plane.namespace(ctx, held); err != nil {
		return nil, err
	}
	if err := each(size.Resting, func(number int) error { return s.copy(ctx, ended, fmt.Sprintf("rests-%05d", number)) }); err != nil {
		return nil, fmt.Errorf("making resources at rest: %w", err)
	}
	begun, err := s.plane.audit.mark()
	if err != nil {
		return nil, err
	}
	if err := s.startManager(ctx); err != nil {
		return nil, err
	}
	profile := s.profileProcessor(ctx, "restart")
	settled, err := s.settles(ctx, size.Resting+1)
	if err != nil {
		return nil, err
	}
	restart, err := s.plane.audit.since(begun)
	if err != nil {
		return nil, err
	}
	worked, err := s.manager.processorTime()
	if err != nil {
		return nil, err
	}
	if err := profile(); err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("%d resources, each with a Job, a Pod and a ConfigMap", size.Resting+1)
	rest, err := s.countRest(ctx, size, detail)
	return append([]figure{
		{"restart, time to settle (s)", settled.Seconds(),
			fmt.Sprintf("%s; from the start of the process, %.1f s of processor time", detail, worked)},
		{"restart, writes", float64(len(writes(restart))), summary(restart)},
	}, rest...), err
}

// countRest counts requests and processor time while nothing happens.
func (s *stage) countRest(ctx context.Context, size profile, detail string) ([]figure, error) {
	begun, err := s.plane.audit.mark()
	if err != nil {
		return nil, err
	}
	before, err := s.manager.processorTime()
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, time.Duration(size.WindowSeconds)*time.Second); err != nil {
		return nil, err
	}
	after, err := s.manager.processorTime()
	if err != nil {
		return nil, err
	}
	requests, err := s.plane.audit.since(begun)
	if err != nil {
		return nil, err
	}
	used, err := s.manager.memory()
	if err := s.profileMemory(ctx, "rest"); err != nil {
		return nil, err
	}
	return []figure{
		{"at rest, requests", float64(len(requests)), fmt.Sprintf("in %d s, beside the renewal of the Lease; %s",
			size.WindowSeconds, summary(requests))},
		{"at rest, memory (MiB)", used.now, fmt.Sprintf("%s; %.0f MiB of it pages of the program's file", detail, used.file)},
		{"at rest, most memory since the start (MiB)", used.most, detail},
		{"at rest, processor (% of a core)", 100 * (after - before) / float64(size.WindowSeconds), detail},
	}, err
}

// settles waits until the manager has looked at every resource and has nothing more to do, and returns how long that took.
func (s *stage) settles(ctx context.Context, resources int) (time.Duration, error) {
	err := eventually(ctx, "the manager settles", func() (bool, error) {
		done, queued, err := s.manager.reconciles(ctx)
		return err == nil && done >= float64(resources) && queued == 0, err
	})
	return time.Since(s.manager.started), err
}

// endedRun is a resource whose run has ended, with what it has left.
type endedRun struct {
	resource  v1alpha1.DatasetGeneration
	configMap corev1.ConfigMap
	job       batchv1.Job
	pod       corev1.Pod
}

// endOne has the operator carry one run to its end, and stops it.
func (s *stage) endOne(ctx context.Context) (*endedRun, error) {
	if err := s.plane.namespace(ctx, running); err != nil {
		return nil, err
	}
	if err := s.startManager(ctx); err != nil {
		return nil, err
	}
	ended := &endedRun{resource: *dataset(running, "reviews")}
	if err := s.plane.kube.Create(ctx, ended.resource.DeepCopy()); err != nil {
		return nil, fmt.Errorf("creating a resource: %w", err)
	}
	if err := s.await(ctx, running, 1, v1alpha1.ReasonRunning); err != nil {
		return nil, err
	}
	if err := s.plane.kube.Get(ctx, client.ObjectKeyFromObject(&ended.resource), &ended.resource); err != nil {
		return nil, fmt.Errorf("reading the resource: %w", err)
	}
	job := ended.resource.Status.Run.ID + "-1"
	if err := s.cluster.finish(ctx, running, job, target); err != nil {
		return nil, err
	}
	if err := s.await(ctx, running, 1, v1alpha1.ReasonSucceeded); err != nil {
		return nil, err
	}
	if err := s.stopManager(); err != nil {
		return nil, err
	}
	for name, object := range map[string]client.Object{
		"reviews": &ended.resource, job: &ended.job, job + "-0-x7f2k": &ended.pod,
	} {
		if err := s.plane.kube.Get(ctx, client.ObjectKey{Namespace: running, Name: name}, object); err != nil {
			return nil, fmt.Errorf("reading what a run has left: %w", err)
		}
	}
	if err := s.plane.kube.Get(ctx, client.ObjectKey{Namespace: running, Name: job}, &ended.configMap); err != nil {
		return nil, fmt.Errorf("reading what a run has left: %w", err)
	}
	return ended, nil
}

// copy makes another resource that has ended in the same way.
func (s *stage) copy(ctx context.Context, ended *endedRun, name string) error {
	id := name + strings.TrimPrefix(ended.resource.Status.Run.ID, ended.resource.Name)
	fresh := func(object client.Object, name string) {
		object.SetName(name)
		object.SetNamespace(held)
		object.SetResourceVersion("")
		object.SetUID("")
		object.SetManagedFields(nil)
	}
	resource := ended.resource.DeepCopy()
	fresh(resource, name)
	status := resource.Status
	if err := s.plane.kube.Create(ctx, resource); err != nil {
		return err
	}
	resource.Status = status
	resource.Status.Run.ID, resource.Status.ObservedGeneration = id, resource.Generation
	if err := s.plane.kube.Status().Update(ctx, resource); err != nil {
		return err
	}
	return s.copyChildren(ctx, ended, resource, id+"-1", func(object client.Object, owner types.UID, name string) {
		fresh(object, name)
		labels := object.GetLabels()
		labels[v1alpha1.LabelDataset], labels["app.kubernetes.io/instance"], labels[v1alpha1.LabelRun] = resource.Name, resource.Name, id
		owners := object.GetOwnerReferences()
		owners[0].UID = owner
		if owners[0].Kind == "Job" {
			owners[0].Name = id + "-1"
		} else {
			owners[0].Name = resource.Name
		}
		object.SetOwnerReferences(owners)
	})
}

func (s *stage) copyChildren(
	ctx context.Context, ended *endedRun, resource *v1alpha1.DatasetGeneration, name string, fresh func(client.Object, types.UID, string),
) error {
	configMap, job, pod := ended.configMap.DeepCopy(), ended.job.DeepCopy(), ended.pod.DeepCopy()
	fresh(configMap, resource.UID, name)
	if err := s.plane.kube.Create(ctx, configMap); err != nil {
		return err
	}
	fresh(job, resource.UID, name)
	// The API server makes the selector, and the labels that go with it.
	job.Spec.Selector, job.Spec.Template.Labels = nil, nil
	status := job.Status
	if err := s.plane.kube.Create(ctx, job); err != nil {
		return err
	}
	job.Status = *status.DeepCopy()
	if err := s.plane.kube.Status().Update(ctx, job); err != nil {
		return err
	}
	fresh(pod, job.UID, name+"-0-x7f2k")
	ran := pod.Status
	pod.DeletionTimestamp, pod.CreationTimestamp = nil, metav1.Time{}
	if err := s.plane.kube.Create(ctx, pod); err != nil {
		return err
	}
	pod.Status = ran
	return s.plane.kube.Status().Update(ctx, pod)
}
