package datasetgeneration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

// startup says why no Pod runs.
type startup struct {
	// message names the cause and the next step; empty when nothing is known to be wrong.
	message string
	// overdue: it has lasted longer than spec.limits.startupTimeoutSeconds.
	overdue bool
}

// normalWaiting are the reasons of waiting that need no explanation.
var normalWaiting = []string{"ContainerCreating", "PodInitializing"}

// checkStartup finds out why no Pod of the attempt runs. While one runs, or when none is expected to, there is nothing to say.
func (s *situation) checkStartup(applyError error) startup {
	pods := slices.Concat(s.workload.generating, s.workload.finalizing)
	if s.lifetime != lifetimeActive || s.observed.ending != nil || s.run.StartTime == nil || engineRuns(pods) {
		return startup{}
	}
	waiting := slices.DeleteFunc(slices.Clone(pods), func(pod corev1.Pod) bool { return enginepods.IsOver(&pod) })
	if len(waiting) == 0 && len(s.stagePods()) > 0 {
		// Pods have started and ended: the next one is due when the time between retries has passed.
		return startup{}
	}
	timeout := s.resource.Spec.EffectiveStartupTimeoutSeconds()
	if apierrors.IsInvalid(applyError) {
		return startup{overdue: true, message: "the API server does not take the Pods as they would be: " +
			withoutMomentary(applyError.Error()) + "; correct spec.pod"}
	}
	state := startup{
		overdue: !s.now.Before(s.waitingSince(pods).Add(time.Duration(timeout) * time.Second)),
		message: joinCauses(s.startupCauses(waiting, applyError)),
	}
	if state.overdue {
		if state.message == "" {
			state.message = "the Pods were created and have not been started; kubectl describe pods shows their events"
		}
		state.message = fmt.Sprintf("no Pod could start within spec.limits.startupTimeoutSeconds (%d): %s", timeout, state.message)
	}
	return state
}

// waitingSince is from when on the time counts in which a Pod must start: the start of the attempt, the end of the last Pod, or the
// creation of the newest that waits.
func (s *situation) waitingSince(pods []corev1.Pod) time.Time {
	since := s.run.StartTime.Time
	for i := range pods {
		at := pods[i].CreationTimestamp.Time
		if end, over := endOf(&pods[i]); over {
			at = end.at
		}
		if at.After(since) {
			since = at
		}
	}
	return since
}

// startupCauses is all that is known of why no Pod runs.
func (s *situation) startupCauses(waiting []corev1.Pod, applyError error) []string {
	causes := slices.Concat(s.notPermitted, s.missing)
	for i := range waiting {
		if cause := waitingCause(&waiting[i]); cause != "" {
			causes = append(causes, cause)
		}
	}
	for _, err := range []error{s.lookUpError, applyError} {
		if err != nil {
			causes = append(causes, withoutMomentary(err.Error()))
		}
	}
	if s.warning != "" {
		causes = append(causes, s.warning)
	}
	for i := range causes {
		causes[i] += resourceAdvice(causes[i])
	}
	return causes
}

// resourceAdvice says what to do about a refusal by a LimitRange or a quota, or nothing of another cause.
func resourceAdvice(cause string) string {
	const where = "spec.pod.resources (and in resources of spec.toolServers[].stdio, where there are any)"
	switch {
	case strings.Contains(cause, "must specify "):
		return "; a quota of the namespace asks for them: set them in " + where
	case strings.Contains(cause, "exceeded quota"):
		return "; the run goes on by itself when others have ended, or ask for less in " + where + " or by spec.parallelism"
	case strings.Contains(cause, "usage per "), strings.Contains(cause, "limit to request ratio"):
		return "; a LimitRange of the namespace says so: set what fits in " + where
	}
	return ""
}

// joinCauses says each cause once, and only the first few.
func joinCauses(causes []string) string {
	const most = 4
	var distinct []string
	for _, cause := range causes {
		if !slices.Contains(distinct, cause) && len(distinct) < most {
			distinct = append(distinct, cause)
		}
	}
	return strings.Join(distinct, "; ")
}

// waitingCause says what a Pod that has not started waits for, or nothing when that is normal.
func waitingCause(pod *corev1.Pod) string {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodScheduled && condition.Status == corev1.ConditionFalse {
			return fmt.Sprintf("Pod cannot be scheduled: %s: %s", condition.Reason, clip.Text(condition.Message, maxMessage/2))
		}
	}
	if status := enginepods.EngineStatus(pod); status != nil {
		if waiting := notNormal(status); waiting != nil {
			return containerCause("container", waiting, "the operator's flag --engine-image names the image")
		}
	}
	for i := range pod.Status.InitContainerStatuses {
		status := &pod.Status.InitContainerStatuses[i]
		waiting := notNormal(status)
		if waiting == nil {
			continue
		}
		source := "the operator's flag --engine-image names the image"
		if server, isTool := strings.CutPrefix(status.Name, runreport.ToolContainerPrefix); isTool {
			source = fmt.Sprintf("the tool server %q in spec.toolServers names the image", server)
		}
		return containerCause("container "+status.Name, waiting, source)
	}
	return ""
}

// notNormal is why a container waits, or nil when that needs no explanation.
func notNormal(status *corev1.ContainerStatus) *corev1.ContainerStateWaiting {
	if status.State.Waiting == nil || slices.Contains(normalWaiting, status.State.Waiting.Reason) {
		return nil
	}
	return status.State.Waiting
}

// containerCause says why a container waits; source says where its image comes from.
func containerCause(container string, waiting *corev1.ContainerStateWaiting, source string) string {
	cause := fmt.Sprintf("%s waits: %s: %s", container, waiting.Reason, clip.Text(waiting.Message, maxMessage/2))
	switch waiting.Reason {
	case "CreateContainerConfigError":
		cause += "; create the missing object or key, and the run goes on by itself"
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
		cause += "; " + source
	}
	return cause
}
