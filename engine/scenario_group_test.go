package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// wholeSpec has one row group, in which a model is asked for one row of sixteen, and code works on all rows that are left at the end. The
// seed numbers the rows from 0 to 15, again and again.
const wholeSpec = `
numRecords: ROWS
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: scenario/writer, maxParallelRequests: 64}]
seed: {configMap: {name: s, key: seed.csv}}
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, skip: {when: "{{ n > 0 }}"}, llmText: {model: writer, prompt: "about {{ id }}"}}
- {name: fragile, expression: {expr: "EXPRESSION"}}
- name: whole
  propagateSkip: false
  custom:
    strategy: Batch
    requiredColumns: [fragile, text]
    starlark:
      source: |
        def generate(rows):
            return [{"_row": row["_row"], "whole": "%d of %d" % (i, len(rows))} for i, row in enumerate(rows)]
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: ROWS, maxRowAttempts: 1, earlyShutdown: {policy: Disabled}}
`

// P12: a column for all rows of a row group of 8000, of which none or half are lost before. What a row costs depends on neither.
func TestAWholeColumnOfALargeRowGroup(t *testing.T) {
	// Nothing else runs in this process: the test is not parallel.
	for name, test := range map[string]struct {
		expression string
		lost       int
	}{
		"no row is lost":        {"{{ n }}", 0},
		"half of them are lost": {"{{ n if n % 2 == 0 else 1 // 0 }}", 2},
	} {
		t.Run(name, func(t *testing.T) {
			var small, large [3]float64
			for _, of := range []struct {
				rows int
				cost *[3]float64
			}{{2000, &small}, {8000, &large}} {
				before := costOf(t, 0)
				makeWhole(t, of.rows, test.expression, test.lost)
				of.cost[0], of.cost[1], of.cost[2] = costOf(t, int64(of.rows)).since(before)
				t.Logf("%d rows: %.0f objects, %.0f bytes and %.0f ns of processor time a row", of.rows, of.cost[0], of.cost[1], of.cost[2])
			}
			// What grows with the rows that there are would be four times its own.
			if large[0] > 1.3*small[0] || large[1] > 1.3*small[1] || large[2] > 2.5*small[2] {
				t.Errorf("a row costs %.0f of 8000 rows, and %.0f of 2000", large, small)
			}
		})
	}
}

// makeWhole makes a dataset of wholeSpec in which each so many-th row is lost; 0 is none.
func makeWhole(t *testing.T, rows int, expression string, lost int) {
	t.Helper()
	server := simtest.Serve(t, llmsim.New(llmsim.Config{}, llmsim.Limits{Records: 1, Prompts: 1}))
	w := newWorld(t, strings.NewReplacer("ROWS", fmt.Sprint(rows), "EXPRESSION", expression).Replace(wholeSpec), server.Endpoint())
	var seed strings.Builder
	seed.WriteString("n\n")
	for n := range 16 {
		fmt.Fprintln(&seed, n)
	}
	if err := os.WriteFile(filepath.Join(w.seeds, "seed.csv"), []byte(seed.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	outcome, reason, dropped := runreport.OutcomeComplete, "", 0
	if lost > 0 {
		outcome, reason, dropped = runreport.OutcomePartial, v1alpha1.ReasonRowsDropped, rows/lost
	}
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, outcome, reason, 0, int64(rows-dropped), int64(dropped))
	_, made := w.rows()
	if counters := server.Counters(); counters.Requests != rows/16 || len(made) != rows-dropped {
		t.Fatalf("%d requests made %d rows", counters.Requests, len(made))
	}
	for i, row := range made {
		if want := fmt.Sprintf("%d of %d", i, len(made)); row[len(row)-1] != want || (row[2] == nil) != (row[0] != int64(0)) {
			t.Fatalf("row %d is %v, want %s at its end", i, row, want)
		}
	}
}
