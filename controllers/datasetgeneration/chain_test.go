package datasetgeneration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/runreport"
)

// member is a resource of a chain in a world.
type member struct {
	*world
	name string
}

// seededBy is a spec whose seed is the dataset of another resource; it has as many records as follow from it.
func seededBy(name string) v1alpha1.DatasetGenerationSpec {
	spec := newSpec()
	spec.NumRecords = 0
	spec.Seed = &v1alpha1.Seed{
		DatasetRef:     &v1alpha1.DatasetSeed{Name: name},
		RowsPerSeedRow: &v1alpha1.RowsPerSeedRow{Count: new(int32(3)), NumberColumn: "number"},
	}
	return spec
}

func (w *world) member(name string, spec v1alpha1.DatasetGenerationSpec) member {
	GinkgoHelper()
	w.createNamed(name, spec)
	return member{w, name}
}

func (m member) get() *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	resource := &v1alpha1.DatasetGeneration{}
	Expect(kube.Get(m.ctx, client.ObjectKey{Namespace: m.namespace, Name: m.name}, resource)).To(Succeed())
	return resource
}

func (m member) edit(change func(*v1alpha1.DatasetGeneration)) {
	GinkgoHelper()
	Eventually(func() error {
		resource := m.get()
		change(resource)
		return kube.Update(m.ctx, resource)
	}).Should(Succeed())
}

func (m member) condition(conditionType string) metav1.Condition {
	resource := m.get()
	condition := meta.FindStatusCondition(resource.Status.Conditions, conditionType)
	if condition == nil || condition.ObservedGeneration != resource.Generation {
		return metav1.Condition{}
	}
	return *condition
}

func (m member) ready() string { return m.condition(v1alpha1.ConditionReady).Reason }

// generating waits for the Job that generates at present.
func (m member) generating() *batchv1.Job {
	GinkgoHelper()
	var found *batchv1.Job
	Eventually(func() *batchv1.Job {
		run := m.get().Status.Run
		for _, job := range m.jobs() {
			if run != nil && run.CompletionTime == nil && job.Name == attemptName(*run) && job.DeletionTimestamp == nil {
				found = &job
			}
		}
		return found
	}).ShouldNot(BeNil(), "the Job of %s", m.name)
	return found
}

// complete has the run end with a dataset with a digest of its rows.
func (m member) complete(records int64, digest string) {
	GinkgoHelper()
	job := m.generating()
	pod := m.startPod(job, 0)
	result := complete(records)
	result.Output.RowsDigest = digest
	m.end(pod, runreport.ExitOK, result)
	m.finish(job, "")
	Eventually(m.ready).Should(Equal(v1alpha1.ReasonSucceeded))
}

// fail has the run end without a dataset.
func (m member) fail() {
	GinkgoHelper()
	job := m.generating()
	result := withRecords(complete(100), 0, 100)
	result.Outcome, result.Reason, result.Message = runreport.OutcomeFailed, v1alpha1.ReasonEarlyShutdown, "too many failed"
	m.end(m.startPod(job, 0), runreport.ExitFailed, result)
	m.finish(job, batchv1.JobReasonFailedIndexes)
	Eventually(m.ready).Should(Equal(v1alpha1.ReasonFailed))
}

