package datasetgeneration

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

func limitedSince(age time.Duration) runreport.Troubles {
	return runreport.Troubles{Endpoints: []runreport.Endpoint{{
		Provider: "openai", State: runreport.EndpointRateLimited, Since: testNow.Add(-age), Until: testNow.Add(2 * time.Minute), Refused: 345,
	}}}
}

func pausedSince(age time.Duration) runreport.Troubles {
	return runreport.Troubles{Endpoints: []runreport.Endpoint{{
		Provider: "local", State: runreport.EndpointPaused, Since: testNow.Add(-age), Until: testNow.Add(time.Second), Refused: 7,
	}}}
}

func slowSince(age time.Duration, requests int64) runreport.Troubles {
	return runreport.Troubles{SlowRequests: requests, Slow: []runreport.SlowModel{{Model: "writer", Provider: "local", Requests: requests, Since: testNow.Add(-age)}}}
}

func stalledSince(age time.Duration) runreport.Troubles {
	since := testNow.Add(-age)
	return runreport.Troubles{StalledSince: &since}
}

func TestDegraded(t *testing.T) {
	all := slowSince(45*time.Second, 3)
	all.Endpoints = slices.Concat(pausedSince(time.Minute).Endpoints, limitedSince(time.Hour).Endpoints)
	all.StalledSince = stalledSince(time.Minute).StalledSince
	hostile := slowSince(time.Minute, 1<<62)
	tests := map[string]struct {
		pods map[string]runreport.Troubles
		// reason is empty where the condition must be absent.
		reason string
		// says are parts of the message, in their order.
		says []string
	}{
		"nothing":        {map[string]runreport.Troubles{"a": {}}, "", nil},
		"no report":      {nil, "", nil},
		"slow requests":  {map[string]runreport.Troubles{"a": slowSince(45*time.Second, 3)}, "SlowRequests", []string{`3 requests to model "writer" of provider "local" are under way for longer than 30s, the oldest since 11:59:15 UTC`}},
		"one slow":       {map[string]runreport.Troubles{"a": slowSince(45*time.Second, 1)}, "SlowRequests", []string{`1 request to model "writer" of provider "local" is under way`}},
		"slow in two":    {map[string]runreport.Troubles{"a": slowSince(45*time.Second, 3), "b": slowSince(time.Minute, 4)}, "SlowRequests", []string{`7 requests`, "11:59:00"}},
		"rate limit":     {map[string]runreport.Troubles{"a": limitedSince(time.Minute)}, "RateLimited", []string{`provider "openai" limits the rate since 11:59:00 UTC (300 requests or more were refused), and wants to be left alone until 12:02:00 UTC`}},
		"a short one":    {map[string]runreport.Troubles{"a": limitedSince(9 * time.Second)}, "", nil},
		"pause":          {map[string]runreport.Troubles{"a": pausedSince(10 * time.Second)}, "ProviderUnavailable", []string{`nothing gets through to provider "local" since 11:59:50 UTC (7 requests have failed)`}},
		"pause in two":   {map[string]runreport.Troubles{"a": pausedSince(10 * time.Second), "b": pausedSince(20 * time.Second)}, "ProviderUnavailable", []string{`11:59:40 UTC (10 requests or more have failed)`}},
		"a short outage": {map[string]runreport.Troubles{"a": pausedSince(time.Second)}, "", nil},
		"stall":          {map[string]runreport.Troubles{"a": stalledSince(time.Minute), "b": {}}, "SchedulerStalled", []string{"1 of 2 running Pods have made nothing since 11:59:00 UTC", "Pod a"}},
		"all at once":    {map[string]runreport.Troubles{"a": all}, "SchedulerStalled", []string{"nothing since", "nothing gets through", "limits the rate", "3 requests to model"}},
		"no share": {map[string]runreport.Troubles{"a": {}, "b": {}}, "SharedLimitReached", []string{
			"1 of 2 running Pods may send nothing to http://shut since 11:59:00 UTC: others have all that providers[].maxParallelRequests (4) allows"}},
		"absurd numbers": {map[string]runreport.Troubles{"a": hostile, "b": hostile, "c": slowSince(time.Minute, -5)}, "SlowRequests", []string{"requests or more"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := fixture{spec: newSpec(), troubles: test.pods}
			if name == "no share" {
				s.shut = []enginepods.ShutEndpoint{
					{Endpoint: "http://shut", Limit: 4, Pods: 1, Since: testNow.Add(-time.Minute)},
					{Endpoint: "http://just", Limit: 4, Pods: 1, Since: testNow.Add(-time.Second)},
				}
			}
			for _, name := range []string{"a", "b", "c"} {
				if _, reports := test.pods[name]; reports {
					pod := runningPod()
					pod.Name = name
					s.pods = append(s.pods, pod)
				}
			}
			condition := meta.FindStatusCondition(s.reconcile().Status.Conditions, v1alpha1.ConditionDegraded)
			if test.reason == "" {
				if condition != nil {
					t.Errorf("got %+v", condition)
				}
				return
			}
			if condition == nil || condition.Reason != test.reason || condition.Status != metav1.ConditionTrue {
				t.Fatalf("got %+v", condition)
			}
			rest := condition.Message
			for _, part := range test.says {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("%q lacks %q, or not in this order", condition.Message, part)
				}
				rest = after
			}
		})
	}
}

