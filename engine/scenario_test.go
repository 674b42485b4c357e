package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// The scenarios are what goes wrong with model servers in practice, and has ended other engines' runs with rows lost and nobody told.
//
// Where each is tested; without a package it is this one:
//
//	P1   an endpoint refuses for ever        TestAnEndpointThatRefusesForEverDropsNothing
//	P2   three seconds of status 500         TestAnOutageInTheMiddleCostsNoRow
//	P3   a full volume                       TestAFullVolumeEndsTheRunAndKeepsWhatWasWritten, run.TestACommitThatFailsIsTriedAgain
//	P4   a row group that loses all rows     TestAProcessorIsNotCalledForARowGroupWithoutRows
//	P5   nothing starts after a shutdown     TestEarlyShutdownSendsNothingAfterwards, TestEarlyShutdownCutsWhatIsUnderWay
//	P6   code that does not stop             TestCodeThatRunsWhenTheRunEnds,
//	                                         run.TestWhatDoesNotStopIsLeftBehind, run.TestLocalCodeThatDoesNotStopIsLeftBehind
//	P7   5 % of failures                     TestFivePercentOfBadAnswersNeverEndARun,
//	                                         schedule.TestFivePercentOfAMillionNeverTripTheGate, schedule.TestRareFailuresNeverEndTheRun
//	P8   flat over all requests ever made    TestARequestCostsTheSameHoweverManyWereMade, TestNoMoreRequestsAreUnderWayThanMayBe;
//	                                         rates: hack/bench, cells/…
//	P9   one slow request                    TestASlowRequestDelaysNoOtherRowGroup
//	P10  a replica restarts                  TestARestartOfAReplicaCostsNoRow
//	P11  512 rows wait                       TestManyRowsThatWaitCostNothing, run.TestAWaitCostsNoProcessorTime
//	P12  whole columns and mass drops        TestAWholeColumnOfALargeRowGroup; times: schedule.BenchmarkWholeGroups
//	P13  Retry-After of a day                TestAnAbsurdRetryAfterIsCappedAndTold, schedule.TestRetryAfterIsHonouredAndCapped
//	P14  a trickling answer                  TestATricklingAnswerEndsAtTheTotalDeadline, TestATricklingAnswerIsToldWithItsBytes
//	P15  nothing happens                     TestAServerThatNeverAnswersIsTold, run.TestHeartbeatsComeWhetherAnythingHappensOrNot,
//	                                         run.TestAStallIsToldWithWhatEachLaneWaitsFor, run.TestARunThatStallsEndsAtItsDeadline,
//	                                         run.TestALostWakeUpIsHealed
//	P16  kill -9                             TestAHundredKills
//	P17  999 of 1000 rows are lost           TestARunThatLosesNearlyAllRowsSaysSo
//	P18  a processor swaps rows              TestAProcessorReturnsTheRowsThatItWasGiven
//	P19  a row group that is refilled        TestAnInterruptionKeepsWholeRows, TestRowsAreTriedAgainAndDropped
//	P20  two engines at one endpoint         TestAnEngineKeepsToTheShareThatItIsTold, enginepods.TestPodsOfSeveralRunsShareALimit,
//	                                         and with two runs of real Pods test/e2e, "Two datasets with one endpoint";
//	                                         without a common limit each adapts to the server:
//	                                         TestTwoProcessesShareAnEndpoint, schedule.TestTwoEnginesShareAServerFairly
//
// The error gate (D.T1 to D.T6) is tested in schedule, two writers of a shard (D.T12) in TestTheSecondOfTwoEnginesWritesAndTheFirstEnds.

const scenarioSpec = `
numRecords: %d
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: scenario/writer, maxParallelRequests: %d, timeoutSeconds: 5, parameters: {maxTokens: 8}}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`

func newScenario(t *testing.T, rows, parallel int, config llmsim.Config) (*world, *simtest.Server) {
	t.Helper()
	server := simtest.Start(t, config)
	return newWorld(t, fmt.Sprintf(scenarioSpec, rows, parallel), server.Endpoint()), server
}

func milliseconds(n int) llmsim.Duration { return llmsim.Duration(time.Duration(n) * time.Millisecond) }

func answersAfter(n int) llmsim.Latency {
	return llmsim.Latency{Distribution: llmsim.Constant, Value: milliseconds(n)}
}

func requireComplete(t *testing.T, w *world, ending engine.Ending) {
	t.Helper()
	want := runreport.Records{Target: int64(w.spec.NumRecords), Actual: int64(w.spec.NumRecords)}
	if ending.Result.Outcome != runreport.OutcomeComplete || ending.Result.Records != want || ending.ExitCode != 0 {
		t.Fatalf("the run ended as %s with %+v, exit code %d: %s", ending.Result.Outcome, ending.Result.Records, ending.ExitCode,
			ending.Result.Message)
	}
	if _, rows := w.rows(); len(rows) != int(w.spec.NumRecords) {
		t.Fatalf("%d rows are on the disk", len(rows))
	}
}

