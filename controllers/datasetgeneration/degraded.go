package datasetgeneration

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
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

// addDegraded says what slows the run down, as long as something does. The gravest trouble gives the reason.
func (s *situation) addDegraded(conditions *conditionSet) {
	found := s.troubles()
	if len(found) == 0 {
		return
	}
	var messages []string
	for _, one := range found[:min(len(found), maxTroubles)] {
		messages = append(messages, one.message)
	}
	if more := len(found) - len(messages); more > 0 {
		messages = append(messages, fmt.Sprintf("and %d more", more))
	}
	conditions.add(v1alpha1.ConditionDegraded, metav1.ConditionTrue, found[0].reason, strings.Join(messages, "; "))
}

// troubles are what the running Pods of a live attempt report, and what the coordinator knows of them, the gravest first.
func (s *situation) troubles() []trouble {
	if s.lifetime != lifetimeActive || s.observed.ending != nil {
		return nil
	}
	var reports []podTroubles
	for i := range s.workload.generating {
		pod := &s.workload.generating[i]
		if progress, found := s.progress[pod.UID]; found && enginepods.IsRunning(pod) {
			reports = append(reports, podTroubles{pod.Name, progress.Troubles})
		}
	}
	found := s.stalls(reports)
	found = append(found, s.endpoints(reports, runreport.EndpointPaused)...)
	found = append(found, s.endpoints(reports, runreport.EndpointRateLimited)...)
	found = append(found, s.shutEndpoints(len(reports))...)
	return append(found, s.slowModels(reports)...)
}

type podTroubles struct {
	pod string
	runreport.Troubles
}

// old says whether something that has gone on since a time is worth telling.
func (s *situation) old(since time.Time) bool { return s.now.Sub(since) >= degradedAfter }

func (s *situation) stalls(reports []podTroubles) []trouble {
	var since time.Time
	var pods []string
	for _, report := range reports {
		if report.StalledSince == nil || !s.old(*report.StalledSince) {
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
		len(pods), len(reports), clock(since), clip.Text(slices.Min(pods), maxMessage))}}
}

func (s *situation) endpoints(reports []podTroubles, state runreport.EndpointState) []trouble {
	merged := map[string]runreport.Endpoint{}
	for _, report := range reports {
		for _, endpoint := range report.Endpoints {
			if endpoint.State != state || !s.old(endpoint.Since) {
				continue
			}
			before, known := merged[endpoint.Provider]
			if known {
				endpoint.Since = earlier(before.Since, endpoint.Since)
				endpoint.Refused = saturated(endpoint.Refused, before.Refused)
				if before.Until.After(endpoint.Until) {
					endpoint.Until = before.Until
				}
			}
			merged[endpoint.Provider] = endpoint
		}
	}
	var found []trouble
	for _, endpoint := range sorted(merged) {
		name := clip.Text(endpoint.Provider, 256)
		if state == runreport.EndpointPaused {
			found = append(found, trouble{v1alpha1.ReasonProviderUnavailable, fmt.Sprintf(
				"nothing gets through to provider %q since %s (%s have failed); it is asked again and again, and no record is lost",
				name, clock(endpoint.Since), requests(endpoint.Refused))})
			continue
		}
		message := fmt.Sprintf("provider %q limits the rate since %s (%s were refused)", name, clock(endpoint.Since), requests(endpoint.Refused))
		if endpoint.Until.Sub(s.now) >= degradedAfter {
			message += ", and wants to be left alone until " + clock(endpoint.Until)
		}
		found = append(found, trouble{v1alpha1.ReasonRateLimited, message})
	}
	return found
}

// shutEndpoints tells to which endpoints some of the running Pods may send nothing.
func (s *situation) shutEndpoints(running int) []trouble {
	var found []trouble
	for _, shut := range s.shut {
		if s.old(shut.Since) {
			found = append(found, trouble{v1alpha1.ReasonSharedLimitReached, fmt.Sprintf(
				"%d of %d running Pods may send nothing to %s since %s: others have all that providers[].maxParallelRequests (%d) allows",
				shut.Pods, max(running, shut.Pods), clip.Text(shut.Endpoint, 256), clock(shut.Since), shut.Limit)})
		}
	}
	return found
}

func (s *situation) slowModels(reports []podTroubles) []trouble {
	merged := map[string]runreport.SlowModel{}
	for _, report := range reports {
		for _, slow := range report.Slow {
			if slow.Requests <= 0 {
				continue
			}
			if before, known := merged[slow.Model]; known {
				slow.Since = earlier(before.Since, slow.Since)
				slow.Requests = saturated(slow.Requests, before.Requests)
			}
			merged[slow.Model] = slow
		}
	}
	var found []trouble
	for _, slow := range sorted(merged) {
		verb := "are"
		if slow.Requests == 1 {
			verb = "is"
		}
		found = append(found, trouble{v1alpha1.ReasonSlowRequests, fmt.Sprintf(
			"%s to model %q of provider %q %s under way for longer than %s, the oldest since %s", requests(slow.Requests),
			clip.Text(slow.Model, 256), clip.Text(slow.Provider, 256), verb, s.resource.Spec.EffectiveSlowRequestThreshold(), clock(slow.Since))})
	}
	return found
}

// slowRequests is how many requests are slow in all running Pods.
func (s *situation) slowRequests() (count int64) {
	for i := range s.workload.generating {
		pod := &s.workload.generating[i]
		if progress, found := s.progress[pod.UID]; found && enginepods.IsRunning(pod) {
			count = saturated(count, progress.SlowRequests)
		}
	}
	return count
}

// saturated adds counts that come from Pods, which may say anything.
func saturated(a, b int64) int64 { return runreport.Sum(max(a, 0), max(b, 0)) }

// sorted returns what a map holds by its keys.
func sorted[T any](merged map[string]T) []T {
	list := make([]T, 0, len(merged))
	for _, key := range slices.Sorted(maps.Keys(merged)) {
		list = append(list, merged[key])
	}
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
