package engine_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

// olderSpec is the spec of testdata/older-run: the folder of a run that was interrupted with six whole row groups of nine, two that were
// cut short, and their journals, as an engine of an earlier version has left it. The address of the proxy, which is no part of a run's
// identity, is that of the test's own model server.
var olderSpec = strings.NewReplacer("numRecords: 25", "numRecords: 45", "rowGroupSize: 10", "rowGroupSize: 5",
	"endpoint: ENDPOINT", "endpoint: http://models.example/v1, proxyURL: ENDPOINT").Replace(basicSpec)

// TestARunOfAnOlderEngineGoesOn holds that an upgrade in mid-run loses nothing: what an older engine has written is understood, and neither
// its rows nor the answers in its journals are asked for again. Where this can't hold any more, identityVersion in package plan has to be
// raised, so that runs begin anew, and the folder is made by an engine of that version.
func TestARunOfAnOlderEngineGoesOn(t *testing.T) {
	for name, records := range map[string]int64{"as it was": 45, "with more records": 58} {
		t.Run(name, func(t *testing.T) {
			server := newEndpoint(t, echo)
			w := newWorld(t, olderSpec, server.URL)
			if err := os.CopyFS(w.output, os.DirFS("testdata/older-run")); err != nil {
				t.Fatal(err)
			}
			if !w.exists("metadata.json") {
				t.Fatalf("the run is in another folder than %s", w.folder())
			}
			kept, err := filepath.Glob(filepath.Join(w.folder(), "parquet-files", "*"))
			if err != nil || len(kept) != 8 {
				t.Fatalf("found %q: %v", kept, err)
			}
			w.spec.NumRecords, w.attempt = records, 2
			var log strings.Builder
			config := w.config(0)
			config.Logger = slog.New(slog.NewTextHandler(&log, nil))
			ending := engine.Generate(t.Context(), config)
			checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, records, 0)
			if strings.Contains(log.String(), "level=WARN") {
				t.Errorf("the log is %s", log.String())
			}
			// 36 rows were written, and the journals have answers of the two groups that were cut short.
			if _, all := server.sent(); all > int(records)-36 {
				t.Errorf("%d requests were sent for the %d rows that were missing", all, records-36)
			}
			undisturbed := newWorld(t, olderSpec, newEndpoint(t, echo).URL)
			undisturbed.spec.NumRecords = records
			undisturbed.generate(t.Context(), 0)
			_, rows := w.rows()
			if _, want := undisturbed.rows(); !reflect.DeepEqual(rows, want) {
				t.Errorf("the rows are %v, those of an undisturbed run %v", rows, want)
			}
		})
	}
}
