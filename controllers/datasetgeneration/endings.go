package datasetgeneration

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	batchv1 "k8s.io/api/batch/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
	"seedloom.dev/seedloom/internal/runreport"
)

// howToRetry is the command that starts another attempt; it ends the messages of failures that one may mend.
func howToRetry(resource *v1alpha1.DatasetGeneration) string {
	return fmt.Sprintf("to try again, run: kubectl annotate --overwrite dsgen %s --namespace %s %s=\"$(date +%%s)\"",
		resource.Name, resource.Namespace, v1alpha1.AnnotationRetryRequestedAt)
}

// reasonPattern is what the API accepts as the reason of a condition from an engine Pod.
var reasonPattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9]{0,63}$`)

// generatingEnd says how the generating Pods have ended, or nil while they go on.
func (s *situation) generatingEnd() *ending {
	if s.resource.Spec.ExecutionMode() == v1alpha1.ExecutionSync {
		return s.syncEnding()
	}
	job := s.workload.generate
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
	return s.endingOf(s.decisiveFailure(), finished, s.subject(job))
}

// decisiveFailure finds, among the Pods that failed, the one that says most: one that gave up before one that may have passed,
// then one with a result, then the latest.
func (s *situation) decisiveFailure() *podEnd {
	var decisive *podEnd
	for i := range s.workload.generating {
		end, over := endOf(&s.workload.generating[i])
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

// subject names what has failed in a message, with its verb.
func (s *situation) subject(job *batchv1.Job) string {
	failed := ""
	if job.Status.FailedIndexes != nil {
		failed = *job.Status.FailedIndexes
	}
	if s.run.Parallelism == 1 || failed == "" {
		return "Generating has"
	}
	if strings.ContainsAny(failed, ",-") {
		return fmt.Sprintf("Shards %s of %d have", clip.Text(failed, 128), s.run.Parallelism)
	}
	return fmt.Sprintf("Shard %s of %d has", failed, s.run.Parallelism)
}

// endingOf says why a Job has failed, from the Pod that failed and the Job's own words.
func (s *situation) endingOf(last *podEnd, finished *batchv1.JobCondition, subject string) *ending {
	switch {
	case finished.Reason == batchv1.JobReasonDeadlineExceeded:
		return s.deadlineEnding()
	case last == nil:
		return &ending{reason: v1alpha1.ReasonBackoffLimitExceeded,
			message: fmt.Sprintf("%s failed, and the Pods are gone: %s: %s", subject, finished.Reason, clip.Text(finished.Message, maxMessage))}
	}
	return s.failureEnding(*last, subject)
}

func (s *situation) deadlineEnding() *ending {
	return &ending{reason: v1alpha1.ReasonDeadlineExceeded, final: true,
		message: "spec.limits.activeDeadlineSeconds has passed. What was generated is kept; raise the limit, and " + howToRetry(s.resource)}
}

// failureEnding says why a Pod has failed for good.
func (s *situation) failureEnding(end podEnd, subject string) *ending {
	if end.deadline {
		return s.deadlineEnding()
	}
	reason, message := causeOf(end)
	switch {
	case end.exitCode == runreport.ExitInvalid:
		return &ending{reason: cmp.Or(reason, v1alpha1.ReasonConfigInvalid), message: s.withRetry(message), final: true, pod: &end}
	case end.exitCode == runreport.ExitFailed:
		return &ending{reason: cmp.Or(reason, v1alpha1.ReasonShardFailed), message: s.withRetry(message), pod: &end}
	}
	return &ending{reason: cmp.Or(reason, v1alpha1.ReasonBackoffLimitExceeded), pod: &end, message: fmt.Sprintf(
		"%s The last Pod, %s: %s What was generated is kept; mend the cause, and %s",
		s.tooManyFailures(subject), end.pod, withStop(message), howToRetry(s.resource))}
}

func (s *situation) tooManyFailures(subject string) string {
	return fmt.Sprintf("%s failed more often than spec.limits.backoffLimit (%d) allows.", subject, s.resource.Spec.EffectiveBackoffLimit())
}

// withRetry says after a cause what to do about it.
func (s *situation) withRetry(message string) string {
	return withStop(message) + " Mend the cause, and " + howToRetry(s.resource) + "."
}

// causeOf is the engine's reason and message, or what the kubelet says of a Pod that has left none.
func causeOf(end podEnd) (reason, message string) {
	if end.result != nil {
		if reasonPattern.MatchString(end.result.Reason) {
			reason = end.result.Reason
		}
		if message = clip.Text(end.result.Message, maxMessage); message != "" {
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
		message += ": " + clip.Text(end.message, maxMessage/2)
	}
	if end.cause == "OOMKilled" {
		message += "; the Pod ran out of memory: lower spec.run.rowGroupSize or raise spec.parallelism"
	}
	if end.lastWords != "" {
		return reason, message + ". The end of its log: " + end.lastWords
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
func (s *situation) syncEnding() *ending {
	end := s.syncEnd()
	deadline := s.deadline()
	late := !deadline.IsZero() && !s.now.Before(deadline)
	switch {
	case end != nil:
	case s.syncExhausted() && s.syncPod() == nil:
		return &ending{reason: v1alpha1.ReasonBackoffLimitExceeded, message: s.tooManyFailures("Generating has") +
			" The last Pod is gone. What was generated is kept; mend the cause, and " + howToRetry(s.resource)}
	case late && s.syncPod() == nil && s.run.StartTime != nil:
		return s.deadlineEnding()
	default:
		return nil
	}
	limit := s.resource.Spec.EffectiveBackoffLimit()
	switch consequence := consequenceOf(*end); {
	case consequence == consequenceDone:
		return &ending{}
	case end.deadline || late:
		return s.deadlineEnding()
	case consequence == consequenceGiveUp, consequence == consequenceRetry && s.failures() > limit:
		return s.failureEnding(*end, "Generating has")
	}
	return nil
}
