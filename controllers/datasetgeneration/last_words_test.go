package datasetgeneration

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

// TestLastWords has ends of logs as the kubelet takes them over.
func TestLastWords(t *testing.T) {
	for name, test := range map[string]struct{ log, want string }{
		"nothing": {"", ""},
		"a panic": {
			`{"time":"t","level":"INFO","msg":"the engine starts","shard":0}` + "\npanic: assignment to entry in nil map\n\n" +
				"goroutine 17 [running]:\nmain.main()\n\t/src/main.go:3 +0x1d\nexit status 2",
			"the engine starts | panic: assignment to entry in nil map",
		},
		"an error": {
			`{"level":"ERROR","msg":"the engine can't start","error":"no such file"}`, "the engine can't start: no such file",
		},
		"prompts, at the level debug": {
			`{"level":"DEBUG","msg":"request","prompt":"my secret"}` + "\n" + `{"level":"WARN","msg":"slow"}`, "slow",
		},
		"a line that is cut off": {
			`"prompt":"my secret","level":"DEBUG"}` + "\n" + `{"level":"INFO","msg":"a"}`, "a",
		},
		"many lines": {
			strings.Repeat(`{"level":"INFO","msg":"early"}`+"\n", 9) + `{"level":"INFO","msg":"last"}`, "early | early | last",
		},
		"what a user's program prints": {"my secret\nError: my secret", ""},
	} {
		if got := lastWords(test.log); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
	if got := lastWords(`{"level":"INFO","msg":"` + strings.Repeat("x", 5000) + `"}`); len(got) > maxLastWords+3 {
		t.Errorf("%d bytes of a log are repeated", len(got))
	}
}

// TestAnEngineThatCouldNotSayWhyIsQuoted has a Pod whose engine has crashed.
func TestAnEngineThatCouldNotSayWhyIsQuoted(t *testing.T) {
	pod := podWith(corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: 2, Reason: "Error", Message: "panic: out of luck\n\ngoroutine 1 [running]:\nmain.main()",
	}}, corev1.PodFailed)
	resource := fixture{spec: newSpec(), jobEnd: jobCondition("Failed", "BackoffLimitExceeded"), pods: []corev1.Pod{pod}}.reconcile()
	message := ""
	for _, condition := range resource.Status.Conditions {
		if condition.Type == v1alpha1.ConditionReady {
			message = condition.Message
		}
	}
	if !strings.Contains(message, "Pod pod ended with exit code 2. The end of its log: panic: out of luck") {
		t.Errorf("Ready says %q", message)
	}
	template := decide(fixture{spec: newSpec()}.input()).podTemplate(runreport.RoleGenerate)
	if policy := template.Spec.Containers[0].TerminationMessagePolicy; policy != corev1.TerminationMessageFallbackToLogsOnError {
		t.Errorf("the kubelet keeps no log: %s", policy)
	}
}
