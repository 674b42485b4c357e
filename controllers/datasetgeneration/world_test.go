package datasetgeneration

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/internal/runreport"
)

// world is a namespace of its own for one test, in which the test plays the Job controller, the scheduler and the kubelet.
type world struct {
	ctx       context.Context
	namespace string
	// owned: the namespace has an operator of its own, and operators is how many it has had.
	owned     bool
	operators int
	// now is the clock of those.
	now func() time.Time
}

func newWorld() *world {
	GinkgoHelper()
	ctx, cancel := context.WithCancel(context.Background())
	DeferCleanup(cancel)
	// The API server refuses Pods that do not keep to the restricted standard.
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "test-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	Expect(kube.Create(ctx, namespace)).To(Succeed())
	w := &world{ctx: ctx, namespace: namespace.Name, now: time.Now}
	Expect(kube.Create(ctx, claim(w.namespace, "datasets"))).To(Succeed())
	watchStatuses(ctx, w.namespace)
	return w
}

// newWorldOf is a world with an operator of its own, which is installed in its namespace and has no right beyond it.
func newWorldOf(options Options) *world {
	GinkgoHelper()
	w := newOwnedWorld(options)
	w.operate(options)
	return w
}

// newOwnedWorld is the same before the operator starts.
func newOwnedWorld(options Options) *world {
	GinkgoHelper()
	w := newWorld()
	w.owned = true
	objects := ofKinds(kustomized("namespaced"), "ServiceAccount", "Role", "RoleBinding")
	inNamespace(objects, w.namespace)
	install(w, objects)
	if options.LabelledSecretsOnly {
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "secrets"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}},
		}}
		Expect(kube.Create(w.ctx, role)).To(Succeed())
		Expect(kube.Create(w.ctx, &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "secrets"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "seedloom-manager", Namespace: w.namespace}},
		})).To(Succeed())
	}
	return w
}

// operate starts an operator in the world's namespace, which is stopped by the function that it returns, or when the test ends. Each has a
// name of its own, as controllers of one process must.
func (w *world) operate(options Options) (stop func()) {
	GinkgoHelper()
	held := CacheOptions()
	held.DefaultNamespaces = map[string]cache.Config{w.namespace: {}}
	w.operators++
	manager := newManager(asManager(w.namespace), held, options, fmt.Sprintf("datasetgeneration-%s-%d", w.namespace, w.operators), w.now)
	ctx, cancel := context.WithCancel(w.ctx)
	ended := make(chan error, 1)
	go func() { ended <- manager.Start(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	DeferCleanup(stop)
	return stop
}

func claim(namespace, name string) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
		},
	}
}

// newSpec is a small valid spec.
func newSpec() v1alpha1.DatasetGenerationSpec {
	return v1alpha1.DatasetGenerationSpec{
		NumRecords: 100,
		Columns: []v1alpha1.Column{
			{Name: "id", Sampler: &v1alpha1.Sampler{Type: v1alpha1.SamplerUUID}},
			{Name: "label", Expression: &v1alpha1.Expression{Expr: "row {{ id }}"}},
		},
		Output: v1alpha1.Output{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimOutput{ClaimName: "datasets"}},
	}
}

// syncSpec has a column that needs sync mode.
func syncSpec() v1alpha1.DatasetGenerationSpec {
	spec := newSpec()
	spec.Columns = append(spec.Columns, v1alpha1.Column{
		Name: "twice", AllowResize: new(true),
		Custom: &v1alpha1.Custom{Strategy: v1alpha1.CustomBatch, Starlark: &v1alpha1.Starlark{Source: "def generate(rows):\n    return rows\n"}},
	})
	return spec
}

func (w *world) create(spec v1alpha1.DatasetGenerationSpec) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	return w.createNamed("reviews", spec)
}

func (w *world) createNamed(name string, spec v1alpha1.DatasetGenerationSpec) *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	resource := &v1alpha1.DatasetGeneration{ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: name}, Spec: spec}
	if w.owned {
		resource.Labels = map[string]string{ownOperator: "true"}
	}
	Expect(kube.Create(w.ctx, resource)).To(Succeed())
	return resource
}

func (w *world) get() *v1alpha1.DatasetGeneration {
	GinkgoHelper()
	resource := &v1alpha1.DatasetGeneration{}
	Expect(kube.Get(w.ctx, client.ObjectKey{Namespace: w.namespace, Name: "reviews"}, resource)).To(Succeed())
	return resource
}

