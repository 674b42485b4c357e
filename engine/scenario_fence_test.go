package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// D.T12: two engines on one volume.
func TestTheSecondOfTwoEnginesWritesAndTheFirstEnds(t *testing.T) {
	t.Parallel()
	hangs := simtest.Start(t, llmsim.Config{})
	w := newWorld(t, crashSpec, hangs.Endpoint())
	w.spec.NumRecords = 200
	w.spec.Models[0].TimeoutSeconds = new(int32(60))
	// The first engine comes as far as its first two row groups; then its requests hang.
	hangs.Configure(llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang, FromRequest: 300}}})
	first := make(chan engine.Ending, 1)
	go func() { first <- w.generate(t.Context(), 0) }()
	waitFor(t, "the first engine to hang", func() bool { return hangs.Counters().Requests > 330 })
	hangs.Configure(llmsim.Config{})
	requireComplete(t, w, w.generate(t.Context(), 0))
	before := w.metadata()
	ending := <-first
	if ending.Result.Reason != v1alpha1.ReasonSuperseded || ending.ExitCode != runreport.ExitRetry {
		t.Errorf("the first engine ended with %s, exit code %d: %s", ending.Result.Reason, ending.ExitCode, ending.Result.Message)
	}
	requireComplete(t, w, engine.Ending{Result: runreport.Result{Outcome: runreport.OutcomeComplete, Records: runreport.Records{Target: 200, Actual: 200}}})
	if difference := cmp.Diff(before, w.metadata()); difference != "" || !w.succeeded() {
		t.Errorf("the first engine has changed the metadata; _SUCCESS is there: %t\n%s", w.succeeded(), difference)
	}
}
