package engine_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// conformanceSpec is what the specs of TestBothExecutorsMakeTheSameDataset have in common. The last column makes the run sync when RESIZE
// is true; it returns every row as it is.
const conformanceSpec = `
numRecords: 45
randomSeed: 11
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: writer, provider: local, model: conformance/writer, maxParallelRequests: 4, parameters: {maxTokens: 8}}
- {alias: judge, provider: local, model: conformance/judge, maxParallelRequests: 2, parameters: {maxTokens: 8}}
seed: {configMap: {name: s, key: seed.csv}, order: Shuffled}
columns:
- {name: id, sampler: {type: UUID}}
- {name: stars, sampler: {type: Uniform, uniform: {low: 1, high: 6}, convertTo: int}}
COLUMNS
- name: same
  allowResize: RESIZE
  custom: {strategy: Batch, type: int, starlark: {source: "def generate(rows):\n  return [{'_row': r['_row'], 'same': 1} for r in rows]\n"}}
PROCESSORS
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10RUN}
`

// doubled is a custom column.
const doubled = `custom: {strategy: Batch, type: int, requiredColumns: [stars, review],
    starlark: {
    source: "def generate(rows):\n  return [{'_row': r['_row'], 'double': 2 * r['stars'] * len(rows) // len(rows)} for r in rows]\n"}}`

type conformance struct {
	columns []string
	// processors is the part of the spec with that name; it may be empty.
	processors string
	run        string
	faults     []llmsim.Fault
	// check looks at what one of the executors has made. It may be nil.
	check func(t *testing.T, made dataset)
}

// dataset is what a run leaves behind, as far as both executors must agree on it.
type dataset struct {
	Names    []string
	Rows     [][]any
	Dropped  [][]any
	Keys     []string
	Schema   any
	Counts   map[string]cellCounts
	Records  runreport.Records
	Requests map[string]int
	Reasons  []runreport.Drop
	warnings int
}

type cellCounts struct{ Succeeded, Failed, Dropped, Skipped int64 }

const review = `- {name: review, llmText: {model: writer, prompt: "review {{ title }} with {{ stars }} stars {{ id }}"}}`