func TestAnEndpointThatRefusesForEverDropsNothing(t *testing.T) {
	w := newWorld(t, fmt.Sprintf(scenarioSpec, 1000, 16), "http://127.0.0.1:9/v1")
	config := w.config(0)
	config.Outage = schedule.OutageConfig{First: 2 * time.Second, Later: time.Hour}
	ending := engine.Generate(t.Context(), config)
	if ending.Result.Reason != v1alpha1.ReasonProviderUnavailable || ending.Result.Outcome != runreport.OutcomeFailed || ending.ExitCode == 0 {
		t.Errorf("the run ended as %s, %s, with exit code %d", ending.Result.Outcome, ending.Result.Reason, ending.ExitCode)
	}
	if ending.Result.Records.Dropped != 0 || len(ending.Result.Dropped) != 0 {
		t.Errorf("rows were dropped though no answer ever came: %+v", ending.Result.Records)
	}
}

func TestAnOutageInTheMiddleCostsNoRow(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault llmsim.Fault
	}{
		{"three seconds of status 500", llmsim.Fault{Kind: llmsim.FaultStatus, Status: 500, After: milliseconds(500), Until: milliseconds(3500)}},
		{"three seconds of resets", llmsim.Fault{Kind: llmsim.FaultResetBeforeHeaders, After: milliseconds(500), Until: milliseconds(3500)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w, server := newScenario(t, 20_000, 64, llmsim.Config{Faults: []llmsim.Fault{test.fault}})
			requireComplete(t, w, w.generate(t.Context(), 0))
			if counters := server.Counters(); counters.FaultsInjected[string(test.fault.Kind)] == 0 {
				t.Error("the outage has not happened")
			}
		})
	}
}

func TestARestartOfAReplicaCostsNoRow(t *testing.T) {
	for _, parallel := range []int{8, 16, 64} {
		t.Run(fmt.Sprint(parallel), func(t *testing.T) {
			t.Parallel()
			w, server := newScenario(t, 2000, parallel, llmsim.Config{
				Defaults: llmsim.Model{Latency: answersAfter(2)},
				// All connections break in the middle of an answer at once, and for a while nobody listens. On a loaded machine fewer requests may
				// have come by then; those that come after the restart must not meet what is left of it.
				Faults: []llmsim.Fault{
					{Kind: llmsim.FaultResetMidBody, FromRequest: 30, ToRequest: 30 + parallel - 1, Until: milliseconds(600)},
					{Kind: llmsim.FaultResetBeforeHeaders, After: milliseconds(50), Until: milliseconds(600)},
				},
			})
			requireComplete(t, w, w.generate(t.Context(), 0))
			if counters := server.Counters(); len(counters.FaultsInjected) == 0 {
				t.Error("the restart has not happened")
			}
		})
	}
}

func TestASlowRequestDelaysNoOtherRowGroup(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 40, 4, llmsim.Config{Faults: []llmsim.Fault{
		// The twentieth request belongs to the second row group or a later one: the first one is done by then, or nearly so.
		{Kind: llmsim.FaultHang, FromRequest: 20, ToRequest: 20},
	}})
	size := int32(10)
	w.spec.Run = &v1alpha1.RunSettings{RowGroupSize: &size}
	ended := make(chan engine.Ending, 1)
	go func() { ended <- w.generate(t.Context(), 0) }()
	deadline := time.After(4 * time.Second)
	for {
		files, err := filepath.Glob(filepath.Join(w.folder(), "parquet-files", "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		// All row groups but the one whose request hangs.
		if len(files) == 3 && server.Counters().InFlight == 1 {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("while a request hangs, only %d row groups are written", len(files))
		case <-time.After(10 * time.Millisecond):
		}
	}
	requireComplete(t, w, <-ended)
}

func TestATricklingAnswerEndsAtTheTotalDeadline(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 5, 5, llmsim.Config{Faults: []llmsim.Fault{
		{Kind: llmsim.FaultTrickle, FromRequest: 2, ToRequest: 2, Interval: milliseconds(200)},
	}})
	seconds := int32(1)
	w.spec.Models[0].TimeoutSeconds = &seconds
	requireComplete(t, w, w.generate(t.Context(), 0))
	if counters := server.Counters(); counters.Cancelled != 1 || counters.Requests != 6 {
		t.Errorf("%d of %d requests were cancelled, want 1 of 6", counters.Cancelled, counters.Requests)
	}
}

func TestASlowRequestIsToldWhileItIsUnderWay(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 5, 5, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang, FromRequest: 2, ToRequest: 2}}})
	timeout, threshold := int32(4), int32(1)
	w.spec.Models[0].TimeoutSeconds = &timeout
	w.spec.Run = &v1alpha1.RunSettings{SlowRequestThresholdSeconds: &threshold}
	var log bytes.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&log, nil))
	requireComplete(t, w, engine.Generate(t.Context(), config))
	told := strings.Count(log.String(), `level=WARN msg="a request is slow" model=writer provider=local column=text`)
	if told < 2 || told > 4 || strings.Contains(log.String(), "about ") {
		t.Errorf("a request that hung for 4 s was told %d times:\n%s", told, log.String())
	}
}

