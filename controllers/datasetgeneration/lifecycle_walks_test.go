package datasetgeneration

import (
	"slices"
	"strconv"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// The states of a resource, which are the reasons of Ready.
const (
	created    = ""
	pending    = v1alpha1.ReasonPending
	unstarted  = v1alpha1.ReasonPodStartupFailed
	running    = v1alpha1.ReasonRunning
	finalizing = v1alpha1.ReasonFinalizing
	suspended  = v1alpha1.ReasonSuspended
	invalid    = v1alpha1.ReasonInvalidSpec
	succeeded  = v1alpha1.ReasonSucceeded
	partial    = v1alpha1.ReasonPartiallySucceeded
	failed     = v1alpha1.ReasonFailed
	deleting   = v1alpha1.ReasonDeletingOutput
	undeleted  = v1alpha1.ReasonOutputDeletionFailed

	// Those of one whose seed is the dataset of another.
	waiting = v1alpha1.ReasonWaitingForDataset
	behind  = v1alpha1.ReasonDatasetFailed
	circle  = v1alpha1.ReasonDatasetCycle
)

// Parts of the names of the tests that go the ways.
const (
	beforeItRuns  = "goes every way before its Pods run"
	whileItRuns   = "goes every way while its Pods run"
	whileItIsDone = "goes every way while its dataset is finalized"
	whenItEnded   = "goes every way from its ends"
	oneShard      = "completes with one shard"
	shards        = "finalizes several shards in a Job of its own"
	withDataset   = "says why its dataset could not be deleted"
	inAnyOrder    = "may be applied in any order"
	downTheChain  = "tells a failure down the chain"
)

// lifecycle are all the ways of a resource from one state to another, each with the test that goes it.
var lifecycle = map[arrow]string{
	{created, pending}: oneShard, {created, suspended}: beforeItRuns, {created, invalid}: "refuses an invalid spec",

	{pending, running}: oneShard, {pending, unstarted}: beforeItRuns, {pending, suspended}: beforeItRuns, {pending, invalid}: beforeItRuns,
	{pending, deleting}:  beforeItRuns,
	{unstarted, pending}: beforeItRuns, {unstarted, running}: "are reported after the startup timeout", {unstarted, suspended}: beforeItRuns,
	{unstarted, invalid}: beforeItRuns, {unstarted, deleting}: whileItRuns, {unstarted, finalizing}: whileItIsDone,

	{running, finalizing}: shards, {running, succeeded}: oneShard, {running, partial}: "the budget is used up",
	{running, failed}: "latches the verdict", {running, pending}: whileItRuns, {running, unstarted}: whileItRuns,
	{running, suspended}: whileItRuns, {running, invalid}: whileItRuns, {running, deleting}: whileItRuns,

	{finalizing, succeeded}: "of the number of Pods and their settings", {finalizing, partial}: shards,
	{finalizing, running}: whileItIsDone, {finalizing, failed}: "killed too often", {finalizing, pending}: whileItIsDone, {finalizing, unstarted}: whileItIsDone,
	{finalizing, suspended}: whileItIsDone, {finalizing, invalid}: whileItIsDone, {finalizing, deleting}: whileItIsDone,

	{suspended, pending}: beforeItRuns, {suspended, invalid}: beforeItRuns, {suspended, deleting}: beforeItRuns,
	{invalid, succeeded}: whenItEnded, {invalid, partial}: whenItEnded, {invalid, failed}: whenItEnded,
	{invalid, pending}: beforeItRuns, {invalid, suspended}: beforeItRuns, {invalid, deleting}: beforeItRuns,

	{succeeded, pending}: "extends a complete run", {succeeded, suspended}: whenItEnded, {succeeded, invalid}: whenItEnded,
	{succeeded, deleting}: whenItEnded,
	{partial, pending}:    whenItEnded, {partial, suspended}: whenItEnded, {partial, invalid}: whenItEnded, {partial, deleting}: whenItEnded,
	{failed, pending}: "tries again when the annotation asks", {failed, suspended}: whenItEnded, {failed, invalid}: whenItEnded,
	{failed, deleting}: whenItEnded,

	{created, waiting}: inAnyOrder, {waiting, pending}: inAnyOrder, {waiting, behind}: downTheChain, {behind, waiting}: downTheChain,
	{succeeded, waiting}: "was deleted, and ends what has begun",

	{unstarted, undeleted}: beforeItRuns, {deleting, undeleted}: withDataset, {undeleted, deleting}: beforeItRuns,
}

// isShortcut says whether a state was passed too quickly to be seen: what waits may have run, and what runs may have been finalized,
// between two looks.
func isShortcut(step arrow) bool {
	passed := map[string]string{pending: running, unstarted: running, running: finalizing}
	for next, is := passed[step.from]; is; next, is = passed[next] {
		if lifecycle[arrow{next, step.to}] != "" {
			return true
		}
	}
	return false
}

// isOfChain says whether a way is one by which another resource leads, whose dataset is the seed: at any time that one may be missing,
// fail, or close a circle, and what it leads to begins as any other does.
func isOfChain(step arrow) bool {
	ofChain := []string{waiting, behind, circle}
	if slices.Contains(ofChain, step.to) {
		return step.from != deleting && step.from != undeleted
	}
	return slices.Contains(ofChain, step.from) && slices.Contains([]string{pending, suspended, invalid, deleting}, step.to)
}

// walk leads one resource from state to state.
type walk struct{ *world }

// begin creates the resource of a walk, which has two shards and whose dataset goes with it, so that it has all states.
func begin(change func(*v1alpha1.DatasetGenerationSpec)) walk {
	GinkgoHelper()
	w := walk{newWorld()}
	w.again(change)
	return w
}

// again creates it once more, after it is gone.
func (w walk) again(change func(*v1alpha1.DatasetGenerationSpec)) {
	GinkgoHelper()
	spec := newSpec()
	spec.Parallelism = new(int32(2))
	spec.Output.RetentionPolicy = v1alpha1.RetentionDelete
	spec.Limits = &v1alpha1.Limits{StartupTimeoutSeconds: new(int32(600))}
	if change != nil {
		change(&spec)
	}
	w.create(spec)
}

// is waits until the resource is in a state.
func (w walk) is(state string) walk {
	GinkgoHelper()
	Eventually(w.ready).Should(Equal(state))
	return w
}

func (w walk) spec(change func(*v1alpha1.DatasetGenerationSpec)) walk {
	GinkgoHelper()
	w.edit(func(resource *v1alpha1.DatasetGeneration) { change(&resource.Spec) })
	return w
}

// The edits of a walk, of which each has one that takes it back.
func isSuspended(spec *v1alpha1.DatasetGenerationSpec) { spec.Suspend = new(true) }
func isResumed(spec *v1alpha1.DatasetGenerationSpec)   { spec.Suspend = nil }
func isWrong(spec *v1alpha1.DatasetGenerationSpec)     { spec.Columns[1].Expression.Expr = "{{ nothing }}" }
func isRight(spec *v1alpha1.DatasetGenerationSpec)     { spec.Columns[1].Expression.Expr = "row {{ id }}" }
func isAnother(spec *v1alpha1.DatasetGenerationSpec)   { spec.RandomSeed++ }
func hasMore(spec *v1alpha1.DatasetGenerationSpec)     { spec.NumRecords += 50 }
func hasUsualPods(spec *v1alpha1.DatasetGenerationSpec) {
	spec.Pod = nil
}

// hasRefusedPods asks for Pods that the API server does not take.
func hasRefusedPods(spec *v1alpha1.DatasetGenerationSpec) {
	spec.Pod = &v1alpha1.PodSettings{Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
			MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "pool", Operator: "Near", Values: []string{"a"}}},
		}}},
	}}}
}

