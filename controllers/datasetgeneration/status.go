package datasetgeneration

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// nextStatus derives the status from the facts. It is the only place where a status is made.
func (f *facts) nextStatus() v1alpha1.DatasetGenerationStatus {
	status := *f.resource.Status.DeepCopy()
	status.ObservedGeneration = f.resource.Generation
	conditions := conditionSet{list: &status.Conditions, generation: f.resource.Generation, now: f.now}
	if f.lifetime == lifetimeInvalid {
		f.showInvalid(&status, conditions)
		f.showDegraded(conditions)
		return status
	}
	status.ExecutionMode = f.resource.Spec.ExecutionMode()
	f.showAccepted(conditions)
	f.showSuspended(conditions)
	f.showSyncFallback(conditions)
	switch {
	case f.lifetime == lifetimeSuspended:
		f.showSuspension(&status, conditions)
	case f.lifetime == lifetimeFinished:
		// The verdict stands; only what it says of the generation is brought up to date.
		conditions.remove(v1alpha1.ConditionReconciling)
		conditions.keep()
	case f.observed.ending != nil:
		f.showRun(&status)
		f.showEnding(&status, conditions)
	default:
		f.showRun(&status)
		f.showProgress(&status)
		f.showActivity(&status, conditions)
	}
	f.showDegraded(conditions)
	return status
}

// showRun brings the attempt into the status. A run of another configuration starts with no counts.
func (f *facts) showRun(status *v1alpha1.DatasetGenerationStatus) {
	recorded := f.resource.Status.Run
	if recorded == nil || recorded.ConfigHash != f.run.ConfigHash {
		status.Records, status.Progress, status.Output, status.Metadata = nil, nil, nil, nil
		status.Models, status.Usage, status.Columns, status.DroppedReasons = nil, nil, nil, nil
	} else if recorded.Attempt != f.run.Attempt {
		// Another attempt tries again what was dropped or is missing; what is in the output stays.
		status.Progress, status.DroppedReasons = nil, nil
		if status.Records != nil {
			status.Records.Dropped, status.Records.Missing = 0, 0
		}
	}
	run := f.run
	run.Failures = f.failures()
	status.Run = &run
	// A request that comes while an attempt is under way is answered by that attempt.
	if value := f.resource.Annotations[v1alpha1.AnnotationRetryRequestedAt]; value != "" {
		status.LastHandledRetryRequest = clip(value, maxRetryRequest)
	}
}

func (f *facts) showInvalid(status *v1alpha1.DatasetGenerationStatus, conditions conditionSet) {
	message := violationsMessage(f)
	conditions.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, message)
	conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonInvalidSpec, message)
	conditions.set(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonInvalidSpec,
		"the spec has to be corrected: "+message)
	conditions.remove(v1alpha1.ConditionReconciling, v1alpha1.ConditionComplete, v1alpha1.ConditionFailed,
		v1alpha1.ConditionPartial, v1alpha1.ConditionSyncFallback)
	f.showSuspended(conditions)
	f.endRun(status)
}

// endRun notes that the attempt was ended from outside: what continues it is another attempt.
func (f *facts) endRun(status *v1alpha1.DatasetGenerationStatus) {
	if status.Run != nil && status.Run.CompletionTime == nil {
		status.Run.CompletionTime = &metav1.Time{Time: f.now}
	}
	if status.Progress != nil {
		status.Progress.RecordsPerSecond, status.Progress.EstimatedCompletion, status.Progress.SlowRequests = "", nil, 0
	}
}

// violationsMessage lists what is wrong with the spec, as far as a condition can hold it.
func violationsMessage(f *facts) string {
	var text strings.Builder
	for i, violation := range f.violations {
		line := clip(violation.String(), maxMessage)
		if i > 0 {
			text.WriteString("; ")
		}
		if text.Len()+len(line) > maxViolations {
			fmt.Fprintf(&text, "and %d more", len(f.violations)-i)
			break
		}
		text.WriteString(line)
	}
	return text.String()
}

func (f *facts) showAccepted(conditions conditionSet) {
	if len(f.missing) > 0 && f.lifetime == lifetimeActive && f.observed.ending == nil {
		conditions.set(v1alpha1.ConditionAccepted, metav1.ConditionFalse, v1alpha1.ReasonReferenceNotFound, strings.Join(f.missing, "; "))
		return
	}
	conditions.set(v1alpha1.ConditionAccepted, metav1.ConditionTrue, v1alpha1.ReasonValid, "the spec is valid")
}

func (f *facts) showSuspended(conditions conditionSet) {
	switch {
	case f.resource.Spec.IsSuspended() && f.lifetime != lifetimeFinished:
		conditions.set(v1alpha1.ConditionSuspended, metav1.ConditionTrue, v1alpha1.ReasonUserRequested, "spec.suspend is true")
	case f.condition(v1alpha1.ConditionSuspended) != nil:
		conditions.set(v1alpha1.ConditionSuspended, metav1.ConditionFalse, v1alpha1.ReasonResumed, "nothing is suspended")
	}
}