var conformances = map[string]conformance{
	"seeds, samplers, a chain of models and expressions": {columns: []string{
		`- {name: headline, expression: {expr: "{{ verdict | upper }} {{ title }}"}}`,
		`- {name: verdict, llmText: {model: judge, prompt: "judge {{ review }}", systemPrompt: "{{ year }}"}}`, review,
		`- {name: double, ` + doubled + `}`,
	}, check: func(t *testing.T, made dataset) {
		if made.Requests["conformance/writer"] != 45 || made.Requests["conformance/judge"] != 45 {
			t.Errorf("requests: %v", made.Requests)
		}
	}},
	"documents, code and judgements, which templates reach into": {columns: []string{
		`- {name: product, llmStructured: {model: writer, prompt: "invent {{ id }}", trace: AllMessages, schema: {type: object, required: [name, tags], properties: {name: {type: string}, tags: {type: array, minItems: 1, items: {type: string}}}}}}`,
		`- {name: code, llmCode: {model: writer, language: go, prompt: "price {{ product.tags[0] }} {{ product.name }}"}}`,
		`- {name: verdict, skip: {when: "{{ stars > 3 }}"}, llmJudge: {model: judge, prompt: "judge {{ code }}", scores: [{name: fit, description: Does it fit, options: {"1": bad, "2": good}}]}}`,
		`- {name: score, expression: {expr: "{{ verdict.fit.score }}", type: int}}`,
		`- {name: review, expression: {expr: "{{ product__trace | length }}"}}`,
	}, check: func(t *testing.T, made dataset) {
		judged := made.count(func(row map[string]any) bool { score := row["score"]; return score == int64(1) || score == int64(2) })
		if expected := made.count(func(row map[string]any) bool { return row["stars"].(int64) <= 3 }); judged != expected || judged == 0 {
			t.Errorf("%d rows have a score, want %d", judged, expected)
		}
	}},
	"a condition on a sampler, with a value": {columns: []string{
		`- {name: review, skip: {when: "{{ stars > 2 }}", value: "none"}, llmText: {model: writer, prompt: "review {{ id }}"}}`,
	}, check: func(t *testing.T, made dataset) {
		skipped := made.count(func(row map[string]any) bool { return row["review"] == "none" })
		expected := made.count(func(row map[string]any) bool { return row["stars"].(int64) > 2 })
		if skipped != expected || skipped == 0 || int64(skipped) != made.Counts["review"].Skipped {
			t.Errorf("%d cells are skipped, %d should be, %d are counted", skipped, expected, made.Counts["review"].Skipped)
		}
		if made.Requests["conformance/writer"] != 45-skipped {
			t.Errorf("%d requests were sent for %d cells", made.Requests["conformance/writer"], 45-skipped)
		}
	}},
	"skips propagate along data, not along conditions": {columns: []string{
		`- {name: review, skip: {when: "{{ year < 1980 }}"}, llmText: {model: writer, prompt: "review {{ id }}"}}`,
		`- {name: upper, expression: {expr: "{{ review | upper }}"}}`,
		`- {name: verdict, llmText: {model: judge, prompt: "judge {{ upper }}", extractReasoning: true}}`,
		`- {name: thought, expression: {expr: "{{ verdict__reasoning_content is none }}"}}`,
		`- {name: always, propagateSkip: false, expression: {expr: "{{ review is none }}", type: bool}}`,
		`- {name: instead, skip: {when: "{{ review is not none }}", value: 0}, expression: {expr: "{{ stars }}", type: int}}`,
		`- {name: double, skip: {when: "{{ stars == 1 }}", value: -1}, ` + doubled + `}`,
	}, check: func(t *testing.T, made dataset) {
		for i := range made.Rows {
			row := made.row(i)
			old := row["year"].(int64) < 1980
			for _, name := range []string{"review", "upper", "verdict", "thought"} {
				if (row[name] == nil) != old {
					t.Errorf("row %d of %v: %s is %v", i, row["year"], name, row[name])
				}
			}
			if row["always"] != old || (row["instead"] == row["stars"]) != old || (row["double"] == int64(-1)) != (old || row["stars"] == int64(1)) {
				t.Errorf("row %d is %v", i, row)
			}
		}
		if counts := made.Counts; counts["always"].Skipped != 0 || counts["verdict"].Skipped == 0 || counts["verdict"] != counts["upper"] || counts["instead"].Skipped+counts["review"].Skipped != 45 {
			t.Errorf("counts: %v", counts)
		}
		if made.Requests["conformance/judge"] != made.Requests["conformance/writer"] {
			t.Errorf("requests: %v", made.Requests)
		}
	}},
	"a condition that fails skips, and is told once": {columns: []string{
		`- {name: review, skip: {when: "{{ 1 / (stars - 2) > 100 }}"}, llmText: {model: writer, prompt: "review {{ id }}"}}`,
		`- {name: local, skip: {when: "{{ stars.nothing.at.all }}"}, expression: {expr: x}}`,
	}, check: func(t *testing.T, made dataset) {
		for i := range made.Rows {
			if row := made.row(i); (row["review"] == nil) != (row["stars"] == int64(2)) || row["local"] != nil {
				t.Errorf("row %d is %v", i, row)
			}
		}
		if made.warnings != 2 {
			t.Errorf("%d warnings for two columns", made.warnings)
		}
	}},
	"everything is skipped": {columns: []string{
		`- {name: review, skip: {when: "{{ title }}", value: 1}, llmText: {model: writer, prompt: "review {{ id }}"}}`,
		`- {name: verdict, skip: {when: "{% if title %}True{% endif %}"}, llmText: {model: judge, prompt: "judge"}}`,
		`- {name: double, skip: {when: "{{ title }}", value: 7}, ` + doubled + `}`,
	}, check: func(t *testing.T, made dataset) {
		if len(made.Requests) > 0 || made.Counts["double"] != (cellCounts{Skipped: 45}) || made.row(44)["review"] != "1" || made.row(0)["double"] != int64(7) {
			t.Errorf("requests %v, counts %v", made.Requests, made.Counts)
		}
	}},
	"columns are dropped, with their side effects": {columns: []string{
		`- {name: review, drop: true, skip: {when: "{{ stars == 1 }}"}, llmText: {model: writer, trace: AllMessages, prompt: "review {{ id }}"}}`,
		`- {name: verdict, llmText: {model: judge, prompt: "judge {{ review }}", trace: LastMessage}}`,
		`- {name: key, drop: true, expression: {expr: "{{ id }}"}}`,
	}, check: func(t *testing.T, made dataset) {
		if want := []string{"title", "year", "id", "stars", "verdict", "verdict__trace", "same"}; !slices.Equal(made.Names, want) {
			t.Errorf("the columns are %v", made.Names)
		}
		for i := range made.Rows {
			if row := made.row(i); (row["verdict__trace"] == nil) != (row["verdict"] == nil) || (row["verdict"] == nil) != (row["stars"] == int64(1)) {
				t.Errorf("row %d is %v", i, row)
			}
		}
		for i, row := range made.Dropped {
			if (row[1] == nil) != (row[0] == nil) {
				t.Errorf("row %d of the dropped columns is %v", i, row)
			}
			if row[len(row)-1] != made.row(i)["id"] {
				t.Errorf("row %d of the dropped columns is %v, and of the dataset %v", i, row, made.row(i))
			}
		}
	}},
	"dropped columns are not kept": {columns: []string{review, `- {name: key, drop: true, expression: {expr: "{{ id }}"}}`}, run: ", preserveDroppedColumns: false",
		check: func(t *testing.T, made dataset) {
			if len(made.Dropped) > 0 {
				t.Errorf("%d rows of them are kept", len(made.Dropped))
			}
		}},
	"processors see what was skipped": {columns: []string{
		`- {name: review, skip: {when: "{{ stars > 102 }}"}, llmText: {model: writer, prompt: "review {{ id }}"}}`,
		`- {name: upper, expression: {expr: "{{ review | upper }}"}}`,
	}, processors: `processors:
- {name: raise, starlark: {stage: PreBatch, source: "def process(rows):\n  return [dict(r, stars=r['stars'] + 100) for r in rows]\n"}}
- {name: mark, starlark: {stage: PostBatch, source: "def process(rows):\n  return [dict(r, upper=r['upper'] or 'NOTHING') for r in rows]\n"}}
- {name: less, dropColumns: {columnNames: ["i*"]}}
`, check: func(t *testing.T, made dataset) {
		skipped := 0
		for i := range made.Rows {
			row := made.row(i)
			if row["stars"].(int64) > 102 {
				skipped++
			}
			if (row["upper"] == "NOTHING") != (row["stars"].(int64) > 102) || (row["review"] == nil) != (row["upper"] == "NOTHING") {
				t.Errorf("row %d is %v", i, row)
			}
		}
		if int64(skipped) != made.Counts["upper"].Skipped || skipped == 0 || len(made.Dropped) != 45 || slices.Contains(made.Names, "id") {
			t.Errorf("%d are skipped, %d rows of dropped columns, counts %v, columns %v", skipped, len(made.Dropped), made.Counts, made.Names)
		}
	}},
	"requests are sent again": {columns: []string{review}, faults: []llmsim.Fault{
		{Kind: llmsim.FaultStatus, Status: 503, FromRequest: 2, Every: 3, ToRequest: 20}, {Kind: llmsim.FaultTruncatedBody, FromRequest: 3, ToRequest: 7},
	}},
	"rows are started again with fresh draws": {
		columns: []string{review, `- {name: verdict, skip: {when: "{{ stars > 3 }}"}, llmText: {model: judge, prompt: "judge {{ review }}"}}`}, run: ", maxRowAttempts: 6",
		faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, Probability: 0.3}},
	},
	"rows are dropped": {
		columns: []string{
			review, `- {name: double, ` + doubled + `}`, `- {name: verdict, skip: {when: "{{ stars > 3 }}"}, llmText: {model: judge, prompt: "judge {{ review }}"}}`,
		},
		run:    ", maxRowAttempts: 1, earlyShutdown: {policy: Disabled}",
		faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid, Probability: 0.3}},
		check: func(t *testing.T, made dataset) {
			if made.Records.Dropped == 0 || len(made.Reasons) != 2 || made.Counts["verdict"].Dropped == 0 || made.Counts["review"].Dropped == 0 {
				t.Errorf("nothing was dropped: %+v", made)
			}
		},
	},
}