func TestEarlyShutdownSendsNothingAfterwards(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 5000, 16, llmsim.Config{
		Defaults: llmsim.Model{Latency: answersAfter(5)},
		Faults: []llmsim.Fault{
			// One row waits to be sent again when the run is ended by the others.
			{Kind: llmsim.FaultStatus, Status: 429, RetryAfter: milliseconds(1000), FromRequest: 3, ToRequest: 3},
			{Kind: llmsim.FaultInvalid},
		},
	})
	w.spec.Run = &v1alpha1.RunSettings{MaxConversationRestarts: new(int32(0))}
	ending := w.generate(t.Context(), 0)
	atTheEnd := server.Counters()
	if ending.Result.Reason != v1alpha1.ReasonEarlyShutdown || ending.ExitCode == 0 {
		t.Fatalf("the run ended as %s, %s: %s", ending.Result.Outcome, ending.Result.Reason, ending.Result.Message)
	}
	// 25 rows that fail for good, or are tried a second time, and what was in flight.
	if atTheEnd.Requests > 100 {
		t.Errorf("a column that always fails was stopped after %d requests", atTheEnd.Requests)
	}
	waitFor(t, "the server to see the cancelled requests end", func() bool { return server.Counters().InFlight == 0 })
	// Longer than the row with status 429 would have waited.
	patience, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	for patience.Err() == nil {
		if now := server.Counters(); now.Requests != atTheEnd.Requests {
			t.Fatalf("%d requests were sent after the run had ended", now.Requests-atTheEnd.Requests)
		}
		select {
		case <-patience.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// waitFor waits as long as a machine may take that has much else to do: metadata alone wait for fifty times as long as the last took.
func waitFor(t *testing.T, what string, reached func() bool) {
	t.Helper()
	waitUpTo(t, time.Minute, what, reached)
}

func waitUpTo(t *testing.T, limit time.Duration, what string, reached func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !reached(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestARunThatLosesNearlyAllRowsSaysSo(t *testing.T) {
	t.Parallel()
	w, _ := newScenario(t, 1000, 32, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, FromRequest: 2}}})
	w.spec.Run = &v1alpha1.RunSettings{EarlyShutdown: &v1alpha1.EarlyShutdown{Policy: v1alpha1.EarlyShutdownDisabled}}
	ending := w.generate(t.Context(), 0)
	if ending.Result.Outcome != runreport.OutcomePartial {
		t.Fatalf("the run ended as %s", ending.Result.Outcome)
	}
	if want := (runreport.Records{Target: 1000, Actual: 1, Dropped: 999}); ending.Result.Records != want {
		t.Errorf("the records are %+v, want %+v", ending.Result.Records, want)
	}
	if ending.Result.Reason == "" || ending.Result.Message == "" || len(ending.Result.Dropped) != 1 || ending.Result.Dropped[0].Count != 999 {
		t.Errorf("the result does not say why: %+v", ending.Result)
	}
}

func TestADatasetFromAnAnthropicProvider(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 50, 4, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 529, FromRequest: 5, ToRequest: 6}}})
	w.spec.Providers[0].Type = v1alpha1.ProviderAnthropic
	requireComplete(t, w, w.generate(t.Context(), 0))
	for _, request := range server.Requests().Requests {
		if request.Path != "messages" {
			t.Fatalf("a request came by %s", request.Path)
		}
	}
}

func TestOneSlowEndpointLeavesTheOtherBusy(t *testing.T) {
	t.Parallel()
	fast := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(1)}})
	slow := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 503, Until: milliseconds(2500)}}})
	w := newWorld(t, fmt.Sprintf(`
numRecords: 400
randomSeed: 7
providers: [{name: fast, type: OpenAI, endpoint: %s}, {name: slow, type: OpenAI, endpoint: %s}]
models: [{alias: writer, provider: fast, model: m, maxParallelRequests: 4},
  {alias: judge, provider: slow, model: m, maxParallelRequests: 4}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
- {name: other, llmText: {model: judge, prompt: "of {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 50}
`, fast.Endpoint(), slow.Endpoint()), "")
	ended := make(chan engine.Ending, 1)
	go func() { ended <- w.generate(t.Context(), 0) }()
	waitFor(t, "the fast endpoint to have made all its cells", func() bool { return fast.Counters().Succeeded == 400 })
	if succeeded := slow.Counters().Succeeded; succeeded > 0 {
		t.Errorf("the outage was over, with %d answers, before the other endpoint was done", succeeded)
	}
	requireComplete(t, w, <-ended)
}
