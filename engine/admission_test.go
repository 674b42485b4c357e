package engine_test

import (
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

func TestAProviderThatIsFullCostsNoRow(t *testing.T) {
	t.Parallel()
	none := 0
	w, server := newScenario(t, 2000, 32, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(10), MaxConcurrent: 8, MaxQueued: &none}})
	requireComplete(t, w, w.generate(t.Context(), 0))
	counters := server.Counters()
	refused := counters.Failed[llmsim.FailedRateLimited]
	t.Logf("%d of %d requests were refused; up to %d were served at once", refused, counters.Requests, counters.ServingHighWater)
	// At the start all 32 are sent at once, and most of them are refused; how many depends on how fast the first ones are answered.
	if refused == 0 || refused > 100 {
		t.Errorf("%d of %d requests were refused by a server that takes 8 of 32 at once", refused, counters.Requests)
	}
	if counters.ServingHighWater != 8 {
		t.Errorf("up to %d requests were served at once, and 8 could be", counters.ServingHighWater)
	}
}

const sharedSpec = `
numRecords: 200
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: m, maxParallelRequests: 9}
- {alias: judge, provider: local, model: m, maxParallelRequests: 6, parameters: {maxTokens: 4}}
columns:
- {name: id, sampler: {type: UUID}}
- {name: one, llmText: {model: writer, prompt: "one {{ id }}"}}
- {name: two, weight: 2, llmText: {model: judge, prompt: "two {{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestAliasesOfOneModelShareItsCap(t *testing.T) {
	t.Parallel()
	server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(5)}})
	w := newWorld(t, sharedSpec, server.Endpoint())
	ending := w.generate(t.Context(), 0)
	requireComplete(t, w, ending)
	if counters := server.Counters(); counters.InFlightHighWater != 6 {
		t.Errorf("up to %d requests were in flight to a model with caps of 9 and 6", counters.InFlightHighWater)
	}
	for _, model := range ending.Result.Models {
		if model.Succeeded != 200 {
			t.Errorf("%s has %d answers, want 200: usage is counted by alias", model.Alias, model.Succeeded)
		}
	}
}

func TestRequestsPerMinuteAreKept(t *testing.T) {
	t.Parallel()
	w, server := newScenario(t, 20, 16, llmsim.Config{})
	most := int64(600)
	w.spec.Models[0].Admission = &v1alpha1.Admission{RequestsPerMinute: &most}
	began := time.Now()
	requireComplete(t, w, w.generate(t.Context(), 0))
	log := server.Requests().Requests
	// Ten a second: however late a request comes, none comes before its turn.
	for i, request := range log {
		if turn := time.Duration(i) * 100 * time.Millisecond; request.Start.Sub(began) < turn {
			t.Errorf("request %d came %s after the beginning, before its turn at %s", i, request.Start.Sub(began), turn)
		}
	}
	if len(log) != 20 {
		t.Errorf("%d requests came, want 20", len(log))
	}
}