var _ = Describe("A chain of datasets", func() {
	var w *world
	BeforeEach(func() { w = newWorld() })

	It("may be applied in any order: each waits for the dataset that is its seed, and says so", func() {
		reviews := w.member("reviews", seededBy("orders"))
		Eventually(func() string { return reviews.condition(v1alpha1.ConditionAccepted).Reason }).Should(Equal(v1alpha1.ReasonReferenceNotFound))
		Expect(reviews.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring(`DatasetGeneration "orders" does not exist`))
		orders := w.member("orders", seededBy("customers"))
		customers := w.member("customers", newSpec())
		for _, waiting := range []member{orders, reviews} {
			Eventually(waiting.ready).Should(Equal(v1alpha1.ReasonWaitingForDataset))
			Eventually(func() string { return waiting.condition(v1alpha1.ConditionAccepted).Reason }).Should(Equal(v1alpha1.ReasonWaitingForDataset))
			Expect(waiting.condition(v1alpha1.ConditionAccepted).Status).To(Equal(metav1.ConditionUnknown))
			Expect(waiting.condition(v1alpha1.ConditionReconciling).Status).To(Equal(metav1.ConditionTrue))
		}
		Expect(reviews.condition(v1alpha1.ConditionReady).Message).To(ContainSubstring(`waiting for DatasetGeneration "orders"`))
		Expect(customers.generating().Labels[v1alpha1.LabelDataset]).To(Equal("customers"))
		Expect(w.jobs()).To(HaveLen(1), "nothing of the others runs")

		customers.complete(100, "sha256:first")
		job := orders.generating()
		status := orders.get().Status
		Expect(*status.Run.Seed).To(Equal(v1alpha1.SeedRunStatus{
			Name: "customers", RunID: customers.get().Status.Run.ID, URL: customers.get().Status.Output.URL, RowsDigest: "sha256:first", Records: 100,
			FollowingRecords: 300,
		}))
		Expect(status.Run.Target).To(Equal(int64(300)), "as many as follow from all rows")
		pod := job.Spec.Template.Spec
		Expect(pod.Containers[0].VolumeMounts).To(ContainElement(corev1.VolumeMount{
			Name: volumeOutput, MountPath: runreport.SeedDirectory, ReadOnly: true}), "the claim is that of the output")
		configMap := &corev1.ConfigMap{}
		Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: job.Name}, configMap)).To(Succeed())
		var resolved runreport.ResolvedRun
		Expect(json.Unmarshal([]byte(configMap.Data[runreport.SpecKey]), &resolved)).To(Succeed())
		Expect(*resolved.SeedDataset).To(Equal(runreport.SeedDataset{
			Name: "customers", Path: strings.TrimPrefix(customers.get().Status.Output.URL, "pvc://datasets/"), RowsDigest: "sha256:first"}))
		Expect(string(resolved.Spec)).To(ContainSubstring(`"numRecords":300`))
		Expect(orders.get().Spec.NumRecords).To(BeZero(), "the spec is the user's")

		orders.complete(300, "sha256:orders")
		reviews.complete(900, "sha256:reviews")
		Expect(reviews.get().Status.Records.Target).To(Equal(int64(900)))
	})

	It("names a run as its engine does, also where values go by how many records follow from the seed", func() {
		customers := w.member("customers", newSpec())
		spec := seededBy("customers")
		spec.Columns = append(spec.Columns, v1alpha1.Column{Name: "half", Sampler: &v1alpha1.Sampler{
			Type: v1alpha1.SamplerCategory, Category: &v1alpha1.CategorySampler{
				Values: []apiextensionsv1.JSON{{Raw: []byte(`"a"`)}, {Raw: []byte(`"b"`)}}, Balance: v1alpha1.BalanceExact,
			},
		}})
		orders := w.member("orders", spec)
		customers.complete(100, "sha256:first")
		configMap := &corev1.ConfigMap{}
		Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: orders.generating().Name}, configMap)).To(Succeed())
		var resolved runreport.ResolvedRun
		Expect(json.Unmarshal([]byte(configMap.Data[runreport.SpecKey]), &resolved)).To(Succeed())
		var read v1alpha1.DatasetGenerationSpec
		Expect(json.Unmarshal(resolved.Spec, &read)).To(Succeed())
		Expect(plan.RunHash(&read, resolved.SeedDataset.RowsDigest)).To(Equal(resolved.ConfigHash))

		By("a seed that is gone: the run goes on")
		run := orders.get().Status.Run
		Expect(kube.Delete(w.ctx, customers.get())).To(Succeed())
		Eventually(func() string { return orders.condition(v1alpha1.ConditionAccepted).Reason }).Should(Equal(v1alpha1.ReasonReferenceNotFound))
		orders.complete(300, "sha256:orders")
		Expect(orders.get().Status.Run.ID).To(Equal(run.ID))
	})

	It("reads a dataset on another claim, read-only", func() {
		Expect(kube.Create(w.ctx, claim(w.namespace, "more"))).To(Succeed())
		customers := w.member("customers", newSpec())
		spec := seededBy("customers")
		spec.Output.PersistentVolumeClaim.ClaimName = "more"
		orders := w.member("orders", spec)
		customers.complete(100, "sha256:first")
		pod := orders.generating().Spec.Template.Spec
		Expect(pod.Volumes).To(ContainElement(corev1.Volume{Name: volumeSeed, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "datasets", ReadOnly: true}}}))
		Expect(pod.Containers[0].VolumeMounts).To(ContainElement(corev1.VolumeMount{
			Name: volumeSeed, MountPath: runreport.SeedDirectory, ReadOnly: true}))
	})

	It("begins anew when the rows of its seed have changed, and only then", func() {
		customers := w.member("customers", newSpec())
		orders := w.member("orders", seededBy("customers"))
		customers.complete(100, "sha256:first")
		orders.complete(300, "sha256:orders")
		first := orders.get().Status.Run

		By("another run of the seed with the same rows")
		customers.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.RandomSeed = 1 })
		customers.generating()
		Consistently(orders.ready, "300ms").Should(Equal(v1alpha1.ReasonSucceeded), "what is there stays while the seed is generated anew")
		customers.complete(100, "sha256:first")
		Consistently(func() *v1alpha1.RunStatus { return orders.get().Status.Run }, "500ms").Should(Equal(first))

		By("an extension of the seed")
		customers.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.NumRecords = 120 })
		customers.complete(120, "sha256:more")
		Eventually(func() string { return orders.get().Status.Run.ConfigHash }).ShouldNot(Equal(first.ConfigHash))
		orders.generating()
		Expect(orders.get().Status.Run.Attempt).To(Equal(int32(1)))
		Expect(orders.get().Status.Run.Target).To(Equal(int64(360)))

		By("other rows while it runs")
		customers.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.RandomSeed = 2 })
		second := orders.get().Status.Run.ID
		customers.generating()
		Expect(orders.generating().Name).To(HavePrefix(second), "until the seed is complete, the run goes on")
		customers.complete(120, "sha256:other")
		Eventually(func() string { return orders.get().Status.Run.ID }).ShouldNot(Equal(second))
		orders.complete(360, "sha256:again")
	})

	It("tells a failure down the chain, and goes on when it is mended", func() {
		reviews := w.member("reviews", seededBy("orders"))
		orders := w.member("orders", seededBy("customers"))
		customers := w.member("customers", newSpec())
		customers.fail()
		for _, waiting := range []member{orders, reviews} {
			Eventually(waiting.ready).Should(Equal(v1alpha1.ReasonDatasetFailed))
			Expect(waiting.condition(v1alpha1.ConditionReady).Status).To(Equal(metav1.ConditionFalse))
			Expect(waiting.condition(v1alpha1.ConditionAccepted).Status).To(Equal(metav1.ConditionFalse))
			stalled := waiting.condition(v1alpha1.ConditionStalled)
			Expect(stalled.Reason).To(Equal(v1alpha1.ReasonDatasetFailed))
			Expect(stalled.Message).To(HavePrefix(`DatasetGeneration "customers" has no dataset, and needs you: EarlyShutdown: `))
		}
		customers.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Annotations = map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
		})
		Eventually(reviews.ready).Should(Equal(v1alpha1.ReasonWaitingForDataset))
		customers.complete(100, "sha256:first")
		orders.complete(300, "sha256:orders")
		reviews.complete(900, "sha256:reviews")
	})

	It("tells that a dataset in its middle was deleted, and ends what has begun", func() {
		customers := w.member("customers", newSpec())
		orders := w.member("orders", seededBy("customers"))
		reviews := w.member("reviews", seededBy("orders"))
		customers.complete(100, "sha256:first")
		orders.generating()
		Expect(kube.Delete(w.ctx, customers.get())).To(Succeed())
		Eventually(func() string { return orders.condition(v1alpha1.ConditionAccepted).Reason }).Should(Equal(v1alpha1.ReasonReferenceNotFound))
		Expect(orders.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring("This run goes on with the rows of run customers-"))
		orders.complete(300, "sha256:orders")
		Expect(orders.condition(v1alpha1.ConditionAccepted).Reason).To(Equal(v1alpha1.ReasonValid), "what is there needs no seed any more")
		reviews.generating()
		Expect(kube.Delete(w.ctx, orders.get())).To(Succeed())
		reviews.complete(900, "sha256:reviews")

		By("an edit that needs the seed again")
		reviews.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.RandomSeed = 1 })
		Eventually(reviews.ready).Should(Equal(v1alpha1.ReasonWaitingForDataset))
		Expect(reviews.condition(v1alpha1.ConditionAccepted).Reason).To(Equal(v1alpha1.ReasonReferenceNotFound))
	})

	It("finds a circle, tells it to all in it, and goes on when it is opened", func() {
		first := w.member("first", seededBy("third"))
		second := w.member("second", seededBy("first"))
		third := w.member("third", seededBy("second"))
		outside := w.member("outside", seededBy("second"))
		for _, one := range []member{first, second, third} {
			Eventually(one.ready).Should(Equal(v1alpha1.ReasonDatasetCycle))
			Expect(one.condition(v1alpha1.ConditionStalled).Reason).To(Equal(v1alpha1.ReasonDatasetCycle))
		}
		Expect(first.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring("first → third → second → first"))
		Eventually(outside.ready).Should(Equal(v1alpha1.ReasonDatasetFailed))
		first.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Seed, resource.Spec.NumRecords = nil, 100 })
		for _, one := range []member{second, third, outside} {
			Eventually(one.ready).Should(Equal(v1alpha1.ReasonWaitingForDataset))
		}
		first.complete(100, "sha256:first")
		second.generating()
		itself := w.member("itself", seededBy("itself"))
		Eventually(itself.ready).Should(Equal(v1alpha1.ReasonDatasetCycle))
	})

	It("tells what is suspended, and keeps what is suspended from beginning", func() {
		spec := newSpec()
		spec.Suspend = new(true)
		customers := w.member("customers", spec)
		waiting := seededBy("customers")
		waiting.Suspend = new(true)
		orders := w.member("orders", waiting)
		Eventually(orders.ready).Should(Equal(v1alpha1.ReasonSuspended))
		orders.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = nil })
		Eventually(func() string { return orders.condition(v1alpha1.ConditionReady).Message }).Should(
			ContainSubstring("is suspended; set its spec.suspend"))
		orders.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = new(true) })
		customers.edit(func(resource *v1alpha1.DatasetGeneration) {
			resource.Spec.Suspend, resource.Spec.TTLSecondsAfterFinished = nil, new(int32(0))
		})
		customers.complete(100, "sha256:first")
		Eventually(w.jobs).Should(BeEmpty(), "what has generated the seed is cleaned up")
		Consistently(orders.ready, "300ms").Should(Equal(v1alpha1.ReasonSuspended))
		orders.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.Suspend = nil })
		orders.complete(300, "sha256:orders")
	})

	It("keeps a dataset that is to be deleted for as long as a run reads it", func() {
		spec := newSpec()
		spec.Output.RetentionPolicy = v1alpha1.RetentionDelete
		customers := w.member("customers", spec)
		orders := w.member("orders", seededBy("customers"))
		customers.complete(100, "sha256:first")
		orders.generating()
		Expect(kube.Delete(w.ctx, customers.get())).To(Succeed())
		Eventually(func() string { return customers.condition(v1alpha1.ConditionReady).Message }).Should(
			ContainSubstring(`waiting for DatasetGeneration "orders", whose run reads this dataset`))
		Eventually(func() string { return orders.condition(v1alpha1.ConditionAccepted).Message }).Should(ContainSubstring("is being deleted"))
		orders.complete(300, "sha256:orders")
		Eventually(func() int {
			deleting := 0
			for _, job := range w.jobs() {
				if job.Labels[v1alpha1.LabelRole] == runreport.RoleDelete {
					deleting++
				}
			}
			return deleting
		}).Should(Equal(1))
	})

	It("refuses what no records follow from", func() {
		customers := w.member("customers", newSpec())
		spec := seededBy("customers")
		spec.Seed.Selection = &v1alpha1.SeedSelection{Offset: new(int64(100))}
		orders := w.member("orders", spec)
		customers.complete(100, "sha256:first")
		Eventually(orders.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		Expect(orders.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring("spec.numRecords: no row follows"))
	})

	It("names a column that its seed drops, before anything is generated", func() {
		spec := newSpec()
		spec.Columns[0].Drop = new(true)
		w.member("customers", spec)
		reading := seededBy("customers")
		reading.Columns[0].Name = "own"
		orders := w.member("orders", reading)
		Eventually(orders.ready).Should(Equal(v1alpha1.ReasonInvalidSpec))
		Expect(orders.condition(v1alpha1.ConditionAccepted).Message).To(ContainSubstring(
			`spec.columns[1].expression.expr: reads the column "id", which the dataset "customers" drops`))
	})

	It("reads a dataset in a bucket, with the credentials of the one that has written it", func() {
		spec := newSpec()
		place := v1alpha1.ObjectStoreOutput{
			URL: "s3://datasets/team/", Endpoint: "https://s3.example.com", CredentialsSecretRef: &v1alpha1.SecretReference{Name: "bucket"},
		}
		spec.Output = v1alpha1.Output{ObjectStore: &place}
		stock := w.member("stock", spec)
		deliveries := w.member("deliveries", seededBy("stock"))
		stock.complete(100, "sha256:stock")
		job := deliveries.generating()
		seed := deliveries.get().Status.Run.Seed
		Expect(seed.URL).To(HavePrefix("s3://datasets/team/" + w.namespace + "/stock/"))
		Expect(*seed.ObjectStore).To(Equal(place))

		pod := job.Spec.Template.Spec
		Expect(strings.Join(projectedFiles(&pod, volumeSeedStore), " ")).To(Equal("bucket/AWS_ACCESS_KEY_ID=AWS_ACCESS_KEY_ID " +
			"bucket/AWS_SECRET_ACCESS_KEY=AWS_SECRET_ACCESS_KEY bucket/AWS_SESSION_TOKEN=AWS_SESSION_TOKEN?"))
		Expect(pod.Containers[0].VolumeMounts).To(ContainElement(corev1.VolumeMount{
			Name: volumeSeedStore, MountPath: runreport.SeedStoreDirectory, ReadOnly: true}))
		configMap := &corev1.ConfigMap{}
		Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: job.Name}, configMap)).To(Succeed())
		var resolved runreport.ResolvedRun
		Expect(json.Unmarshal([]byte(configMap.Data[runreport.SpecKey]), &resolved)).To(Succeed())
		Expect(resolved.SeedDataset.Path).To(Equal(strings.TrimPrefix(seed.URL, "s3://datasets/team/")))
		Expect(*resolved.SeedDataset.ObjectStore).To(Equal(place))

		By("a seed that is gone: what the run needs to read it is recorded")
		Expect(kube.Delete(w.ctx, stock.get())).To(Succeed())
		Eventually(func() string { return deliveries.condition(v1alpha1.ConditionAccepted).Reason }).
			Should(Equal(v1alpha1.ReasonReferenceNotFound))
		deliveries.complete(300, "sha256:deliveries")
	})
})

