package datasetgeneration

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// status derives the status from the situation, and from what went wrong when its children were created or deleted. It is the
// only place where a status is built.
func (s *situation) status(applyError error) v1alpha1.DatasetGenerationStatus {
	status := *s.resource.Status.DeepCopy()
	status.ObservedGeneration = s.resource.Generation
	var conditions conditionSet
	s.addSuspended(&conditions)
	if s.lifetime != lifetimeInvalid {
		status.ExecutionMode = s.resource.Spec.ExecutionMode()
		s.addAccepted(&conditions)
		s.addSyncFallback(&conditions)
	}
	switch {
	case s.lifetime == lifetimeInvalid:
		s.addInvalid(&conditions)
		// The verdict of the generation before stands when the spec is as it was again.
		conditions.keepOfBefore(status.Conditions, append(verdicts, v1alpha1.ConditionPublished)...)
		s.showStop(&status)
	case s.lifetime == lifetimeWaiting:
		s.addWaiting(&conditions)
		// As of a spec that is invalid for a while.
		conditions.keepOfBefore(status.Conditions, append(verdicts, v1alpha1.ConditionPublished)...)
		s.showStop(&status)
	case s.lifetime == lifetimeSuspended:
		s.addSuspension(&conditions)
		s.addModelsAnswered(&conditions)
		s.showStop(&status)
	case s.lifetime == lifetimeFinished:
		s.answerRetry(&status)
		s.addStandingVerdict(&conditions)
		s.showPublication(&status, &conditions, applyError)
	case s.observed.ending != nil:
		s.showRun(&status)
		s.showResult(&status)
		status.Run.CompletionTime = &metav1.Time{Time: s.now}
		s.addModelsAnswered(&conditions)
		s.addVerdict(&conditions, *status.Records)
	default:
		s.showRun(&status)
		s.showProgress(&status)
		if applyError == nil {
			s.answerRetry(&status)
		}
		s.addModelsAnswered(&conditions)
		s.addLosses(&conditions, *status.Records)
		s.addActivity(&conditions, applyError)
		s.addDegraded(&conditions)
	}
	conditions.applyTo(&status.Conditions, s.resource.Generation, s.now)
	return status
}

// showRun brings the attempt into the status. A run of another configuration starts with no counts.
func (s *situation) showRun(status *v1alpha1.DatasetGenerationStatus) {
	recorded := s.resource.Status.Run
	if recorded == nil || recorded.ConfigHash != s.run.ConfigHash {
		status.Records, status.Progress, status.Output, status.Metadata = nil, nil, nil, nil
		status.Models, status.Usage, status.Columns, status.DroppedReasons = nil, nil, nil, nil
	} else if recorded.Attempt != s.run.Attempt {
		// Another attempt tries again what was dropped or is missing; what is in the output stays.
		status.Progress, status.DroppedReasons = nil, nil
		if status.Records != nil {
			status.Records.Dropped, status.Records.Missing = 0, 0
		}
	}
	run := s.run
	run.Failures = s.failures()
	status.Run = &run
}

// answerRetry notes which request for another attempt was seen: it has started one, or an event says why not.
func (s *situation) answerRetry(status *v1alpha1.DatasetGenerationStatus) {
	if value := s.resource.Annotations[v1alpha1.AnnotationRetryRequestedAt]; value != "" {
		status.LastHandledRetryRequest = clip.Text(value, maxRetryRequest)
	}
}

// addInvalid says what has to be corrected.
func (s *situation) addInvalid(conditions *conditionSet) {
	message := listed(s.violations)
	conditions.add(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, message)
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, message)
	conditions.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec,
		"the spec has to be corrected: "+message)
}

