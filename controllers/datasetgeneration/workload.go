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
	"seedloom.dev/seedloom/engine/plan"
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
func (s *situation) wanted() ([]client.Object, error) {
	var objects []client.Object
	if s.observed.ending != nil {
		return nil, nil
	}
	if s.workload.configMap == nil {
		configMap, err := s.configMap()
		if err != nil {
			return nil, err
		}
		objects = append(objects, configMap)
	}
	switch {
	case s.observed.finalizes:
		if s.workload.finalize == nil {
			objects = append(objects, s.finalizeJob())
		}
	case s.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync:
		if pod := s.nextSyncPod(); pod != nil {
			objects = append(objects, pod)
		}
	case s.workload.generate == nil:
		objects = append(objects, s.generateJob())
	}
	return objects, nil
}

func (s *situation) labels(role string) map[string]string {
	return map[string]string{
		labelName:                   appName,
		labelInstance:               s.resource.Name,
		labelComponent:              "engine",
		labelManagedBy:              managedBy,
		v1alpha1.LabelDataset:       s.resource.Name,
		v1alpha1.LabelRun:           s.run.ID,
		v1alpha1.LabelAttempt:       fmt.Sprint(s.run.Attempt),
		v1alpha1.LabelExecutionMode: string(s.resource.Spec.ExecutionMode()),
		v1alpha1.LabelRole:          role,
	}
}

func (s *situation) objectMeta(name, role string) metav1.ObjectMeta {
	owner := metav1.NewControllerRef(s.resource, v1alpha1.SchemeGroupVersion.WithKind("DatasetGeneration"))
	return metav1.ObjectMeta{
		Name:            name,
		Namespace:       s.resource.Namespace,
		Labels:          s.labels(role),
		OwnerReferences: []metav1.OwnerReference{*owner},
	}
}

// configMap carries the resolved run to the Pods. It is immutable: an attempt has one input from its start to its end.
func (s *situation) configMap() (*corev1.ConfigMap, error) {
	forEngine := s.resource.Spec
	// An engine that runs need not know what its Pod was made of.
	forEngine.Pod = nil
	spec, err := json.Marshal(&forEngine)
	if err != nil {
		return nil, fmt.Errorf("encoding the spec: %w", err)
	}
	document, err := json.Marshal(runreport.ResolvedRun{
		Version:    runreport.Version,
		Namespace:  s.resource.Namespace,
		Name:       s.resource.Name,
		RunID:      s.run.ID,
		ConfigHash: s.run.ConfigHash,
		Attempt:    s.run.Attempt,
		Shards:     s.run.Parallelism,
		Spec:       spec,

		SeedDataset: seedDataset(s.run.Seed),
	})
	if err != nil {
		return nil, fmt.Errorf("encoding the run: %w", err)
	}
	return &corev1.ConfigMap{
		ObjectMeta: s.objectMeta(attemptName(s.run), runreport.RoleGenerate),
		Immutable:  new(true),
		Data:       map[string]string{runreport.SpecKey: string(document)},
	}, nil
}

// maxSpec bounds the spec of a run, in bytes: a ConfigMap takes 1 MiB in all.
const maxSpec = 1_000_000

// oversized says whether a spec is too large for the ConfigMap that brings it to the Pods.
func oversized(spec *v1alpha1.DatasetGenerationSpec) []plan.Violation {
	encoded, err := json.Marshal(spec)
	if err != nil || len(encoded) <= maxSpec {
		// What can't be encoded is an error when it is to be written.
		return nil
	}
	return []plan.Violation{{Field: "spec", Message: fmt.Sprintf(
		"has %d bytes as JSON, and a run takes at most %d: put data into spec.seed, or divide the dataset", len(encoded), maxSpec)}}
}

// generateJob has one index for each shard. A shard that has failed for good does not end the others.
func (s *situation) generateJob() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: s.objectMeta(attemptName(s.run), runreport.RoleGenerate),
		Spec: batchv1.JobSpec{
			CompletionMode:        new(batchv1.IndexedCompletion),
			Completions:           new(s.run.Parallelism),
			Parallelism:           new(s.run.Parallelism),
			BackoffLimitPerIndex:  new(s.resource.Spec.EffectiveBackoffLimit()),
			PodFailurePolicy:      podFailurePolicy(batchv1.PodFailurePolicyActionFailIndex),
			PodReplacementPolicy:  new(batchv1.Failed),
			ActiveDeadlineSeconds: activeDeadline(&s.resource.Spec),
			Template:              s.podTemplate(runreport.RoleGenerate),
		},
	}
}

// finalizeJob puts the shards' parts together, or counts what is there when a Pod's result was lost.
func (s *situation) finalizeJob() *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: s.objectMeta(finalizeName(s.run), runreport.RoleFinalize),
		Spec: batchv1.JobSpec{
			Completions:          new(int32(1)),
			Parallelism:          new(int32(1)),
			BackoffLimit:         new(s.resource.Spec.EffectiveBackoffLimit()),
			PodFailurePolicy:     podFailurePolicy(batchv1.PodFailurePolicyActionFailJob),
			PodReplacementPolicy: new(batchv1.Failed),
			Template:             s.podTemplate(runreport.RoleFinalize),
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
func (s *situation) deadline() time.Time {
	seconds := activeDeadline(&s.resource.Spec)
	if seconds == nil || s.run.StartTime == nil {
		return time.Time{}
	}
	return s.run.StartTime.Add(time.Duration(*seconds) * time.Second)
}
