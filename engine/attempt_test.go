package engine_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// Where the attempt is left to the engine, it is that of the run before, which leaves dropped rows alone, or the next one.
func TestTheEngineDecidesOnTheAttemptThatIsLeftToIt(t *testing.T) {
	var mutex sync.Mutex
	bad, broken := "", true
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		mutex.Lock()
		defer mutex.Unlock()
		if bad == "" {
			bad = prompt
		}
		if broken && prompt == bad {
			return http.StatusOK, ""
		}
		return echo(prompt, before)
	})
	w := newWorld(t, strings.Replace(dropSpec, "rowGroupSize: 10", "rowGroupSize: 10, maxRowAttempts: 1", 1), server.URL)
	w.attempt = 0
	generate := func(retryDropped bool) engine.Ending {
		config := w.config(0)
		config.RetryDropped = retryDropped
		return engine.Generate(t.Context(), config)
	}
	checkAttempt := func(ending engine.Ending, want int32) {
		t.Helper()
		if ending.Result.Attempt != want {
			t.Errorf("it was attempt %d, want %d", ending.Result.Attempt, want)
		}
	}
	first := generate(false)
	checkEnding(t, first, runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, runreport.ExitOK, 14, 1)
	checkAttempt(first, 1)
	mutex.Lock()
	broken = false
	mutex.Unlock()
	again := generate(false)
	checkEnding(t, again, runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, runreport.ExitOK, 14, 1)
	checkAttempt(again, 1)
	retried := generate(true)
	checkEnding(t, retried, runreport.OutcomeComplete, "", runreport.ExitOK, 15, 0)
	checkAttempt(retried, 2)
	checkAttempt(generate(false), 2)
}
