package datasetgeneration

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
)

const (
	// cacheDelay is how far a cache may lag behind: what it has not got after that time does not exist.
	cacheDelay = 10 * time.Second
	// lookUpsPerSecond bounds how often in all it is asked again for what runs that wait refer to; the first look-up of each is not counted.
	lookUpsPerSecond = 1
	lookUpBurst      = 10
)

// lookUps remembers what the API server has said of the references of runs that wait, by resource. Of many runs that wait for long few have
// news, and what starts one is an event: so the answers may be old where there are many.
type lookUps struct {
	mutex   sync.Mutex
	limiter *rate.Limiter
	answers map[types.NamespacedName]map[reference]error
}

// last is the answer that is known, when it is too early to ask again.
func (l *lookUps) last(resource types.NamespacedName, asked reference, now time.Time) (answer error, known bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if answer, known = l.answers[resource][asked]; !known {
		return nil, false
	}
	if l.limiter == nil {
		l.limiter = rate.NewLimiter(lookUpsPerSecond, lookUpBurst)
	}
	return answer, !l.limiter.AllowN(now, 1)
}

func (l *lookUps) keep(resource types.NamespacedName, asked reference, answer error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.answers == nil {
		l.answers = map[types.NamespacedName]map[reference]error{}
	}
	if l.answers[resource] == nil {
		l.answers[resource] = map[reference]error{}
	}
	l.answers[resource][asked] = answer
}

func (l *lookUps) forget(resource types.NamespacedName) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	delete(l.answers, resource)
}

// missingReferences asks which of the references do not exist. Secrets are not among them: the controller may not read them, and
// the kubelet says when one is missing. A look-up that fails says nothing of what it was about.
func (r *Reconciler) missingReferences(ctx context.Context, resource *v1alpha1.DatasetGeneration) (missing []string, err error) {
	var failures []error
	for _, reference := range referencesOfRun(resource) {
		if reference.kind == kindSecret {
			continue
		}
		err := r.lookUp(ctx, resource, reference)
		switch {
		case apierrors.IsNotFound(err):
			missing = append(missing, fmt.Sprintf("%s: %s %q does not exist in namespace %s; create it, and the run goes on by itself",
				reference.field, reference.kind, reference.name, resource.Namespace))
		case err != nil:
			failures = append(failures, fmt.Errorf("%s: the %s %q can't be looked up: %w", reference.field, reference.kind, reference.name, err))
		}
	}
	return missing, errors.Join(failures...)
}

// lookUp says whether an object is there. Claims are in the cache; that one is missing must not be what a cache has not heard of yet, as
// when it was created a moment before the resource.
func (r *Reconciler) lookUp(ctx context.Context, resource *v1alpha1.DatasetGeneration, asked reference) error {
	key := types.NamespacedName{Namespace: resource.Namespace, Name: asked.name}
	if asked.kind == kindClaim {
		err := r.Get(ctx, key, metadataOf(asked.kind))
		run := resource.Status.Run
		if err == nil || !apierrors.IsNotFound(err) || run != nil && run.StartTime != nil && r.Now().Sub(run.StartTime.Time) > cacheDelay {
			return err
		}
	}
	owner := client.ObjectKeyFromObject(resource)
	if answer, known := r.lookUps.last(owner, asked, r.Now()); known {
		return answer
	}
	err := r.APIReader.Get(ctx, key, metadataOf(asked.kind))
	if ctx.Err() == nil {
		r.lookUps.keep(owner, asked, err)
	}
	return err
}

// metadataOf is where the metadata of an object of a kind is read into.
func metadataOf(kind string) *metav1.PartialObjectMetadata {
	object := &metav1.PartialObjectMetadata{}
	object.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return object
}

// hasChanged is the error of a decision whose basis has changed: it is made again.
func hasChanged(resource *v1alpha1.DatasetGeneration) error {
	group := schema.GroupResource{Group: v1alpha1.GroupName, Resource: "datasetgenerations"}
	return apierrors.NewConflict(group, resource.Name, errors.New("the resource, or what it refers to, has changed"))
}
