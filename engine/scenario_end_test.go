package engine_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"context"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/logtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// B2.2: what is under way when the gate trips is cut, and B2.3: nothing is logged after the end.
func TestEarlyShutdownCutsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 5000, 64, llmsim.Config{
		Defaults: llmsim.Model{Latency: answersAfter(5)},
		Faults: []llmsim.Fault{
			{Kind: llmsim.FaultHang, FromRequest: 5, ToRequest: 20},
			{Kind: llmsim.FaultInvalid},
		},
	})
	w.spec.Models[0].TimeoutSeconds = new(int32(3600))
	var log logtest.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ending := engine.Generate(t.Context(), config)
	logged := log.String()
	if ending.Result.Reason != v1alpha1.ReasonEarlyShutdown {
		t.Fatalf("the run ended as %s, %s: %s", ending.Result.Outcome, ending.Result.Reason, ending.Result.Message)
	}
	waitFor(t, "the server to see that the requests were cut", func() bool { return server.Counters().InFlight == 0 })
	if counters := server.Counters(); counters.Cancelled < 16 {
		t.Errorf("%d requests were cut, want the 16 that hung at least", counters.Cancelled)
	}
	if log.String() != logged {
		t.Errorf("after the end was logged: %s", strings.TrimPrefix(log.String(), logged))
	}
}

// B3: a run that is ended early with records has a dataset, which its metadata call Partial, whatever the completion policy makes of it.
func TestAnEarlyShutdownWithRecordsIsPartial(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 5000, 8, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, FromRequest: 1500}}})
	w.spec.Run = &v1alpha1.RunSettings{MaxConversationRestarts: new(int32(0)), RowGroupSize: new(int32(100))}
	ending := w.generate(t.Context(), 0)
	result := ending.Result
	if result.Outcome != runreport.OutcomePartial || result.Reason != v1alpha1.ReasonEarlyShutdown || ending.ExitCode != runreport.ExitFailed {
		t.Fatalf("the run ended as %s, %s, with exit code %d: %s", result.Outcome, result.Reason, ending.ExitCode, result.Message)
	}
	if described := w.metadata()["run"].(map[string]any); described["outcome"] != "Partial" ||
		described["reason"] != v1alpha1.ReasonEarlyShutdown || !w.succeeded() {
		t.Errorf("metadata.json says %v", described)
	}
}

// B3.1, B3.5, B3.6: one row of a thousand is lost, and everybody says so with the same numbers.
func TestOneLostRowIsSaidEverywhereAlike(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 1000, 32, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, FromRequest: 500, ToRequest: 500}}})
	w.spec.Run = &v1alpha1.RunSettings{MaxRowAttempts: new(int32(1)), MaxConversationRestarts: new(int32(0))}
	var handler http.Handler
	var log logtest.Buffer
	config := w.config(0)
	config.Serve = func(served http.Handler) { handler = served }
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ending := engine.Generate(t.Context(), config)
	want := runreport.Records{Target: 1000, Actual: 999, Dropped: 1}
	if ending.Result.Outcome != runreport.OutcomePartial || ending.Result.Reason != v1alpha1.ReasonRowsDropped ||
		ending.Result.Records != want {
		t.Errorf("the result is %s, %s with %+v", ending.Result.Outcome, ending.Result.Reason, ending.Result.Records)
	}
	if strings.Contains(ending.Result.Message, "100%") || !strings.Contains(ending.Result.Message, "1 of 1000 records") {
		t.Errorf("the message is %q", ending.Result.Message)
	}
	var report runreport.Progress
	if err := json.Unmarshal(ask(t, handler, runreport.ProgressPath), &report); err != nil || report.Records != want {
		t.Errorf("the progress has %+v, %v", report.Records, err)
	}
	metrics := string(ask(t, handler, runreport.MetricsPath))
	for _, line := range []string{`seedloom_records{fate="written",shard="0"} 999`, `seedloom_records{fate="dropped",shard="0"} 1`, `seedloom_records_target{shard="0"} 1000`} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	metadata := fmt.Sprint(w.metadata())
	for _, part := range []string{"actual_num_records:999", "target_num_records:1000"} {
		if !strings.Contains(metadata, part) {
			t.Errorf("the metadata lack %s: %s", part, metadata)
		}
	}
	if !strings.Contains(log.String(), "level=WARN msg=\"the dataset is partial\" target=1000 records=999 dropped=1") {
		t.Errorf("the log is %s", log.String())
	}
}

