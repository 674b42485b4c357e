package engine_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// sharedLimit has two models and an embedding of the same endpoint, which together may have four requests in flight.
const sharedLimit = `
numRecords: 120
randomSeed: 7
run: {rowGroupSize: 120}
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT, maxParallelRequests: 4}]
models:
- {alias: one, provider: local, model: shared/one, healthCheck: Enabled}
- {alias: two, provider: local, model: shared/two, healthCheck: Enabled}
- {alias: three, provider: local, model: shared/embedding, healthCheck: Enabled}
columns:
- {name: id, sampler: {type: UUID}}
- {name: first, llmText: {model: one, prompt: "first {{ id }}"}}
- {name: second, llmText: {model: two, prompt: "second {{ id }}"}}
- {name: third, embedding: {model: three, targetColumn: id}}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestALimitOfTheProviderIsSharedByItsModels(t *testing.T) {
	for name, ending := range map[string]string{"async": "output:", "sync": resizingColumn} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(5)}})
			w := newWorld(t, strings.Replace(sharedLimit, "output:", ending, 1), server.Endpoint())
			if ending := w.generate(t.Context(), 0); ending.Result.Outcome != runreport.OutcomeComplete {
				t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
			}
			counters := server.Counters()
			if high := counters.InFlightHighWater; high > 4 || high < 3 {
				t.Errorf("%d requests were in flight together, want 4", high)
			}
			// None of the models has to wait until another has all it wants.
			first := map[string]int{}
			records := server.Requests().Requests
			for _, record := range records[:len(records)/2] {
				first[record.Model]++
			}
			for model, counts := range counters.Models {
				if first[model] < counts.Requests/3 {
					t.Errorf("in the first half of all requests, %d of %d were to %s: %v", first[model], counts.Requests, model, first)
				}
			}
		})
	}
}

// operator tells an engine its shares as the controller of a cluster does.
type operator struct {
	t       *testing.T
	handler http.Handler
	told    runreport.Shares
}

const podUID = "0b3c"

// tell tells the share of the one endpoint, and asks until the engine keeps to it and something holds.
func (o *operator) tell(shares []runreport.Share, until func(runreport.ShareState) bool) runreport.ShareState {
	o.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for {
		o.told.Sequence++
		o.told.Shares = shares
		data, err := json.Marshal(o.told)
		if err != nil {
			o.t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		o.handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, runreport.SharesPath, bytes.NewReader(data)))
		report, err := runreport.ParseSharesReport(answer.Body.Bytes())
		if err != nil {
			o.t.Fatalf("%v: %s", err, answer.Body)
		}
		if state := report.Endpoints[0]; until(state) {
			return state
		} else if time.Now().After(deadline) {
			o.t.Fatalf("told %+v, it is %+v after 30 s", shares, state)
		}
		<-ticker.C
	}
}

func TestAnEngineKeepsToTheShareThatItIsTold(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(30)}})
	w := newWorld(t, toldSpec, server.Endpoint())
	config := w.config(0)
	config.Pod = podUID
	served := make(chan http.Handler, 1)
	config.Serve = func(handler http.Handler) { served <- handler }
	ended := make(chan engine.Ending, 1)
	go func() { ended <- engine.Generate(t.Context(), config) }()
	tells := &operator{t: t, handler: <-served, told: runreport.Shares{
		Version: runreport.Version, Pod: runreport.PodIdentity{UID: podUID, RunID: config.Run.RunID, Attempt: config.Run.Attempt},
	}}
	share := func(limit int) []runreport.Share {
		return []runreport.Share{{Endpoint: server.Endpoint(), Limit: limit, Alone: 1}}
	}
	tells.told.Ask = true
	state := tells.tell(nil, func(runreport.ShareState) bool { return true })
	if requests := server.Counters().Requests; state.Limit != 0 || !state.Limited || requests > 0 {
		t.Errorf("before it is told its share it sends %d requests: %+v", requests, state)
	}
	tells.told.Ask = false
	for _, limit := range []int{3, 12, 0, 5} {
		state := tells.tell(share(limit), func(state runreport.ShareState) bool {
			return state.Limit == limit && state.Running == limit && state.Wanted >= 64
		})
		if !state.Limited {
			t.Errorf("it is told a limit of %d, and says that it has none", limit)
		}
		// What it says that it holds is all that the server has.
		if inFlight := server.Counters().InFlight; inFlight > limit {
			t.Errorf("%d requests are in flight, and %d may be", inFlight, limit)
		}
	}
	// What the engine counts as running is with the server a little later.
	if high := server.Counters().InFlightHighWater; high > 12 || high <= 5 {
		t.Errorf("%d requests were in flight together, want 12", high)
	}
	tells.tell(nil, func(state runreport.ShareState) bool {
		return !state.Limited && state.Running == 64 && state.Wanted == 64
	})
	requireComplete(t, w, <-ended)
	if high := server.Counters().InFlightHighWater; high > 64 || high <= 12 {
		t.Errorf("nothing is shared any more, and %d requests were in flight together, want 64", high)
	}
}

const toldSpec = `
numRecords: 4000
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT, maxParallelRequests: 20}]
models: [{alias: writer, provider: local, model: scenario/writer, maxParallelRequests: 64, parameters: {maxTokens: 8}}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`
