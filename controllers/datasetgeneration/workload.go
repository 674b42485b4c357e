package datasetgeneration

import (
	"encoding/json"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The labels on children besides those of the API, and their values.
const (
	labelName      = "app.kubernetes.io/name"
	labelInstance  = "app.kubernetes.io/instance"
	labelComponent = "app.kubernetes.io/component"
	labelManagedBy = "app.kubernetes.io/managed-by"

	appName   = "seedloom"
	managedBy = "seedloom"
)

// ManagedBySelector are the labels of everything that the controller creates; a cache need hold nothing else.
func ManagedBySelector() map[string]string { return map[string]string{labelManagedBy: managedBy} }

// wanted returns the objects that the attempt needs next and that do not exist.
func (f *facts) wanted() ([]client.Object, error) {
	var objects []client.Object
	state := f.observe()
	if state.ending != nil {
		return nil, nil
	}
	if f.workload.configMap == nil {
		configMap, err := f.configMap()
		if err != nil {
			return nil, err
		}
		objects = append(objects, configMap)
	}
	switch {
	case state.finalizes:
		if f.workload.finalize == nil {
			objects = append(objects, f.finalizeJob())
		}
	case f.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync:
		if pod := f.nextSyncPod(); pod != nil {
			objects = append(objects, pod)
		}
	case f.workload.generate == nil:
		objects = append(objects, f.generateJob())
	}
	return objects, nil
}

func (f *facts) labels(role string) map[string]string {
	return map[string]string{
		labelName:                   appName,
		labelInstance:               f.resource.Name,
		labelComponent:              "engine",
		labelManagedBy:              managedBy,
		v1alpha1.LabelDataset:       f.resource.Name,
		v1alpha1.LabelRun:           f.run.ID,
		v1alpha1.LabelAttempt:       fmt.Sprint(f.run.Attempt),
		v1alpha1.LabelExecutionMode: string(f.resource.Spec.ExecutionMode()),
		v1alpha1.LabelRole:          role,
	}
}

func (f *facts) objectMeta(name, role string) metav1.ObjectMeta {
	owner := metav1.NewControllerRef(f.resource, v1alpha1.SchemeGroupVersion.WithKind("DatasetGeneration"))
	return metav1.ObjectMeta{
		Name:            name,
		Namespace:       f.resource.Namespace,
		Labels:          f.labels(role),
		OwnerReferences: []metav1.OwnerReference{*owner},
	}
}

// configMap carries the resolved run to the Pods. It is immutable: an attempt has one input from its start to its end.
func (f *facts) configMap() (*corev1.ConfigMap, error) {
	spec, err := json.Marshal(&f.resource.Spec)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	document, err := json.Marshal(runreport.ResolvedRun{
		Version:    runreport.Version,
		Namespace:  f.resource.Namespace,
		Name:       f.resource.Name,
		RunID:      f.run.ID,
		ConfigHash: f.run.ConfigHash,
		Attempt:    f.run.Attempt,
		Shards:     f.run.Parallelism,
		Spec:       spec,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the run: %w", err)
	}
	return &corev1.ConfigMap{
		ObjectMeta: f.objectMeta(attemptName(f.run), runreport.RoleGenerate),
		Immutable:  new(true),
		Data:       map[string]string{runreport.SpecKey: string(document)},
	}, nil
}

// generateJob has one index for each shard. A shard that has failed for good does not end the others.
func (f *facts) generateJob() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: f.objectMeta(attemptName(f.run), runreport.RoleGenerate),
		Spec: batchv1.JobSpec{
			CompletionMode:        new(batchv1.IndexedCompletion),
			Completions:           new(f.run.Parallelism),
			Parallelism:           new(f.run.Parallelism),
			BackoffLimitPerIndex:  new(f.resource.Spec.EffectiveBackoffLimit()),
			PodFailurePolicy:      podFailurePolicy(batchv1.PodFailurePolicyActionFailIndex),
			PodReplacementPolicy:  new(batchv1.Failed),
			ActiveDeadlineSeconds: activeDeadline(&f.resource.Spec),
			Template:              f.podTemplate(runreport.RoleGenerate),
		},
	}
}

// finalizeJob puts the shards' parts together, or counts what is there when a Pod's result was lost.
func (f *facts) finalizeJob() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: f.objectMeta(finalizeName(f.run), runreport.RoleFinalize),
		Spec: batchv1.JobSpec{
			Completions:          new(int32(1)),
			Parallelism:          new(int32(1)),
			BackoffLimit:         new(f.resource.Spec.EffectiveBackoffLimit()),
			PodFailurePolicy:     podFailurePolicy(batchv1.PodFailurePolicyActionFailJob),
			PodReplacementPolicy: new(batchv1.Failed),
			Template:             f.podTemplate(runreport.RoleFinalize),
		},
	}
}

func activeDeadline(spec *v1alpha1.DatasetGenerationSpec) *int64 {
	if spec.Limits == nil || spec.Limits.ActiveDeadlineSeconds == nil {
		return nil
	}
	return new(*spec.Limits.ActiveDeadlineSeconds)
}

// deadline is when the attempt must have ended, or zero.
func (f *facts) deadline() time.Time {
	seconds := activeDeadline(&f.resource.Spec)
	if seconds == nil || f.run.StartTime == nil {
		return time.Time{}
	}
	return f.run.StartTime.Add(time.Duration(*seconds) * time.Second)
}
