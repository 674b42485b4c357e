package datasetgeneration

import (
	"encoding/json"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// linesOf are the lines of the operator's log about the resources of a namespace.
func linesOf(namespace string) (lines []map[string]any) {
	GinkgoHelper()
	for text := range strings.Lines(operatorLog.String()) {
		var line map[string]any
		Expect(json.Unmarshal([]byte(text), &line)).To(Succeed(), text)
		if line["namespace"] == namespace {
			lines = append(lines, line)
		}
	}
	return lines
}

var _ = Describe("The log", func() {
	It("has resource, run and attempt in every line about a run, and the shard where it is about one", func() {
		w := newWorld()
		spec := newSpec()
		spec.Parallelism = new(int32(2))
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		w.startPod(job, 0)
		replaced := w.startPod(job, 1)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		w.end(replaced, runreport.ExitRetry, nil)
		Eventually(func() string { return w.condition(v1alpha1.ConditionReconciling).Reason }).
			Should(Equal(v1alpha1.ReasonProgressingWithRetry))
		last := w.startPod(job, 1)
		result := withRecords(complete(50), 0, 0)
		result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, v1alpha1.ReasonModelAuthentication, "the key was refused"
		w.end(last, runreport.ExitInvalid, result)
		w.finish(job, batchv1.JobReasonPodFailurePolicy)
		finalize := w.job(runreport.RoleFinalize, 1)
		w.end(w.startPod(finalize, 0), runreport.ExitOK, withRecords(complete(100), 0, 0))
		w.finish(finalize, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonFailed))

		run := w.get().Status.Run
		shards := map[any]any{}
		Eventually(func() map[any]any {
			for _, line := range linesOf(w.namespace) {
				Expect(line).To(And(HaveKeyWithValue("name", "reviews"), HaveKeyWithValue("run", run.ID),
					HaveKeyWithValue("attempt", BeNumerically("==", 1))))
				if pod := line["pod"]; pod != nil {
					shards[line["reason"]] = []any{line["shard"], pod}
				}
			}
			return shards
		}).Should(And(
			HaveKeyWithValue(v1alpha1.ReasonProgressingWithRetry, []any{1.0, replaced.Name}),
			HaveKeyWithValue(v1alpha1.ReasonModelAuthentication, []any{1.0, last.Name})))
		Expect(shards).To(HaveLen(2), "other lines are about the whole run")
	})
})
