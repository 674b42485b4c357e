package datasetgeneration

import (
	"errors"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// TestAKilledSyncRunEndsOnce follows a sync run over its backoff limit: it is finalized, and no other Pod is started.
func TestAKilledSyncRunEndsOnce(t *testing.T) {
	spec := syncSpec()
	spec.Limits = &v1alpha1.Limits{BackoffLimit: new(int32(0))}
	in := fixture{spec: spec}.input()
	in.children.jobs = nil
	killed := podWith(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: exitKilled}}, corev1.PodFailed)
	run := in.resource.Status.Run
	in.resource.Status.Records = &v1alpha1.RecordsStatus{Target: 100, Actual: 20}
	killed.Name = syncPodName(*run, 0)
	killed.Labels = map[string]string{v1alpha1.LabelRun: run.ID, v1alpha1.LabelAttempt: "1", v1alpha1.LabelRole: runreport.RoleGenerate}
	killed.OwnerReferences = []metav1.OwnerReference{*metav1.NewControllerRef(in.resource, in.resource.GroupVersionKind())}
	for name, pods := range map[string][]corev1.Pod{"its Pod is there": {killed}, "its Pod is gone": nil} {
		in.children.pods = pods
		// Before and after the failure was recorded.
		for run.Failures = 0; run.Failures <= 1; run.Failures++ {
			if run.Failures == 0 && pods == nil {
				continue // a Pod that is not there yet
			}
			s := decide(in)
			objects, err := s.wanted()
			if err != nil {
				t.Fatal(err)
			}
			for _, object := range objects {
				if _, isPod := object.(*corev1.Pod); isPod {
					t.Errorf("%s, %d failures are recorded: the Pod %s is wanted", name, run.Failures, object.GetName())
				}
			}
			if !s.observed.finalizes {
				t.Errorf("%s, %d failures are recorded: nobody describes what is there", name, run.Failures)
			}
			if got := s.status(nil).Run.Failures; got != 1 {
				t.Errorf("%s: %d failures, want 1", name, got)
			}
		}
	}
}

// TestWhatNeverRanIsReplaced has children of an engine image that could not start.
func TestWhatNeverRanIsReplaced(t *testing.T) {
	retry := map[string]string{v1alpha1.AnnotationRetryRequestedAt: "now"}
	for name, test := range map[string]struct {
		image       string
		annotations map[string]string
		pod         corev1.Pod
		replaced    bool
	}{
		"the image is the same":                  {"engine", nil, waitingPod("ErrImagePull", ""), false},
		"the image has changed":                  {"broken", nil, waitingPod("ErrImagePull", ""), true},
		"the image has changed, but it runs":     {"broken", nil, runningPod(), false},
		"the image has changed, and it has run":  {"broken", nil, endedPod(runreport.ExitRetry, recordsOf(1, 0)), false},
		"another attempt is asked for":           {"engine", retry, waitingPod("ErrImagePull", ""), true},
		"another attempt is asked for, it runs":  {"engine", retry, runningPod(), false},
		"asked for once before":                  {"engine", map[string]string{v1alpha1.AnnotationRetryRequestedAt: "old"}, waitingPod("", ""), false},
		"another attempt, and the image changed": {"broken", retry, waitingPod("ErrImagePull", ""), true},
	} {
		in := fixture{spec: newSpec(), pods: []corev1.Pod{test.pod}}.input()
		in.resource.Annotations = test.annotations
		in.resource.Status.LastHandledRetryRequest = "old"
		in.children.jobs[0].Spec.Template.Spec.Containers = []corev1.Container{{Image: test.image}}
		s := decide(in)
		if got := len(s.stale.jobs) == 1 && s.workload.generate == nil; got != test.replaced {
			t.Errorf("%s: replaced %t, want %t", name, got, test.replaced)
		}
		if got := s.status(nil).LastHandledRetryRequest; test.annotations != nil && got != test.annotations[v1alpha1.AnnotationRetryRequestedAt] {
			t.Errorf("%s: the request %q was answered", name, got)
		}
		if got := s.status(errors.New("not deleted")).LastHandledRetryRequest; got != "old" {
			t.Errorf("%s: the request %q counts as answered although nothing was done", name, got)
		}
	}
}

