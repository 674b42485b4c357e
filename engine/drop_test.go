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

// The numbers of rows are in all files of the dataset, also where row groups are completed later, or made anew of others at the end.
func TestRowsHaveTheirNumbersWhereTheyAreWanted(t *testing.T) {
	for name, test := range map[string]struct {
		processors string
		want       []int64
	}{
		"as generated": {"", []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
		"filtered and doubled": {"processors:\n" + starlarkProcessor("few", "AfterGeneration", "FailRun",
			`return [r for r in rows for times in range(2) if r["_row"] % 5 == 0]`), []int64{0, 0, 5, 5, 10, 10, 15, 15}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newEndpoint(t, echo)
			w := newWorld(t, strings.Replace(dropSpec, "rowGroupSize: 10", "rowGroupSize: 10, rowColumn: Enabled", 1)+test.processors, server.URL)
			for _, w.spec.NumRecords = range []int64{15, 17} {
				ending := w.generate(t.Context(), 0)
				if ending.Result.Outcome != runreport.OutcomeComplete {
					t.Fatalf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
				}
			}
			if _, all := server.sent(); all != 17 {
				t.Errorf("%d requests were sent for 17 rows", all)
			}
			names, rows := w.rows()
			if !slices.Equal(names, []string{"_row", "id", "note"}) {
				t.Fatalf("the dataset has the columns %v", names)
			}
			dropped, secrets := w.rowsIn("dropped-columns-parquet-files")
			if !slices.Equal(dropped, []string{"_row", "secret", "secret__trace"}) || len(secrets) != len(rows) {
				t.Fatalf("the dropped columns are %v, of %d rows", dropped, len(secrets))
			}
			var numbers []int64
			for i, row := range rows {
				numbers = append(numbers, row[0].(int64))
				if secret, _ := secrets[i][1].(string); secrets[i][0] != row[0] || !strings.EqualFold(secret, row[2].(string)) {
					t.Errorf("row %d is %v, and its dropped columns are %v", i, row, secrets[i])
				}
			}
			if !slices.Equal(numbers, test.want) {
				t.Errorf("the numbers are %v, want %v", numbers, test.want)
			}
			if schema := w.metadata()["schema"].(map[string]any); schema["_row"] != "int64" {
				t.Errorf("the metadata says %v of the columns", schema)
			}
		})
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
