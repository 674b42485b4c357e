package datasetgeneration

import (
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/reason"
	"seedloom.dev/seedloom/internal/runreport"
)

// Parts of the names of the tests that show reasons.
const (
	testOfEngineEnds = "shows why each of many runs has ended"
	testOfTroubles   = "says what slows it down, the gravest first"
)

// reasonsShown is which test shows each of the controller's reasons on the API server.
var reasonsShown = map[string]string{
	v1alpha1.ReasonPending: oneShard, v1alpha1.ReasonRunning: oneShard, v1alpha1.ReasonSucceeded: oneShard,
	v1alpha1.ReasonAllRecords: oneShard, v1alpha1.ReasonValid: oneShard, v1alpha1.ReasonProgressing: oneShard,
	v1alpha1.ReasonFinalizing: shards, v1alpha1.ReasonPartiallySucceeded: shards, v1alpha1.ReasonCompletionPolicyMet: shards,
	v1alpha1.ReasonRowsDropped: shards, v1alpha1.ReasonProgressingWithRetry: publishes,
	v1alpha1.ReasonSuspended: "suspends, keeps the counts", v1alpha1.ReasonUserRequested: "suspends, keeps the counts",
	v1alpha1.ReasonResumed: "suspends, keeps the counts", v1alpha1.ReasonFailed: "latches the verdict",
	v1alpha1.ReasonInvalidSpec: "refuses an invalid spec", v1alpha1.ReasonValidWithWarnings: "the budget is used up",
	v1alpha1.ReasonReferenceNotFound: "are reported after the startup timeout", v1alpha1.ReasonPodStartupFailed: "are reported after the startup timeout",
	v1alpha1.ReasonReferenceNotPermitted: "Secrets with a label", v1alpha1.ReasonAnswered: "the models have answered well",
	v1alpha1.ReasonDeadlineExceeded: "applies an edited deadline", v1alpha1.ReasonBackoffLimitExceeded: "killed too often",
	v1alpha1.ReasonShardFailed: testOfEngineEnds, v1alpha1.ReasonEarlyShutdown: testOfEngineEnds,
	v1alpha1.ReasonNoRecords: testOfEngineEnds, v1alpha1.ReasonCompletionPolicyNotMet: testOfEngineEnds,
	v1alpha1.ReasonRateLimited: testOfTroubles, v1alpha1.ReasonSharedLimitReached: testOfTroubles,
	v1alpha1.ReasonSlowRequests: testOfTroubles, v1alpha1.ReasonSchedulerStalled: testOfTroubles,
	v1alpha1.ReasonWaitingForDataset: inAnyOrder, v1alpha1.ReasonDatasetFailed: downTheChain, v1alpha1.ReasonDatasetCycle: "finds a circle",
	v1alpha1.ReasonPublishing: publishes, v1alpha1.ReasonPublished: publishes, v1alpha1.ReasonPublicationRefused: asksToPublish,
	v1alpha1.ReasonPublicationFailed: asksToPublish,
	v1alpha1.ReasonForeignObject:     "are left alone, and reported",
	v1alpha1.ReasonRetryNotStarted:   "replaces what has not begun to run", v1alpha1.ReasonDeletingOutput: withDataset,
	v1alpha1.ReasonOutputDeletionFailed: withDataset, v1alpha1.ReasonAllowResizeColumns: "runs in one Pod, says so",
}

// shownElsewhere are reasons that no condition has, each with the file and the test that shows it.
var shownElsewhere = map[string][2]string{
	// Another Pod goes on, and nothing has failed: it is in the result of the Pod and in metadata.json.
	v1alpha1.ReasonInterrupted: {"../../engine/scenario_stop_test.go", "TestCodeThatRunsWhenTheRunEnds"},
}