// current waits for the Job with a role of the attempt that is under way.
func (w walk) current(role string) *batchv1.Job {
	GinkgoHelper()
	var found *batchv1.Job
	Eventually(func() *batchv1.Job {
		run := w.get().Status.Run
		for _, job := range w.jobs() {
			if run != nil && job.Labels[v1alpha1.LabelRole] == role && job.Labels[v1alpha1.LabelRun] == run.ID &&
				job.Labels[v1alpha1.LabelAttempt] == strconv.Itoa(int(run.Attempt)) && job.DeletionTimestamp == nil {
				found = &job
			}
		}
		return found
	}).ShouldNot(BeNil(), "the Job with role %s of the attempt", role)
	return found
}

// runs has the Pods of the attempt run.
func (w walk) runs() (pods []*corev1.Pod) {
	GinkgoHelper()
	job := w.current(runreport.RoleGenerate)
	for shard := range int(*job.Spec.Completions) {
		pods = append(pods, w.startPod(job, shard))
	}
	w.is(running)
	return pods
}

// generates has the Pods end with so many records, and so many dropped ones, so that the attempt is finalized.
func (w walk) generates(actual, dropped int64) walk {
	GinkgoHelper()
	for shard, pod := range w.runs() {
		// The first shard has made what does not divide.
		half := int64(1 - shard)
		w.end(pod, runreport.ExitOK, resultWith(w.get().Spec.NumRecords/2, actual/2+half*(actual%2), dropped/2+half*(dropped%2)))
	}
	w.finish(w.current(runreport.RoleGenerate), "")
	w.current(runreport.RoleFinalize)
	return w.is(finalizing)
}

