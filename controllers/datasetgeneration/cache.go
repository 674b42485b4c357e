package datasetgeneration

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// The indexes of the cache: without them, each look at a resource would walk through the children of all.
const (
	// indexDataset finds Jobs, Pods and ConfigMaps by the resource that their label names.
	indexDataset = "dataset"
	// indexInvolved finds events by the UID of what they are about.
	indexInvolved = "involvedObject.uid"
)

// CacheOptions say what of the cluster is held in memory: of Jobs, Pods and ConfigMaps those that the controller has created, of events the
// warnings, and of each object no more than is read here. What a cache holds is no basis for an update: write patches.
func CacheOptions() cache.Options {
	ours := labels.SelectorFromSet(ManagedBySelector())
	return cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&v1alpha1.DatasetGeneration{}: {Transform: trimmed(trimResource)},
			&batchv1.Job{}:                {Label: ours, Transform: trimmed(trimJob)},
			&corev1.Pod{}:                 {Label: ours, Transform: trimmed(trimPod)},
			&corev1.ConfigMap{}:           {Label: ours, Transform: trimmed(func(*metav1.PartialObjectMetadata) {})},
			&corev1.Event{}: {
				Field: fields.OneTermEqualSelector("type", corev1.EventTypeWarning), Transform: trimmed(trimEvent),
			},
		},
		DefaultTransform: cache.TransformStripManagedFields(),
	}
}

// trimmed makes a transform of a function that takes away from an object what nobody reads. What many objects say alike is held once.
func trimmed[T client.Object](trim func(T)) func(any) (any, error) {
	return func(object any) (any, error) {
		if typed, is := object.(T); is {
			typed.SetManagedFields(nil)
			trim(typed)
			typed.SetLabels(shared(typed.GetLabels()))
			owners := typed.GetOwnerReferences()
			for i := range owners {
				owners[i].APIVersion, owners[i].Kind = once(owners[i].APIVersion), once(owners[i].Kind)
			}
			typed.SetOwnerReferences(owners)
		}
		return object, nil
	}
}

// once returns the one copy of a text that all objects share.
func once(text string) string { return unique.Make(text).Value() }

// shared is a map of labels without those of others that nobody reads here, and with texts that all objects share.
func shared(labels map[string]string) map[string]string {
	kept := make(map[string]string, len(labels))
	for name, value := range labels {
		if _, others := unread[name]; !others {
			kept[once(name)] = once(value)
		}
	}
	return kept
}

// unread are labels on children that are for people and for other programs.
var unread = map[string]struct{}{
	labelName: {}, labelInstance: {}, labelComponent: {},
	batchv1.JobNameLabel: {}, batchv1.ControllerUidLabel: {}, "job-name": {}, "controller-uid": {},
}

// shareConditions has conditions share their texts.
func shareConditions(conditions []metav1.Condition) {
	for i := range conditions {
		one := &conditions[i]
		one.Type, one.Reason, one.Message = once(one.Type), once(one.Reason), once(one.Message)
	}
}

// trimResource drops the copy of the manifest that kubectl keeps beside the spec.
func trimResource(resource *v1alpha1.DatasetGeneration) {
	delete(resource.Annotations, corev1.LastAppliedConfigAnnotation)
	shareConditions(resource.Status.Conditions)
}

func trimJob(job *batchv1.Job) {
	job.Annotations = nil
	job.Spec.PodFailurePolicy, job.Spec.Selector, job.Spec.Template.Labels = nil, nil, nil
	job.Status.UncountedTerminatedPods = nil
	trimAnnotations(&job.Spec.Template.ObjectMeta)
	trimPodSpec(&job.Spec.Template.Spec)
}

func trimPod(pod *corev1.Pod) {
	trimAnnotations(&pod.ObjectMeta)
	trimPodSpec(&pod.Spec)
	for _, statuses := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range statuses {
			status := &statuses[i]
			status.Name, status.Image, status.ImageID, status.ContainerID = once(status.Name), once(status.Image), "", ""
			status.AllocatedResources, status.Resources, status.VolumeMounts, status.User = nil, nil, nil, nil
		}
	}
}

// trimAnnotations keeps those of the project.
func trimAnnotations(object *metav1.ObjectMeta) {
	maps.DeleteFunc(object.Annotations, func(name, _ string) bool { return !strings.HasPrefix(name, v1alpha1.GroupName+"/") })
}

// trimPodSpec keeps the names and images of containers.
func trimPodSpec(spec *corev1.PodSpec) {
	kept := corev1.PodSpec{NodeName: spec.NodeName}
	for i := range spec.Containers {
		kept.Containers = append(kept.Containers, corev1.Container{Name: once(spec.Containers[i].Name), Image: once(spec.Containers[i].Image)})
	}
	*spec = kept
}

// trimEvent keeps what a warning about a Job or a Pod says, and of those about other things only that they exist.
func trimEvent(event *corev1.Event) {
	kept := corev1.Event{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: event.Namespace, Name: event.Name, UID: event.UID, ResourceVersion: event.ResourceVersion,
			CreationTimestamp: event.CreationTimestamp,
		},
	}
	if kind := event.InvolvedObject.Kind; kind == "Job" || kind == "Pod" {
		kept.InvolvedObject = corev1.ObjectReference{Kind: kind, UID: event.InvolvedObject.UID}
		kept.Reason, kept.Message = event.Reason, clip.Text(event.Message, maxMessage)
		kept.Series, kept.LastTimestamp, kept.EventTime = event.Series, event.LastTimestamp, event.EventTime
	}
	*event = kept
}

// addIndexes has the cache find objects as gather asks for them.
func addIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	byLabel := func(object client.Object) []string {
		if name := object.GetLabels()[v1alpha1.LabelDataset]; name != "" {
			return []string{name}
		}
		return nil
	}
	configMap := &metav1.PartialObjectMetadata{}
	configMap.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kindConfigMap))
	for _, object := range []client.Object{&batchv1.Job{}, &corev1.Pod{}, configMap} {
		if err := indexer.IndexField(ctx, object, indexDataset, byLabel); err != nil {
			return fmt.Errorf("indexing children: %w", err)
		}
	}
	if err := indexBySeed(ctx, indexer); err != nil {
		return err
	}
	err := indexer.IndexField(ctx, &corev1.Event{}, indexInvolved, func(object client.Object) []string {
		if event, is := object.(*corev1.Event); is && event.InvolvedObject.UID != "" {
			return []string{string(event.InvolvedObject.UID)}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("indexing events: %w", err)
	}
	return nil
}
