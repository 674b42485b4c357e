package datasetgeneration

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
)

// podNames are the names of Pods in the messages of the Job controller and of admission. Each try has another one.
var podNames = regexp.MustCompile(`\bpods? "[^"]*"`)

// usedQuota is how much of a quota others use at the moment.
var usedQuota = regexp.MustCompile(`, used: [^:]*, limited: `)

// withoutMomentary makes a message one that stays the same as long as its cause does.
func withoutMomentary(message string) string {
	return usedQuota.ReplaceAllString(podNames.ReplaceAllString(message, "a Pod"), ", limited: ")
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
	for _, uid := range objects {
		text, err := r.latestWarningOf(ctx, in.resource.Namespace, uid)
		if err != nil {
			log.FromContext(ctx).V(1).Info("Cannot read events", "error", err.Error())
		}
		if err != nil || text != "" {
			return text
		}
	}
	return ""
}

func (r *Reconciler) latestWarningOf(ctx context.Context, namespace string, uid types.UID) (string, error) {
	var list corev1.EventList
	err := r.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{indexInvolved: string(uid)})
	if err != nil || len(list.Items) == 0 {
		return "", err
	}
	latest := slices.MaxFunc(list.Items, func(a, b corev1.Event) int {
		return cmp.Or(eventTime(&a).Time.Compare(eventTime(&b).Time), strings.Compare(a.Message, b.Message))
	})
	return latest.Reason + ": " + clip.Text(withoutMomentary(latest.Message), maxMessage/2), nil
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