func TestMessagesOfTheEnd(t *testing.T) {
	failed := jobCondition(batchv1.JobFailed, batchv1.JobReasonFailedIndexes)
	refused := recordsOf(0, 100)
	refused.Reason, refused.Message = v1alpha1.ReasonModelAuthentication, "the key was refused"
	lost := recordsOf(95, 0)
	lost.Reason, lost.Message = v1alpha1.ReasonShardFailed, "the disk is full"
	for name, test := range map[string]struct {
		fixture
		condition string
		says      []string
	}{
		"a refused key, with the next step": {
			fixture{spec: newSpec(), jobEnd: failed, pods: []corev1.Pod{endedPod(runreport.ExitInvalid, refused)}},
			v1alpha1.ConditionFailed, []string{"the key was refused. Mend the cause, and to try again, run: kubectl annotate"},
		},
		"a failure that the policy accepts, with its cause": {
			fixture{spec: newSpec(), jobEnd: failed, pods: []corev1.Pod{endedPod(runreport.ExitFailed, lost)}},
			v1alpha1.ConditionPartial, []string{"95 of 100", "the disk is full"},
		},
		"more records than are asked for by now": {
			fixture{spec: newSpec(), jobEnd: jobCondition(batchv1.JobComplete, ""), pods: []corev1.Pod{endedPod(0, recordsOf(156, 0))}},
			v1alpha1.ConditionComplete, []string{"156 records are in the output, of which 100 are asked for"},
		},
	} {
		condition := meta.FindStatusCondition(test.reconcile().Status.Conditions, test.condition)
		if condition == nil {
			t.Errorf("%s: there is no %s", name, test.condition)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(condition.Message, part) {
				t.Errorf("%s: %q lacks %q", name, condition.Message, part)
			}
		}
	}
	for indexes, want := range map[string]string{"": "Generating has", "1": "Shard 1 of 3 has", "0,2": "Shards 0,2 of 3 have", "0-2": "Shards 0-2 of 3 have"} {
		s := &situation{run: v1alpha1.RunStatus{Parallelism: 3}}
		if got := s.subject(&batchv1.Job{Status: batchv1.JobStatus{FailedIndexes: &indexes}}); got != want {
			t.Errorf("subject of %q is %q, want %q", indexes, got, want)
		}
	}
}

// TestTheEventOfAFailureHasItsCause: Partial has the same reason, and says less.
func TestTheEventOfAFailureHasItsCause(t *testing.T) {
	condition := func(conditionType, message string) metav1.Condition {
		return metav1.Condition{Type: conditionType, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonShardFailed, Message: message}
	}
	after := &v1alpha1.DatasetGenerationStatus{Conditions: []metav1.Condition{
		condition(v1alpha1.ConditionPartial, "50 of 100"), condition(v1alpha1.ConditionFailed, "the disk is full"),
	}}
	found := announcements(&v1alpha1.DatasetGenerationStatus{}, after)
	if len(found) != 1 || found[0].note != "the disk is full" {
		t.Errorf("the events are %+v", found)
	}
}

// TestMessagesDependOnTheSituationAlone has two shards that fail in the same second, and a quota of which others use more or less,
// and which names another Pod at each try.
func TestMessagesDependOnTheSituationAlone(t *testing.T) {
	for _, message := range []string{
		`Error creating: pods "reviews-1a2b3c4d-1-0-x7k2p" is forbidden: exceeded quota: all, requested: limits.memory=2Gi,pods=1, ` +
			`used: limits.memory=4Gi,pods=2, limited: limits.memory=4Gi,pods=2`,
		`Error creating: pods "reviews-1a2b3c4d-1-1-9bzq4" is forbidden: exceeded quota: all, requested: limits.memory=2Gi,pods=1, ` +
			`used: limits.memory=3Gi,pods=2, limited: limits.memory=4Gi,pods=2`,
	} {
		want := "Error creating: a Pod is forbidden: exceeded quota: all, requested: limits.memory=2Gi,pods=1, " +
			"limited: limits.memory=4Gi,pods=2"
		if got := withoutMomentary(message); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	spec := newSpec()
	spec.Parallelism = new(int32(2))
	first, second := endedPod(runreport.ExitRetry, recordsOf(1, 0)), endedPod(runreport.ExitRetry, recordsOf(2, 0))
	first.Name, second.Name = "a", "b"
	messages := map[string]bool{}
	for _, pods := range [][]corev1.Pod{{first, second}, {second, first}} {
		in := fixture{spec: spec, pods: pods}.input()
		in.children.sort()
		status := decide(in).status(nil)
		messages[meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReconciling).Message] = true
	}
	if len(messages) != 1 {
		t.Errorf("the order of the cache shows: %v", messages)
	}
}

