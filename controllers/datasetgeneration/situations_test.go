package datasetgeneration

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/controllers/enginepods"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/golden"
	"seedloom.dev/seedloom/internal/runreport"
)

var testNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// fixture is a resource and what is around it.
type fixture struct {
	spec       v1alpha1.DatasetGenerationSpec
	violations []plan.Violation
	missing    []string
	applyError error
	// age is for how long the attempt has been active.
	age time.Duration
	// notStarted: no attempt is in the status yet.
	notStarted bool
	jobEnd     *batchv1.JobCondition
	pods       []corev1.Pod
	previous   []metav1.Condition
	// troubles are what the running Pods report, by their names.
	troubles map[string]runreport.Troubles
	// shut are the endpoints to which they may send nothing.
	shut []enginepods.ShutEndpoint
	// seed is what is known of the dataset that is the seed.
	seed seedState
}

// input is what a reconcile would gather.
func (f fixture) input() *input {
	resource := &v1alpha1.DatasetGeneration{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "DatasetGeneration"},
		ObjectMeta: metav1.ObjectMeta{Name: "reviews", Namespace: "team", UID: "resource", Generation: 3},
		Spec:       f.spec,
	}
	resource.Status.ObservedGeneration = -1
	resource.Status.Conditions = f.previous
	in := &input{
		now: testNow, options: &Options{EngineImage: "engine"}, resource: resource, violations: f.violations, missing: f.missing,
		shut: f.shut, seed: f.seed, progress: map[types.UID]runreport.Progress{},
	}
	for pod, troubles := range f.troubles {
		in.progress[types.UID(pod)] = runreport.Progress{Troubles: troubles}
	}
	if len(f.violations) == 0 {
		in.configHash = plan.ConfigHash(&resource.Spec)
	}
	if f.notStarted {
		return in
	}
	run := &v1alpha1.RunStatus{
		ID: runID("reviews", in.configHash), ConfigHash: in.configHash, Attempt: 1, Target: f.spec.NumRecords,
		Parallelism: shardsOf(&f.spec), StartTime: &metav1.Time{Time: testNow.Add(-f.age)},
	}
	resource.Status.Run = run
	labels := map[string]string{v1alpha1.LabelRun: run.ID, v1alpha1.LabelAttempt: "1", v1alpha1.LabelRole: runreport.RoleGenerate}
	job := batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Name: attemptName(*run), UID: "job", Labels: labels,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(resource, resource.GroupVersionKind())},
	}}
	if f.jobEnd != nil {
		job.Status.Conditions = []batchv1.JobCondition{*f.jobEnd}
	}
	in.children.jobs = []batchv1.Job{job}
	for _, pod := range f.pods {
		pod.Labels = labels
		pod.UID = types.UID(pod.Name)
		pod.CreationTimestamp = *run.StartTime
		pod.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(&job, batchv1.SchemeGroupVersion.WithKind("Job"))}
		for i := range pod.Status.ContainerStatuses {
			if terminated := pod.Status.ContainerStatuses[i].State.Terminated; terminated != nil {
				terminated.Message = strings.ReplaceAll(terminated.Message, "RUN", run.ID)
			}
		}
		in.children.pods = append(in.children.pods, pod)
	}
	return in
}

// reconcile returns the resource with its next status.
func (f fixture) reconcile() *v1alpha1.DatasetGeneration {
	in := f.input()
	resource := in.resource.DeepCopy()
	resource.Status = decide(in).status(f.applyError)
	return resource
}

func podWith(state corev1.ContainerState, phase corev1.PodPhase) corev1.Pod {
	return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "pod"}, Status: corev1.PodStatus{
		Phase: phase, ContainerStatuses: []corev1.ContainerStatus{{Name: enginepods.Container, State: state}},
	}}
}

func runningPod() corev1.Pod {
	return podWith(corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}, corev1.PodRunning)
}

// lostPod is one that was to stop a minute ago, on a node whose kubelet does not answer.
func lostPod() corev1.Pod {
	pod := runningPod()
	pod.DeletionTimestamp, pod.Spec.NodeName = &metav1.Time{Time: testNow.Add(-time.Minute)}, "worker-1"
	return pod
}

func waitingPod(reason, message string) corev1.Pod {
	return podWith(corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}, corev1.PodPending)
}