func (d dataset) row(i int) map[string]any {
	row := map[string]any{}
	for position, name := range d.Names {
		row[name] = d.Rows[i][position]
	}
	return row
}

func (d dataset) count(holds func(row map[string]any) bool) (count int) {
	for i := range d.Rows {
		if holds(d.row(i)) {
			count++
		}
	}
	return count
}

func TestBothExecutorsMakeTheSameDataset(t *testing.T) {
	for name, test := range conformances {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			async, sync := test.make(t, false), test.make(t, true)
			// The order in which requests are sent decides which of them fail, where faults go by number.
			if len(test.faults) > 0 && test.faults[0].FromRequest > 0 {
				async.Requests, sync.Requests = nil, nil
			}
			if difference := cmp.Diff(async, sync, cmpopts.IgnoreUnexported(dataset{})); difference != "" {
				t.Errorf("async and sync differ:\n%s", difference)
			}
			for mode, made := range map[string]dataset{"async": async, "sync": sync} {
				t.Run(mode, func(t *testing.T) {
					made.checkCounts(t)
					if test.check != nil {
						test.check(t, made)
					}
				})
			}
		})
	}
}

// TestBothExecutorsEndAlike compares how runs end that don't make their dataset.
func TestBothExecutorsEndAlike(t *testing.T) {
	broken := `- {name: broken, custom: {strategy: Batch, requiredColumns: [review],
    starlark: {source: "def generate(rows):\n  return 1 // 0\n"}}}`
	for name, test := range map[string]struct {
		conformance
		outcome runreport.Outcome
		reason  string
	}{
		"a key that is refused": {conformance{columns: []string{review}, faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 401}}},
			runreport.OutcomeFailed, v1alpha1.ReasonModelAuthentication},
		"code that fails": {conformance{columns: []string{review, broken}}, runreport.OutcomeFailed, v1alpha1.ReasonCustomCodeError},
		"every row is dropped": {conformance{columns: []string{review}, run: ", maxRowAttempts: 1, earlyShutdown: {policy: Disabled}", faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid}}},
			runreport.OutcomeFailed, v1alpha1.ReasonNoRecords},
		"a column that always fails": {conformance{columns: []string{review}, run: ", maxRowAttempts: 1", faults: []llmsim.Fault{{Kind: llmsim.FaultInvalid}}},
			runreport.OutcomeFailed, v1alpha1.ReasonEarlyShutdown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endings := map[string]runreport.Result{}
			keys := map[string][]string{}
			for _, sync := range []bool{false, true} {
				w, ending, _, _ := test.generate(t, sync)
				endings[ending.Result.Mode] = ending.Result
				keys[ending.Result.Mode] = keysOf("", w.metadata())
				if ending.Result.Outcome != test.outcome || ending.Result.Reason != test.reason || ending.ExitCode == runreport.ExitOK ||
					w.succeeded() {
					t.Errorf("as %s it ended with exit code %d: %s, %s: %s", ending.Result.Mode, ending.ExitCode, ending.Result.Outcome,
						ending.Result.Reason, ending.Result.Message)
				}
				if records := ending.Result.Records; records.Actual+records.Dropped+records.Missing != records.Target {
					t.Errorf("as %s it counts %+v", ending.Result.Mode, records)
				}
			}
			if len(endings) != 2 {
				t.Errorf("it ran as %v", endings)
			}
			top := func(key string) bool { return strings.Count(key, ".") > 1 }
			if difference := cmp.Diff(slices.DeleteFunc(keys["Async"], top), slices.DeleteFunc(keys["Sync"], top)); difference != "" {
				t.Errorf("the metadata of async and sync differ:\n%s", difference)
			}
		})
	}
}