// TestAWaitingResourceIsAtRest holds that what waits for a dataset is not looked at without an event.
func TestAWaitingResourceIsAtRest(t *testing.T) {
	resource := &v1alpha1.DatasetGeneration{Spec: seededBy("customers")}
	s := decide(&input{resource: resource, options: &Options{}, seed: seedState{reason: v1alpha1.ReasonWaitingForDataset}})
	if s.lifetime != lifetimeWaiting || s.nextLook().RequeueAfter != 0 {
		t.Errorf("lifetime %d, looked at again after %s", s.lifetime, s.nextLook().RequeueAfter)
	}
}

// TestOnlyWhatDependentsSeeWakesThem holds that the progress of a run wakes nobody.
func TestOnlyWhatDependentsSeeWakesThem(t *testing.T) {
	running := &v1alpha1.DatasetGeneration{Status: v1alpha1.DatasetGenerationStatus{
		Records:    &v1alpha1.RecordsStatus{Actual: 5},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonRunning}},
	}}
	for name, change := range map[string]func(*v1alpha1.DatasetGeneration){
		"false: further records": func(resource *v1alpha1.DatasetGeneration) { resource.Status.Records.Actual = 6 },
		"true: another reason": func(resource *v1alpha1.DatasetGeneration) {
			resource.Status.Conditions[0].Reason = v1alpha1.ReasonFinalizing
		},
		"true: another seed": func(resource *v1alpha1.DatasetGeneration) { resource.Generation++ },
		"true: a dataset": func(resource *v1alpha1.DatasetGeneration) {
			resource.Status.Run, resource.Status.Output = &v1alpha1.RunStatus{ID: "r"}, &v1alpha1.OutputStatus{RowsDigest: "d"}
			resource.Status.Conditions = append(resource.Status.Conditions,
				metav1.Condition{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue})
		},
	} {
		after := running.DeepCopy()
		change(after)
		want := strings.HasPrefix(name, "true")
		if got := concernsDependents().Update(event.UpdateEvent{ObjectOld: running, ObjectNew: after}); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestADatasetOfAnOlderEngineIsASeed holds that one without a digest of its rows goes by its run and its number of records.
func TestADatasetOfAnOlderEngineIsASeed(t *testing.T) {
	resource := &v1alpha1.DatasetGeneration{Status: v1alpha1.DatasetGenerationStatus{
		Run: &v1alpha1.RunStatus{ID: "r", ConfigHash: "sha256:0123"}, Output: &v1alpha1.OutputStatus{URL: "pvc://c/ns/ds/0123"},
		Records:    &v1alpha1.RecordsStatus{Actual: 5},
		Conditions: []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}},
	}}
	if got := fmt.Sprint(seedStateOf(resource).complete.RowsDigest); got != "run:0123/5" {
		t.Errorf("the digest is %s", got)
	}
}