// makes is the same, and the finalizing Pod says so too.
func (w walk) makes(actual, dropped int64) walk {
	GinkgoHelper()
	job := w.generates(actual, dropped).current(runreport.RoleFinalize)
	w.end(w.startPod(job, 0), runreport.ExitOK, resultWith(w.get().Spec.NumRecords, actual, dropped))
	w.finish(job, "")
	return w
}

func resultWith(target, actual, dropped int64) *runreport.Result {
	if actual == target {
		return complete(target)
	}
	return withRecords(complete(target), actual, dropped)
}

// isDeleted deletes the resource, and with it its dataset.
func (w walk) isDeleted() {
	GinkgoHelper()
	Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
	w.is(deleting).deletes()
}

// deletes has the Job that deletes the dataset do so, and waits until the resource is gone.
func (w walk) deletes() {
	GinkgoHelper()
	resource := w.get()
	var deletion *batchv1.Job
	Eventually(func() *batchv1.Job {
		for _, job := range w.jobs() {
			if job.Labels[v1alpha1.LabelRole] == runreport.RoleDelete && job.DeletionTimestamp == nil {
				deletion = &job
			}
		}
		return deletion
	}).ShouldNot(BeNil(), "a Job deletes the dataset")
	w.end(w.startPod(deletion, 0), runreport.ExitOK, nil)
	w.finish(deletion, "")
	Eventually(func() bool { return w.gone(resource) && w.gone(deletion) }).Should(BeTrue())
}

func (w walk) triesAgain() walk {
	GinkgoHelper()
	w.edit(func(resource *v1alpha1.DatasetGeneration) {
		resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: resource.ResourceVersion}
	})
	return w
}

// looks has the controller look at the resource by an annotation that means nothing.
func (w walk) looks() {
	GinkgoHelper()
	w.edit(func(resource *v1alpha1.DatasetGeneration) {
		resource.Annotations = map[string]string{"example.com/look": resource.ResourceVersion}
	})
}

