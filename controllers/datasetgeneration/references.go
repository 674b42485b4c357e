package datasetgeneration

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
)

// reference is an object that a spec names.
type reference struct{ field, kind, name string }

// references lists the objects whose existence the controller can look up. Secrets are not among them: it may not read them,
// and the kubelet says when one is missing.
func references(spec *v1alpha1.DatasetGenerationSpec) []reference {
	var found []reference
	if seed := spec.Seed; seed != nil && seed.ConfigMap != nil {
		found = append(found, reference{"spec.seed.configMap.name", "ConfigMap", seed.ConfigMap.Name})
	} else if seed != nil && seed.PersistentVolumeClaim != nil {
		found = append(found, reference{"spec.seed.persistentVolumeClaim.claimName", "PersistentVolumeClaim", seed.PersistentVolumeClaim.ClaimName})
	}
	for i := range spec.Providers {
		if given := spec.Providers[i].TLS; given != nil && given.CABundleConfigMapRef != nil {
			field := fmt.Sprintf("spec.providers[%d].tls.caBundleConfigMapRef.name", i)
			found = append(found, reference{field, "ConfigMap", given.CABundleConfigMapRef.Name})
		}
	}
	if claim := spec.Output.PersistentVolumeClaim; claim != nil {
		found = append(found, reference{"spec.output.persistentVolumeClaim.claimName", "PersistentVolumeClaim", claim.ClaimName})
	}
	return found
}

// missingReferences asks the API server, past the cache, which of the references do not exist.
func (r *Reconciler) missingReferences(ctx context.Context, resource *v1alpha1.DatasetGeneration) ([]string, error) {
	var missing []string
	for _, reference := range references(&resource.Spec) {
		object := &metav1.PartialObjectMetadata{}
		object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(reference.kind))
		err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: resource.Namespace, Name: reference.name}, object)
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, fmt.Sprintf("%s: %s %q does not exist in namespace %s; create it, and the run goes on by itself",
				reference.field, reference.kind, reference.name, resource.Namespace))
		case err != nil:
			return nil, fmt.Errorf("looking up %s %s: %w", reference.kind, reference.name, err)
		}
	}
	return missing, nil
}

// maxEvents bounds how many events of one object are read.
const maxEvents = 50

// latestWarnings reads the last warning of each live Job and unstarted Pod: some reasons for which Pods do not start (quota,
// admission, volumes) are nowhere else. It is best effort: without it the messages say less.
func (r *Reconciler) latestWarnings(ctx context.Context, namespace string, found children) map[types.UID]string {
	warnings := map[types.UID]string{}
	look := func(uid types.UID) {
		if len(warnings) > 0 {
			return
		}
		var list corev1.EventList
		err := r.APIReader.List(ctx, &list, client.InNamespace(namespace), client.Limit(maxEvents),
			client.MatchingFieldsSelector{Selector: fields.AndSelectors(
				fields.OneTermEqualSelector("involvedObject.uid", string(uid)),
				fields.OneTermEqualSelector("type", corev1.EventTypeWarning))})
		if err != nil {
			log.FromContext(ctx).V(1).Info("Cannot read events", "error", err.Error())
			return
		}
		latest := -1
		for i := range list.Items {
			if latest < 0 || !eventTime(&list.Items[i]).Before(eventTime(&list.Items[latest])) {
				latest = i
			}
		}
		if latest >= 0 {
			warnings[uid] = list.Items[latest].Reason + ": " + clip(list.Items[latest].Message, maxMessage/2)
		}
	}
	for i := range found.pods {
		if pod := &found.pods[i]; !enginepods.IsOver(pod) {
			look(pod.UID)
		}
	}
	for i := range found.jobs {
		if job := &found.jobs[i]; jobEnd(job) == nil {
			look(job.UID)
		}
	}
	return warnings
}

func eventTime(event *corev1.Event) *metav1.MicroTime {
	switch {
	case event.Series != nil:
		return &event.Series.LastObservedTime
	case !event.LastTimestamp.IsZero():
		return &metav1.MicroTime{Time: event.LastTimestamp.Time}
	}
	return &event.EventTime
}
