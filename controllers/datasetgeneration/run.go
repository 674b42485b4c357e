package datasetgeneration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/clip"
)

// lifetime says what is to happen with the run that a resource is in.
type lifetime int

const (
	// lifetimeInvalid: the spec does not compile; nothing runs until it does.
	lifetimeInvalid lifetime = iota
	// lifetimeWaiting: the dataset that is the seed is not there; nothing runs until it is.
	lifetimeWaiting
	// lifetimeSuspended: nothing runs until the user lifts the suspension.
	lifetimeSuspended
	// lifetimeActive: the attempt is to be carried to its end.
	lifetimeActive
	// lifetimeFinished: the attempt has a verdict. Nothing is submitted again, whatever becomes of its Jobs and Pods.
	lifetimeFinished
)

// decideRun says which run and attempt the resource is in, and what is to happen with it. It depends on the spec and on the
// recorded run only, so that every controller that looks decides the same, and a verdict that was recorded is final for its
// run, attempt and target.
func decideRun(in *input) (v1alpha1.RunStatus, lifetime) {
	recorded := in.resource.Status.Run
	current := v1alpha1.RunStatus{}
	if recorded != nil {
		current = *recorded.DeepCopy()
	}
	if len(in.violations) > 0 {
		return current, lifetimeInvalid
	}
	if in.waitsForSeed() && !in.resource.Spec.IsSuspended() {
		return current, lifetimeWaiting
	}
	next, starts := nextAttempt(in, recorded)
	switch {
	case !starts && current.CompletionTime != nil:
		return current, lifetimeFinished
	case in.resource.Spec.IsSuspended() && (starts || !workloadHasEnded(in, current)):
		return current, lifetimeSuspended
	case starts:
		return next, lifetimeActive
	}
	return current, lifetimeActive
}

// nextAttempt returns the attempt that the spec asks for, and whether it still has to be started.
func nextAttempt(in *input, recorded *v1alpha1.RunStatus) (v1alpha1.RunStatus, bool) {
	spec := &in.resource.Spec
	next := v1alpha1.RunStatus{
		ID:          runID(in.resource.Name, in.configHash),
		ConfigHash:  in.configHash,
		Attempt:     1,
		Target:      spec.NumRecords,
		Parallelism: shardsOf(spec),
		PodHash:     podHash(spec.Pod),
		ExportsHash: exportsHash(spec.Output.Exports),
		Generation:  in.resource.Generation,
		StartTime:   &metav1.Time{Time: in.now},
		Seed:        in.seedRun,
	}
	if recorded == nil || recorded.ConfigHash != in.configHash {
		return next, !in.isJudged(recorded) || in.wantsRetry()
	}
	next.Attempt = recorded.Attempt + 1
	if recorded.CompletionTime == nil {
		// What Pods begin with cannot reach those that run already.
		return next, spec.NumRecords != recorded.Target || in.needsOtherPods(recorded, &next)
	}
	switch {
	case !in.isTrue(v1alpha1.ConditionComplete) && !in.isTrue(v1alpha1.ConditionFailed):
		// The attempt was ended by a suspension.
		return next, true
	case spec.NumRecords > recorded.Target:
		return next, true
	case next.ExportsHash != recorded.ExportsHash && in.hasDataset():
		return next, true
	case retryRequested(in.resource):
		return next, in.wantsRetry()
	case spec.NumRecords < recorded.Target:
		// A dataset with more than enough records stays as it is; a failed run may have enough of them now.
		return next, in.isTrue(v1alpha1.ConditionFailed)
	}
	return next, false
}

// hasDataset says whether the attempt has ended with a dataset, be it one that could not be exported.
func (in *input) hasDataset() bool {
	if in.isTrue(v1alpha1.ConditionComplete) {
		return true
	}
	failed := meta.FindStatusCondition(in.resource.Status.Conditions, v1alpha1.ConditionFailed)
	return failed != nil && failed.Status == metav1.ConditionTrue && failed.Reason == v1alpha1.ReasonExportFailed
}

// exportsHash identifies the exports that an attempt is started with; it is empty where there are none.
func exportsHash(exports []v1alpha1.Export) string {
	if len(exports) == 0 {
		return ""
	}
	return hashOf(exports)
}

// podHash identifies the settings of Pods that an attempt is started with; it is empty where there are none.
func podHash(settings *v1alpha1.PodSettings) string {
	if settings == nil {
		return ""
	}
	return hashOf(settings)
}

// hashOf identifies a part of a spec, or something with one in it.
func hashOf(part any) string {
	// What was decoded can be encoded.
	encoded, _ := json.Marshal(part)
	sum := sha256.Sum256(encoded)
	return hex.EncodeToString(sum[:8])
}

// isJudged says whether there is a verdict on the spec as it is, and on the rows of its seed where that is a dataset. Another version of
// the operator may take the same spec for another run: what is finished is not made anew for that.
func (in *input) isJudged(recorded *v1alpha1.RunStatus) bool {
	if recorded == nil || rowsOf(recorded.Seed) != rowsOf(in.seedRun) {
		return false
	}
	for _, conditionType := range []string{v1alpha1.ConditionComplete, v1alpha1.ConditionFailed} {
		verdict := in.condition(conditionType)
		if verdict != nil && verdict.Status == metav1.ConditionTrue && verdict.ObservedGeneration == in.resource.Generation {
			return true
		}
	}
	return false
}

