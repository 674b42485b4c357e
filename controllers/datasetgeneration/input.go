package datasetgeneration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// input is everything that one reconcile knows. It is gathered once and never written again; decide reads nothing else.
type input struct {
	now      time.Time
	options  *Options
	resource *v1alpha1.DatasetGeneration
	// violations are what is wrong with the spec; configHash is empty when there are any.
	violations []plan.Violation
	// advice is what is odd in a spec that is valid.
	advice     []plan.Warning
	configHash string
	// seed is what is known of the dataset that is the seed, and seedRun the one that the run reads; nil without one.
	seed    seedState
	seedRun *v1alpha1.SeedRunStatus
	// children are the objects that were created for the resource, by their names.
	children children
	// missing are objects that the spec refers to and that do not exist. Looked up only while no Pod runs.
	missing []string
	// notPermitted are Secrets that the spec refers to and that are not for runs. Nothing is created while there are any.
	notPermitted []string
	// secretsAsked: notPermitted is what the API server has just said.
	secretsAsked bool
	// lookUpError says why it is not known whether some of them exist.
	lookUpError error
	// foreign are the objects that carry the resource's labels and were not created for it, as kind and name.
	foreign []string
	// warning is the latest warning event of an object that does not get on, or empty.
	warning string
	// ended are Pods of the recorded attempt that have left a result, whether they are still there or not.
	ended []corev1.Pod
	// progress is what running Pods have reported, by the Pod's UID.
	progress map[types.UID]runreport.Progress
	// shut are the endpoints to which running Pods may send nothing.
	shut []enginepods.ShutEndpoint
	// written: the resource is what a write of this reconcile has returned, and so the latest.
	written bool
}

// after is the same input with the resource as it has just been written.
func (in *input) after(written *v1alpha1.DatasetGeneration) *input {
	next := *in
	if written.Spec.NumRecords == 0 {
		written.Spec.NumRecords = in.resource.Spec.NumRecords
	}
	next.resource, next.written = written, true
	return &next
}

// children are Jobs, Pods and ConfigMaps.
type children struct {
	jobs       []batchv1.Job
	pods       []corev1.Pod
	configMaps []metav1.PartialObjectMetadata
}

func (c children) empty() bool { return len(c.jobs)+len(c.pods)+len(c.configMaps) == 0 }

// writes says whether something among the children may still write to the output.
func (c children) writes() bool {
	if len(c.jobs) > 0 {
		return true
	}
	for i := range c.pods {
		if !enginepods.IsOver(&c.pods[i]) {
			return true
		}
	}
	return false
}

// hasJob says whether a Job is among the children.
func (c children) hasJob(name string) bool {
	return slices.ContainsFunc(c.jobs, func(job batchv1.Job) bool { return job.Name == name })
}

// gather reads the cluster, from the cache. Only some look-ups ask the API server, and are made in one state alone: those for Pods that do
// not start, and those for Jobs that the cache does not have.
func (r *Reconciler) gather(ctx context.Context, resource *v1alpha1.DatasetGeneration) (*input, error) {
	in := &input{now: r.Now(), options: &r.Options, resource: resource}
	in.violations = r.Options.Violations(&resource.Spec)
	if len(in.violations) == 0 {
		in.configHash, in.advice = plan.ConfigHash(&resource.Spec), plan.Warnings(&resource.Spec)
	}
	if err := r.gatherSeed(ctx, in); err != nil {
		return nil, err
	}
	found, err := r.listLabelled(ctx, resource)
	if err != nil {
		return nil, err
	}
	in.children, in.foreign = found.ownedBy(resource)
	in.ended = r.ended.of(resource)
	in.progress = r.Progress.Of(in.children.pods)
	in.shut = r.Shares.Watch(resource, in.children.pods)
	if in.waitsForStart() {
		in.missing, in.lookUpError = r.missingReferences(ctx, resource)
		in.warning = r.latestWarning(ctx, in)
	} else {
		r.lookUps.forget(client.ObjectKeyFromObject(resource))
	}
	if r.Options.LabelledSecretsOnly && (in.mayCreatePods() || in.awaitsPublication()) {
		// What its Pods mount for a seed in a bucket is asked about before the run is recorded too.
		deciding := *resource
		run, _ := decideRun(in)
		deciding.Status.Run = &run
		in.notPermitted, in.secretsAsked, err = r.secretsNotPermitted(ctx, &deciding, false)
		in.lookUpError = errors.Join(in.lookUpError, err)
	}
	return in, nil
}

