package engine_test

import (
	"context"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

const vastSpec = `
numRecords: 1000000000
columns:
- {name: id, sampler: {type: UUID}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 1}
`

// TestAVastRunBeginsAndEndsAtOnce would take minutes, and gigabytes, if a run looked at each of its row groups before it begins or when it
// ends.
func TestAVastRunBeginsAndEndsAtOnce(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	w := newWorld(t, vastSpec, "")
	done := make(chan struct{})
	go func() {
		defer close(done)
		ending := w.generate(ctx, 0)
		if records := ending.Result.Records; ending.Result.Outcome != runreport.OutcomeInterrupted || records.Actual == 0 ||
			records.Target != 1_000_000_000 {
			t.Errorf("the run ended as %s with %+v: %s", ending.Result.Outcome, records, ending.Result.Message)
		}
	}()
	waitFor(t, "the first row group", func() bool { return w.exists(".seedloom/row-groups/00000.json") })
	stop()
	<-done
}
