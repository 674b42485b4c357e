package engine_test

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/logtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// P15: a server that takes requests and never answers one. The run says so by itself, again and again, and ends at its deadline.
func TestAServerThatNeverAnswersIsTold(t *testing.T) {
	t.Parallel()
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang}}})
	w := newWorld(t, `
numRecords: 8
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: scenario/writer, maxParallelRequests: 4, timeoutSeconds: 3600}
- {alias: critic, provider: local, model: scenario/critic, maxParallelRequests: 2, timeoutSeconds: 3600}
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
- {name: other, llmText: {model: critic, prompt: "of {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {stallDeadlineSeconds: 12, slowRequestThresholdSeconds: 2}
`, server.Endpoint())
	var log logtest.Buffer
	handlers := make(chan http.Handler, 1)
	config := w.config(0)
	config.Serve = func(served http.Handler) { handlers <- served }
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(ctx, config) }()
	handler := <-handlers
	waitFor(t, "the progress to say what is wrong", func() bool {
		report, err := runreport.ParseProgress(ask(t, handler, runreport.ProgressPath))
		if err != nil || report.StalledSince == nil {
			return false
		}
		if report.InFlight != 6 || report.SlowRequests != 6 || len(report.Slow) != 2 || report.Slow[0].Model != "writer" ||
			report.Slow[0].Requests != 4 {
			t.Errorf("the progress has %+v", report)
		}
		return true
	})
	ending := <-ended
	if ending.Result.Reason != v1alpha1.ReasonStalled || ending.ExitCode != runreport.ExitRetry || ending.Result.Records.Dropped != 0 {
		t.Errorf("the run ended as %s with exit code %d and %+v: %s", ending.Result.Reason, ending.ExitCode, ending.Result.Records,
			ending.Result.Message)
	}
	const writer, critic = `4 of 4 slots in use, 4 ready, 0 deferred`, `2 of 2 slots in use, 6 ready, 0 deferred`
	for what, test := range map[string]struct {
		level string
		// parts are in one line; most is how many such lines there are at most.
		parts []string
		most  int
	}{
		"a heartbeat": {"INFO", []string{"msg=progress phase=Running target=8 records=0 ", "inFlight=6", "slowRequests=6",
			"text 0/8 (0/s, 4 in flight); other 0/8 (0/s, 2 in flight)"}, 1},
		"a warning of the stall": {"WARN", []string{`msg="the run makes no progress" for=`, " rowGroups=1 ", `lanes.writer="` + writer + `"`, `lanes.critic="` + critic + `"`}, 2},
		"slow requests, one by one": {"WARN", []string{`msg="a request is slow" model=critic provider=local column=other row=0 rowAttempt=0 rowGroup=0 `,
			`phase="awaiting headers" bytes=0`}, 6},
		"slow requests together": {"WARN", []string{`msg="requests are slow" model=writer provider=local requests=4 `}, 6},
	} {
		count := 0
		for line := range strings.Lines(log.String()) {
			found := strings.Contains(line, "level="+test.level+" ")
			for _, part := range test.parts {
				found = found && strings.Contains(line, part)
			}
			if found {
				count++
			}
		}
		if count == 0 || count > test.most {
			t.Errorf("the log has %d lines with %s:\n%s", count, what, log.String())
		}
	}
	dump, err := os.ReadFile(filepath.Join(w.folder(), "traces", "stall-00000-attempt-1.txt"))
	if err != nil || !strings.Contains(string(dump), "writer: "+writer) || !strings.Contains(string(dump), "critic: "+critic) ||
		!strings.Contains(string(dump), "goroutine ") {
		t.Errorf("the dump is %.500s, %v", dump, err)
	}
	server.WaitForClients()
	if counters := server.Counters(); counters.Requests != 6 || counters.Cancelled != 6 {
		t.Errorf("of %d requests %d were cancelled", counters.Requests, counters.Cancelled)
	}
}