// listLabelled returns what carries the resource's label, by its names: what is said of several must not depend on the order of a cache.
// A Pod of a run has its Job with it, as long as there is one.
func (r *Reconciler) listLabelled(ctx context.Context, resource *v1alpha1.DatasetGeneration) (children, error) {
	selected := &client.ListOptions{
		Namespace:     resource.Namespace,
		FieldSelector: fields.OneTermEqualSelector(indexDataset, resource.Name),
	}
	var jobs batchv1.JobList
	if err := r.List(ctx, &jobs, selected); err != nil {
		return children{}, fmt.Errorf("listing Jobs: %w", err)
	}
	var pods corev1.PodList
	if err := r.List(ctx, &pods, selected); err != nil {
		return children{}, fmt.Errorf("listing Pods: %w", err)
	}
	configMaps := &metav1.PartialObjectMetadataList{}
	configMaps.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("ConfigMapList"))
	if err := r.List(ctx, configMaps, selected); err != nil {
		return children{}, fmt.Errorf("listing ConfigMaps: %w", err)
	}
	found := children{jobs: jobs.Items, pods: pods.Items, configMaps: configMaps.Items}
	if err := r.addUnseenJobs(ctx, &found); err != nil {
		return children{}, err
	}
	found.sort()
	return found, nil
}

// addUnseenJobs asks for the Jobs of Pods that the cache does not have. Each kind is watched by itself, so that a Pod may be seen before
// its Job; without it, the Pod would be taken for what an earlier attempt has left, and deleted.
func (r *Reconciler) addUnseenJobs(ctx context.Context, found *children) error {
	known := map[types.UID]bool{}
	for i := range found.jobs {
		known[found.jobs[i].UID] = true
	}
	for i := range found.pods {
		pod := &found.pods[i]
		owner := metav1.GetControllerOf(pod)
		if owner == nil || known[owner.UID] || pod.DeletionTimestamp != nil || !isOfAttempt(owner, pod.Labels) {
			continue
		}
		known[owner.UID] = true
		job := &batchv1.Job{}
		err := r.APIReader.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: owner.Name}, job)
		switch {
		case err == nil && job.UID == owner.UID:
			found.jobs = append(found.jobs, *job)
		case client.IgnoreNotFound(err) != nil:
			return fmt.Errorf("reading Job %s of Pod %s: %w", owner.Name, pod.Name, err)
		}
	}
	return nil
}

// sort orders the children by their names.
func (c children) sort() {
	slices.SortFunc(c.jobs, func(a, b batchv1.Job) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.configMaps, func(a, b metav1.PartialObjectMetadata) int { return strings.Compare(a.Name, b.Name) })
}

// waitsForStart says whether the run has been started and none of its Pods runs.
func (in *input) waitsForStart() bool {
	run := in.resource.Status.Run
	if run == nil || run.CompletionTime != nil || in.resource.Spec.IsSuspended() || len(in.violations) > 0 || in.waitsForSeed() {
		return false
	}
	return !engineRuns(in.children.pods)
}

// mayCreatePods says whether this reconcile may lead to Pods that generate: none of them runs, and there is no verdict for the spec as it
// is.
func (in *input) mayCreatePods() bool {
	run := in.resource.Status.Run
	if in.resource.Spec.IsSuspended() || len(in.violations) > 0 || in.waitsForSeed() || engineRuns(in.children.pods) {
		return false
	}
	return run == nil || run.CompletionTime == nil || in.resource.Status.ObservedGeneration != in.resource.Generation ||
		retryRequested(in.resource)
}

// condition finds a condition in the status as it was when the reconcile began.
func (in *input) condition(conditionType string) *metav1.Condition {
	return meta.FindStatusCondition(in.resource.Status.Conditions, conditionType)
}

// isTrue says whether the condition was True when the reconcile began.
func (in *input) isTrue(conditionType string) bool {
	return meta.IsStatusConditionTrue(in.resource.Status.Conditions, conditionType)
}

// waitsForSeed says whether there is no dataset that the run could read.
func (in *input) waitsForSeed() bool {
	return in.resource.Spec.SeedDataset() != nil && in.seedRun == nil
}

// secretsArePermitted says whether all Secrets that the spec refers to are for runs, as far as it counts.
func (in *input) secretsArePermitted() bool {
	return !in.options.LabelledSecretsOnly || len(in.notPermitted) == 0 && in.lookUpError == nil
}