// rowsOf is the digest of the rows of the dataset that is a seed; empty for another seed, or none.
func rowsOf(seed *v1alpha1.SeedRunStatus) string {
	if seed == nil {
		return ""
	}
	return seed.RowsDigest
}

// wantsRetry says whether another attempt is asked for, and there is something that it could make.
func (in *input) wantsRetry() bool {
	return retryRequested(in.resource) && (in.isTrue(v1alpha1.ConditionFailed) || in.isTrue(v1alpha1.ConditionPartial))
}

// needsOtherPods says whether the Pods that generate are others than the spec asks for, in their number or their settings. When they have
// ended, it is too late for that to matter.
func (in *input) needsOtherPods(recorded, next *v1alpha1.RunStatus) bool {
	if recorded.Parallelism == next.Parallelism && recorded.PodHash == next.PodHash {
		return false
	}
	observed := situationOf(in, *recorded, lifetimeActive).observed
	return !observed.finalizes && observed.ending == nil
}

// workloadHasEnded says whether the attempt is over and only its verdict is missing: then a suspension comes too late.
func workloadHasEnded(in *input, run v1alpha1.RunStatus) bool {
	return situationOf(in, run, lifetimeActive).observed.ending != nil
}

// retryRequested says whether the annotation asks for an attempt that was not started yet.
func retryRequested(resource *v1alpha1.DatasetGeneration) bool {
	value := resource.Annotations[v1alpha1.AnnotationRetryRequestedAt]
	return value != "" && clip.Text(value, maxRetryRequest) != resource.Status.LastHandledRetryRequest
}

const (
	// maxRetryRequest is the length that status.lastHandledRetryRequest can have.
	maxRetryRequest = 256
	// maxRunName leaves room, in the 63 characters of a host name, for the hash, an attempt and a shard.
	maxRunName = 43
	// shortHash is how many hexadecimal digits of a hash stand in names.
	shortHash = 8
)

// runID names a run after its resource and the beginning of its configuration's hash. A long name is shortened with a
// hash of its own, so that two resources never share a run.
func runID(name, configHash string) string {
	if len(name) > maxRunName {
		sum := sha256.Sum256([]byte(name))
		name = strings.TrimRight(name[:maxRunName-shortHash-1], "-") + "-" + hex.EncodeToString(sum[:])[:shortHash]
	}
	return name + "-" + hashDigits(configHash, shortHash)
}

func hashDigits(configHash string, count int) string {
	digits := strings.TrimPrefix(configHash, "sha256:")
	return digits[:min(count, len(digits))]
}

// shardsOf is the number of Pods that generate at the same time. A sync run has one.
func shardsOf(spec *v1alpha1.DatasetGenerationSpec) int32 {
	if spec.ExecutionMode() == v1alpha1.ExecutionSync {
		return 1
	}
	return spec.EffectiveParallelism()
}

// attemptName is the name of the attempt's ConfigMap and of its generating Job.
func attemptName(run v1alpha1.RunStatus) string {
	return fmt.Sprintf("%s-%d", run.ID, run.Attempt)
}

// publicationInfix stands between the name of an attempt and the digits of what one of its Jobs publishes.
const publicationInfix = "-p"

// finalizeSuffix tells the finalizing Job of an attempt from the generating one.
const finalizeSuffix = "-f"

// finalizeName is the name of the attempt's finalizing Job.
func finalizeName(run v1alpha1.RunStatus) string { return attemptName(run) + finalizeSuffix }

// syncPodName is the name of the Pod of a sync run that is started after that many failures. Since the name tells the
// number, no failure is counted twice, and none is forgotten when a Pod is deleted.
func syncPodName(run v1alpha1.RunStatus, failures int32) string {
	return fmt.Sprintf("%s-s%d", attemptName(run), failures)
}

// publicationID identifies what is to be published of a run; it is empty where nothing is.
func (in *input) publicationID(run *v1alpha1.RunStatus) string {
	repository := in.resource.Spec.HubRepository()
	if repository == nil || run == nil || run.CompletionTime == nil || !in.isTrue(v1alpha1.ConditionComplete) {
		return ""
	}
	return hashOf(struct {
		Run        string
		Attempt    int32
		Repository *v1alpha1.HuggingFaceRepository
	}{run.ID, run.Attempt, repository})
}

// isPublished says whether there is a verdict on a publication, and nobody asks to try it again.
func (in *input) isPublished(id string) bool {
	status, condition := in.resource.Status.Publication, in.condition(v1alpha1.ConditionPublished)
	if status == nil || status.Attempted != id || condition == nil {
		return false
	}
	return condition.Status == metav1.ConditionTrue || condition.Status == metav1.ConditionFalse && !retryRequested(in.resource)
}

// awaitsPublication says whether a dataset that is there has yet to be published.
func (in *input) awaitsPublication() bool {
	id := in.publicationID(in.resource.Status.Run)
	return id != "" && !in.isPublished(id) && !in.resource.Spec.IsSuspended()
}

// publicationDigits are those of the identity of a publication that stand in the name of its Job: with them a name has at most 63
// characters.
const publicationDigits = 5

// publicationName is the name of the Job that publishes what an identity stands for.
func publicationName(run v1alpha1.RunStatus, id string) string {
	return attemptName(run) + publicationInfix + id[:publicationDigits]
}