// checkCounts checks that every cell of every column is counted once.
func (d dataset) checkCounts(t *testing.T) {
	t.Helper()
	if d.Records.Actual != int64(len(d.Rows)) || d.Records.Actual+d.Records.Dropped != d.Records.Target {
		t.Errorf("records %+v, and %d rows", d.Records, len(d.Rows))
	}
	for name, counts := range d.Counts {
		if counts.Succeeded+counts.Skipped != d.Records.Actual || counts.Failed+counts.Dropped != d.Records.Dropped {
			t.Errorf("column %s counts %+v for %+v", name, counts, d.Records)
		}
	}
}

// generate runs the spec of a case in one of the modes, and returns what it has logged too.
func (c conformance) generate(t *testing.T, sync bool) (w *world, ending engine.Ending, server *simtest.Server, log string) {
	t.Helper()
	server = simtest.Start(t, llmsim.Config{Faults: c.faults})
	text := strings.NewReplacer("COLUMNS", strings.Join(c.columns, "\n"), "RESIZE", fmt.Sprint(sync), "RUN", c.run, "PROCESSORS",
		c.processors).Replace(conformanceSpec)
	w = newWorld(t, text, server.Endpoint())
	var lines bytes.Buffer
	config := w.config(0)
	config.Logger = slog.New(slog.NewTextHandler(&lines, nil))
	ending = engine.Generate(t.Context(), config)
	if mode := map[bool]string{false: "Async", true: "Sync"}[sync]; ending.Result.Mode != mode {
		t.Fatalf("it ran as %s", ending.Result.Mode)
	}
	return w, ending, server, lines.String()
}