// edit changes the resource, and tries again when the controller was faster.
func (w *world) edit(change func(*v1alpha1.DatasetGeneration)) {
	GinkgoHelper()
	Eventually(func() error {
		resource := w.get()
		change(resource)
		return kube.Update(w.ctx, resource)
	}).Should(Succeed())
}

// ready returns the reason of Ready for the present generation.
func (w *world) ready() string {
	resource := w.get()
	condition := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady)
	if condition == nil || condition.ObservedGeneration != resource.Generation {
		return ""
	}
	return condition.Reason
}

func (w *world) condition(conditionType string) metav1.Condition {
	condition := meta.FindStatusCondition(w.get().Status.Conditions, conditionType)
	if condition == nil {
		return metav1.Condition{}
	}
	return *condition
}

func (w *world) jobs() []batchv1.Job {
	GinkgoHelper()
	var list batchv1.JobList
	Expect(kube.List(w.ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	return list.Items
}

func (w *world) pods() []corev1.Pod {
	GinkgoHelper()
	var list corev1.PodList
	Expect(kube.List(w.ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	return list.Items
}

// job waits for the Job of a role in an attempt.
func (w *world) job(role string, attempt int) *batchv1.Job {
	GinkgoHelper()
	var found *batchv1.Job
	Eventually(func() *batchv1.Job {
		for _, job := range w.jobs() {
			if job.Labels[v1alpha1.LabelRole] == role && job.Labels[v1alpha1.LabelAttempt] == strconv.Itoa(attempt) && job.DeletionTimestamp == nil {
				found = &job
			}
		}
		return found
	}).ShouldNot(BeNil(), "the Job with role %s of attempt %d", role, attempt)
	return found
}

// syncPod waits for the Pod of a sync run that is started after some failures.
func (w *world) syncPod(failures int) *corev1.Pod {
	GinkgoHelper()
	var found *corev1.Pod
	Eventually(func() *corev1.Pod {
		for _, pod := range w.pods() {
			if pod.Name == syncPodName(*w.get().Status.Run, int32(failures)) && pod.DeletionTimestamp == nil && !enginepods.IsOver(&pod) {
				found = &pod
			}
		}
		return found
	}).ShouldNot(BeNil(), "the Pod after %d failures", failures)
	return found
}

// startPod creates a Pod of a Job as the Job controller does, and has it run.
func (w *world) startPod(job *batchv1.Job, index int) *corev1.Pod {
	GinkgoHelper()
	pod := w.createPod(job, index)
	w.run(pod)
	return pod
}

func (w *world) createPod(job *batchv1.Job, index int) *corev1.Pod {
	GinkgoHelper()
	template := job.Spec.Template.DeepCopy()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			GenerateName: fmt.Sprintf("%s-%d-", job.Name, index), Namespace: job.Namespace, Labels: template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: template.Spec,
	}
	pod.Labels[batchv1.JobNameLabel] = job.Name
	if job.Spec.CompletionMode != nil && *job.Spec.CompletionMode == batchv1.IndexedCompletion {
		pod.Labels[enginepods.ShardLabel] = strconv.Itoa(index)
	}
	Expect(kube.Create(w.ctx, pod)).To(Succeed())
	return pod
}

// updatePod changes the status of a Pod as the kubelet does.
func (w *world) updatePod(pod *corev1.Pod, change func(*corev1.PodStatus)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := kube.Get(w.ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return err
		}
		change(&pod.Status)
		return kube.Status().Update(w.ctx, pod)
	}).Should(Succeed())
}

// setFinalizers replaces those of a Pod that may be on its way out.
func (w *world) setFinalizers(pod *corev1.Pod, finalizers ...string) {
	GinkgoHelper()
	Eventually(func() error {
		if err := kube.Get(w.ctx, client.ObjectKeyFromObject(pod), pod); err != nil {
			return client.IgnoreNotFound(err)
		}
		pod.Finalizers = finalizers
		return client.IgnoreNotFound(kube.Update(w.ctx, pod))
	}).Should(Succeed())
}

func (w *world) run(pod *corev1.Pod) {
	GinkgoHelper()
	w.updatePod(pod, func(status *corev1.PodStatus) {
		status.Phase = corev1.PodRunning
		status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: enginepods.Container, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Now()}},
		}}
	})
}