func endedPod(code int32, result runreport.Result) corev1.Pod {
	phase := corev1.PodSucceeded
	if code != 0 {
		phase = corev1.PodFailed
	}
	result.RunID, result.Attempt = "RUN", 1
	return podWith(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: code, Message: string(result.Encode()), FinishedAt: metav1.Time{Time: testNow},
	}}, phase)
}

func jobCondition(kind batchv1.JobConditionType, reason string) *batchv1.JobCondition {
	return &batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: reason}
}

func recordsOf(actual, dropped int64) runreport.Result {
	return runreport.Result{Records: runreport.Records{Target: 100, Actual: actual, Dropped: dropped}, Outcome: runreport.OutcomePartial}
}

// TestSituations is the contract for GitOps: what the conditions, and kstatus, say in every situation.
func TestSituations(t *testing.T) {
	suspended := newSpec()
	suspended.Suspend = new(true)
	complete := jobCondition(batchv1.JobComplete, "")
	failed := jobCondition(batchv1.JobFailed, batchv1.JobReasonFailedIndexes)
	authentication := recordsOf(0, 100)
	authentication.Reason, authentication.Message = v1alpha1.ReasonModelAuthentication, "the key was refused"
	sharded, revoked := newSpec(), recordsOf(40, 0)
	sharded.Parallelism = new(int32(2))
	revoked.Reason, revoked.Message = v1alpha1.ReasonModelAuthentication, "the key was refused"
	tests := map[string]struct {
		fixture
		wantKstatus status.Status
		// wantReady is status/reason.
		wantReady string
		// wantTrue are all the other conditions that are True, with their reasons.
		wantTrue map[string]string
		// wantMessage is part of Ready's message.
		wantMessage string
	}{
		"just created": {
			fixture: fixture{spec: newSpec(), notStarted: true}, wantKstatus: status.InProgressStatus, wantReady: "Unknown/Pending",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing"},
		},
		"waiting for the dataset that is its seed": {
			fixture: fixture{spec: seededBy("customers"), notStarted: true, seed: seedState{
				reason: v1alpha1.ReasonWaitingForDataset, message: "waiting for customers"}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/WaitingForDataset",
			wantTrue: map[string]string{"Reconciling": "Progressing"}, wantMessage: "waiting for customers",
		},
		"without the dataset that is its seed": {
			fixture: fixture{spec: seededBy("customers"), notStarted: true, seed: seedState{
				reason: v1alpha1.ReasonReferenceNotFound, message: "customers does not exist"}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/WaitingForDataset",
			wantTrue: map[string]string{"Reconciling": "Progressing"}, wantMessage: "does not exist",
		},
		"behind a dataset that has failed": {
			fixture: fixture{spec: seededBy("customers"), notStarted: true, seed: seedState{
				reason: v1alpha1.ReasonDatasetFailed, message: "customers needs you", lasting: true}},
			wantKstatus: status.FailedStatus, wantReady: "False/DatasetFailed",
			wantTrue: map[string]string{"Stalled": "DatasetFailed"}, wantMessage: "customers needs you",
		},
		"running": {
			fixture: fixture{spec: newSpec(), pods: []corev1.Pod{runningPod()}}, wantKstatus: status.InProgressStatus, wantReady: "Unknown/Running",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing"},
		},
		"running, and slowed down": {
			fixture:     fixture{spec: newSpec(), pods: []corev1.Pod{runningPod()}, troubles: map[string]runreport.Troubles{"pod": limitedSince(time.Minute)}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Running",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing", "Degraded": "RateLimited"},
		},
		"suspended while it was slowed down": {
			fixture:     fixture{spec: suspended, previous: []metav1.Condition{{Type: "Degraded", Status: metav1.ConditionTrue, Reason: "RateLimited"}}},
			wantKstatus: status.InProgressStatus, wantReady: "False/Suspended",
			wantTrue: map[string]string{"Accepted": "Valid", "Suspended": "UserRequested"},
		},
		"ended while it was slowed down": {
			fixture: fixture{spec: newSpec(), jobEnd: complete, pods: []corev1.Pod{endedPod(0, recordsOf(100, 0))},
				previous: []metav1.Condition{{Type: "Degraded", Status: metav1.ConditionTrue, Reason: "RateLimited"}}},
			wantKstatus: status.CurrentStatus, wantReady: "True/Succeeded",
			wantTrue: map[string]string{"Accepted": "Valid", "Complete": "AllRecords"},
		},
		"running again after a failed Pod": {
			fixture:     fixture{spec: newSpec(), pods: []corev1.Pod{endedPod(runreport.ExitRetry, recordsOf(10, 0))}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Running",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "ProgressingWithRetry"},
		},
		"running on a node that is down": {
			fixture:     fixture{spec: newSpec(), age: time.Hour, pods: []corev1.Pod{lostPod()}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Running",
			wantMessage: `Pod pod should have stopped by 11:59:00 UTC and has not: its node "worker-1" may be down`,
			wantTrue:    map[string]string{"Accepted": "Valid", "Reconciling": "ProgressingWithRetry"},
		},
		"suspended while its node is down": {
			fixture: fixture{spec: suspended, pods: []corev1.Pod{lostPod()}}, wantKstatus: status.InProgressStatus,
			wantReady: "False/Suspended", wantMessage: "kubectl delete node worker-1",
			wantTrue: map[string]string{"Accepted": "Valid", "Suspended": "UserRequested"},
		},
		"the API server refuses a child": {
			fixture:     fixture{spec: newSpec(), applyError: errors.New("creating Job: quota")},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Pending", wantMessage: "quota",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "ProgressingWithRetry"},
		},
		"suspended by the user": {
			fixture: fixture{spec: suspended}, wantKstatus: status.InProgressStatus, wantReady: "False/Suspended",
			wantTrue: map[string]string{"Accepted": "Valid", "Suspended": "UserRequested"},
		},
		"success": {
			fixture:     fixture{spec: newSpec(), jobEnd: complete, pods: []corev1.Pod{endedPod(0, recordsOf(100, 0))}},
			wantKstatus: status.CurrentStatus, wantReady: "True/Succeeded",
			wantTrue: map[string]string{"Accepted": "Valid", "Complete": "AllRecords"},
		},
		"partial, accepted by the policy": {
			fixture:     fixture{spec: newSpec(), jobEnd: complete, pods: []corev1.Pod{endedPod(0, recordsOf(95, 5))}},
			wantKstatus: status.CurrentStatus, wantReady: "True/PartiallySucceeded", wantMessage: "95 of 100",
			wantTrue: map[string]string{"Accepted": "Valid", "Complete": "CompletionPolicyMet", "Partial": "RowsDropped"},
		},
		"partial, not accepted": {
			fixture:     fixture{spec: newSpec(), jobEnd: complete, pods: []corev1.Pod{endedPod(0, recordsOf(50, 50))}},
			wantKstatus: status.FailedStatus, wantReady: "False/Failed", wantMessage: "at least 90. Lower minRecords or mend the cause, and to try again, run: kubectl annotate --overwrite dsgen reviews --namespace team seedloom.dev/",
			wantTrue: map[string]string{"Accepted": "Valid", "Failed": "CompletionPolicyNotMet", "Stalled": "CompletionPolicyNotMet", "Partial": "RowsDropped"},
		},
		"no record at all": {
			fixture:     fixture{spec: newSpec(), jobEnd: complete, pods: []corev1.Pod{endedPod(0, recordsOf(0, 100))}},
			wantKstatus: status.FailedStatus, wantReady: "False/Failed",
			wantTrue: map[string]string{"Accepted": "Valid", "Failed": "NoRecords", "Stalled": "NoRecords", "Partial": "RowsDropped"},
		},
		"failed for good": {
			fixture:     fixture{spec: newSpec(), jobEnd: failed, pods: []corev1.Pod{endedPod(runreport.ExitFailed, authentication)}},
			wantKstatus: status.FailedStatus, wantReady: "False/Failed", wantMessage: "the key was refused",
			wantTrue: map[string]string{"Accepted": "Valid", "Failed": "ModelAuthentication", "Stalled": "ModelAuthentication", "Partial": "ModelAuthentication"},
		},
		"several shards failed for good, without a record": {
			fixture:     fixture{spec: sharded, jobEnd: failed, pods: []corev1.Pod{endedPod(runreport.ExitInvalid, authentication)}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Finalizing",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing", "Partial": "RowsDropped"},
		},
		"several shards failed for good, and none could say why": {
			fixture: fixture{spec: sharded, jobEnd: failed, pods: []corev1.Pod{
				podWith(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: runreport.ExitInvalid}}, corev1.PodFailed)}},
			wantKstatus: status.FailedStatus, wantReady: "False/Failed", wantMessage: "Pod pod ended with exit code 64",
			wantTrue: map[string]string{"Accepted": "Valid", "Failed": "ConfigInvalid", "Stalled": "ConfigInvalid", "Partial": "ConfigInvalid"},
		},
		"several shards failed for good, and their records are to be described": {
			fixture:     fixture{spec: sharded, jobEnd: failed, pods: []corev1.Pod{endedPod(runreport.ExitInvalid, revoked)}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Finalizing",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing"},
		},
		"invalid spec": {
			fixture: fixture{spec: newSpec(), notStarted: true, violations: []plan.Violation{
				{Field: "spec.columns[1]", Message: "is wrong"}, {Field: "spec.models[0]", Message: "is unknown"}}},
			wantKstatus: status.FailedStatus, wantReady: "False/InvalidSpec", wantMessage: "spec.columns[1]: is wrong; spec.models[0]: is unknown",
			wantTrue: map[string]string{"Stalled": "InvalidSpec"},
		},
		"missing secret, at first": {
			fixture:     fixture{spec: newSpec(), pods: []corev1.Pod{waitingPod("CreateContainerConfigError", `secret "vllm" not found`)}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Pending", wantMessage: `secret "vllm" not found`,
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing"},
		},
		"missing secret, for long": {
			fixture:     fixture{spec: newSpec(), age: time.Hour, pods: []corev1.Pod{waitingPod("CreateContainerConfigError", `secret "vllm" not found`)}},
			wantKstatus: status.FailedStatus, wantReady: "False/PodStartupFailed", wantMessage: `secret "vllm" not found`,
			wantTrue: map[string]string{"Accepted": "Valid", "Stalled": "PodStartupFailed"},
		},
		"missing claim, for long": {
			fixture: fixture{spec: newSpec(), age: time.Hour, missing: []string{`PersistentVolumeClaim "datasets" does not exist`},
				pods: []corev1.Pod{waitingPod("ContainerCreating", "")}},
			wantKstatus: status.FailedStatus, wantReady: "False/PodStartupFailed", wantMessage: `"datasets" does not exist`,
			wantTrue: map[string]string{"Stalled": "PodStartupFailed"},
		},
		"started after all": {
			fixture: fixture{spec: newSpec(), age: time.Hour, pods: []corev1.Pod{runningPod()}, previous: []metav1.Condition{
				{Type: "Stalled", Status: metav1.ConditionTrue, Reason: "PodStartupFailed"}}},
			wantKstatus: status.InProgressStatus, wantReady: "Unknown/Running",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing"},
		},
		"sync fallback": {
			fixture: fixture{spec: syncSpec(), notStarted: true}, wantKstatus: status.InProgressStatus, wantReady: "Unknown/Pending",
			wantTrue: map[string]string{"Accepted": "Valid", "Reconciling": "Progressing", "SyncFallback": "AllowResizeColumns"},
		},
	}
	written := map[string]writtenSituation{}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			resource := test.reconcile()
			written[name] = writtenSituation{Name: name, Kstatus: test.wantKstatus.String(), Resource: withoutSpec(t, resource)}
			content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(resource)
			if err != nil {
				t.Fatal(err)
			}
			computed, err := status.Compute(&unstructured.Unstructured{Object: content})
			if err != nil {
				t.Fatal(err)
			}
			if computed.Status != test.wantKstatus {
				t.Errorf("kstatus says %s, want %s", computed.Status, test.wantKstatus)
			}
			ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady)
			if ready == nil {
				t.Fatal("no Ready condition")
			}
			if got := string(ready.Status) + "/" + ready.Reason; got != test.wantReady {
				t.Errorf("Ready is %s, want %s", got, test.wantReady)
			}
			if !strings.Contains(ready.Message, test.wantMessage) {
				t.Errorf("Ready's message %q does not contain %q", ready.Message, test.wantMessage)
			}
			got := map[string]string{}
			for _, condition := range resource.Status.Conditions {
				if condition.ObservedGeneration != resource.Generation {
					t.Errorf("%s has generation %d, want %d", condition.Type, condition.ObservedGeneration, resource.Generation)
				}
				if condition.Status == metav1.ConditionTrue && condition.Type != v1alpha1.ConditionReady {
					got[condition.Type] = condition.Reason
				}
			}
			for conditionType, reason := range test.wantTrue {
				if got[conditionType] != reason {
					t.Errorf("%s has reason %q, want %q", conditionType, got[conditionType], reason)
				}
				delete(got, conditionType)
			}
			if len(got) > 0 {
				t.Errorf("unexpected conditions: %v", got)
			}
		})
	}
	checkSituations(t, written)
}

