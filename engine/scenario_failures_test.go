package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/runreport"
)

// P7: of the answers of a model, one in twenty can't be used, at random. No run ends early for that, and every row is accounted for.
func TestFivePercentOfBadAnswersNeverEndARun(t *testing.T) {
	t.Parallel()
	const rows = 6500
	for name, test := range map[string]struct {
		// attempts is how often a row is begun at most: each time with another prompt, and so with another fate.
		attempts int32
		// window is how many of the latest outcomes are looked at.
		window int32
	}{
		"each is a row that is lost": {1, 10},
		"rows are tried again":       {2, 50},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, server := newScenario(t, rows, 64, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, Probability: 0.05}}})
			half, err := v1alpha1.NewDecimal("0.5")
			if err != nil {
				t.Fatal(err)
			}
			w.spec.Run = &v1alpha1.RunSettings{
				MaxRowAttempts: &test.attempts, MaxConversationRestarts: new(int32(0)), EarlyShutdown: &v1alpha1.EarlyShutdown{ErrorRate: &half, ErrorWindow: &test.window},
			}
			ending := engine.Generate(t.Context(), w.config(0))
			records, counters := ending.Result.Records, server.Counters()
			bad := counters.FaultsInjected[string(llmsim.FaultInvalid)]
			t.Logf("%d of %d answers were bad, %d of %d rows were dropped", bad, counters.Requests, records.Dropped, records.Target)
			if share := float64(bad) / float64(counters.Requests); share < 0.035 || share > 0.065 {
				t.Fatalf("%.1f %% of the answers were bad", 100*share)
			}
			if records.Dropped == 0 || ending.Result.Outcome != runreport.OutcomePartial || ending.Result.Reason != v1alpha1.ReasonRowsDropped ||
				ending.ExitCode != runreport.ExitOK {
				t.Errorf("the run ended as %s, %s with exit code %d: %s", ending.Result.Outcome, ending.Result.Reason, ending.ExitCode,
					ending.Result.Message)
			}
			if test.attempts == 1 && records.Dropped != int64(bad) {
				t.Errorf("%d answers were bad, and %d rows were dropped", bad, records.Dropped)
			}
			if want := (runreport.Records{Target: rows, Actual: rows - records.Dropped, Dropped: records.Dropped}); records != want {
				t.Errorf("the records are %+v, want %+v", records, want)
			}
			// Of a row that was dropped all attempts but the first were begun again, of the others those after a bad answer.
			if again := bad - int(records.Dropped); counters.Requests != rows+again || counters.Succeeded != int(records.Actual) {
				t.Errorf("%d requests, %d of them answered well, made %d of %d rows", counters.Requests, counters.Succeeded, records.Actual, rows)
			}
			lost := int64(0)
			for _, drop := range ending.Result.Dropped {
				lost += drop.Count
			}
			if _, written := w.rows(); lost != records.Dropped || int64(len(written)) != records.Actual {
				t.Errorf("%d rows are on the disk, and %d lost ones are explained, of %+v", len(written), lost, records)
			}
			listed, err := os.ReadFile(filepath.Join(w.folder(), "dropped-rows.jsonl"))
			if count := strings.Count(string(listed), fmt.Sprintf(`"attempts":%d,`, test.attempts)); err != nil || int64(count) != records.Dropped {
				t.Errorf("%d of %d rows were given up after %d attempts, %v", count, records.Dropped, test.attempts, err)
			}
			for _, column := range ending.Result.Columns {
				if column.Name == "text" && (column.Succeeded != records.Actual || column.Failed != records.Dropped || column.Dropped != 0) {
					t.Errorf("the column counts %+v", column)
				}
			}
		})
	}
}
