package datasetgeneration

import (
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

var _ = Describe("An async run", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("completes with one shard, which finalizes in its own Pod", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		Expect(*job.Spec.CompletionMode).To(Equal(batchv1.IndexedCompletion))
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)), "the intent is in the status before the Job exists")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonPending))
		pod := w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		w.end(pod, runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))

		status := w.get().Status
		Expect(w.condition(v1alpha1.ConditionComplete).Reason).To(Equal(v1alpha1.ReasonAllRecords))
		Expect(status.Records.Summary).To(Equal("100/100"))
		Expect(status.Progress.Percent).To(Equal(int32(100)))
		Expect(status.Output.URL).To(HavePrefix("pvc://datasets/" + w.namespace + "/reviews/"))
		Expect(status.Metadata.Path).To(HaveSuffix("/metadata.json"))
		Expect(w.jobs()).To(HaveLen(1), "a single shard needs no finalizing Job")
		Eventually(w.eventReasons).Should(ConsistOf(v1alpha1.ReasonPending, v1alpha1.ReasonRunning, v1alpha1.ReasonSucceeded))
		w.settled()
	})

	It("is never shown as stalled when it has run for longer than its Pods may take to start", func() {
		w := newOwnedWorld(Options{})
		var passed atomic.Int64
		w.now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) }
		w.operate(Options{})
		spec := newSpec()
		spec.Limits = &v1alpha1.Limits{StartupTimeoutSeconds: new(int32(60))}
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		passed.Store(int64(2 * time.Minute))
		// The container has ended, and the kubelet has not yet said that the Pod has.
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.ContainerStatuses[0].State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{FinishedAt: metav1.Now()}}
		})
		// The answer shows that the resource was looked at in this state.
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		})
		Eventually(func() string { return w.get().Status.LastHandledRetryRequest }).Should(Equal("now"))
		Expect(w.ready()).To(Equal(v1alpha1.ReasonRunning))
		w.end(pod, runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
	})

	It("says what slows it down, as long as it does", func() {
		w.create(newSpec())
		pod := w.startPod(w.job(runreport.RoleGenerate, 1), 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.PodIP, status.PodIPs = "192.0.2.1", []corev1.PodIP{{IP: "192.0.2.1"}}
		})
		sequence := int64(0)
		reports := func(troubles runreport.Troubles) {
			sequence++
			progressOfPods.report(pod.UID, runreport.Progress{RunID: pod.Labels[v1alpha1.LabelRun], Attempt: 1, Sequence: sequence, Troubles: troubles})
		}
		since := time.Now().Add(-time.Minute)
		Eventually(func() metav1.Condition {
			// A Pod is known to be asked once a reconcile has wanted to know.
			reports(runreport.Troubles{
				SlowRequests: 3, Slow: []runreport.SlowModel{{Model: "writer", Provider: "local", Requests: 3, Since: since}},
				Endpoints: []runreport.Endpoint{{Provider: "local", State: runreport.EndpointPaused, Since: since, Refused: 12}},
			})
			return w.condition(v1alpha1.ConditionDegraded)
		}).Should(And(HaveField("Reason", v1alpha1.ReasonProviderUnavailable),
			HaveField("Message", And(ContainSubstring(`"local"`), ContainSubstring("3 requests")))))
		Expect(w.get().Status.Progress.SlowRequests).To(Equal(int64(3)))
		Expect(w.ready()).To(Equal(v1alpha1.ReasonRunning))
		reports(runreport.Troubles{})
		Eventually(func() string { return w.condition(v1alpha1.ConditionDegraded).Reason }).Should(BeEmpty())
		Eventually(w.eventReasons).Should(ConsistOf(v1alpha1.ReasonPending, v1alpha1.ReasonRunning, v1alpha1.ReasonProviderUnavailable,
			v1alpha1.ReasonProgressing))
	})

	It("says what the models have answered before the first row", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		Expect(w.condition(v1alpha1.ConditionModelsAnswered).Reason).To(BeEmpty())
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.PodIP, status.PodIPs = "192.0.2.1", []corev1.PodIP{{IP: "192.0.2.1"}}
		})
		sequence := int64(0)
		answered := func() metav1.Condition { return w.condition(v1alpha1.ConditionModelsAnswered) }
		problem := And(HaveField("Status", metav1.ConditionFalse), HaveField("Reason", v1alpha1.ReasonModelGenerationInvalid),
			HaveField("Message", And(ContainSubstring(`model "writer"`), ContainSubstring("it has called no tool"))))
		Eventually(func() metav1.Condition {
			// A Pod is known to be asked once a reconcile has wanted to know.
			sequence++
			progressOfPods.report(pod.UID, runreport.Progress{
				RunID: pod.Labels[v1alpha1.LabelRun], Attempt: 1, Sequence: sequence,
				ModelCheck: &runreport.ModelCheck{Asked: 2, Problems: []runreport.ModelProblem{
					{Alias: "writer", Reason: v1alpha1.ReasonModelGenerationInvalid, Message: "it has called no tool"},
				}},
			})
			return answered()
		}).Should(problem)
		Expect(w.ready()).To(Equal(v1alpha1.ReasonRunning))
		// A result that was shortened, or a Pod that did not ask again, takes nothing back.
		w.end(pod, runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(answered()).To(problem)
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonModelGenerationInvalid))
	})

	It("says that the models have answered well, when nothing but the end of the Pod tells of it", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		result := complete(100)
		result.ModelCheck = &runreport.ModelCheck{Asked: 1}
		w.end(w.startPod(job, 0), runreport.ExitOK, result)
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(w.condition(v1alpha1.ConditionModelsAnswered)).To(And(HaveField("Status", metav1.ConditionTrue),
			HaveField("Reason", v1alpha1.ReasonAnswered), HaveField("ObservedGeneration", int64(1))))
	})

	It("finalizes several shards in a Job of its own, and counts each shard once", func() {
		spec := newSpec()
		spec.Parallelism = new(int32(2))
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		Expect(*job.Spec.Completions).To(Equal(int32(2)))
		// Shard 0 fails once, with what it has so far; the counts of its second Pod include those of the first.
		first := w.startPod(job, 0)
		w.end(first, runreport.ExitRetry, withRecords(complete(50), 20, 0))
		w.end(w.startPod(job, 0), runreport.ExitOK, complete(50))
		w.end(w.startPod(job, 1), runreport.ExitOK, withRecords(complete(50), 45, 5))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFinalizing))
		Eventually(func() int64 { return w.get().Status.Records.Actual }).Should(Equal(int64(95)))

		finalize := w.job(runreport.RoleFinalize, 1)
		Expect(finalize.Spec.Template.Spec.Containers[0].Command).To(Equal([]string{"/engine", "finalize"}))
		w.end(w.startPod(finalize, 0), runreport.ExitOK, withRecords(complete(100), 95, 5))
		w.finish(finalize, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonPartiallySucceeded))
		Expect(w.condition(v1alpha1.ConditionPartial).Reason).To(Equal(v1alpha1.ReasonRowsDropped))
		Expect(w.condition(v1alpha1.ConditionComplete).Reason).To(Equal(v1alpha1.ReasonCompletionPolicyMet))
		Expect(*w.get().Status.Records).To(Equal(v1alpha1.RecordsStatus{Target: 100, Actual: 95, Dropped: 5, Summary: "95/100"}))
	})

	It("says what was used, what it has cost, and that the budget is used up", func() {
		spec := newSpec()
		price, err := v1alpha1.NewDecimal("2.5")
		Expect(err).NotTo(HaveOccurred())
		spec.Providers = []v1alpha1.Provider{{Name: "local", Type: v1alpha1.ProviderOpenAI, Endpoint: "http://models/v1"}}
		spec.Models = []v1alpha1.Model{
			{Alias: "writer", Provider: "local", Model: "m", Price: &v1alpha1.ModelPrice{InputPerMillionTokens: &price}},
			{Alias: "editor", Provider: "local", Model: "m"},
		}
		spec.Columns = append(spec.Columns, v1alpha1.Column{
			Name: "text", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "writer", Prompt: "{{ label }}"}},
		})
		spec.Limits = &v1alpha1.Limits{MaxTokens: new(int64(1_500_000))}
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		pod := w.startPod(job, 0)
		result := withRecords(complete(100), 95, 0)
		result.Records.Missing = 5
		result.Outcome, result.Reason, result.Message = runreport.OutcomePartial, v1alpha1.ReasonBudgetExhausted, "the tokens are used"
		used := runreport.Usage{Succeeded: 90, Failed: 1, InputTokens: 1_000_000, OutputTokens: 400, CachedInputTokens: 7, ReasoningTokens: 8, ToolCalls: 9, Images: 1}
		used.Unusable.Add(runreport.Unusable{1: 4})
		used.TruncatedKept = 2
		result.Models = []runreport.Model{{Alias: "writer", Usage: used}, {Alias: "editor", Usage: runreport.Usage{Succeeded: 5, InputTokens: 3}}}
		result.Columns = []runreport.Column{{Name: "text", Succeeded: 90, Skipped: 5, Usage: used}}
		w.end(pod, runreport.ExitOK, result)
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonPartiallySucceeded))
		Expect(w.condition(v1alpha1.ConditionPartial).Reason).To(Equal(v1alpha1.ReasonBudgetExhausted))
		status := w.get().Status
		tokens := v1alpha1.TokenCounts{Input: 1_000_000, Output: 400, CachedInput: 7, Reasoning: 8}
		Expect(status.Models[0]).To(Equal(v1alpha1.ModelUsage{
			Alias: "writer", Requests: v1alpha1.RequestCounts{Succeeded: 90, Failed: 1}, Tokens: tokens, ToolCalls: 9, Images: 1, Cost: "2.50",
		}))
		Expect(status.Models[1].Cost).To(BeEmpty(), "a model without a price has no cost")
		Expect(status.Columns[0]).To(Equal(v1alpha1.ColumnStatus{
			Name: "text", Succeeded: 90, Skipped: 5, Requests: v1alpha1.RequestCounts{Succeeded: 90, Failed: 1}, Tokens: tokens, Cost: "2.50",
			UnusableAnswers: []v1alpha1.UnusableAnswers{{Reason: v1alpha1.ReasonOutputTruncated, Count: 4}}, TruncatedAnswersKept: 2,
		}))
		tokens.Input += 3
		Expect(*status.Usage).To(Equal(v1alpha1.UsageStatus{Requests: v1alpha1.RequestCounts{Succeeded: 95, Failed: 1}, Tokens: tokens, Cost: "2.50"}))
	})

	It("has the rows of a Pod that was killed too often described", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), 137, nil)
		w.finish(job, batchv1.JobReasonFailedIndexes)
		finalize := w.job(runreport.RoleFinalize, 1)
		w.end(w.startPod(finalize, 0), runreport.ExitOK, withRecords(complete(100), 40, 0))
		w.finish(finalize, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonBackoffLimitExceeded))
		Expect(w.get().Status.Records.Actual).To(Equal(int64(40)))
		Expect(w.get().Status.Metadata.Path).To(HaveSuffix("/metadata.json"))
	})

	It("fails with the engine's reason, and latches the verdict when the Job vanishes", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		failed := withRecords(complete(100), 0, 100)
		failed.Outcome, failed.Reason, failed.Message = runreport.OutcomeFailed, v1alpha1.ReasonModelAuthentication,
			"provider openai refused the key"
		w.end(w.startPod(job, 0), runreport.ExitFailed, failed)
		w.finish(job, batchv1.JobReasonFailedIndexes)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonModelAuthentication))
		Expect(w.condition(v1alpha1.ConditionFailed).Message).To(ContainSubstring("refused the key"))
		Expect(w.condition(v1alpha1.ConditionStalled).Status).To(Equal(metav1.ConditionTrue))
		version := w.settled()
		Expect(kube.Delete(w.ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(func() bool { return w.gone(job) }).Should(BeTrue())
		Consistently(w.jobs, "1s").Should(BeEmpty(), "nothing is submitted twice")
		Expect(w.get().ResourceVersion).To(Equal(version))
	})

	It("recreates a Job that was deleted, and creates once", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		Expect(kube.Delete(w.ctx, job, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(func() []batchv1.Job { return w.jobs() }).Should(ConsistOf(HaveField("UID", Not(Equal(job.UID)))))
		Consistently(func() int { return len(w.jobs()) }, "1s").Should(Equal(1))
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(1)))
	})

	It("ends the old run and starts a new one when a field that shapes rows is edited", func() {
		w.create(newSpec())
		old := w.job(runreport.RoleGenerate, 1)
		w.startPod(old, 0)
		before := w.get().Status.Run.ID
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.RandomSeed = 7 })
		Eventually(func() bool { return w.gone(old) }).Should(BeTrue())
		Eventually(func() string { return w.get().Status.Run.ID }).ShouldNot(Equal(before))
		Eventually(func() []batchv1.Job { return w.jobs() }).Should(ConsistOf(HaveField("Name", HavePrefix(w.get().Status.Run.ID))))
		Eventually(w.pods).Should(BeEmpty())
	})

	It("extends a complete run when numRecords is raised", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), runreport.ExitOK, complete(100))
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		run := w.get().Status.Run
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.NumRecords = 150 })
		extended := w.job(runreport.RoleGenerate, 2)
		Expect(w.get().Status.Run.ConfigHash).To(Equal(run.ConfigHash))
		Eventually(func() string { return w.get().Status.Records.Summary }).Should(Equal("100/150"))
		Expect(w.condition(v1alpha1.ConditionComplete)).To(BeZero())
		w.end(w.startPod(extended, 0), runreport.ExitOK, complete(150))
		w.finish(extended, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(w.get().Status.Records.Summary).To(Equal("150/150"))
	})

	It("suspends, keeps the counts, and resumes with another attempt", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = new(true) })
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSuspended))
		Eventually(w.jobs).Should(BeEmpty())
		Eventually(w.pods).Should(BeEmpty())
		Expect(w.condition(v1alpha1.ConditionSuspended).Reason).To(Equal(v1alpha1.ReasonUserRequested))
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = new(false) })
		again := w.job(runreport.RoleGenerate, 2)
		Eventually(func() string { return w.condition(v1alpha1.ConditionSuspended).Reason }).Should(Equal(v1alpha1.ReasonResumed))
		w.end(w.startPod(again, 0), runreport.ExitOK, complete(100))
		w.finish(again, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
	})

	It("tries again when the annotation asks for it, once for each value", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.end(w.startPod(job, 0), runreport.ExitStorage, nil)
		w.finish(job, batchv1.JobReasonFailedIndexes)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonBackoffLimitExceeded))
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		})
		again := w.job(runreport.RoleGenerate, 2)
		Eventually(func() string { return w.get().Status.LastHandledRetryRequest }).Should(Equal("now"))
		w.end(w.startPod(again, 0), runreport.ExitStorage, nil)
		w.finish(again, batchv1.JobReasonFailedIndexes)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		w.settled()
		Expect(w.get().Status.Run.Attempt).To(Equal(int32(2)))
	})

	It("applies an edited deadline to the Job that runs, and fails when it has passed", func() {
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Limits = &v1alpha1.Limits{ActiveDeadlineSeconds: new(int64(60))}
		})
		Eventually(func() *int64 { return w.job(runreport.RoleGenerate, 1).Spec.ActiveDeadlineSeconds }).Should(HaveValue(Equal(int64(60))))
		w.end(w.startPod(job, 0), runreport.ExitInterrupted, withRecords(complete(100), 95, 0))
		w.finish(job, batchv1.JobReasonDeadlineExceeded)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))
		Expect(w.condition(v1alpha1.ConditionFailed).Reason).To(Equal(v1alpha1.ReasonDeadlineExceeded))
		Expect(w.get().Status.Records.Actual).To(Equal(int64(95)))
	})

	It("refuses an invalid spec with every violation, and goes on when it is corrected", func() {
		spec := newSpec()
		spec.Columns[1].Expression.Expr = "{{ nothing }}"
		spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "loop", Expression: &v1alpha1.Expression{Expr: "{{ loop }}"}})
		w.create(spec)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		accepted := w.condition(v1alpha1.ConditionAccepted)
		Expect(accepted.Status).To(Equal(metav1.ConditionFalse))
		Expect(accepted.Message).To(And(ContainSubstring("spec.columns[1]"), ContainSubstring("spec.columns[2]")))
		Expect(w.jobs()).To(BeEmpty())
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec = newSpec() })
		w.job(runreport.RoleGenerate, 1)
		Eventually(func() metav1.ConditionStatus { return w.condition(v1alpha1.ConditionAccepted).Status }).Should(Equal(metav1.ConditionTrue))
	})

	It("owns everything, so that deleting the resource leaves nothing behind", func() {
		resource := w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		var configMaps corev1.ConfigMapList
		Expect(kube.List(w.ctx, &configMaps, client.InNamespace(w.namespace), client.MatchingLabels(ManagedBySelector()))).To(Succeed())
		Expect(configMaps.Items).To(HaveLen(1))
		for _, object := range []client.Object{job, &configMaps.Items[0]} {
			Expect(metav1.IsControlledBy(object, resource)).To(BeTrue())
			Expect(*object.GetOwnerReferences()[0].BlockOwnerDeletion).To(BeTrue())
		}
		Expect(w.get().Finalizers).To(BeEmpty())
		// While it is being deleted in the foreground, nothing is created again.
		Expect(kube.Delete(w.ctx, w.get(), client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Expect(kube.Delete(w.ctx, job, client.PropagationPolicy(metav1.DeletePropagationForeground))).To(Succeed())
		Eventually(func() bool { return w.gone(job) }).Should(BeTrue())
		Consistently(w.jobs, "1s").Should(BeEmpty())
	})
})
