package datasetgeneration

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
)

// podNames are the names of Pods in the messages of the Job controller and of admission. Each try has another one.
var podNames = regexp.MustCompile(`\bpods? "[^"]*"`)

// withoutPodNames makes a message one that stays the same as long as its cause does.
func withoutPodNames(message string) string { return podNames.ReplaceAllString(message, "a Pod") }

// maxWarningAge is after how long at most a warning is read again.
const maxWarningAge = 10 * time.Minute

// knownWarnings remembers what was read last, by resource: events are read from the API server, and of many runs that wait for long few
// have news.
type knownWarnings struct {
	mutex sync.Mutex
	known map[types.NamespacedName]knownWarning
}

type knownWarning struct {
	// objects are the UIDs of those whose events were read.
	objects []types.UID
	text    string
	read    time.Time
}

// of returns what is known of the same objects, and whether that is young enough.
func (k *knownWarnings) of(resource types.NamespacedName, objects []types.UID, now time.Time, maxAge time.Duration) (string, bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	known, found := k.known[resource]
	return known.text, found && slices.Equal(known.objects, objects) && now.Sub(known.read) < maxAge
}

func (k *knownWarnings) keep(resource types.NamespacedName, warning knownWarning) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if k.known == nil {
		k.known = map[types.NamespacedName]knownWarning{}
	}
	k.known[resource] = warning
}

func (k *knownWarnings) forget(resource types.NamespacedName) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	delete(k.known, resource)
}

// latestWarning is the last warning of the first Pod that has not started, or else of a live Job, that has one: some reasons for which
// Pods do not start (quota, admission, volumes) are nowhere else. It is best effort: without it the messages say less.
func (r *Reconciler) latestWarning(ctx context.Context, in *input) string {
	var objects []types.UID
	for i := range in.children.pods {
		if pod := &in.children.pods[i]; !enginepods.IsOver(pod) {
			objects = append(objects, pod.UID)
		}
	}
	for i := range in.children.jobs {
		if job := &in.children.jobs[i]; jobEnd(job) == nil {
			objects = append(objects, job.UID)
		}
	}
	resource := client.ObjectKeyFromObject(in.resource)
	if text, young := r.warnings.of(resource, objects, in.now, in.warningAge()); young {
		return text
	}
	text := ""
	for _, uid := range objects {
		var err error
		if text, err = r.latestWarningOf(ctx, resource.Namespace, uid); err != nil {
			log.FromContext(ctx).V(1).Info("Cannot read events", "error", err.Error())
		}
		if err != nil || text != "" {
			break
		}
	}
	r.warnings.keep(resource, knownWarning{objects, text, in.now})
	return text
}

// warningAge is how old a warning may be: the longer the attempt has waited, the older.
func (in *input) warningAge() time.Duration {
	run := in.resource.Status.Run
	if run == nil || run.StartTime == nil {
		return 0
	}
	age := in.now.Sub(run.StartTime.Time) / waitingShare
	if age < pollInterval {
		return 0
	}
	return min(age, maxWarningAge)
}

// maxEvents bounds how many events of one object are read.
const maxEvents = 50

func (r *Reconciler) latestWarningOf(ctx context.Context, namespace string, uid types.UID) (string, error) {
	var list corev1.EventList
	err := r.APIReader.List(ctx, &list, client.InNamespace(namespace), client.Limit(maxEvents),
		client.MatchingFieldsSelector{Selector: fields.AndSelectors(
			fields.OneTermEqualSelector("involvedObject.uid", string(uid)),
			fields.OneTermEqualSelector("type", corev1.EventTypeWarning))})
	if err != nil || len(list.Items) == 0 {
		return "", err
	}
	latest := slices.MaxFunc(list.Items, func(a, b corev1.Event) int {
		return cmp.Or(eventTime(&a).Time.Compare(eventTime(&b).Time), strings.Compare(a.Message, b.Message))
	})
	return latest.Reason + ": " + clip.Text(withoutPodNames(latest.Message), maxMessage/2), nil
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
