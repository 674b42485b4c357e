package enginepods

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/runreport"
)

func progressPod() corev1.Pod {
	pod := runningPod()
	pod.UID = "pod"
	pod.Status.PodIP = "192.0.2.1"
	pod.Labels = map[string]string{
		v1alpha1.LabelRole: runreport.RoleGenerate, v1alpha1.LabelRun: "run", v1alpha1.LabelAttempt: "2", ShardLabel: "1",
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
	poller := NewProgressPoller(time.Now)
	poller.interval = 10 * time.Millisecond
	poller.address = func(*corev1.Pod) string { return strings.TrimPrefix(server.URL, "http://") }
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- poller.Start(ctx) }()
	pods := []corev1.Pod{progressPod()}
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for len(poller.Of(pods)) == 0 {
		select {
		case <-ctx.Done():
			t.Fatal("no progress within 20 s")
		case <-ticker.C:
		}
	}
	if got := poller.Of(pods)["pod"].Records.Actual; got != 7 {
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
		"a document":         {write(document(func(*runreport.Progress) {})), true},
		"of another run":     {write(document(func(p *runreport.Progress) { p.RunID = "other" })), false},
		"of another attempt": {write(document(func(p *runreport.Progress) { p.Attempt = 1 })), false},
		"of another shard":   {write(document(func(p *runreport.Progress) { p.Shard = 0 })), false},
		"of another version": {write(document(func(p *runreport.Progress) { p.Version = 9 })), false},
		"with a field of a later version": {
			write(bytes.Replace(document(func(*runreport.Progress) {}), []byte("{"), []byte(`{"later":true,`), 1)), true,
		},
		"not JSON":       {write([]byte("<html>")), false},
		"without an end": {write([]byte(`{"runID":"` + strings.Repeat("x", runreport.MaxProgressBytes))), false},
		"an error":       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, false},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.9/", http.StatusFound)
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(test.answer)
			defer server.Close()
			poller := NewProgressPoller(time.Now)
			defer poller.client.CloseIdleConnections()
			poller.address = func(*corev1.Pod) string { return strings.TrimPrefix(server.URL, "http://") }
			pods := []corev1.Pod{progressPod()}
			poller.Of(pods)
			poller.poll(t.Context())
			if got := len(poller.Of(pods)) == 1; got != test.want {
				t.Errorf("accepted: %t, want %t", got, test.want)
			}
		})
	}
}

func write(data []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) }
}

func TestProgressNeverGoesBack(t *testing.T) {
	poller := NewProgressPoller(time.Now)
	pods := []corev1.Pod{progressPod()}
	poller.Of(pods)
	for _, sequence := range []int64{5, 9, 7} {
		poller.accept("pod", &runreport.Progress{RunID: "run", Attempt: 2, Shard: 1, Sequence: sequence})
	}
	if got := poller.Of(pods)["pod"].Sequence; got != 9 {
		t.Errorf("sequence %d, want 9", got)
	}
}

func TestProgressForgetsPods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poller := NewProgressPoller(time.Now)
		poller.Of([]corev1.Pod{progressPod()})
		if len(poller.due()) != 1 {
			t.Error("the Pod is not asked")
		}
		time.Sleep(progressForgotten + time.Second)
		if due := poller.due(); len(due) != 0 {
			t.Errorf("still asking %v", due)
		}
	})
}
