package datasetgeneration

import (
	"context"
	"slices"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func TestOwnership(t *testing.T) {
	resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Name: "reviews", UID: "resource"}}
	named := func(name string) *v1alpha1.DatasetGeneration {
		return &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "another"}}
	}
	kind := v1alpha1.SchemeGroupVersion.WithKind("DatasetGeneration")
	job := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run-1", UID: "job"}}
	publishing := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run-1-p01234", UID: "publishing"}}
	unknown := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run-1", UID: "unknown"}}
	patched := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run-1-patched", UID: "patched"}}
	// Somebody has made it of a Job of ours, and has taken its owner away.
	theirs := batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "run-1", UID: "theirs"}}
	ofJob := func(job *batchv1.Job) *metav1.OwnerReference {
		return metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))
	}
	foreignKind := metav1.NewControllerRef(resource, batchv1.SchemeGroupVersion.WithKind("CronJob"))
	for name, test := range map[string]struct {
		owner *metav1.OwnerReference
		owned bool
	}{
		"of the resource":                    {metav1.NewControllerRef(resource, kind), true},
		"of a former resource of its name":   {metav1.NewControllerRef(named("reviews"), kind), true},
		"of another resource":                {metav1.NewControllerRef(named("other"), kind), false},
		"of its Job":                         {ofJob(&job), true},
		"of its Job, which is not here yet":  {ofJob(&unknown), true},
		"of its Job that publishes, as well": {ofJob(&publishing), true},
		"of somebody's Job":                  {ofJob(&theirs), false},
		"of one with a name like ours":       {ofJob(&patched), false},
		"of something else of the same name": {foreignKind, false},
		"of nobody":                          {nil, false},
	} {
		mine := job
		mine.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(resource, kind)}
		pod := corev1.Pod{ObjectMeta: metav1.ObjectMeta{
			Name: "pod", Labels: map[string]string{v1alpha1.LabelRun: "run", v1alpha1.LabelAttempt: "1"},
		}}
		if test.owner != nil {
			pod.OwnerReferences = []metav1.OwnerReference{*test.owner}
		}
		owned, foreign := children{jobs: []batchv1.Job{mine, theirs}, pods: []corev1.Pod{pod}}.ownedBy(resource)
		if got := len(owned.pods) == 1; got != test.owned || slices.Contains(foreign, "Pod pod") == test.owned {
			t.Errorf("a Pod %s: owned %t, want %t; foreign are %q", name, got, test.owned, foreign)
		}
		if len(owned.jobs) != 1 || !slices.Contains(foreign, "Job run-1") {
			t.Errorf("owned are %d Jobs, foreign are %q", len(owned.jobs), foreign)
		}
	}
}

func TestForeignObjectsAreReportedOnce(t *testing.T) {
	var reported foreignObjects
	key := types.NamespacedName{Name: "reviews"}
	for i, step := range []struct {
		objects []string
		news    bool
	}{
		{nil, false}, {[]string{"Pod a"}, true}, {[]string{"Pod a"}, false}, {[]string{"Pod a", "Pod b"}, true}, {nil, false}, {[]string{"Pod a"}, true},
	} {
		if got := reported.isNews(key, step.objects); got != step.news {
			t.Errorf("step %d: %q is news: %t, want %t", i, step.objects, got, step.news)
		}
	}
}

var _ = Describe("Objects of others with our labels", func() {
	It("are left alone, and reported", func() {
		w := newWorld()
		labels := ManagedBySelector()
		labels[v1alpha1.LabelDataset] = "reviews"
		theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "theirs", Labels: labels}}
		Expect(kube.Create(w.ctx, theirs)).To(Succeed())
		w.create(newSpec())
		job := w.job(runreport.RoleGenerate, 1)
		Eventually(w.eventReasons).Should(ContainElement(v1alpha1.ReasonForeignObject))
		// What would delete it is a change that makes all other children stale.
		w.edit(func(resource *v1alpha1.DatasetGeneration) { resource.Spec.RandomSeed = 7 })
		Eventually(func() bool { return w.gone(job) }).Should(BeTrue())
		var next *batchv1.Job
		Eventually(func() string { next = w.job(runreport.RoleGenerate, 1); return next.Name }).ShouldNot(Equal(job.Name))
		Expect(kube.Get(w.ctx, client.ObjectKeyFromObject(theirs), theirs)).To(Succeed())
		Expect(theirs.DeletionTimestamp).To(BeNil())
	})
})

var _ = Describe("A Pod that is seen before its Job", func() {
	It("is not taken for what an earlier attempt has left", func() {
		w := newOwnedWorld(Options{})
		stop := w.operate(Options{})
		w.create(newSpec())
		pod := w.startPod(w.job(runreport.RoleGenerate, 1), 0)
		Eventually(w.ready).Should(Equal(v1alpha1.ReasonRunning))
		stop()
		Expect(w.withoutJobs().Reconcile(w.ctx, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(w.get())})).Error().NotTo(HaveOccurred())
		Expect(kube.Get(w.ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		Expect(pod.DeletionTimestamp).To(BeNil())
		Expect(w.ready()).To(Equal(v1alpha1.ReasonRunning))
	})
})

// withoutJobs is a reconciler whose cache has not heard of any Job yet.
func (w *world) withoutJobs() *Reconciler {
	GinkgoHelper()
	live, err := client.NewWithWatch(apiServer, client.Options{Scheme: testScheme})
	Expect(err).NotTo(HaveOccurred())
	cached := interceptor.NewClient(live, interceptor.Funcs{
		List: func(ctx context.Context, all client.WithWatch, list client.ObjectList, _ ...client.ListOption) error {
			if _, areJobs := list.(*batchv1.JobList); areJobs {
				return nil
			}
			return all.List(ctx, list, client.InNamespace(w.namespace), client.HasLabels{v1alpha1.LabelDataset})
		},
	})
	return &Reconciler{
		Client: cached, APIReader: live, Recorder: events.NewFakeRecorder(100), Progress: progressOfPods, Shares: sharesOfPods, Now: w.now,
		Options: Options{EngineImage: "example.com/engine:test"},
	}
}