func TestEventsTellWhenARunIsSlowedDownAndWhenNoMore(t *testing.T) {
	reconciling := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonProgressing}
	status := func(reason, message string) *v1alpha1.DatasetGenerationStatus {
		status := &v1alpha1.DatasetGenerationStatus{Conditions: []metav1.Condition{reconciling}}
		if reason != "" {
			status.Conditions = append(status.Conditions, metav1.Condition{Type: v1alpha1.ConditionDegraded, Status: metav1.ConditionTrue, Reason: reason, Message: message})
		}
		return status
	}
	limited, paused := status(v1alpha1.ReasonRateLimited, "10 refused"), status(v1alpha1.ReasonProviderUnavailable, "down")
	for name, test := range map[string]struct {
		before, after *v1alpha1.DatasetGenerationStatus
		want          []announcement
	}{
		"begins":           {status("", ""), limited, []announcement{{corev1.EventTypeWarning, "RateLimited", "10 refused"}}},
		"other numbers":    {limited, status(v1alpha1.ReasonRateLimited, "20 refused"), nil},
		"something graver": {limited, paused, []announcement{{corev1.EventTypeWarning, "ProviderUnavailable", "down"}}},
		"is over":          {paused, status("", ""), []announcement{{corev1.EventTypeNormal, "Progressing", "the run is no longer slowed down: ProviderUnavailable is over"}}},
	} {
		if difference := cmp.Diff(test.want, announcements(test.before, test.after), cmp.AllowUnexported(announcement{})); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

// TestShownSlowRequests: a number that moves a little is no reason to write the status.
func TestShownSlowRequests(t *testing.T) {
	f := &situation{lifetime: lifetimeActive, input: &input{
		now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()},
	}}
	f.run = v1alpha1.RunStatus{ID: "run", Attempt: 2, Target: 100, Parallelism: 1}
	f.workload.generating = []corev1.Pod{reportingPod()}
	status := &v1alpha1.DatasetGenerationStatus{}
	for i, step := range []struct{ slow, shown int64 }{{0, 0}, {100, 100}, {105, 100}, {111, 111}, {102, 111}, {1, 1}, {0, 0}} {
		f.progress = map[types.UID]runreport.Progress{"pod": {Shard: 1, Troubles: runreport.Troubles{SlowRequests: step.slow}}}
		if f.showProgress(status); status.Progress.SlowRequests != step.shown {
			t.Errorf("step %d: %d slow requests are shown as %d, want %d", i, step.slow, status.Progress.SlowRequests, step.shown)
		}
	}
}
