package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/internal/runreport"
)

// sampledSpec has nothing but sampled columns: some that are drawn at once, and some row by row: those that read others, and those
// of kinds that are drawn at once where constraints and conditions do not decide what is drawn.
const sampledSpec = `
numRecords: 1234
randomSeed: 7
columns:
- {name: id, sampler: {type: UUID}}
- {name: kind, sampler: {type: Category, category: {values: [book, film]}}}
- name: genre
  sampler: {type: Subcategory, subcategory: {category: kind, values: [{of: book, values: [novel, essay]}, {of: film, values: [noir]}]}}
- {name: price, sampler: {type: Uniform, uniform: {low: 1, high: 100, decimalPlaces: 2}}}
- {name: count, sampler: {type: Gaussian, gaussian: {mean: 10, stddev: 2}, convertTo: int}}
- {name: rare, sampler: {type: Category, category: {values: [1]}, conditional: [{when: "{{ price > 90 }}", parameters: {values: [2, 3]}}]}}
- name: weight
  sampler:
    {type: Gaussian, gaussian: {mean: 5, stddev: 1}, conditional: [{when: "{{ kind == 'film' }}", parameters: {mean: 1, stddev: 0.1}}]}
- {name: rebate, sampler: {type: Uniform, uniform: {low: 0, high: 50}}}
- {name: shelf, sampler: {type: Category, category: {values: [a, b, c]}}}
- {name: code, sampler: {type: UUID, uuid: {length: 8}}}
- {name: secret, drop: true, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}
- {name: sold, sampler: {type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}}}
- {name: sent, sampler: {type: TimeDelta, timeDelta: {from: sold, min: 0, max: 9}}}
constraints:
- {column: rebate, operator: LessThan, otherColumn: price}
- {column: shelf, operator: NotEqual, value: b}
- {column: code, operator: LessThan, value: "8"}
- {column: count, operator: LessThanOrEqual, value: 11}
- {column: weight, operator: GreaterThan, value: 1}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 100, rowColumn: Enabled}
`

// One sampler in sampledSpec fails in half of all draws, so that every row group has to be made row by row, and rows are dropped.
var failingSpec = strings.Replace(sampledSpec, "- {name: sold",
	"- {name: heavy, sampler: {type: Distribution, distribution: {name: pareto, parameters: {b: 0.001}}}}\n- {name: sold", 1)

// sampledDataset is what is made of a spec, row by row where it is traced.
type sampledDataset struct {
	Names, DroppedNames []string
	Rows, DroppedRows   [][]any
	Result              runreport.Records
}

func makeSampled(t *testing.T, spec, settings string) sampledDataset {
	t.Helper()
	w := newWorld(t, strings.Replace(spec, "rowColumn: Enabled", "rowColumn: Enabled"+settings, 1), "")
	if err := os.WriteFile(filepath.Join(w.seeds, "rows.csv"), []byte(seedOf(900)), 0o600); err != nil {
		t.Fatal(err)
	}
	made := sampledDataset{Result: w.generate(t.Context(), 0).Result.Records}
	made.Names, made.Rows = w.rows()
	made.DroppedNames, made.DroppedRows = w.rowsIn("dropped-columns-parquet-files")
	return made
}

// How a row group is made is not to be told from the dataset.
func TestSampledColumnsAreTheSameAtOnceAndRowByRow(t *testing.T) {
	for name, spec := range map[string]string{"all rows": sampledSpec, "rows that fail": failingSpec} {
		t.Run(name, func(t *testing.T) {
			atOnce, rowByRow := makeSampled(t, spec, ""), makeSampled(t, spec, ", trace: Enabled")
			if difference := cmp.Diff(rowByRow, atOnce); difference != "" {
				t.Error(difference)
			}
			failed := spec == failingSpec
			if made := atOnce.Result; made.Actual+made.Dropped != 1234 || (made.Dropped > 0) != failed || len(atOnce.Rows) != int(made.Actual) {
				t.Errorf("%d rows were made, %d dropped, and %d are in the dataset", made.Actual, made.Dropped, len(atOnce.Rows))
			}
		})
	}
}

// seedOf is a seed with columns of several types, and cells that are empty.
func seedOf(rows int) string {
	var text strings.Builder
	text.WriteString("title,cost,stock,since\n")
	for row := range rows {
		fmt.Fprintf(&text, "\"title, %d\",%d.50,%d,2026-01-%02d\n", row, row%3, row*row, 1+row%28)
		text.WriteString(",,,\n")
	}
	return text.String()
}

// Columns of the seed stand beside those that are drawn, some of which read what the file says.
func TestColumnsOfTheSeedAreTheSameAtOnceAndRowByRow(t *testing.T) {
	for name, seed := range map[string]string{
		"in order": "", "shuffled": ", order: Shuffled", "several rows for each": ", rowsPerSeedRow: {sampler: {type: Poisson, poisson: {mean: 3}}, numberColumn: nth}",
	} {
		spec := strings.Replace(sampledSpec, "columns:", "seed: {configMap: {name: s, key: rows.csv}"+seed+"}\ncolumns:\n"+
			"- {name: odd, sampler: {type: Category, category: {values: [1]}, conditional: [{when: \"{{ cost | string == '1.50' }}\", parameters: "+
			"{values: [2]}}]}}", 1)
		for _, spec := range []string{spec, strings.Replace(spec, "- {name: sold",
			"- {name: heavy, sampler: {type: Distribution, distribution: {name: pareto, parameters: {b: 0.001}}}}\n- {name: sold", 1)} {
			t.Run(name, func(t *testing.T) {
				atOnce, rowByRow := makeSampled(t, spec, ""), makeSampled(t, spec, ", trace: Enabled")
				if difference := cmp.Diff(rowByRow, atOnce); difference != "" {
					t.Error(difference)
				}
				position := slices.Index(atOnce.Names, "odd")
				isTwo := func(row []any) bool { return row[position] == int64(2) }
				if made := atOnce.Result; made.Actual+made.Dropped != 1234 || !slices.ContainsFunc(atOnce.Rows, isTwo) {
					t.Errorf("%+v were made, with rows that read the seed: %t", made, slices.ContainsFunc(atOnce.Rows, isTwo))
				}
			})
		}
	}
}

// A sampled dataset that was cut off is completed: the row groups that are there stay as they are.
func TestASampledDatasetIsContinued(t *testing.T) {
	w := newWorld(t, sampledSpec, "")
	for _, w.spec.NumRecords = range []int64{250, 1234} {
		ending := w.generate(t.Context(), 0)
		checkEnding(t, ending, runreport.OutcomeComplete, "", runreport.ExitOK, w.spec.NumRecords, 0)
	}
	_, rows := w.rows()
	if difference := cmp.Diff(makeSampled(t, sampledSpec, "").Rows, rows); difference != "" {
		t.Error(difference)
	}
}
