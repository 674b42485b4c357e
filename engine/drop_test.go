package engine_test

import (
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/runreport"
)

// dropSpec has a column that is not in the dataset, of which another one is made.
const dropSpec = `
numRecords: 15
randomSeed: 7
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: secret, drop: true, llmText: {model: writer, prompt: "about {{ id }}", trace: LastMessage}}
- {name: note, expression: {expr: "{{ secret | upper }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

// Half a row group is completed when more rows are asked for: what was dropped of its first half is not lost, and no request is sent again.
func TestDroppedColumnsSurviveARefill(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, dropSpec, server.URL)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 15, 0)
	w.spec.NumRecords = 20
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 20, 0)
	if different, all := server.sent(); different != 20 || all != 20 {
		t.Errorf("%d prompts were sent, %d of them different", all, different)
	}
	names, rows := w.rows()
	if !slices.Equal(names, []string{"id", "note"}) || len(rows) != 20 {
		t.Fatalf("the dataset has the columns %v and %d rows", names, len(rows))
	}
	dropped, secrets := w.rowsIn("dropped-columns-parquet-files")
	if !slices.Equal(dropped, []string{"secret", "secret__trace"}) || len(secrets) != 20 {
		t.Fatalf("the dropped columns are %v, of %d rows", dropped, len(secrets))
	}
	for i, row := range rows {
		if secret, _ := secrets[i][0].(string); !strings.EqualFold(secret, row[1].(string)) {
			t.Errorf("row %d has %v, but the dropped column %v", i, row[1], secrets[i][0])
		}
	}
}

func TestDroppedColumnsAreNotKeptWhereNobodyWantsThem(t *testing.T) {
	server := newEndpoint(t, echo)
	w := newWorld(t, strings.Replace(dropSpec, "rowGroupSize: 10", "rowGroupSize: 10, preserveDroppedColumns: false", 1), server.URL)
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 15, 0)
	w.spec.NumRecords = 20
	checkEnding(t, w.generate(t.Context(), 0), runreport.OutcomeComplete, "", runreport.ExitOK, 20, 0)
	if names, rows := w.rows(); !slices.Equal(names, []string{"id", "note"}) || len(rows) != 20 || rows[3][1] == nil {
		t.Errorf("the dataset has the columns %v and %d rows", names, len(rows))
	}
	if names, rows := w.rowsIn("dropped-columns-parquet-files"); len(names)+len(rows) > 0 {
		t.Errorf("the columns %v are kept", names)
	}
	if metadata := w.metadata(); metadata["preserve_dropped_columns"] != false {
		t.Errorf("got %v", metadata["preserve_dropped_columns"])
	}
}
