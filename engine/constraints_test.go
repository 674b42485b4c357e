package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

// constrainedSpec has two columns of which the one must be below the other, so that half of their draws are accepted, one that is bounded,
// of whose draws a fifth are, and one without constraints.
const constrainedSpec = `
numRecords: 3000
randomSeed: 5
columns:
- {name: low, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}
- {name: high, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}
- {name: bounded, sampler: {type: Uniform, uniform: {low: 0, high: 5}}}
- {name: free, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}
constraints:
- {column: low, operator: LessThan, otherColumn: high}
- {column: bounded, operator: LessThan, value: 1}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 500}
`

// drawsIn are the counts of draws by their columns.
func drawsIn(columns []runreport.Column) map[string]runreport.Draws {
	draws := map[string]runreport.Draws{}
	for _, column := range columns {
		if column.Name != "part" {
			draws[column.Name] = column.Draws
		}
	}
	return draws
}

// TestTheDrawsOfConstrainedColumnsAreCounted runs column by column, row by row, in several shards, in one Pod after the other, and after an
// extension: the rows are the same, and so are the counts.
func TestTheDrawsOfConstrainedColumnsAreCounted(t *testing.T) {
	t.Parallel()
	sync := strings.Replace(constrainedSpec, "columns:\n", "columns:\n- "+strings.Replace(tripling, "range(3)", "range(1)", 1)+"\n", 1)
	traced := strings.Replace(constrainedSpec, "rowGroupSize: 500", "rowGroupSize: 500, trace: Enabled", 1)
	var want string
	for _, test := range []struct {
		name, spec string
		shards     int32
		first      int64
	}{
		{"column by column", constrainedSpec, 1, 0},
		{"row by row", traced, 1, 0},
		{"in batches", sync, 1, 0},
		{"in shards", constrainedSpec, 3, 0},
		{"extended", constrainedSpec, 1, 1250},
	} {
		w := newWorld(t, test.spec, "")
		w.shards = test.shards
		if test.first > 0 {
			w.spec.NumRecords = test.first
			checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, test.first, 0)
			w.spec.NumRecords = 3000
		}
		var all []runreport.Column
		for shard := range test.shards {
			ending := w.generate(t.Context(), shard)
			all = runreport.AddColumns(all, ending.Result.Columns...)
		}
		draws := drawsIn(all)
		got := fmt.Sprint(draws)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", test.name, got, want)
		}
		if rate := draws["low"].Rate(); draws["low"].Accepted != 3000 || draws["low"] != draws["high"] || rate < 0.47 || rate > 0.53 {
			t.Errorf("%s: got %v", test.name, draws["low"])
		}
		if rate := draws["bounded"].Rate(); draws["bounded"].Accepted != 3000 || rate < 0.18 || rate > 0.22 || draws["free"] != (runreport.Draws{}) {
			t.Errorf("%s: got %v", test.name, draws)
		}
	}
}

func TestTheAcceptanceRateIsReported(t *testing.T) {
	t.Parallel()
	w := newWorld(t, constrainedSpec, "")
	ending, lines := w.logged(t.Context(), nil)
	bounded := drawsIn(ending.Result.Columns)["bounded"]
	last := lines[len(lines)-1]
	want := fmt.Sprintf("draws.bounded.accepted=3000 draws.bounded.rejected=%d draws.bounded.acceptanceRate=%.4g", bounded.Rejected,
		bounded.Rate())
	if !strings.Contains(last, want) || strings.Contains(last, "draws.free") {
		t.Errorf("the last line is %q, want %q in it", last, want)
	}
	w.described() // fits its schema
	for _, column := range w.metadata()["columns"].([]any) {
		column := column.(map[string]any)
		draws := column["draws"].(map[string]any)
		switch column["name"] {
		case "bounded":
			if draws["accepted"] != 3000.0 || draws["rejected"] != float64(bounded.Rejected) || draws["acceptance_rate"] != bounded.Rate() {
				t.Errorf("metadata.json has %v", draws)
			}
		case "free":
			if draws["accepted"] != 0.0 || draws["acceptance_rate"] != nil {
				t.Errorf("metadata.json has %v", draws)
			}
		}
	}
}
