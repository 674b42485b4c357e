package datasetgeneration

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/controllers/enginepods"
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
func (f *facts) checkStartup() startup {
	if f.lifetime != lifetimeActive || f.observed.ending != nil || f.observed.running > 0 || f.run.StartTime == nil {
		return startup{}
	}
	pods := append(slices.Clone(f.workload.generating), f.workload.finalizing...)
	since := f.run.StartTime.Time
	var causes []string
	causes = append(causes, f.missing...)
	waiting := false
	for i := range pods {
		pod := &pods[i]
		switch {
		case enginepods.IsRunning(pod):
			return startup{}
		case enginepods.IsOver(pod):
			// The time until the next Pod starts counts from the end of the last one.
			if end, _ := endOf(pod); end.at.After(since) {
				since = end.at
			}
			continue
		}
		waiting = true
		if cause := waitingCause(pod); cause != "" {
			causes = append(causes, cause)
		}
	}
	stagePods := f.workload.generating
	if f.observed.finalizes {
		stagePods = f.workload.finalizing
	}
	if !waiting && len(stagePods) > 0 {
		// Pods have started and ended: the next one is due when the time between retries has passed.
		return startup{}
	}
	if f.applyError != nil {
		causes = append(causes, f.applyError.Error())
	}
	causes = append(causes, f.sortedWarnings()...)
	if waiting {
		for i := range pods {
			if created := pods[i].CreationTimestamp.Time; !enginepods.IsOver(&pods[i]) && created.After(since) {
				since = created
			}
		}
	}
	timeout := time.Duration(f.resource.Spec.EffectiveStartupTimeoutSeconds()) * time.Second
	state := startup{overdue: !f.now.Before(since.Add(timeout)), message: joinCauses(causes)}
	if state.overdue {
		if state.message == "" {
			state.message = "the Pods were created and have not been started; kubectl describe pods shows their events"
		}
		state.message = fmt.Sprintf("no Pod could start within spec.limits.startupTimeoutSeconds (%d): %s",
			f.resource.Spec.EffectiveStartupTimeoutSeconds(), state.message)
	}
	return state
}

func (f *facts) sortedWarnings() []string {
	var warnings []string
	for _, warning := range f.warnings {
		warnings = append(warnings, warning)
	}
	slices.Sort(warnings)
	return warnings
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
			return fmt.Sprintf("Pod cannot be scheduled: %s: %s", condition.Reason, clip(condition.Message, maxMessage/2))
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
		who := "the operator's flag --engine-image names the image"
		if server, isTool := strings.CutPrefix(status.Name, runreport.ToolContainerPrefix); isTool {
			who = fmt.Sprintf("the tool server %q in spec.toolServers names the image", server)
		}
		return containerCause("container "+status.Name, waiting, who)
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

// containerCause says why a container waits; who says where its image comes from.
func containerCause(container string, waiting *corev1.ContainerStateWaiting, who string) string {
	cause := fmt.Sprintf("%s waits: %s: %s", container, waiting.Reason, clip(waiting.Message, maxMessage/2))
	switch waiting.Reason {
	case "CreateContainerConfigError":
		cause += "; create the missing object or key, and the run goes on by itself"
	case "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull":
		cause += "; " + who
	}
	return cause
}