func (f *facts) showSyncFallback(conditions conditionSet) {
	columns := f.resource.Spec.ResizeColumns()
	if len(columns) == 0 {
		conditions.remove(v1alpha1.ConditionSyncFallback)
		return
	}
	conditions.set(v1alpha1.ConditionSyncFallback, metav1.ConditionTrue, v1alpha1.ReasonAllowResizeColumns, clip(fmt.Sprintf(
		"columns with allowResize (%s) need a single Pod in sync mode, which ignores spec.parallelism. To have async mode and shards, "+
			"return one row for each row and leave allowResize out, or resize in a dataset of its own and use that as the seed",
		strings.Join(columns, ", ")), maxViolations))
}

func (f *facts) showSuspension(status *v1alpha1.DatasetGenerationStatus, conditions conditionSet) {
	message := "suspended by spec.suspend; what was generated is kept. Set spec.suspend to false to go on"
	if f.stale.writes() {
		message = "suspended by spec.suspend; the Pods are being stopped"
	}
	conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonSuspended, message)
	conditions.remove(v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionComplete,
		v1alpha1.ConditionFailed, v1alpha1.ConditionPartial)
	f.endRun(status)
}

// showActivity says what an attempt that goes on is doing.
func (f *facts) showActivity(status *v1alpha1.DatasetGenerationStatus, conditions conditionSet) {
	conditions.remove(v1alpha1.ConditionComplete, v1alpha1.ConditionFailed)
	f.showRunningLosses(status, conditions)
	start := f.checkStartup()
	if start.overdue {
		conditions.remove(v1alpha1.ConditionReconciling)
		conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonPodStartupFailed, start.message)
		conditions.set(v1alpha1.ConditionStalled, metav1.ConditionTrue, v1alpha1.ReasonPodStartupFailed, start.message)
		return
	}
	reason, message := f.activity()
	progressing, detail := v1alpha1.ReasonProgressing, message
	switch {
	case f.applyError != nil:
		progressing, detail = v1alpha1.ReasonProgressingWithRetry, f.applyError.Error()
	case start.message != "":
		detail = message + ": " + start.message
	case f.observed.retried != nil:
		_, cause := causeOf(*f.observed.retried)
		progressing, detail = v1alpha1.ReasonProgressingWithRetry, fmt.Sprintf("Pod %s has failed and is replaced: %s", f.observed.retried.pod, cause)
	}
	conditions.remove(v1alpha1.ConditionStalled)
	conditions.set(v1alpha1.ConditionReconciling, metav1.ConditionTrue, progressing, detail)
	if start.message != "" {
		message = detail
	}
	conditions.set(v1alpha1.ConditionReady, metav1.ConditionUnknown, reason, message)
}

// activity is the reason of Ready while the attempt goes on.
func (f *facts) activity() (reason, message string) {
	switch {
	case f.observed.stage == stageRunning && f.observed.running == 0 && f.observed.retried != nil:
		return v1alpha1.ReasonRunning, "a Pod has failed and is started again; what was generated is kept"
	case f.observed.stage == stageRunning:
		return v1alpha1.ReasonRunning, "Pods are generating records; status.progress says how far"
	case f.observed.stage == stageFinalizing:
		return v1alpha1.ReasonFinalizing, "generating has ended; the dataset's metadata is being written"
	case f.stale.writes():
		return v1alpha1.ReasonPending, "waiting for the Pods of the previous attempt to end"
	}
	return v1alpha1.ReasonPending, "waiting for the Pods to start"
}

// showRunningLosses says that records are missing as soon as that is known. The counts are in status.records: a message with
// numbers would be written with every record.
func (f *facts) showRunningLosses(status *v1alpha1.DatasetGenerationStatus, conditions conditionSet) {
	if status.Records == nil || status.Records.Dropped == 0 {
		conditions.remove(v1alpha1.ConditionPartial)
		return
	}
	conditions.set(v1alpha1.ConditionPartial, metav1.ConditionTrue, v1alpha1.ReasonRowsDropped,
		"records were dropped; status.records counts them, and status.droppedReasons says why")
}

// showEnding writes the verdict, which is final for this attempt.
func (f *facts) showEnding(status *v1alpha1.DatasetGenerationStatus, conditions conditionSet) {
	f.showResult(status)
	v := judge(&f.resource.Spec, *f.observed.ending, f.observed.dataset, *status.Records)
	v.message = f.addressed(v.message)
	status.Run.CompletionTime = &metav1.Time{Time: f.now}
	conditions.remove(v1alpha1.ConditionReconciling, v1alpha1.ConditionStalled, v1alpha1.ConditionComplete,
		v1alpha1.ConditionFailed, v1alpha1.ConditionPartial)
	if v.partialReason != "" {
		conditions.set(v1alpha1.ConditionPartial, metav1.ConditionTrue, v.partialReason, v.partialMessage)
	}
	if !v.complete {
		conditions.set(v1alpha1.ConditionFailed, metav1.ConditionTrue, v.reason, v.message)
		conditions.set(v1alpha1.ConditionStalled, metav1.ConditionTrue, v.reason, v.message)
		conditions.set(v1alpha1.ConditionReady, metav1.ConditionFalse, v1alpha1.ReasonFailed, v.reason+": "+v.message)
		return
	}
	conditions.set(v1alpha1.ConditionComplete, metav1.ConditionTrue, v.reason, v.message)
	ready := v1alpha1.ReasonSucceeded
	if v.reason == v1alpha1.ReasonCompletionPolicyMet {
		ready = v1alpha1.ReasonPartiallySucceeded
	}
	conditions.set(v1alpha1.ConditionReady, metav1.ConditionTrue, ready, v.message)
}
