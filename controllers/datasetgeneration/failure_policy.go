package datasetgeneration

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// consequence is what the end of a Pod leads to.
type consequence int

const (
	// consequenceDone: the Pod has done its work.
	consequenceDone consequence = iota
	// consequenceRetry: the Pod is started again, and its failure is counted.
	consequenceRetry
	// consequenceRetryFree: the Pod was interrupted from outside. It is started again, and nothing is counted.
	consequenceRetryFree
	// consequenceGiveUp: starting again does not help.
	consequenceGiveUp
)

// consequenceOf applies to the Pod of a sync run what podFailurePolicy has the Job controller do.
func consequenceOf(end podEnd) consequence {
	switch {
	case end.exitCode == runreport.ExitOK:
		return consequenceDone
	case end.disrupted, end.exitCode == runreport.ExitInterrupted:
		return consequenceRetryFree
	case end.exitCode == runreport.ExitInvalid, end.exitCode == runreport.ExitFailed:
		return consequenceGiveUp
	}
	return consequenceRetry
}

// podFailurePolicy is the same as rules of a Job, of which the first that matches is applied; what none matches is
// counted against the backoff limit. Input that cannot work ends the whole Job, since every shard has the same. A shard that
// has failed for good leads to the action failed: FailIndex where the others go on, FailJob for a Job of one Pod.
func podFailurePolicy(failed batchv1.PodFailurePolicyAction) *batchv1.PodFailurePolicy {
	container := enginepods.Container
	onExit := func(action batchv1.PodFailurePolicyAction, code int32) batchv1.PodFailurePolicyRule {
		return batchv1.PodFailurePolicyRule{
			Action: action,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
				ContainerName: &container,
				Operator:      batchv1.PodFailurePolicyOnExitCodesOpIn,
				Values:        []int32{code},
			},
		}
	}
	return &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
		{
			Action: batchv1.PodFailurePolicyActionIgnore,
			OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
				{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
			},
		},
		onExit(batchv1.PodFailurePolicyActionIgnore, runreport.ExitInterrupted),
		onExit(batchv1.PodFailurePolicyActionFailJob, runreport.ExitInvalid),
		onExit(failed, runreport.ExitFailed),
	}}
}
