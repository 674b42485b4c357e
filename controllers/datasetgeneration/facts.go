package datasetgeneration

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// facts is everything that one reconcile knows. It is gathered once; the functions that decide read nothing else.
type facts struct {
	now      time.Time
	options  *Options
	resource *v1alpha1.DatasetGeneration
	// violations are what is wrong with the spec; configHash is empty when there are any.
	violations []plan.Violation
	configHash string
	// children are all objects with the resource's label.
	children children
	// missing are objects that the spec refers to and that do not exist. Looked up only while no Pod runs.
	missing []string
	// warnings are the latest warning events of objects that do not get on, by UID.
	warnings map[types.UID]string
	// progress is what running Pods have reported, by the Pod's UID.
	progress map[types.UID]runreport.Progress
	// shut are the endpoints to which running Pods may send nothing.
	shut []enginepods.ShutEndpoint

	// run is the run that the resource is in, as decided by decideRun. Its workload and what is left of others follow from it.
	run      v1alpha1.RunStatus
	lifetime lifetime
	workload workload
	stale    children
	// observed is what the workload says, once the run was entered.
	observed observation
	// applyError is what went wrong when children were created or deleted in this reconcile.
	applyError error
}

// children are objects in the cluster that carry the resource's label, whoever owns them.
type children struct {
	jobs       []batchv1.Job
	pods       []corev1.Pod
	configMaps []metav1.PartialObjectMetadata
}

func (c children) empty() bool { return len(c.jobs)+len(c.pods)+len(c.configMaps) == 0 }

// workload is the part of the children that belongs to the current attempt.
type workload struct {
	configMap *metav1.PartialObjectMetadata
	generate  *batchv1.Job
	finalize  *batchv1.Job
	// generating and finalizing are the Pods by role.
	generating []corev1.Pod
	finalizing []corev1.Pod
}

// gather reads the cluster. Jobs, Pods and ConfigMaps come from the cache; the look-ups for Pods that do not start
// ask the API server, and are made only in that state.
func (r *Reconciler) gather(ctx context.Context, resource *v1alpha1.DatasetGeneration) (*facts, error) {
	f := &facts{now: r.Now(), options: &r.Options, resource: resource}
	f.violations = plan.Validate(&resource.Spec)
	if len(f.violations) == 0 {
		f.configHash = plan.ConfigHash(&resource.Spec)
	}
	var err error
	if f.children, err = r.listChildren(ctx, resource); err != nil {
		return nil, err
	}
	f.progress = r.Progress.Of(f.children.pods)
	f.shut = r.Shares.Watch(resource, f.children.pods)
	if f.waitsForStart() {
		if f.missing, err = r.missingReferences(ctx, resource); err != nil {
			return nil, err
		}
		f.warnings = r.latestWarnings(ctx, resource.Namespace, f.children)
	}
	return f, nil
}

func (r *Reconciler) listChildren(ctx context.Context, resource *v1alpha1.DatasetGeneration) (children, error) {
	selected := &client.ListOptions{
		Namespace:     resource.Namespace,
		LabelSelector: labels.SelectorFromSet(labels.Set{v1alpha1.LabelDataset: resource.Name, labelManagedBy: managedBy}),
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
	return children{jobs: jobs.Items, pods: pods.Items, configMaps: configMaps.Items}, nil
}

// waitsForStart says whether the run has been started and none of its Pods runs.
func (f *facts) waitsForStart() bool {
	status := &f.resource.Status
	if status.Run == nil || status.Run.CompletionTime != nil || f.resource.Spec.IsSuspended() || len(f.violations) > 0 {
		return false
	}
	for i := range f.children.pods {
		if enginepods.IsRunning(&f.children.pods[i]) {
			return false
		}
	}
	return true
}

// enter makes the run the current one: what belongs to its attempt becomes the workload, and all other children are stale.
func (f *facts) enter(run v1alpha1.RunStatus, life lifetime) {
	f.run, f.lifetime, f.workload, f.stale = run, life, workload{}, children{}
	current := map[types.UID]bool{f.resource.UID: true}
	for i := range f.children.jobs {
		job := &f.children.jobs[i]
		switch {
		case !f.isCurrent(job, current):
			f.stale.jobs = append(f.stale.jobs, *job)
			continue
		case job.Labels[v1alpha1.LabelRole] == runreport.RoleFinalize:
			f.workload.finalize = job
		default:
			f.workload.generate = job
		}
	}
	// A Job's Pods belong to the run when the Job does.
	for _, job := range []*batchv1.Job{f.workload.generate, f.workload.finalize} {
		if job != nil {
			current[job.UID] = true
		}
	}
	for i := range f.children.pods {
		pod := &f.children.pods[i]
		switch {
		case !f.isCurrent(pod, current):
			f.stale.pods = append(f.stale.pods, *pod)
		case pod.Labels[v1alpha1.LabelRole] == runreport.RoleFinalize:
			f.workload.finalizing = append(f.workload.finalizing, *pod)
		default:
			f.workload.generating = append(f.workload.generating, *pod)
		}
	}
	for i := range f.children.configMaps {
		configMap := &f.children.configMaps[i]
		if f.isCurrent(configMap, map[types.UID]bool{f.resource.UID: true}) {
			f.workload.configMap = configMap
		} else {
			f.stale.configMaps = append(f.stale.configMaps, *configMap)
		}
	}
	f.retireInterrupted()
}

// isCurrent says whether the object belongs to the current attempt. A Job that is being deleted is on its way out: its
// name is free only when it is gone. A Pod that is being deleted still belongs to its Job, which waits for it.
func (f *facts) isCurrent(object client.Object, owners map[types.UID]bool) bool {
	if _, isPod := object.(*corev1.Pod); !isPod && object.GetDeletionTimestamp() != nil {
		return false
	}
	owner := metav1.GetControllerOf(object)
	found := object.GetLabels()
	return owner != nil && owners[owner.UID] &&
		found[v1alpha1.LabelRun] == f.run.ID && found[v1alpha1.LabelAttempt] == fmt.Sprint(f.run.Attempt)
}

// owns says whether the object was created for this very resource, and not for an earlier one of the same name.
func (f *facts) owns(object client.Object) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.UID == f.resource.UID
}

// condition finds a condition in the status as it was when the reconcile began.
func (f *facts) condition(conditionType string) *metav1.Condition {
	return meta.FindStatusCondition(f.resource.Status.Conditions, conditionType)
}

// isTrue says whether the condition was True when the reconcile began.
func (f *facts) isTrue(conditionType string) bool {
	return meta.IsStatusConditionTrue(f.resource.Status.Conditions, conditionType)
}
