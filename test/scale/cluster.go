package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The beginnings of the names of namespaces, which say what becomes of Jobs in them.
const (
	// inQuota: no Pod may be created, and events say so.
	inQuota = "quota"
	// unschedulable: there is a Pod, and no node for it.
	unschedulable = "unschedulable"
	// running: the Pod runs until the test ends it.
	running = "running"
	// held: nothing becomes of the Job.
	held = "held"
)

// cluster plays the Job controller, the scheduler and the kubelet. Its goroutines belong to play, whose stop waits for them.
type cluster struct {
	kube client.WithWatch

	mutex sync.Mutex
	// jobs is when the first Job of a resource was seen, by namespace and name of the resource.
	jobs   map[string]time.Time
	faults []error
}

// play begins to play, until stop is called.
func play(ctx context.Context, kube client.WithWatch) (c *cluster, stop func() error, err error) {
	ctx, cancel := context.WithCancel(ctx)
	jobs, err := kube.Watch(ctx, &batchv1.JobList{})
	if err != nil {
		cancel()
		return nil, nil, fmt.Errorf("watching Jobs: %w", err)
	}
	c = &cluster{kube: kube, jobs: map[string]time.Time{}}
	work := make(chan *batchv1.Job, 10_000)
	var workers sync.WaitGroup
	workers.Go(func() {
		defer close(work)
		for event := range jobs.ResultChan() {
			if job, is := event.Object.(*batchv1.Job); is && event.Type == watch.Added {
				c.note(job)
				work <- job
			}
		}
	})
	for range 4 {
		workers.Go(func() {
			for job := range work {
				if err := c.start(ctx, job); err != nil && ctx.Err() == nil {
					c.fault(err)
				}
			}
		})
	}
	return c, func() error {
		jobs.Stop()
		cancel()
		workers.Wait()
		return errors.Join(c.faults...)
	}, nil
}

func (c *cluster) note(job *batchv1.Job) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	name := job.Namespace + "/" + job.Labels[v1alpha1.LabelDataset]
	if _, known := c.jobs[name]; !known {
		c.jobs[name] = time.Now()
	}
}

func (c *cluster) fault(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.faults = append(c.faults, err)
}

// seen is how many resources of namespaces have a Job, and when that of one was seen.
func (c *cluster) seen(prefix string) int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	count := 0
	for name := range c.jobs {
		if strings.HasPrefix(name, prefix) {
			count++
		}
	}
	return count
}

func (c *cluster) jobSeen(namespace, name string) time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.jobs[namespace+"/"+name]
}

// start does with a Job what its namespace's name says.
func (c *cluster) start(ctx context.Context, job *batchv1.Job) error {
	switch {
	case strings.HasPrefix(job.Namespace, inQuota):
		return c.refuse(ctx, job)
	case strings.HasPrefix(job.Namespace, unschedulable):
		pod, err := c.createPod(ctx, job)
		if err != nil {
			return err
		}
		pod.Status.Conditions = []corev1.PodCondition{{
			Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable",
			Message: "0/3 nodes are available: 3 Insufficient cpu.",
		}}
		return c.kube.Status().Update(ctx, pod)
	case strings.HasPrefix(job.Namespace, running):
		pod, err := c.createPod(ctx, job)
		if err != nil {
			return err
		}
		pod.Status = runningStatus()
		return c.kube.Status().Update(ctx, pod)
	}
	return nil
}

// refuse says, as the Job controller does, that a Pod was not allowed.
func (c *cluster) refuse(ctx context.Context, job *batchv1.Job) error {
	now := metav1.Now()
	return c.kube.Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, GenerateName: job.Name + "."},
		InvolvedObject: corev1.ObjectReference{
			APIVersion: "batch/v1", Kind: "Job", Namespace: job.Namespace, Name: job.Name, UID: job.UID,
		},
		Type: corev1.EventTypeWarning, Reason: "FailedCreate", Source: corev1.EventSource{Component: "job-controller"},
		Message:        fmt.Sprintf("Error creating: pods %q is forbidden: exceeded quota: none, requested: pods=1", job.Name+"-0-x7f2k"),
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	})
}

func (c *cluster) createPod(ctx context.Context, job *batchv1.Job) (*corev1.Pod, error) {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: job.Name + "-0-x7f2k", Namespace: job.Namespace, Labels: job.Spec.Template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: *job.Spec.Template.Spec.DeepCopy(),
	}
	pod.Labels[batchv1.JobNameLabel] = job.Name
	pod.Labels[batchv1.JobCompletionIndexAnnotation] = "0"
	if err := c.kube.Create(ctx, pod); err != nil {
		return nil, fmt.Errorf("creating a Pod: %w", err)
	}
	return pod, nil
}

func runningStatus() corev1.PodStatus {
	return corev1.PodStatus{
		// The address at which this program serves as an engine.
		Phase: corev1.PodRunning, PodIP: engineAddress, PodIPs: []corev1.PodIP{{IP: engineAddress}},
		ContainerStatuses: []corev1.ContainerStatus{{
			Name: "engine", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}},
	}
}

// finish ends the Pod of a Job with all records, and then the Job.
func (c *cluster) finish(ctx context.Context, namespace, job string, target int64) error {
	pod := &corev1.Pod{}
	if err := c.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: job + "-0-x7f2k"}, pod); err != nil {
		return fmt.Errorf("reading the Pod: %w", err)
	}
	attempt, err := strconv.ParseInt(pod.Labels[v1alpha1.LabelAttempt], 10, 32)
	if err != nil {
		return fmt.Errorf("reading the attempt of a Pod: %w", err)
	}
	result := runreport.Result{
		RunID: pod.Labels[v1alpha1.LabelRun], Attempt: int32(attempt), Role: runreport.RoleGenerate, Mode: "Async",
		Outcome: runreport.OutcomeComplete, Engine: "scale", Records: runreport.Records{Target: target, Actual: target},
		Output: runreport.Output{Files: 1, Bytes: 1000, RowGroups: 1, CompletedRowGroups: 1, RowGroupSize: 1000},
	}
	pod.Status.Phase = corev1.PodSucceeded
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
		Name: "engine", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			Reason: "Completed", Message: string(result.Encode()), FinishedAt: metav1.Now(),
		}},
	}}
	if err := c.kube.Status().Update(ctx, pod); err != nil {
		return fmt.Errorf("ending the Pod: %w", err)
	}
	ended := &batchv1.Job{}
	if err := c.kube.Get(ctx, client.ObjectKey{Namespace: namespace, Name: job}, ended); err != nil {
		return fmt.Errorf("reading the Job: %w", err)
	}
	now := metav1.Now()
	ended.Status.StartTime, ended.Status.CompletionTime = &now, &now
	ended.Status.Succeeded, ended.Status.CompletedIndexes = 1, "0"
	ended.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
	for _, kind := range []batchv1.JobConditionType{batchv1.JobSuccessCriteriaMet, batchv1.JobComplete} {
		ended.Status.Conditions = append(ended.Status.Conditions,
			batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, LastTransitionTime: now})
	}
	if err := c.kube.Status().Update(ctx, ended); err != nil {
		return fmt.Errorf("ending the Job: %w", err)
	}
	return nil
}
