package datasetgeneration

import (
	"context"
	"fmt"
	"strings"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// ownedBy divides what carries a resource's label into what was created for it, and what of others has the same labels.
// Only the former is ever changed, waited for or deleted.
func (c children) ownedBy(resource *v1alpha1.DatasetGeneration) (owned children, foreign []string) {
	jobs := map[types.UID]bool{} // those that are known, and whether they are owned
	for i := range c.jobs {
		job := &c.jobs[i]
		if jobs[job.UID] = isOwned(job, resource); jobs[job.UID] {
			owned.jobs = append(owned.jobs, *job)
		} else {
			foreign = append(foreign, "Job "+job.Name)
		}
	}
	for i := range c.pods {
		pod := &c.pods[i]
		isOurs := isOwned(pod, resource)
		if owner := metav1.GetControllerOf(pod); owner != nil && !isOurs {
			ownedJob, isKnown := jobs[owner.UID]
			isOurs = ownedJob || !isKnown && isOfAttempt(owner, pod.Labels)
		}
		if isOurs {
			owned.pods = append(owned.pods, *pod)
		} else {
			foreign = append(foreign, "Pod "+pod.Name)
		}
	}
	for i := range c.configMaps {
		if configMap := &c.configMaps[i]; isOwned(configMap, resource) {
			owned.configMaps = append(owned.configMaps, *configMap)
		} else {
			foreign = append(foreign, "ConfigMap "+configMap.Name)
		}
	}
	return owned, foreign
}

// isOwned says whether an object was created for the resource, or for a former one of its name: that one is gone, and so the object is
// on its way out as well.
func isOwned(object client.Object, resource *v1alpha1.DatasetGeneration) bool {
	owner := metav1.GetControllerOf(object)
	return owner != nil && owner.Kind == "DatasetGeneration" && groupOf(owner) == v1alpha1.GroupName && owner.Name == resource.Name
}

// isOfAttempt says whether the owner of a Pod is the Job that the Pod's labels tell of, which a cache may not have, or not have any more.
func isOfAttempt(owner *metav1.OwnerReference, labels map[string]string) bool {
	if owner.Kind != "Job" || groupOf(owner) != batchv1.GroupName {
		return false
	}
	suffix, isNamedSo := strings.CutPrefix(owner.Name, fmt.Sprintf("%s-%s", labels[v1alpha1.LabelRun], labels[v1alpha1.LabelAttempt]))
	digits, publishes := strings.CutPrefix(suffix, publicationInfix)
	return isNamedSo && (suffix == "" || suffix == finalizeSuffix || publishes && len(digits) == publicationDigits)
}

func groupOf(owner *metav1.OwnerReference) string {
	// An owner reference that can't be read is of no group.
	group, _ := schema.ParseGroupVersion(owner.APIVersion)
	return group.Group
}

// foreignObjects remembers, by resource, which objects of others were reported, so that each is once in the life of a process.
type foreignObjects struct {
	mutex    sync.Mutex
	reported map[types.NamespacedName]string
}

// isNews says whether the objects are others than those that were reported last, and remembers them.
func (f *foreignObjects) isNews(resource types.NamespacedName, objects []string) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	text := strings.Join(objects, ", ")
	before := f.reported[resource]
	switch {
	case text == "":
		delete(f.reported, resource)
	case f.reported == nil:
		f.reported = map[types.NamespacedName]string{resource: text}
	default:
		f.reported[resource] = text
	}
	return text != "" && text != before
}

// reportForeign says once which objects look like the resource's and are not.
func (r *Reconciler) reportForeign(ctx context.Context, in *input) {
	if !r.foreign.isNews(client.ObjectKeyFromObject(in.resource), in.foreign) {
		return
	}
	names := clip.Text(strings.Join(in.foreign, ", "), maxEventNote/2)
	r.Recorder.Eventf(in.resource, nil, corev1.EventTypeWarning, v1alpha1.ReasonForeignObject, "Reconcile",
		"%s: labelled as if it belonged to this resource, which did not create it. It is left alone; delete it, or take the label %s from it",
		names, v1alpha1.LabelDataset)
	log.FromContext(ctx).Info("Objects of others carry the resource's labels", "objects", names)
}