// writtenSituation is a situation as the tests of GitOps tools read it.
type writtenSituation struct {
	Name     string         `json:"name"`
	Kstatus  string         `json:"kstatus"`
	Resource map[string]any `json:"resource"`
}

func withoutSpec(t *testing.T, resource *v1alpha1.DatasetGeneration) map[string]any {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(resource)
	if err != nil {
		t.Fatal(err)
	}
	delete(content, "spec")
	return content
}

// checkSituations holds the file that test/gitops runs health checks on.
func checkSituations(t *testing.T, written map[string]writtenSituation) {
	t.Helper()
	var list []writtenSituation
	for _, name := range slices.Sorted(maps.Keys(written)) {
		list = append(list, written[name])
	}
	data, err := yaml.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "testdata/situations.yaml", string(data), "GitOps tools see this of a resource")
}

// TestFirstLook is the default of the CRD: kstatus must not take a resource that nobody has looked at for current.
func TestFirstLook(t *testing.T) {
	content := map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "DatasetGeneration",
		"metadata": map[string]any{"name": "reviews", "generation": int64(1)},
		"status":   map[string]any{"observedGeneration": int64(-1)},
	}
	computed, err := status.Compute(&unstructured.Unstructured{Object: content})
	if err != nil {
		t.Fatal(err)
	}
	if computed.Status != status.InProgressStatus {
		t.Errorf("kstatus says %s, want InProgress", computed.Status)
	}
}

