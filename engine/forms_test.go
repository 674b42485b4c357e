package engine_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

const formsBesideAFilter = `
- {name: before, schemaTransform: {template: {id: "{{ id }}"}}}
- name: few
  starlark:
    stage: AfterGeneration
    source: |
      def process(rows):
          return [dict(r, text="kept: " + r["text"]) for r in rows if r["_row"] % 10 == 0]
- {name: after, schemaTransform: {template: {id: "{{ id }}", text: "{{ text }}"}}}
- {name: some, schemaTransform: {template: {id: "{{ id }}"}, when: "{{ id == 'row 10.' }}"}}
- name: dropped
  dropColumns: {columnNames: [text]}
`

// A form has the rows that there are at its place in the list.
func TestFormsBesideAFilter(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, numberedSpec+formsBesideAFilter, server.URL+"/v1")
	w.spec.NumRecords = 15
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 2, 0)
	w.spec.NumRecords = 30 // what is added has its forms too
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", 0, 3, 0)
	if _, rows := w.rowsIn("processors-files/before"); len(rows) != 30 {
		t.Errorf("the form before the filter has %d rows, want 30", len(rows))
	}
	var want [][]any
	for row := 0; row < 30; row += 10 {
		want = append(want, []any{fmt.Sprintf("row %d.", row), fmt.Sprintf("kept: answer to about row %d.", row)})
	}
	_, rows := w.rowsIn("processors-files/after")
	if difference := cmp.Diff(want, rows); difference != "" {
		t.Error(difference)
	}
	_, rows = w.rowsIn("processors-files/some")
	if difference := cmp.Diff([][]any{{"row 10."}}, rows); difference != "" {
		t.Error(difference)
	}
	preview, err := engine.Preview(t.Context(), w.config(0), 12)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, form := range preview.Dataset.Forms {
		counts[form.Processor] = len(form.Rows)
	}
	if difference := cmp.Diff(map[string]int{"before": 12, "after": 2, "some": 1}, counts); difference != "" {
		t.Error(difference)
	}
}