func ask(t *testing.T, handler http.Handler, path string) []byte {
	t.Helper()
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return recorder.Body.Bytes()
}

// P13: a provider that wants to be left alone for a day.
func TestAnAbsurdRetryAfterIsCappedAndTold(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 4, 4, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 429, RetryAfter: llmsim.Duration(24 * time.Hour), FromRequest: 2}}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	handlers := make(chan http.Handler, 1)
	var log logtest.Buffer
	config := w.config(0)
	config.Serve = func(served http.Handler) { handlers <- served }
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(ctx, config) }()
	handler := <-handlers
	waitFor(t, "the progress to name the provider", func() bool {
		report, err := runreport.ParseProgress(ask(t, handler, runreport.ProgressPath))
		if err != nil || len(report.Endpoints) == 0 {
			return false
		}
		found := report.Endpoints[0]
		if found.Provider != "local" || found.State != runreport.EndpointRateLimited || found.Until.After(time.Now().Add(6*time.Minute)) ||
			found.Until.Before(time.Now().Add(time.Minute)) {
			t.Errorf("the progress has %+v", found)
		}
		return true
	})
	waitFor(t, "the log to name the wish", func() bool { return strings.Contains(log.String(), "retryAfter=24h0m0s waits=5m0s") })
	cancel()
	if ending := <-ended; ending.Result.Outcome != runreport.OutcomeInterrupted {
		t.Errorf("the run ended as %s", ending.Result.Outcome)
	}
	if requests := server.Counters().Requests; requests > 6 {
		t.Errorf("%d requests were sent", requests)
	}
}

// P14, B15.1: a trickling answer is told with what has come of it.
func TestATricklingAnswerIsToldWithItsBytes(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 5, 5, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultTrickle, FromRequest: 3, ToRequest: 3, Interval: milliseconds(100)}}})
	w.spec.Models[0].TimeoutSeconds = new(int32(4))
	w.spec.Run = &v1alpha1.RunSettings{SlowRequestThresholdSeconds: new(int32(1))}
	var log logtest.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	requireComplete(t, w, engine.Generate(t.Context(), config))
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "a request is slow") && strings.Contains(line, `phase="reading body" bytes=`) &&
			strings.Contains(line, "lastByteAge=0s") {
			return
		}
	}
	t.Errorf("no line tells of the bytes:\n%s", log.String())
}

// P3: the volume is full.
func TestAFullVolumeEndsTheRunAndKeepsWhatWasWritten(t *testing.T) {
	w, _ := newScenario(t, 4000, 16, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(1)}})
	if err := syscall.Mount("tmpfs", w.output, "tmpfs", 0, "size=192k"); err != nil {
		t.Skipf("a volume of a limited size needs the right to mount one: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(w.output, 0); err != nil {
			t.Error(err)
		}
	})
	w.spec.Run = &v1alpha1.RunSettings{RowGroupSize: new(int32(100)), Trace: v1alpha1.TraceEnabled}
	ending := w.generate(t.Context(), 0)
	if ending.Result.Reason != v1alpha1.ReasonStorageFailed || ending.ExitCode != runreport.ExitStorage ||
		!strings.Contains(ending.Result.Message, "the volume is full") {
		t.Fatalf("the run ended as %s, exit code %d: %s", ending.Result.Reason, ending.ExitCode, ending.Result.Message)
	}
	kept := ending.Result.Records.Actual
	if _, rows := w.rows(); kept == 0 || int64(len(rows)) != kept {
		t.Errorf("%d rows can be read, %d are counted", len(rows), kept)
	}
	// There may be no room for the last word either; then the one before it stays.
	if described := w.described(); described.Outcome != string(store.OutcomeRunning) && described.Outcome != string(runreport.OutcomeFailed) {
		t.Errorf("metadata.json says %+v", described)
	}
	// The claim is enlarged, and the run goes on.
	if err := syscall.Mount("tmpfs", w.output, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	requireComplete(t, w, w.generate(t.Context(), 0))
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 4000)
	for _, pattern := range []string{"*/*.tmp", ".seedloom/*/*.tmp"} {
		if left, _ := filepath.Glob(filepath.Join(w.folder(), pattern)); len(left) > 0 {
			t.Errorf("left over: %q", left)
		}
	}
	if _, err := os.Stat(filepath.Join(w.folder(), "_SUCCESS")); err != nil {
		t.Error(err)
	}
}