func TestALookUpThatFailsIsShown(t *testing.T) {
	in := fixture{spec: newSpec(), age: time.Second}.input()
	in.lookUpError = errors.New("spec.seed.configMap.name: the ConfigMap \"x\" can't be looked up: forbidden")
	status := decide(in).status(nil)
	for _, conditionType := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionReconciling} {
		if condition := meta.FindStatusCondition(status.Conditions, conditionType); !strings.Contains(condition.Message, "forbidden") {
			t.Errorf("%s does not tell of it: %s", conditionType, condition.Message)
		}
	}
}

func TestReferencesAreNames(t *testing.T) {
	for name, valid := range map[string]bool{
		"datasets": true, "a.b-c.d": true, "../../kube-system/configmaps/coredns": false, "..": false, ".": false, "a/b": false, "A": false, "a%2fb": false,
	} {
		spec := withTools(newSpec())
		spec.Output.PersistentVolumeClaim.ClaimName = name
		spec.Seed = &v1alpha1.Seed{ConfigMap: &v1alpha1.ConfigMapSeed{Name: name, Key: "x"}}
		spec.ToolServers[2].Stdio.Env[1].SecretKeyRef.Name = name
		spec.Providers[0].APIKeySecretRef = &v1alpha1.SecretKeyReference{Name: name, Key: "x"}
		spec.Providers[0].TLS = &v1alpha1.ProviderTLS{
			CABundleConfigMapRef: &v1alpha1.ConfigMapKeyReference{Name: name}, ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: name},
		}
		want := 9 // the Secret of the tool servers is one, which four places name
		if valid {
			want = 0
		}
		if got := invalidReferences(&spec); len(got) != want {
			t.Errorf("%q has %d violations, want %d: %v", name, len(got), want, got)
		}
	}
}

func TestASpecThatIsTooLargeIsInvalid(t *testing.T) {
	spec := newSpec()
	if found := oversized(&spec); len(found) > 0 {
		t.Errorf("a small spec: %v", found)
	}
	spec.Columns[1].Expression.Expr = strings.Repeat("x", maxSpec)
	if found := oversized(&spec); len(found) != 1 || !strings.Contains(found[0].Message, "at most 1000000") {
		t.Errorf("a large spec: %v", found)
	}
}

func TestARequestThatStartsNoAttemptIsAnswered(t *testing.T) {
	status := func(request string, attempt int32, ended bool) *v1alpha1.DatasetGenerationStatus {
		status := &v1alpha1.DatasetGenerationStatus{LastHandledRetryRequest: request, Run: &v1alpha1.RunStatus{ID: "run", Attempt: attempt}}
		if ended {
			status.Run.CompletionTime = &metav1.Time{Time: testNow}
		}
		return status
	}
	for name, test := range map[string]struct {
		before, after *v1alpha1.DatasetGenerationStatus
		says          string
	}{
		"it has started one":  {status("a", 1, true), status("b", 2, false), ""},
		"none was asked for":  {status("a", 1, false), status("a", 1, true), ""},
		"one is under way":    {status("a", 1, false), status("b", 1, false), "attempt 1 is under way"},
		"nothing is missing":  {status("a", 1, true), status("b", 1, true), "nothing is missing"},
		"it is the first run": {&v1alpha1.DatasetGenerationStatus{}, status("b", 1, false), ""},
	} {
		if got := unansweredRetry(test.before, test.after); (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
			t.Errorf("%s: got %q, want %q", name, got, test.says)
		}
	}
}
