package datasetgeneration

import (
	"encoding/json"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// olderResult and olderProgress are what engines have said before later versions have added to it.
const (
	olderResult = `{"version":1,"role":"generate","runID":"RUN","attempt":1,"shard":0,"outcome":"Complete","engine":"v0.0.1",` +
		`"records":{"target":100,"actual":100,"dropped":0,"missing":0},` +
		`"output":{"files":1,"bytes":1000,"rowGroups":1,"completedRowGroups":1,"rowGroupSize":1000}}`
	olderProgress = `{"version":1,"runID":"RUN","attempt":1,"shard":0,"sequence":7,"phase":"Running",` +
		`"records":{"target":100,"actual":40,"dropped":0}}`
)

var _ = Describe("An upgrade in mid-run", func() {
	imageOf := func(pod *corev1.PodTemplateSpec) string { return pod.Spec.Containers[0].Image }

	It("lets Pods end as they are, understands what they say, and gives new attempts the new image", func() {
		before, after := Options{EngineImage: "example.com/engine:old"}, Options{EngineImage: "example.com/engine:new"}
		w := newOwnedWorld(before)
		stop := w.operate(before)
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		Expect(imageOf(&job.Spec.Template)).To(Equal("example.com/engine:old"))
		pod := w.startPod(job, 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		stop()

		w.operate(after)
		run := job.Labels[v1alpha1.LabelRun]
		progress, err := runreport.ParseProgress([]byte(replaceRun(olderProgress, run)))
		Expect(err).NotTo(HaveOccurred())
		progressOfPods.report(pod.UID, *progress)
		Eventually(func() int64 {
			if records := w.get().Status.Records; records != nil {
				return records.Actual
			}
			return 0
		}).Should(Equal(int64(40)), "the new operator reads the old engine's progress")
		Expect(w.job(runreport.RoleGenerate, 1).UID).To(Equal(job.UID), "the Job goes on as it is")
		Expect(w.gone(pod)).To(BeFalse())
		w.end(pod, runreport.ExitOK, complete(100))
		w.updatePod(pod, func(status *corev1.PodStatus) {
			status.ContainerStatuses[0].State.Terminated.Message = replaceRun(olderResult, run)
		})
		w.finish(job, "")
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(w.get().Status.Records.Summary).To(Equal("100/100"))

		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.NumRecords = 150 })
		second := w.job(runreport.RoleGenerate, 2)
		Expect(imageOf(&second.Spec.Template)).To(Equal("example.com/engine:new"))
		Expect(second.Labels[v1alpha1.LabelRun]).To(Equal(run), "the same run goes on")
	})
})

func replaceRun(document, run string) string {
	var fields map[string]any
	Expect(json.Unmarshal([]byte(document), &fields)).To(Succeed())
	fields["runID"] = run
	changed, err := json.Marshal(fields)
	Expect(err).NotTo(HaveOccurred())
	return string(changed)
}

var _ = Describe("A change while Pods generate", func() {
	It("of the number of Pods and their settings loses no count, and the next attempt goes on with as many as are wanted", func() {
		w := newWorld()
		spec := newSpec()
		spec.Parallelism = new(int32(2))
		w.create(spec)
		job := w.job(runreport.RoleGenerate, 1)
		pods := []*corev1.Pod{w.startPod(job, 0), w.startPod(job, 1)}
		for i, pod := range pods {
			w.setFinalizers(pod, trackingFinalizer)
			progressOfPods.report(pod.UID, runreport.Progress{
				RunID: pod.Labels[v1alpha1.LabelRun], Attempt: 1, Shard: int32(i), Sequence: 1, Phase: runreport.PhaseRunning,
				Records: runreport.Records{Target: 50, Actual: int64(10 + i)},
			})
		}
		actual := func() int64 {
			if records := w.get().Status.Records; records != nil {
				return records.Actual
			}
			return 0
		}
		Eventually(actual).Should(Equal(int64(21)))
		w.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Parallelism = new(int32(3))
			resource.Spec.Pod = &v1alpha1.PodSettings{NodeSelector: map[string]string{"pool": "b"}}
		})
		Eventually(func() bool { return w.get().Status.ObservedGeneration == 2 }).Should(BeTrue())
		for _, other := range w.jobs() {
			Expect(other.UID).To(Equal(job.UID), "two attempts never write at the same time")
		}
		for i, pod := range pods {
			w.end(pod, runreport.ExitInterrupted, withRecords(complete(50), int64(20+i), 0))
			w.setFinalizers(pod)
		}
		second := w.job(runreport.RoleGenerate, 2)
		Expect(*second.Spec.Completions).To(Equal(int32(3)))
		Expect(*second.Spec.Parallelism).To(Equal(int32(3)))
		Expect(second.Spec.Template.Spec.NodeSelector).To(HaveKeyWithValue("pool", "b"))
		Expect(second.Labels[v1alpha1.LabelRun]).To(Equal(job.Labels[v1alpha1.LabelRun]), "it is the same run, whose rows stay")
		Expect(actual()).To(BeNumerically(">=", 21), "counts never fall")
		pods = []*corev1.Pod{w.startPod(second, 0), w.startPod(second, 1), w.startPod(second, 2)}
		for shard, pod := range pods {
			w.end(pod, runreport.ExitOK, complete([]int64{34, 33, 33}[shard]))
		}
		w.finish(second, "")
		finalize := w.job(runreport.RoleFinalize, 2)
		w.end(w.startPod(finalize, 0), runreport.ExitOK, complete(100))
		w.finish(finalize, "")
		Eventually(w.ready, 30*time.Second).Should(Equal(v1alpha1.ReasonSucceeded))
		Expect(w.get().Status.Records.Summary).To(Equal("100/100"))
	})
})
