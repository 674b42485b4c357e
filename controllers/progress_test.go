package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func progressPod() corev1.Pod {
	pod := runningPod()
	pod.UID = "pod"
	pod.Status.PodIP = "192.0.2.1"
	pod.Labels = map[string]string{
		v1alpha1.LabelRole: roleGenerate, v1alpha1.LabelRun: "run", v1alpha1.LabelAttempt: "2", jobIndexLabel: "1",
	}
	return pod
}

func document(change func(*runreport.Progress)) []byte {
	progress := runreport.Progress{Version: runreport.Version, RunID: "run", Attempt: 2, Shard: 1, Sequence: 5, Records: runreport.Records{Actual: 7}}
	change(&progress)
	data, err := json.Marshal(progress)
	if err != nil {
		panic(err)
	}
	return data
}

// TestProgressIsAskedAndLeavesNothing runs a poller against a real server until it has an answer.
func TestProgressIsAskedAndLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(document(func(*runreport.Progress) {}))
	}))
	defer server.Close()
	poller := NewProgressPoller()
	poller.interval = 10 * time.Millisecond
	poller.address = func(*corev1.Pod) string { return strings.TrimPrefix(server.URL, "http://") }
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- poller.Start(ctx) }()
	pods := []corev1.Pod{progressPod()}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for len(poller.of(pods)) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("no progress within 20 s")
		case <-ticker.C:
		}
	}
	if got := poller.of(pods)["pod"].Records.Actual; got != 7 {
		t.Errorf("%d records, want 7", got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestProgressAnswers has a Pod answer what it should not.
func TestProgressAnswers(t *testing.T) {
	tests := map[string]struct {
		answer http.HandlerFunc
		want   bool
	}{
		"a document":          {write(document(func(*runreport.Progress) {})), true},
		"of another run":      {write(document(func(p *runreport.Progress) { p.RunID = "other" })), false},
		"of another attempt":  {write(document(func(p *runreport.Progress) { p.Attempt = 1 })), false},
		"of another shard":    {write(document(func(p *runreport.Progress) { p.Shard = 0 })), false},
		"of another version":  {write(document(func(p *runreport.Progress) { p.Version = 9 })), false},
		"with unknown fields": {write([]byte(`{"version":1,"admin":true}`)), false},
		"not JSON":            {write([]byte("<html>")), false},
		"without an end":      {write([]byte(`{"runID":"` + strings.Repeat("x", runreport.MaxProgressBytes))), false},
		"an error":            {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, false},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.9/", http.StatusFound)
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			poller := NewProgressPoller()
			defer poller.client.CloseIdleConnections()
			poller.address = func(*corev1.Pod) string { return strings.TrimPrefix(server.URL, "http://") }
			pods := []corev1.Pod{progressPod()}
			poller.of(pods)
			poller.poll(t.Context())
			if got := len(poller.of(pods)) == 1; got != test.want {
				t.Errorf("accepted: %t, want %t", got, test.want)
			}
		})
	}
}

func write(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func TestProgressNeverGoesBack(t *testing.T) {
	poller := NewProgressPoller()
	pods := []corev1.Pod{progressPod()}
	poller.of(pods)
	for _, sequence := range []int64{5, 9, 7} {
		poller.accept("pod", &runreport.Progress{RunID: "run", Attempt: 2, Shard: 1, Sequence: sequence})
	}
	if got := poller.of(pods)["pod"].Sequence; got != 9 {
		t.Errorf("sequence %d, want 9", got)
	}
}

func TestProgressForgetsPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poller := NewProgressPoller()
		poller.of([]corev1.Pod{progressPod()})
		if len(poller.due()) != 1 {
			t.Error("the Pod is not asked")
		}
		time.Sleep(progressForgotten + time.Second)
		if due := poller.due(); len(due) != 0 {
			t.Errorf("still asking %v", due)
		}
	})
}

// TestShownProgress follows the counts of one attempt through the status.
func TestShownProgress(t *testing.T) {
	f := &facts{now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()}}
	f.run = v1alpha1.RunStatus{ID: "run", Attempt: 2, Target: 100, Parallelism: 2}
	f.workload.generating = []corev1.Pod{progressPod()}
	status := &v1alpha1.DatasetGenerationStatus{}
	steps := []struct {
		after   time.Duration
		actual  int64
		summary string
	}{
		{0, 20, "20/100"},
		{time.Second, 30, "20/100"}, // too early to write again
		{6 * time.Second, 40, "40/100"},
		{20 * time.Second, 10, "40/100"}, // a Pod that starts again begins to count from what it finds
	}
	for i, step := range steps {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			f.now = testNow.Add(step.after)
			f.progress = map[types.UID]runreport.Progress{"pod": {Shard: 1, Records: runreport.Records{Actual: step.actual}, RecordsPerSecond: 2}}
			f.showProgress(status)
			if status.Records.Summary != step.summary {
				t.Errorf("shows %s, want %s", status.Records.Summary, step.summary)
			}
		})
	}
	if want := (metav1.Time{Time: testNow.Add(36 * time.Second)}); !status.Progress.EstimatedCompletion.Equal(&want) {
		t.Errorf("estimated completion %v, want %v", status.Progress.EstimatedCompletion, want)
	}
	if status.Progress.RecordsPerSecond != "2.0" || status.Progress.Percent != 40 {
		t.Errorf("progress is %+v", *status.Progress)
	}
}

// TestShownProgressOfAResize has records that nobody asked for, and others that nobody gets.
func TestShownProgressOfAResize(t *testing.T) {
	for name, test := range map[string]struct {
		records runreport.Records
		percent int32
		left    time.Duration
	}{
		"each record becomes three": {runreport.Records{Actual: 120, Added: 80}, 40, 60 * time.Second},
		"half of them stay":         {runreport.Records{Actual: 20, Filtered: 20}, 40, 60 * time.Second},
		"none of them has stayed":   {runreport.Records{Filtered: 40}, 40, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			f := &facts{now: testNow, options: &Options{}, resource: &v1alpha1.DatasetGeneration{Spec: newSpec()}}
			f.run = v1alpha1.RunStatus{ID: "run", Attempt: 2, Target: 100, Parallelism: 1}
			f.workload.generating = []corev1.Pod{progressPod()}
			f.progress = map[types.UID]runreport.Progress{"pod": {Shard: 1, Records: test.records, RecordsPerSecond: 1}}
			status := &v1alpha1.DatasetGenerationStatus{}
			f.showProgress(status)
			if status.Progress.Percent != test.percent {
				t.Errorf("%d percent, want %d", status.Progress.Percent, test.percent)
			}
			if want := (metav1.Time{Time: testNow.Add(test.left)}); !status.Progress.EstimatedCompletion.Equal(&want) {
				t.Errorf("estimated completion %v, want %v", status.Progress.EstimatedCompletion, want)
			}
		})
	}
}