var _ = Describe("The operator", func() {
	It(testOfEngineEnds, func() {
		w := newWorld()
		type end struct {
			code   int32
			result *runreport.Result
			want   string
		}
		gaveUp := func(cause string) *runreport.Result {
			result := withRecords(complete(100), 0, 0)
			result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, cause, "the engine says why"
			return result
		}
		ends := map[string]end{
			"no-reason":  {runreport.ExitFailed, gaveUp(""), v1alpha1.ReasonShardFailed},
			"early":      {runreport.ExitFailed, gaveUp(v1alpha1.ReasonEarlyShutdown), v1alpha1.ReasonEarlyShutdown},
			"no-records": {runreport.ExitOK, withRecords(complete(100), 0, 100), v1alpha1.ReasonNoRecords},
			"too-few":    {runreport.ExitOK, withRecords(complete(100), 50, 50), v1alpha1.ReasonCompletionPolicyNotMet},
		}
		_, engine, err := apiReasons()
		Expect(err).NotTo(HaveOccurred())
		for _, ended := range engine {
			if shownElsewhere[ended][0] == "" {
				ends[strings.ToLower(ended)] = end{int32(reason.Of(ended).Exit), gaveUp(ended), ended}
			}
		}
		names := slices.Sorted(maps.Keys(ends))
		for _, name := range names {
			resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Spec: newSpec()}
			Expect(kube.Create(w.ctx, resource)).To(Succeed())
		}
		jobs := map[string]*batchv1.Job{}
		Eventually(func() map[string]*batchv1.Job {
			for _, job := range w.jobs() {
				jobs[job.Labels[v1alpha1.LabelDataset]] = &job
			}
			return jobs
		}).Should(HaveLen(len(names)))
		for _, name := range names {
			failure := ""
			if ends[name].code != runreport.ExitOK {
				failure = batchv1.JobReasonFailedIndexes
			}
			w.end(w.startPod(jobs[name], 0), ends[name].code, ends[name].result)
			w.finish(jobs[name], failure)
		}
		for _, name := range names {
			resource := &v1alpha1.DatasetGeneration{}
			Eventually(func() *metav1.Condition {
				Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: name}, resource)).To(Succeed())
				return meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionFailed)
			}).Should(And(HaveField("Reason", ends[name].want), HaveField("Message", Not(BeEmpty()))), name)
			Expect(readyReason(&resource.Status)).To(Equal(failed), name)
		}
	})

	It(testOfTroubles, func() {
		w := walk{newWorld()}
		resource := w.create(newSpec())
		pod := w.runs()[0]
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.PodIP, status.PodIPs = "192.0.2.1", []corev1.PodIP{{IP: "192.0.2.1"}}
		})
		since := time.Now().Add(-time.Minute)
		slow := runreport.Troubles{SlowRequests: 3, Slow: []runreport.SlowModel{{Model: "writer", Provider: "local", Requests: 3, Since: since}}}
		limited, stalled := slow, slow
		limited.Endpoints = []runreport.Endpoint{{Provider: "local", State: runreport.EndpointRateLimited, Since: since, Refused: 12}}
		stalled.StalledSince = &since
		sequence := int64(0)
		for _, step := range []struct {
			troubles runreport.Troubles
			shut     []enginepods.ShutEndpoint
			want     string
		}{
			{slow, nil, v1alpha1.ReasonSlowRequests},
			{slow, []enginepods.ShutEndpoint{{Endpoint: "http://models/v1", Limit: 4, Pods: 1, Since: since}}, v1alpha1.ReasonSharedLimitReached},
			{limited, nil, v1alpha1.ReasonRateLimited},
			{stalled, nil, v1alpha1.ReasonSchedulerStalled},
			{runreport.Troubles{}, nil, ""},
		} {
			sharesOfPods.set(resource.UID, step.shut...)
			Eventually(func() string {
				sequence++
				progressOfPods.report(pod.UID, runreport.Progress{
					RunID: pod.Labels[v1alpha1.LabelRun], Attempt: 1, Sequence: sequence, Troubles: step.troubles,
				})
				w.looks()
				return w.condition(v1alpha1.ConditionDegraded).Reason
			}).WithPolling(pollOfLooks).Should(Equal(step.want))
			Expect(w.ready()).To(Equal(running))
		}
	})
})

// pollOfLooks is how often a test has the controller look at a resource while it waits for what time alone brings.
const pollOfLooks = 300 * time.Millisecond
