package datasetgeneration

import (
	"fmt"
	"regexp"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// whichToRetry stands for the resource in howToRetry until addressed puts its name there.
	whichToRetry = "dsgen NAME"
	// howToRetry ends the messages of failures that another attempt may mend.
	howToRetry = "to try again, run: kubectl annotate --overwrite " + whichToRetry + " " + v1alpha1.AnnotationRetryRequestedAt + "=\"$(date +%s)\""
)

// addressed makes the command in a message one that can be copied.
func (f *facts) addressed(message string) string {
	return strings.Replace(message, whichToRetry, fmt.Sprintf("dsgen %s --namespace %s", f.resource.Name, f.resource.Namespace), 1)
}

// reasonPattern is what the API accepts as the reason of a condition from an engine Pod.
var reasonPattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}$`)

// generatingEnd says how the generating Pods have ended, or nil while they go on.
func (f *facts) generatingEnd() *ending {
	if f.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync {
		return f.syncEnding()
	}
	job := f.workload.generate
	if job == nil {
		// A Job that was deleted is created again; without its Pods' results it has not ended.
		return nil
	}
	finished := jobEnd(job)
	switch {
	case finished == nil:
		return nil
	case finished.Type == batchv1.JobComplete:
		return &ending{}
	}
	return endingOf(f.decisiveFailure(job), finished, f.subject(job), f.resource.Spec.EffectiveBackoffLimit())
}

// decisiveFailure finds, among the Pods that failed, the one that says most: one that gave up before one that may have passed,
// then one with a result, then the latest.
func (f *facts) decisiveFailure(job *batchv1.Job) *podEnd {
	var decisive *podEnd
	for i := range f.workload.generating {
		end, over := endOf(&f.workload.generating[i])
		if !over || consequenceOf(end) == consequenceDone || consequenceOf(end) == consequenceRetryFree {
			continue
		}
		if decisive == nil || weight(end) > weight(*decisive) || (weight(end) == weight(*decisive) && end.at.After(decisive.at)) {
			decisive = &end
		}
	}
	return decisive
}

func weight(end podEnd) int {
	weight := 0
	if consequenceOf(end) == consequenceGiveUp {
		weight += 2
	}
	if end.result != nil {
		weight++
	}
	return weight
}

// subject names what has failed in a message.
func (f *facts) subject(job *batchv1.Job) string {
	failed := ""
	if job.Status.FailedIndexes != nil {
		failed = *job.Status.FailedIndexes
	}
	if f.run.Parallelism == 1 || failed == "" {
		return "Generating"
	}
	return fmt.Sprintf("Shard %s of %d", clip(failed, 128), f.run.Parallelism)
}

// endingOf says why a Job has failed, from the Pod that failed and the Job's own words.
func endingOf(last *podEnd, finished *batchv1.JobCondition, subject string, backoffLimit int32) *ending {
	switch {
	case finished.Reason == batchv1.JobReasonDeadlineExceeded:
		return deadlineEnding()
	case last == nil:
		return &ending{reason: v1alpha1.ReasonBackoffLimitExceeded,
			message: fmt.Sprintf("%s has failed, and its Pods are gone: %s: %s", subject, finished.Reason, clip(finished.Message, maxMessage))}
	}
	return failureEnding(*last, subject, backoffLimit)
}

func deadlineEnding() *ending {
	return &ending{reason: v1alpha1.ReasonDeadlineExceeded, final: true,
		message: "spec.limits.activeDeadlineSeconds has passed. What was generated is kept; raise the limit, and " + howToRetry}
}

// failureEnding says why a Pod has failed for good.
func failureEnding(end podEnd, subject string, backoffLimit int32) *ending {
	if end.deadline {
		return deadlineEnding()
	}
	reason, message := causeOf(end)
	switch {
	case end.exitCode == runreport.ExitInvalid:
		if reason == "" {
			reason = v1alpha1.ReasonConfigInvalid
		}
		return &ending{reason: reason, message: message, final: true}
	case end.exitCode == runreport.ExitFailed:
		if reason == "" {
			reason = v1alpha1.ReasonShardFailed
		}
		return &ending{reason: reason, message: message}
	}
	if reason == "" {
		reason = v1alpha1.ReasonBackoffLimitExceeded
	}
	return &ending{reason: reason, message: fmt.Sprintf(
		"%s has failed more often than spec.limits.backoffLimit (%d) allows. The last Pod, %s: %s What was generated is kept; mend the cause, and %s",
		subject, backoffLimit, end.pod, withStop(message), howToRetry)}
}

// causeOf is the engine's reason and message, or what the kubelet says of a Pod that has left none.
func causeOf(end podEnd) (reason, message string) {
	if end.result != nil {
		if reasonPattern.MatchString(end.result.Reason) {
			reason = end.result.Reason
		}
		if message = clip(end.result.Message, maxMessage); message != "" {
			return reason, message
		}
	}
	message = fmt.Sprintf("Pod %s ended with exit code %d", end.pod, end.exitCode)
	if end.exitCode == unknownExitCode {
		message = fmt.Sprintf("Pod %s ended without an exit code", end.pod)
	}
	if end.cause != "" {
		message += " (" + end.cause + ")"
	}
	if end.message != "" {
		message += ": " + clip(end.message, maxMessage/2)
	}
	if end.cause == "OOMKilled" {
		message += "; the Pod ran out of memory: lower spec.run.rowGroupSize or raise spec.parallelism"
	}
	return reason, message + ". The log of the Pod may tell more."
}

func withStop(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// syncEnding says how the Pod of a sync run has ended for good, or nil while it or a successor goes on.
func (f *facts) syncEnding() *ending {
	end := f.syncEnd()
	deadline := f.deadline()
	late := !deadline.IsZero() && !f.now.Before(deadline)
	if end == nil {
		if late && f.syncPod() == nil && f.run.StartTime != nil {
			return deadlineEnding()
		}
		return nil
	}
	limit := f.resource.Spec.EffectiveBackoffLimit()
	switch consequence := consequenceOf(*end); {
	case consequence == consequenceDone:
		return &ending{}
	case end.deadline || late:
		return deadlineEnding()
	case consequence == consequenceGiveUp, consequence == consequenceRetry && f.failures() > limit:
		return failureEnding(*end, "Generating", limit)
	}
	return nil
}