// end has a Pod end with an exit code and, unless it is nil, a result.
func (w *world) end(pod *corev1.Pod, code int32, result *runreport.Result) {
	GinkgoHelper()
	message := ""
	if result != nil {
		result.RunID = pod.Labels[v1alpha1.LabelRun]
		attempt, err := strconv.Atoi(pod.Labels[v1alpha1.LabelAttempt])
		Expect(err).NotTo(HaveOccurred())
		result.Attempt, result.Shard = int32(attempt), enginepods.ShardOf(pod)
		message = string(result.Encode())
	}
	w.endSaying(pod, code, message)
}

// endSaying has a Pod end with an exit code and a termination message.
func (w *world) endSaying(pod *corev1.Pod, code int32, message string) {
	GinkgoHelper()
	w.updatePod(pod, func(status *corev1.PodStatus) {
		status.Phase = corev1.PodSucceeded
		if code != 0 {
			status.Phase = corev1.PodFailed
		}
		status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: enginepods.Container, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: code, Message: message, FinishedAt: metav1.Now(),
			}},
		}}
	})
}

// finish has a Job end, with a reason when it has failed.
func (w *world) finish(job *batchv1.Job, failure string) {
	GinkgoHelper()
	Eventually(func() error {
		if err := kube.Get(w.ctx, client.ObjectKeyFromObject(job), job); err != nil {
			return err
		}
		now := metav1.Now()
		job.Status.StartTime = &now
		condition := func(conditionType batchv1.JobConditionType) batchv1.JobCondition {
			return batchv1.JobCondition{Type: conditionType, Status: corev1.ConditionTrue, Reason: failure, LastTransitionTime: now}
		}
		job.Status.UncountedTerminatedPods = &batchv1.UncountedTerminatedPods{}
		if failure != "" {
			job.Status.Conditions = []batchv1.JobCondition{condition(batchv1.JobFailureTarget), condition(batchv1.JobFailed)}
		} else {
			job.Status.Succeeded, job.Status.CompletionTime = *job.Spec.Completions, &now
			if job.Spec.CompletionMode != nil && *job.Spec.CompletionMode == batchv1.IndexedCompletion {
				job.Status.CompletedIndexes = "0"
				if *job.Spec.Completions > 1 {
					job.Status.CompletedIndexes = fmt.Sprintf("0-%d", *job.Spec.Completions-1)
				}
			}
			job.Status.Conditions = []batchv1.JobCondition{condition(batchv1.JobSuccessCriteriaMet), condition(batchv1.JobComplete)}
		}
		return kube.Status().Update(w.ctx, job)
	}).Should(Succeed())
}

// eventReasons are the reasons of the events of the resource, each as often as it was emitted.
func (w *world) eventReasons() []string {
	GinkgoHelper()
	var list eventsv1.EventList
	Expect(kube.List(w.ctx, &list, client.InNamespace(w.namespace))).To(Succeed())
	var reasons []string
	for _, event := range list.Items {
		count := 1
		if event.Series != nil {
			count = int(event.Series.Count)
		}
		for range count {
			reasons = append(reasons, event.Reason)
		}
	}
	return reasons
}

func (w *world) gone(object client.Object) bool {
	return apierrors.IsNotFound(kube.Get(w.ctx, client.ObjectKeyFromObject(object), object))
}

// settled returns the resource version once it has not changed for a while.
func (w *world) settled() string {
	GinkgoHelper()
	version := ""
	Eventually(func() bool {
		before := w.get().ResourceVersion
		version = before
		select {
		case <-time.After(500 * time.Millisecond):
		case <-w.ctx.Done():
		}
		return w.get().ResourceVersion == before
	}).Should(BeTrue())
	return version
}

// complete is the result of a shard, or a dataset, with all its records.
func complete(target int64) *runreport.Result {
	return &runreport.Result{
		Role: runreport.RoleGenerate, Outcome: runreport.OutcomeComplete, Engine: "test",
		Records: runreport.Records{Target: target, Actual: target},
		Output:  runreport.Output{Files: 1, Bytes: 1000, RowGroups: 1, CompletedRowGroups: 1, RowGroupSize: 1000},
	}
}

func withRecords(result *runreport.Result, actual, dropped int64) *runreport.Result {
	result.Records.Actual, result.Records.Dropped = actual, dropped
	result.Records.Missing = result.Records.Target - actual - dropped
	result.Outcome = runreport.OutcomePartial
	return result
}