// P4: a processor is not called for a row group that has lost all its rows, and every row is counted once.
func TestAProcessorIsNotCalledForARowGroupWithoutRows(t *testing.T) {
	t.Parallel()
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if strings.HasPrefix(prompt, "about row 1") && len(prompt) == len("about row 10.") {
			return http.StatusOK, " " // of the rows 10 to 19 nothing can be used
		}
		return echo(prompt, before)
	})
	text := strings.ReplaceAll(numberedSpec, "rowGroupSize: 10", "rowGroupSize: 10, earlyShutdown: {policy: Disabled}") +
		starlarkProcessor("check", "PostBatch", "FailRun", failsInGroupOne)
	w := newWorld(t, text, server.URL+"/v1")
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, runreport.ExitOK, 20, 10)
	for _, column := range ending.Result.Columns {
		if total := column.Succeeded + column.Failed + column.Dropped + column.Skipped; total != 30 {
			t.Errorf("column %s counts %d cells of 30 rows: %+v", column.Name, total, column)
		}
	}
}

// A column that never has an answer that can be used is given up before all of its rows have cost all of their requests.
func TestAHopelessColumnIsGivenUpByItsRequests(t *testing.T) {
	t.Parallel()
	requests := map[v1alpha1.EarlyShutdownPolicy]int64{}
	for _, policy := range []v1alpha1.EarlyShutdownPolicy{v1alpha1.EarlyShutdownEnabled, v1alpha1.EarlyShutdownDisabled} {
		w, server := newScenario(t, 10, 4, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid}}})
		w.spec.Run = &v1alpha1.RunSettings{EarlyShutdown: &v1alpha1.EarlyShutdown{Policy: policy}}
		ending := w.generate(t.Context(), 0)
		requests[policy] = int64(server.Counters().Requests)
		if isEarly := ending.Result.Reason == v1alpha1.ReasonEarlyShutdown; isEarly != (policy == v1alpha1.EarlyShutdownEnabled) {
			t.Errorf("%s: the run ended as %s: %s", policy, ending.Result.Reason, ending.Result.Message)
		}
	}
	if early, all := requests[v1alpha1.EarlyShutdownEnabled], requests[v1alpha1.EarlyShutdownDisabled]; early > all*2/3 {
		t.Errorf("%d requests were sent, of %d for all rows", early, all)
	}
}

// B3.3: of a run without a single record is said why.
func TestARunWithoutARecordNamesTheCause(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 10, 4, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid}}})
	// It would end the run sooner.
	w.spec.Run = &v1alpha1.RunSettings{EarlyShutdown: &v1alpha1.EarlyShutdown{Policy: v1alpha1.EarlyShutdownDisabled}}
	ending := w.generate(t.Context(), 0)
	if ending.Result.Outcome != runreport.OutcomeFailed || ending.Result.Reason != v1alpha1.ReasonNoRecords ||
		ending.ExitCode != runreport.ExitFailed {
		t.Errorf("the run ended as %s, %s with exit code %d", ending.Result.Outcome, ending.Result.Reason, ending.ExitCode)
	}
	if !strings.Contains(ending.Result.Message, "all 10 records were dropped, 10 of them by ModelGenerationInvalid in column \"text\"") {
		t.Errorf("the message is %q", ending.Result.Message)
	}
}
