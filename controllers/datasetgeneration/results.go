package datasetgeneration

import (
	"strconv"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// exitKilled is the exit code of a container that was killed, as when its memory runs out.
const exitKilled int32 = 137

// unknownExitCode stands for the exit code of a Pod that ended without one, such as an evicted Pod.
const unknownExitCode int32 = -1

// podEnd is how a Pod has ended.
type podEnd struct {
	pod      string
	shard    int32
	exitCode int32
	// disrupted: the cluster has taken the Pod away. deadline: its active deadline has passed.
	disrupted bool
	deadline  bool
	// cause and message are the kubelet's words, such as OOMKilled.
	cause   string
	message string
	// lastWords is the end of the log of an engine that has left no result.
	lastWords string
	// result is nil when the Pod has left none that can be read.
	result *runreport.Result
	at     time.Time
}

// endOf reads how a Pod has ended, and whether it has.
func endOf(pod *corev1.Pod) (podEnd, bool) {
	if !enginepods.IsOver(pod) {
		return podEnd{}, false
	}
	end := podEnd{
		pod:      pod.Name,
		shard:    enginepods.ShardOf(pod),
		exitCode: unknownExitCode,
		deadline: pod.Status.Reason == "DeadlineExceeded",
		cause:    pod.Status.Reason,
		message:  pod.Status.Message,
		at:       pod.CreationTimestamp.Time,
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.DisruptionTarget && condition.Status == corev1.ConditionTrue {
			end.disrupted = true
		}
	}
	if status := enginepods.EngineStatus(pod); status != nil && status.State.Terminated != nil {
		terminated := status.State.Terminated
		end.exitCode, end.at = terminated.ExitCode, terminated.FinishedAt.Time
		if end.cause == "" && terminated.Reason != "Error" && terminated.Reason != "Completed" {
			end.cause = terminated.Reason
		}
		if end.result = resultOf(pod, terminated.Message); end.result == nil && end.exitCode != runreport.ExitOK {
			end.lastWords = lastWords(terminated.Message)
		}
	} else if pod.Status.Phase == corev1.PodSucceeded {
		end.exitCode = runreport.ExitOK
	}
	if pod.Status.Phase == corev1.PodFailed && end.exitCode == runreport.ExitOK {
		end.exitCode = unknownExitCode
	}
	return end, true
}

// tellsMoreThan says whether the result of this Pod is the later one of two of a shard. Ends are known to the second only; as
// counts are cumulative, the larger one is the later one.
func (e podEnd) tellsMoreThan(other podEnd) bool {
	switch {
	case (e.exitCode == runreport.ExitOK) != (other.exitCode == runreport.ExitOK):
		return e.exitCode == runreport.ExitOK
	case !e.at.Equal(other.at):
		return e.at.After(other.at)
	}
	return e.result.Records.Actual > other.result.Records.Actual
}

// resultOf parses a termination message. A result that is not of this Pod's run, attempt and shard is no result.
func resultOf(pod *corev1.Pod, message string) *runreport.Result {
	result, err := runreport.ParseResult(message)
	if err != nil || result.RunID != pod.Labels[v1alpha1.LabelRun] ||
		strconv.Itoa(int(result.Attempt)) != pod.Labels[v1alpha1.LabelAttempt] {
		return nil
	}
	if pod.Labels[v1alpha1.LabelRole] == runreport.RoleGenerate && result.Shard != enginepods.ShardOf(pod) {
		return nil
	}
	return result
}

// stage is how far an attempt is.
type stage int

const (
	stagePending stage = iota
	stageRunning
	stageFinalizing
)

// ending is how an attempt has ended.
type ending struct {
	// reason and message say what has ended it before its time; both are empty when all Pods did their work.
	reason, message string
	// final says that the failure holds whatever the completion policy accepts.
	final bool
	// pod is the one of a shard that has failed; nil where it is not one of them.
	pod *podEnd
}

// observation is what the workload of the current attempt says.
type observation struct {
	stage   stage
	running int
	// retried is the latest failure of a Pod after which another one is or will be started.
	retried *podEnd
	// shards are the latest ends of Pods with a result, by shard.
	shards map[int32]podEnd
	// killed says that a Pod was killed, so that it could not say anything; ended says that there is a Pod that has ended at all.
	killed, ended bool
	// dataset is the result for the dataset as a whole, once there is one.
	dataset *runreport.Result
	// finalizes: generating is over, and a finalizing Job is needed.
	finalizes bool
	// ending is nil while the attempt goes on.
	ending *ending
}

// observe derives the state of the attempt from its workload. It reads nothing else, and changes nothing.
func (s *situation) observe() observation {
	state := observation{shards: map[int32]podEnd{}}
	if s.run.ID == "" {
		return state
	}
	for i := range s.workload.generating {
		pod := &s.workload.generating[i]
		if enginepods.IsRunning(pod) {
			state.running++
		}
		if enginepods.HasRun(pod) {
			// Until the Job says more, the attempt goes on.
			state.stage = stageRunning
		}
		if end, over := endOf(pod); over {
			state.stage, state.ended = stageRunning, true
			state.add(end)
		}
	}
	if s.isStopped() {
		// The Pods go as soon as they have ended.
		for i := range s.ended {
			if end, over := endOf(&s.ended[i]); over {
				state.add(end)
			}
		}
		return state
	}
	generated := s.generatingEnd()
	if generated == nil {
		if s.allFinalizing() {
			state.stage = stageFinalizing
		}
		return state
	}
	s.conclude(&state, generated)
	return state
}

// add takes in how a generating Pod has ended.
func (o *observation) add(end podEnd) {
	if known, found := o.shards[end.shard]; end.result != nil && (!found || end.tellsMoreThan(known)) {
		o.shards[end.shard] = end
	}
	if end.result == nil && (end.exitCode == exitKilled || end.exitCode == unknownExitCode) {
		o.killed = true
	}
	if consequenceOf(end) == consequenceRetry && (o.retried == nil || end.at.After(o.retried.at)) {
		o.retried = &end
	}
}

// conclude handles an attempt whose generating Pods have ended.
func (s *situation) conclude(state *observation, generated *ending) {
	state.stage = stageFinalizing
	if s.run.Parallelism == 1 {
		// A single shard has finalized in its own Pod, if it came that far.
		end, found := state.shards[0]
		if found && (end.exitCode == runreport.ExitOK || end.exitCode == runreport.ExitFailed) {
			state.dataset = end.result
		}
		if state.dataset != nil || generated.reason != "" && (found || !s.isUndescribed(state, generated)) {
			state.ending = generated
			return
		}
	}
	if generated.final && generated.reason != v1alpha1.ReasonDeadlineExceeded && len(state.shards) == 0 {
		// No engine has come so far that the output says that the run runs, which only finalizing ends.
		state.ending = generated
		return
	}
	state.finalizes = true
	if s.workload.finalize == nil {
		return
	}
	if finished := jobEnd(s.workload.finalize); finished != nil {
		s.concludeFinalizing(state, generated, finished)
	}
}

// isUndescribed says whether Pods without a result have left records, and nothing that describes them: they were killed again and again,
// or are gone, perhaps at their deadline.
func (s *situation) isUndescribed(state *observation, generated *ending) bool {
	if generated.final && generated.reason != v1alpha1.ReasonDeadlineExceeded {
		return false
	}
	recorded := s.resource.Status.Records
	return state.killed || !state.ended && recorded != nil && recorded.Actual > 0
}

// concludeFinalizing handles an attempt whose finalizing Job has ended.
func (s *situation) concludeFinalizing(state *observation, generated *ending, finished *batchv1.JobCondition) {
	var last *podEnd
	for i := range s.workload.finalizing {
		end, over := endOf(&s.workload.finalizing[i])
		if over && (last == nil || end.at.After(last.at)) {
			last = &end
		}
	}
	if last != nil && last.result != nil {
		state.dataset = last.result
	}
	state.ending = generated
	switch {
	case generated.reason != "":
	case finished.Type == batchv1.JobFailed:
		state.ending = s.endingOf(last, finished, "Finalizing the dataset has")
	case state.dataset == nil:
		state.ending = &ending{reason: v1alpha1.ReasonInternalError, final: true, message: "The result of the finalizing Pod was lost, " +
			"perhaps because the Pod was deleted. The data is in the output; " + howToRetry(s.resource)}
	}
}

// allFinalizing says whether every running Pod reports that it finalizes.
func (s *situation) allFinalizing() bool {
	running, finalizing := 0, 0
	for i := range s.workload.generating {
		pod := &s.workload.generating[i]
		if !enginepods.IsRunning(pod) {
			continue
		}
		running++
		if progress, found := s.progress[pod.UID]; found && progress.Phase == runreport.PhaseFinalizing {
			finalizing++
		}
	}
	return running > 0 && running == finalizing
}

// jobEnd returns the condition that says that the Job has ended and all its Pods with it, or nil.
func jobEnd(job *batchv1.Job) *batchv1.JobCondition {
	for i := range job.Status.Conditions {
		condition := &job.Status.Conditions[i]
		if condition.Status == corev1.ConditionTrue &&
			(condition.Type == batchv1.JobComplete || condition.Type == batchv1.JobFailed) {
			return condition
		}
	}
	return nil
}
