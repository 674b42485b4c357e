package engine_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/internal/runreport"
)

// skipSpec leaves out the cells of a model, and what is made of them.
const skipSpec = `
numRecords: 45
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 6}, convertTo: int}}
- {name: review, skip: {when: "{{ stars > 3 }}", value: none}, llmText: {model: writer, prompt: "review {{ id }}"}}
- {name: verdict, llmText: {model: writer, prompt: "judge {{ review }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

func skippedOf(result runreport.Result, name string) int64 {
	for _, column := range result.Columns {
		if column.Name == name {
			return column.Skipped
		}
	}
	return -1
}

func countEqual(rows [][]any, position int, value any) (count int64) {
	for _, row := range rows {
		if row[position] == value {
			count++
		}
	}
	return count
}

// A run that is stopped in its middle, and goes on, and is then extended, skips the same cells as one that ran through.
func TestSkipsAreTheSameAfterARestart(t *testing.T) {
	whole := newEndpoint(t, echo)
	through := newWorld(t, strings.Replace(skipSpec, "numRecords: 45", "numRecords: 58", 1), whole.URL)
	checkEnding(t, through.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 58, 0)

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var answered atomic.Int64
	server := newEndpoint(t, func(prompt string, before int) (int, string) {
		if answered.Add(1) == 20 {
			stop()
		}
		return echo(prompt, before)
	})
	w := newWorld(t, skipSpec, server.URL)
	if ending := w.generate(ctx, 0); ending.Result.Outcome != runreport.OutcomeInterrupted {
		t.Fatalf("the first part ended as %+v", ending.Result)
	}
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 45, 0)
	w.spec.NumRecords = 58
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, 58, 0)
	_, want := through.rows()
	_, got := w.rows()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("the rows differ:\n%s", difference)
	}
	skipped := countEqual(got, 2, "none")
	if skipped == 0 || skippedOf(ending.Result, "review") != skipped || skippedOf(ending.Result, "verdict") != skipped ||
		countEqual(got, 3, nil) != skipped {
		t.Errorf("%d cells are skipped; counted are %+v", skipped, ending.Result.Columns)
	}
	columns, _ := w.metadata()["columns"].([]any)
	review, _ := columns[2].(map[string]any)
	if review["skipped"] != float64(skipped) || review["succeeded"] != float64(58-skipped) {
		t.Errorf("metadata says %v", review)
	}
	if _, all := whole.sent(); int64(all) != 2*(58-skipped) {
		t.Errorf("%d requests were sent for %d cells that are not skipped", all, 2*(58-skipped))
	}
}

// Rows in which a column that may resize is skipped stay as they are, each in its place.
func TestASkippedRowIsNotResized(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, strings.Replace(skipSpec, "- {name: verdict", `- name: twice
  allowResize: true
  skip: {when: "{{ stars == 1 }}", value: -1}
  custom: {strategy: Batch, type: int, requiredColumns: [stars],
    starlark: {source: "def generate(rows):\n  return [{'_row': r['_row'], 'twice': i} for r in rows for i in range(2)]\n"}}
- {name: verdict`, 1), server.URL)
	ending := w.generate(t.Context(), 0)
	names, rows := w.rows()
	position := slices.Index(names, "twice")
	skipped := countEqual(rows, position, int64(-1))
	if records := ending.Result.Records; ending.Result.Outcome != runreport.OutcomeComplete || skipped == 0 ||
		records.Actual != 2*45-skipped || records.Added != 45-skipped {
		t.Fatalf("%d rows are skipped, and the run ended as %+v", skipped, ending.Result)
	}
	if skippedOf(ending.Result, "twice") != skipped {
		t.Errorf("%d rows are skipped; counted are %+v", skipped, ending.Result.Columns)
	}
	for i := 0; i < len(rows); i++ {
		stars, value := rows[i][1], rows[i][position]
		if (stars == int64(1)) != (value == int64(-1)) {
			t.Errorf("row %d has %v stars and %v", i, stars, value)
		}
		if value == int64(0) {
			if next := rows[i+1]; next[position] != int64(1) || next[0] != rows[i][0] {
				t.Errorf("row %d was doubled, and is followed by %v", i, next)
			}
		}
	}
}

// Of ten cells nine are skipped, and the tenth fails always: the run ends early all the same, and says so of the column.
func TestSkipsDoNotHideAColumnThatAlwaysFails(t *testing.T) {
	server := newEndpoint(t, func(string, int) (int, string) { return http.StatusOK, "" })
	w := newWorld(t, strings.NewReplacer("numRecords: 45", "numRecords: 2000", "{{ stars > 3 }}", "{{ stars < 5 }}", "rowGroupSize: 10",
		"rowGroupSize: 1000, maxRowAttempts: 1, maxConversationRestarts: 0").Replace(skipSpec), server.URL)
	ending := w.generate(t.Context(), 0)
	if _, all := server.sent(); ending.Result.Reason != "EarlyShutdown" || all > 60 {
		t.Errorf("after %d requests the run ended with %q: %s", all, ending.Result.Reason, ending.Result.Message)
	}
}