// TestAPodBetweenTheEndOfItsContainerAndItsOwn has a run that took longer than its Pods may take to start: the container of its Pod has
// terminated, and the Pod's phase is still Running.
func TestAPodBetweenTheEndOfItsContainerAndItsOwn(t *testing.T) {
	for _, age := range []time.Duration{time.Second, time.Hour} {
		pod := podWith(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}, corev1.PodRunning)
		resource := fixture{spec: newSpec(), age: age, pods: []corev1.Pod{pod}}.reconcile()
		if ready := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionReady); ready.Reason != v1alpha1.ReasonRunning {
			t.Errorf("after %s, Ready has the reason %s: %s", age, ready.Reason, ready.Message)
		}
		if stalled := meta.FindStatusCondition(resource.Status.Conditions, v1alpha1.ConditionStalled); stalled != nil {
			t.Errorf("after %s it is stalled: %s", age, stalled.Message)
		}
	}
}

func TestWarningsOfASpecAreInAcceptedAndAnEvent(t *testing.T) {
	in := fixture{spec: v1alpha1.DatasetGenerationSpec{NumRecords: 10}, age: time.Minute, pods: []corev1.Pod{runningPod()}}.input()
	in.advice = []plan.Warning{{Field: "spec.models[1]", Message: `no column uses the model "judge"`}}
	before := in.resource.Status.DeepCopy()
	after := decide(in).status(nil)
	accepted := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionAccepted)
	if accepted == nil || accepted.Status != metav1.ConditionTrue || accepted.Reason != v1alpha1.ReasonValidWithWarnings ||
		!strings.Contains(accepted.Message, `spec.models[1]: no column uses the model "judge"`) {
		t.Fatalf("Accepted is %+v", accepted)
	}
	told := 0
	for _, event := range announcements(before, &after) {
		if event.reason == v1alpha1.ReasonValidWithWarnings && event.eventType == corev1.EventTypeWarning {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d events tell the warnings", told)
	}
	for _, event := range announcements(&after, &after) {
		if event.reason == v1alpha1.ReasonValidWithWarnings {
			t.Error("the warnings are told again")
		}
	}
}