// make returns what the spec of a case makes in one of the modes.
func (c conformance) make(t *testing.T, sync bool) dataset {
	t.Helper()
	w, ending, server, log := c.generate(t, sync)
	if ending.ExitCode != runreport.ExitOK {
		t.Fatalf("it ended as %+v", ending.Result)
	}
	metadata := w.metadata()
	made := dataset{
		Keys: keysOf("", metadata), Schema: metadata["schema"], Records: ending.Result.Records, Counts: map[string]cellCounts{}, Requests: map[string]int{},
		Reasons: ending.Result.Dropped, warnings: strings.Count(log, "skip.when fails"),
	}
	made.Names, made.Rows = w.rows()
	_, made.Dropped = w.rowsIn("dropped-columns-parquet-files")
	for _, column := range ending.Result.Columns {
		made.Counts[column.Name] = cellCounts{column.Succeeded, column.Failed, column.Dropped, column.Skipped}
	}
	for name, counts := range server.Counters().Models {
		if counts.Requests > 0 {
			made.Requests[name] = counts.Requests
		}
	}
	return made
}

// keysOf are the paths of all members of a document.
func keysOf(path string, document any) []string {
	keys := map[string]bool{}
	switch typed := document.(type) {
	case map[string]any:
		for name, member := range typed {
			keys[path+"."+name] = true
			for _, key := range keysOf(path+"."+name, member) {
				keys[key] = true
			}
		}
	case []any:
		for _, item := range typed {
			for _, key := range keysOf(path+"[]", item) {
				keys[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
