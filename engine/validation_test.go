package engine_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/internal/runreport"
)

// judgedSpec judges two targets, of which the second one is the other way round, and drops every fifth row.
const judgedSpec = `
numRecords: 40
randomSeed: 5
columns:
- {name: number, sampler: {type: Sequence, sequence: {start: 0}}}
- {name: first, expression: {expr: "{{ '[1]' if number is even else '[1' }}"}}
- {name: second, expression: {expr: "{{ '[1' if number is even else '[' ~ number ~ ']' }}"}}
- name: kept
  validation:
    targets: [number]
    onInvalid: Drop
    expression: {expr: "{{ number % 5 != 0 }}", message: "{{ number }} is a multiple of five"}
- {name: check, validation: {targets: [first, second], code: {language: json}}}
- {name: code, validation: {targets: [number, check], starlark: {schema: {type: object, properties: {twice: {type: integer}}},
    source: "def validate(row):\n  return {'is_valid': row['check']['first']['is_valid'], 'twice': 2 * row['number']}"}}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 9}
`

// Each row has the verdicts on its own values, for each target and after rows were dropped before it.
func TestVerdictsAreThoseOfTheirRows(t *testing.T) {
	w := newWorld(t, judgedSpec, "")
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomePartial, "RowsDropped", runreport.ExitOK, 32, 8)
	_, rows := w.rows()
	if len(rows) != 32 {
		t.Fatalf("there are %d rows", len(rows))
	}
	for _, row := range rows {
		n, _ := row[0].(int64)
		isEven := n%2 == 0
		verdicts, _ := row[4].([]any)
		if got, want := []any{validOf(verdicts[0]), validOf(verdicts[1])}, []any{isEven, !isEven}; n%5 == 0 || !cmp.Equal(got, want) {
			t.Errorf("row %d has the verdicts %v", n, verdicts)
		}
		if want := []any{isEven, "", 2 * n}; !cmp.Equal(row[5], any(want)) {
			t.Errorf("row %d: the code says %v", n, row[5])
		}
	}
	var dropped struct {
		Reasons []struct{ Reason, Message string }
	}
	if reasons, err := json.Marshal(w.metadata()); err != nil || json.Unmarshal(reasons, &dropped) != nil ||
		!strings.Contains(string(reasons), "ValidationFailed") {
		t.Errorf("metadata does not say why rows are missing: %s, %v", reasons, err)
	}
}

// validOf is is_valid of a verdict.
func validOf(verdict any) any { return verdict.([]any)[0] }

func TestTheSampleOfValidationRuns(t *testing.T) {
	data, err := os.ReadFile("../config/samples/validation.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Spec json.RawMessage }
	if err := yaml.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, string(manifest.Spec), "")
	if ending := w.generate(t.Context(), 0); ending.Result.Records.Actual != 60 {
		t.Errorf("ended as %+v", ending.Result)
	}
}