var _ = Describe("A resource", func() {
	It(beforeItRuns, func() {
		w := begin(isSuspended).is(suspended)
		w.spec(isWrong).is(invalid).spec(isRight).is(suspended)
		w.spec(isResumed).is(pending).spec(isWrong).is(invalid).spec(isRight).is(pending)
		w.spec(isSuspended).is(suspended).spec(isResumed).is(pending)
		w.spec(hasRefusedPods).is(unstarted).spec(isWrong).is(invalid).spec(isRight).is(unstarted)
		w.spec(isSuspended).is(suspended).spec(isResumed).is(unstarted).spec(hasUsualPods).is(pending)
		w.isDeleted()
		w.again(hasRefusedPods)
		w.is(unstarted)

		By("a Pod that would delete the dataset, and is refused as well")
		Expect(kube.Delete(w.ctx, w.get())).To(Succeed())
		w.is(undeleted)
		Expect(w.condition(v1alpha1.ConditionStalled).Message).To(And(ContainSubstring(`"Near"`), ContainSubstring("correct spec.pod")))
		w.spec(hasUsualPods).is(deleting).deletes()
		w.again(nil)
		w.is(pending).spec(isSuspended).is(suspended).isDeleted()
		w.again(nil)
		w.is(pending).spec(isWrong).is(invalid).isDeleted()
	})

	It(whileItRuns, func() {
		w := begin(nil)
		w.runs()
		w.spec(isWrong).is(invalid).spec(isRight).is(pending).runs()
		w.spec(isSuspended).is(suspended).spec(isResumed).is(pending).runs()
		w.spec(isAnother).is(pending)
		pods := w.runs()

		By("Pods that were evicted, and whose successors do not start")
		w.spec(func(spec *v1alpha1.DatasetGenerationSpec) { spec.Limits.StartupTimeoutSeconds = new(int32(1)) })
		for shard, pod := range pods {
			w.updatePod(pod, func(status *corev1.PodStatus) {
				status.Phase, status.Reason = corev1.PodFailed, "Evicted"
				status.ContainerStatuses[0].State = corev1.ContainerState{
					Terminated: &corev1.ContainerStateTerminated{ExitCode: exitKilled, FinishedAt: metav1.Now()},
				}
			})
			successor := w.createPod(w.current(runreport.RoleGenerate), shard)
			w.updatePod(successor, func(status *corev1.PodStatus) { status.Phase = corev1.PodPending })
		}
		Eventually(func() string { w.looks(); return w.ready() }).WithPolling(pollOfLooks).Should(Equal(unstarted))
		w.isDeleted()
		w.again(nil)
		w.runs()
		w.isDeleted()
	})

	It(whileItIsDone, func() {
		w := begin(nil).generates(100, 0)
		w.spec(isWrong).is(invalid).spec(isRight).is(pending).generates(100, 0)
		w.spec(isSuspended).is(suspended).spec(isResumed).is(pending).generates(100, 0)
		w.spec(isAnother).is(pending).generates(100, 0)
		w.spec(hasRefusedPods).is(unstarted).spec(hasUsualPods).is(finalizing)
		w.isDeleted()

		By("a single shard, which finalizes in its own Pod, and is killed at that")
		w.again(func(spec *v1alpha1.DatasetGenerationSpec) { spec.Parallelism = nil })
		pod := w.runs()[0]
		progressOfPods.report(pod.UID, runreport.Progress{
			RunID: pod.Labels[v1alpha1.LabelRun], Attempt: 1, Sequence: 1, Phase: runreport.PhaseFinalizing,
		})
		w.looks()
		w.is(finalizing)
		w.end(pod, exitKilled, nil)
		w.is(running)
	})

	It(whenItEnded, func() {
		more := func(spec *v1alpha1.DatasetGenerationSpec) { hasMore(spec); isSuspended(spec) }
		w := begin(nil).makes(100, 0).is(succeeded)
		w.spec(isWrong).is(invalid).spec(isRight).is(succeeded)
		w.spec(more).is(suspended).spec(isResumed).is(pending).makes(140, 10).is(partial)
		w.triesAgain().is(pending).makes(140, 10).is(partial)
		w.spec(isWrong).is(invalid).spec(isRight).is(partial)
		Expect(w.condition(v1alpha1.ConditionPartial).Reason).To(Equal(v1alpha1.ReasonRowsDropped))
		attempt := w.get().Status.Run.Attempt
		w.spec(more).is(suspended).spec(isResumed).is(pending).makes(140, 60).is(failed)
		verdict := w.condition(v1alpha1.ConditionFailed)
		w.spec(isWrong).is(invalid)
		Expect(w.condition(v1alpha1.ConditionFailed)).To(Equal(verdict), "it is still that of the generation before")
		w.spec(isRight).is(failed)
		Expect(w.condition(v1alpha1.ConditionStalled).Message).To(Equal(verdict.Message))
		Expect(w.get().Status.Run.Attempt).To(Equal(attempt+1), "nothing is generated again since a spec was wrong for a while")
		w.spec(more).is(suspended).spec(isResumed).is(pending).makes(140, 110).is(failed)
		w.isDeleted()
		w.again(nil)
		w.makes(100, 0).is(succeeded).isDeleted()
		w.again(nil)
		w.makes(95, 5).is(partial).isDeleted()
	})
})