// TestADatasetIsReadWhereItLies has resources that are Complete, and whose spec.output was changed after that.
func TestADatasetIsReadWhereItLies(t *testing.T) {
	claim := v1alpha1.Output{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimOutput{ClaimName: "c"}}
	bucket := v1alpha1.Output{ObjectStore: &v1alpha1.ObjectStoreOutput{URL: "s3://b/data/"}}
	other := v1alpha1.Output{ObjectStore: &v1alpha1.ObjectStoreOutput{URL: "s3://b/dat"}}
	const onClaim, inBucket = "pvc://c/ns/ds/0123", "s3://b/data/ns/ds/0123"
	for name, test := range map[string]struct {
		url           string
		output        v1alpha1.Output
		claim, folder string
		reason        string
	}{
		"on a claim":                   {onClaim, claim, "c", "ns/ds/0123", ""},
		"from a claim to a bucket":     {onClaim, bucket, "c", "ns/ds/0123", ""},
		"in a bucket":                  {inBucket, bucket, "", "ns/ds/0123", ""},
		"from a bucket to a claim":     {inBucket, claim, "", "", v1alpha1.ReasonDatasetFailed},
		"from a bucket to another one": {inBucket, other, "", "", v1alpha1.ReasonDatasetFailed},
	} {
		t.Run(name, func(t *testing.T) {
			state := seedStateOf(&v1alpha1.DatasetGeneration{
				Spec: v1alpha1.DatasetGenerationSpec{Output: test.output},
				Status: v1alpha1.DatasetGenerationStatus{
					Run: &v1alpha1.RunStatus{ID: "r"}, Output: &v1alpha1.OutputStatus{URL: test.url}, Records: &v1alpha1.RecordsStatus{Actual: 5},
					Conditions: []metav1.Condition{{Type: v1alpha1.ConditionComplete, Status: metav1.ConditionTrue}},
				},
			})
			claim, folder := seedPlace(state.complete)
			if claim != test.claim || folder != test.folder || state.reason != test.reason || state.lasting != (test.reason != "") {
				t.Errorf("claim %q, folder %q, reason %q: %s", claim, folder, state.reason, state.message)
			}
		})
	}
}