// showStop notes that the attempt was ended from outside, with what its Pods have said on their way out. What continues it is another
// attempt.
func (s *situation) showStop(status *v1alpha1.DatasetGenerationStatus) {
	if s.run.ID != "" && status.Records != nil {
		s.showProgress(status)
	}
	if status.Run != nil && status.Run.CompletionTime == nil {
		status.Run.CompletionTime = &metav1.Time{Time: s.now}
	}
	if status.Progress != nil {
		status.Progress.RecordsPerSecond, status.Progress.EstimatedCompletion, status.Progress.SlowRequests = "", nil, 0
	}
}

// listed lists what is wrong with the spec, or odd in it, as far as a condition can hold it.
func listed[T fmt.Stringer](found []T) string {
	var text strings.Builder
	for i, item := range found {
		line := clip.Text(item.String(), maxMessage)
		if i > 0 {
			text.WriteString("; ")
		}
		if text.Len()+len(line) > maxViolations {
			fmt.Fprintf(&text, "and %d more", len(found)-i)
			break
		}
		text.WriteString(line)
	}
	return text.String()
}

func (s *situation) addAccepted(conditions *conditionSet) {
	if s.addSeedTrouble(conditions) {
		return
	}
	if len(s.notPermitted) > 0 && s.lifetime == lifetimeActive && s.observed.ending == nil {
		conditions.add(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonReferenceNotPermitted,
			strings.Join(s.notPermitted, "; "))
		return
	}
	if len(s.missing) > 0 && s.lifetime == lifetimeActive && s.observed.ending == nil {
		conditions.add(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonReferenceNotFound, strings.Join(s.missing, "; "))
		return
	}
	if len(s.advice) > 0 {
		conditions.add(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonValidWithWarnings,
			"the spec is valid; warnings: "+listed(s.advice))
		return
	}
	conditions.add(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonValid, "the spec is valid")
}

func (s *situation) addSuspended(conditions *conditionSet) {
	switch {
	case s.resource.Spec.IsSuspended() && s.lifetime != lifetimeFinished:
		conditions.add(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonUserRequested, "spec.suspend is true")
	case s.condition(v1alpha1.ConditionSuspended) != nil:
		conditions.add(v1alpha1.ConditionSuspended, metav1.ConditionFalse, v1alpha1.ReasonResumed, "nothing is suspended")
	}
}

func (s *situation) addSyncFallback(conditions *conditionSet) {
	columns := s.resource.Spec.ResizeColumns()
	if len(columns) == 0 {
		return
	}
	conditions.add(v1alpha1.ConditionSyncFallback, metav1.ConditionTrue, v1alpha1.ReasonAllowResizeColumns, clip.Text(fmt.Sprintf(
		"columns with allowResize (%s) need a single Pod in sync mode, which ignores spec.parallelism. To have async mode and shards, "+
			"return one row for each row and leave allowResize out, or resize in a dataset of its own and use that as the seed",
		strings.Join(columns, ", ")), maxViolations))
}

func (s *situation) addSuspension(conditions *conditionSet) {
	message := "suspended by spec.suspend; what was generated is kept. Set spec.suspend to false to go on"
	if s.stale.writes() {
		message = "suspended by spec.suspend; the Pods are being stopped"
	}
	if lost := s.lostPod(); lost != "" {
		message += ". " + lost
	}
	if retryRequested(s.resource) {
		message += ". The attempt that was asked for by annotation starts then"
	}
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSuspended, message)
}

// addActivity says what an attempt that goes on is doing.
func (s *situation) addActivity(conditions *conditionSet, applyError error) {
	start := s.checkStartup(applyError)
	if start.overdue {
		conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPodStartupFailed, start.message)
		conditions.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPodStartupFailed, start.message)
		return
	}
	reason, message := s.activity()
	progressing, detail, lost := v1alpha1.ReasonProgressing, message, s.lostPod()
	switch {
	case applyError != nil:
		progressing, detail = v1alpha1.ReasonProgressingWithRetry, withoutMomentary(applyError.Error())
	case s.lookUpError != nil:
		progressing, detail = v1alpha1.ReasonProgressingWithRetry, message+": "+start.message
	case start.message != "":
		detail = message + ": " + start.message
	case lost != "":
		progressing, detail, message = v1alpha1.ReasonProgressingWithRetry, lost, lost
	case s.observed.retried != nil:
		_, cause := causeOf(*s.observed.retried)
		progressing = v1alpha1.ReasonProgressingWithRetry
		detail = fmt.Sprintf("Pod %s has failed and is replaced: %s", s.observed.retried.pod, cause)
	}
	conditions.add(v1alpha1.ConditionReconciling, metav1.ConditionTrue, progressing, detail)
	if start.message != "" {
		message = detail
	}
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
}

