package engine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/internal/runreport"
)

// One shard describes all of them, and the others never write what it does; the end is said when the run is finalized, and stays.
func TestMetadataOfSeveralShards(t *testing.T) {
	t.Parallel()
	held := newGate(t)
	server := newEndpoint(t, held.holds(func(prompt string) bool {
		return strings.Contains(prompt, "row 2") && len(prompt) > len("about row 2.")
	}))
	w := newWorld(t, numberedSpec, server.URL)
	w.shards = 2
	generate := func(shard int32) (*descriptions, chan engine.Ending) {
		config := w.config(shard)
		written, ended := w.watched(&config), make(chan engine.Ending, 1)
		go func() { ended <- engine.Generate(t.Context(), config) }()
		return written, ended
	}
	other, ended := generate(1) // rows 10 to 19
	checkEnding(t, <-ended, runreport.OutcomeComplete, "", runreport.ExitOK, 10, 0)
	if len(other.seen) > 0 || w.exists("metadata.json") {
		t.Errorf("shard 1 has written %+v", other.seen)
	}
	_, ended = generate(0) // rows 0 to 9, and 20 to 29, which are held
	waitFor(t, "the row groups of both shards", func() bool { return w.exists("metadata.json") && w.described().Actual == 20 })
	w.requireDescribed(runreport.PhaseRunning, store.OutcomeRunning, "", 20)

	// The controller believes that the Pod of shard 0 is gone, and has the run finalized.
	config := w.config(0)
	written := w.watched(&config)
	checkEnding(t, engine.Finalize(t.Context(), config), runreport.OutcomePartial, v1alpha1.ReasonShardFailed, runreport.ExitOK, 20, 0)
	if want := []string{"Finalizing Running", "Ended Partial"}; !slices.Equal(written.phases(), want) {
		t.Errorf("the finalizing process has written %q, want %q", written.phases(), want)
	}
	held.open()
	if ending := <-ended; ending.Result.Reason != v1alpha1.ReasonSuperseded {
		t.Errorf("shard 0 ended as %s, %s", ending.Result.Outcome, ending.Result.Reason)
	}
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomePartial, v1alpha1.ReasonShardFailed, 20)

	// It is made again: its end is not that of the run.
	_, ended = generate(0)
	checkEnding(t, <-ended, runreport.OutcomeComplete, "", runreport.ExitOK, 20, 0)
	w.requireDescribed(runreport.PhaseEnded, store.OutcomeRunning, "", 30)
	if w.succeeded() {
		t.Error("_SUCCESS is there before the run is finalized")
	}
	checkEnding(t, engine.Finalize(t.Context(), w.config(0)), runreport.OutcomeComplete, "", runreport.ExitOK, 30, 0)
	w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeComplete, "", 30)
	if !w.succeeded() {
		t.Error("_SUCCESS is missing")
	}
}

// The shard that describes the others says the same of the columns as who finalizes.
func TestMetadataOfAShardHasTheColumnsOfTheDataset(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basicSpec, newEndpoint(t, echo).URL)
	w.shards = 2
	w.generate(t.Context(), 1)
	w.generate(t.Context(), 0)
	before := w.described()
	checkEnding(t, engine.Finalize(t.Context(), w.config(0)), runreport.OutcomeComplete, "", runreport.ExitOK, 25, 0)
	if difference := cmp.Diff(w.described().Columns, before.Columns); difference != "" ||
		!slices.Contains(before.Columns, "title string seed") {
		t.Error(difference)
	}
}

// What ends one shard for good because of its input ends all of them; then nobody may come to finalize.
func TestMetadataOfShardsThatCannotBegin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, basicSpec, "http://127.0.0.1:9")
	w.shards = 2
	if err := os.Remove(filepath.Join(w.seeds, "seed.csv")); err != nil {
		t.Fatal(err)
	}
	w.generate(t.Context(), 1)
	if w.exists("metadata.json") {
		t.Error("shard 1 has written metadata.json")
	}
	w.generate(t.Context(), 0)
	found := w.requireDescribed(runreport.PhaseEnded, runreport.OutcomeFailed, v1alpha1.ReasonSeedFailed, 0)
	if !strings.HasPrefix(found.Message, "shard 0 of 2: ") {
		t.Errorf("the message is %q", found.Message)
	}
}
