package datasetgeneration

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// degradedAfter is how old a trouble must be, so that what passes within seconds makes no condition that comes and goes.
	degradedAfter = 10 * time.Second
	// maxTroubles bounds how many troubles a message tells of.
	maxTroubles = 8
)

// trouble is one thing that slows a run down.
type trouble struct{ reason, message string }

// showDegraded says what slows the run down, as long as something does. The gravest trouble gives the reason.
func (f *facts) showDegraded(conditions conditionSet) {
	found := f.troubles()
	if len(found) == 0 {
		conditions.remove(v1alpha1.ConditionDegraded)
		return
	}
	var messages []string
	for _, one := range found[:min(len(found), maxTroubles)] {
		messages = append(messages, one.message)
	}
	if more := len(found) - len(messages); more > 0 {
		messages = append(messages, fmt.Sprintf("and %d more", more))
	}
	conditions.set(v1alpha1.ConditionDegraded, metav1.ConditionTrue, found[0].reason, strings.Join(messages, "; "))
}

// troubles are what the running Pods of a live attempt tell of, or are told, the gravest first.
func (f *facts) troubles() []trouble {
	if f.lifetime != lifetimeActive || f.observed.ending != nil {
		return nil
	}
	var reports []podTroubles
	for i := range f.workload.generating {
		pod := &f.workload.generating[i]
		if progress, found := f.progress[pod.UID]; found && enginepods.IsRunning(pod) {
			reports = append(reports, podTroubles{pod.Name, progress.Troubles})
		}
	}
	found := f.stalls(reports)
	found = append(found, f.endpoints(reports, runreport.EndpointPaused)...)
	found = append(found, f.endpoints(reports, runreport.EndpointRateLimited)...)
	found = append(found, f.shutEndpoints(len(reports))...)
	return append(found, f.slowModels(reports)...)
}

type podTroubles struct {
	pod string
	runreport.Troubles
}

// old says whether something that has gone on since a time is worth telling.
func (f *facts) old(since time.Time) bool { return f.now.Sub(since) >= degradedAfter }

func (f *facts) stalls(reports []podTroubles) []trouble {
	var since time.Time
	var pods []string
	for _, report := range reports {
		if report.StalledSince == nil || !f.old(*report.StalledSince) {
			continue
		}
		pods = append(pods, report.pod)
		since = earlier(since, *report.StalledSince)
	}
	if len(pods) == 0 {
		return nil
	}
	return []trouble{{v1alpha1.ReasonSchedulerStalled, fmt.Sprintf(
		"%d of %d running Pods have made nothing since %s, and wait for no provider; the log of Pod %s says what each model waits for",
		len(pods), len(reports), clock(since), clip(slices.Min(pods), maxMessage))}}
}

func (f *facts) endpoints(reports []podTroubles, state runreport.EndpointState) []trouble {
	merged := map[string]runreport.Endpoint{}
	for _, report := range reports {
		for _, endpoint := range report.Endpoints {
			if endpoint.State != state || !f.old(endpoint.Since) {
				continue
			}
			before, known := merged[endpoint.Provider]
			if known {
				endpoint.Since = earlier(before.Since, endpoint.Since)
				endpoint.Refused = sum(endpoint.Refused, before.Refused)
				if before.Until.After(endpoint.Until) {
					endpoint.Until = before.Until
				}
			}
			merged[endpoint.Provider] = endpoint
		}
	}
	var found []trouble
	for _, endpoint := range sorted(merged, func(e runreport.Endpoint) string { return e.Provider }) {
		name := clip(endpoint.Provider, 256)
		if state == runreport.EndpointPaused {
			found = append(found, trouble{v1alpha1.ReasonProviderUnavailable, fmt.Sprintf(
				"nothing gets through to provider %q since %s (%s have failed); it is asked again and again, and no record is lost",
				name, clock(endpoint.Since), requests(endpoint.Refused))})
			continue
		}
		message := fmt.Sprintf("provider %q limits the rate since %s (%s were refused)", name, clock(endpoint.Since), requests(endpoint.Refused))
		if endpoint.Until.Sub(f.now) >= degradedAfter {
			message += ", and wants to be left alone until " + clock(endpoint.Until)
		}
		found = append(found, trouble{v1alpha1.ReasonRateLimited, message})
	}
	return found
}

// shutEndpoints tells to which endpoints some of the running Pods may send nothing.
func (f *facts) shutEndpoints(running int) []trouble {
	var found []trouble
	for _, shut := range f.shut {
		if f.old(shut.Since) {
			found = append(found, trouble{v1alpha1.ReasonSharedLimitReached, fmt.Sprintf(
				"%d of %d running Pods may send nothing to %s since %s: others have all that providers[].maxParallelRequests (%d) allows",
				shut.Pods, max(running, shut.Pods), clip(shut.Endpoint, 256), clock(shut.Since), shut.Limit)})
		}
	}
	return found
}

func (f *facts) slowModels(reports []podTroubles) []trouble {
	merged := map[string]runreport.SlowModel{}
	for _, report := range reports {
		for _, slow := range report.Slow {
			if slow.Requests <= 0 {
				continue
			}
			if before, known := merged[slow.Model]; known {
				slow.Since = earlier(before.Since, slow.Since)
				slow.Requests = sum(slow.Requests, before.Requests)
			}
			merged[slow.Model] = slow
		}
	}
	var found []trouble
	for _, slow := range sorted(merged, func(s runreport.SlowModel) string { return s.Model }) {
		verb := "are"
		if slow.Requests == 1 {
			verb = "is"
		}
		found = append(found, trouble{v1alpha1.ReasonSlowRequests, fmt.Sprintf("%s to model %q of provider %q %s under way for longer than %s, the oldest since %s",
			requests(slow.Requests), clip(slow.Model, 256), clip(slow.Provider, 256), verb, f.resource.Spec.EffectiveSlowRequestThreshold(), clock(slow.Since))})
	}
	return found
}

// slowRequests is how many requests are slow in all running Pods.
func (f *facts) slowRequests() (count int64) {
	for i := range f.workload.generating {
		pod := &f.workload.generating[i]
		if progress, found := f.progress[pod.UID]; found && enginepods.IsRunning(pod) {
			count = sum(count, progress.SlowRequests)
		}
	}
	return count
}

// sum adds counts that come from Pods, which may say anything.
func sum(a, b int64) int64 { return runreport.Sum(max(a, 0), max(b, 0)) }

func sorted[T any](merged map[string]T, name func(T) string) []T {
	list := make([]T, 0, len(merged))
	for _, one := range merged {
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return list
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// clock writes a time that does not change while the trouble lasts, so that the status is not written for it again and again.
func clock(at time.Time) string { return at.UTC().Format("15:04:05 MST") }

// requests counts requests roughly, for the same reason.
func requests(count int64) string {
	if count == 1 {
		return "1 request"
	}
	if count < 10 {
		return fmt.Sprintf("%d requests", max(count, 0))
	}
	unit := int64(1)
	for count/unit >= 10 {
		unit *= 10
	}
	return fmt.Sprintf("%d requests or more", count/unit*unit)
}