// activity is the reason of Ready while the attempt goes on.
func (s *situation) activity() (reason, message string) {
	switch {
	case s.observed.stage == stageRunning && s.observed.running == 0 && s.observed.retried != nil:
		return v1alpha1.ReasonRunning, "a Pod has failed and is started again; what was generated is kept"
	case s.observed.stage == stageRunning:
		return v1alpha1.ReasonRunning, "Pods are generating records; status.progress says how far"
	case s.observed.stage == stageFinalizing:
		return v1alpha1.ReasonFinalizing, "generating has ended; the dataset's metadata is being written"
	case s.stale.writes():
		return v1alpha1.ReasonPending, "waiting for earlier Pods to end"
	}
	return v1alpha1.ReasonPending, "waiting for the Pods to start"
}

// addLosses says that records are missing as soon as that is known. The counts are in status.records: a message with
// numbers would be written with every record.
func (s *situation) addLosses(conditions *conditionSet, records v1alpha1.RecordsStatus) {
	if records.Dropped > 0 {
		conditions.add(v1alpha1.ConditionPartial, metav1.ConditionTrue, v1alpha1.ReasonRowsDropped,
			"records were dropped; status.records counts them, and status.droppedReasons says why")
	}
}

// addVerdict says how the attempt has ended, which is final for it.
func (s *situation) addVerdict(conditions *conditionSet, records v1alpha1.RecordsStatus) {
	v := s.judge(records)
	if v.partialReason != "" {
		conditions.add(v1alpha1.ConditionPartial, metav1.ConditionTrue, v.partialReason, v.partialMessage)
	}
	if v.complete {
		conditions.add(v1alpha1.ConditionComplete, metav1.ConditionTrue, v.reason, v.message)
	} else {
		conditions.add(v1alpha1.ConditionFailed, metav1.ConditionTrue, v.reason, v.message)
	}
	addOutcome(conditions, v.complete, v.reason, v.message)
}

// addOutcome says what a verdict means for who waits for the resource.
func addOutcome(conditions *conditionSet, complete bool, reason, message string) {
	if !complete {
		conditions.add(v1alpha1.ConditionStalled, metav1.ConditionTrue, reason, message)
		conditions.add(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFailed, reason+": "+message)
		return
	}
	ready := v1alpha1.ReasonSucceeded
	if reason == v1alpha1.ReasonCompletionPolicyMet {
		ready = v1alpha1.ReasonPartiallySucceeded
	}
	conditions.add(v1alpha1.ConditionReady, metav1.ConditionTrue, ready, message)
}

// verdicts are the conditions that say how the run has ended.
var verdicts = []string{
	v1alpha1.ConditionComplete, v1alpha1.ConditionFailed, v1alpha1.ConditionPartial, v1alpha1.ConditionModelsAnswered,
}

// addStandingVerdict says again how the run has ended: the spec may have been another one meanwhile, which could not work.
func (s *situation) addStandingVerdict(conditions *conditionSet) {
	conditions.keep(s.resource.Status.Conditions, verdicts...)
	for _, conditionType := range []string{v1alpha1.ConditionComplete, v1alpha1.ConditionFailed} {
		if ended := s.condition(conditionType); ended != nil {
			addOutcome(conditions, conditionType == v1alpha1.ConditionComplete, ended.Reason, ended.Message)
		}
	}
}
