package engine_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/internal/runreport"
)

const categoriesSpec = `
numRecords: 400
randomSeed: 5
seed: {configMap: {name: cities, key: cities.csv}}
columns:
- {name: other_city, sampler: {type: Category, category: {valuesOf: city, weighting: Frequency}}}
- {name: any_city, sampler: {type: Category, category: {valuesOf: city}}}
- {name: score, sampler: {type: Category, category: {valuesOf: points, balance: Exact}}}
constraints:
- {column: other_city, operator: NotEqual, otherColumn: city}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 50}
`

// citiesFile has seven rows of Oslo to one of Turin and two of Porto, the last of which are further down than a small run reads.
var citiesFile = "city,points\n" + strings.Repeat("Oslo,1\n", 7) + "Turin,2.5\nPorto,1\nPorto,\n"

func withSeed(t *testing.T, w *world, name, content string, shard int32) engine.Config {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	config := w.config(shard)
	config.SeedDirectory = folder
	return config
}

func TestACategoryTakesTheValuesOfTheSeed(t *testing.T) {
	whole := newWorld(t, categoriesSpec, "")
	checkEnding(t, engine.Generate(t.Context(), withSeed(t, whole, "cities.csv", citiesFile, 0)), runreport.OutcomeComplete, "", 0, 400, 0)
	_, rows := whole.rows()
	counts := map[string]int{}
	for _, row := range rows {
		if row[0] == row[2] {
			t.Errorf("the constraint does not hold in %v", row)
		}
		counts[fmt.Sprint("other ", row[2])]++
		counts[fmt.Sprint("any ", row[3])]++
		counts[fmt.Sprint("score ", row[4])]++
	}
	// Of the three cities, as many rows as the file has of each, without the city of the row itself; each of them; and one half of each
	// number.
	for value, between := range map[string][2]int{
		"other Oslo": {80, 140}, "other Turin": {60, 160}, "other Porto": {130, 250}, "any Oslo": {100, 170}, "any Turin": {100, 170},
		"any Porto": {100, 170}, "score 1": {200, 200}, "score 2.5": {200, 200},
	} {
		if counts[value] < between[0] || counts[value] > between[1] {
			t.Errorf("%s comes %d times, not from %d to %d: %v", value, counts[value], between[0], between[1], counts)
		}
	}
	divided := newWorld(t, categoriesSpec, "")
	divided.shards = 3
	for shard := range divided.shards {
		engine.Generate(t.Context(), withSeed(t, divided, "cities.csv", citiesFile, shard))
	}
	if _, again := divided.rows(); fmt.Sprint(again) != fmt.Sprint(rows) {
		t.Error("three shards make other rows than one")
	}
	// A run that needs fewer rows of the seed draws from the values of all of them, so that it can be extended.
	small := newWorld(t, strings.NewReplacer("400", "5", ", balance: Exact", "").Replace(categoriesSpec), "")
	engine.Generate(t.Context(), withSeed(t, small, "cities.csv", citiesFile, 0))
	_, few := small.rows()
	for i, row := range few {
		if fmt.Sprint(row[:4]) != fmt.Sprint(rows[i][:4]) {
			t.Errorf("row %d of a small run is %v, that of the large one %v", i, row, rows[i])
		}
	}
}

func TestCategoriesOfASeedThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct{ old, new, file, want string }{
		"a column that the seed lacks": {
			"valuesOf: points", "valuesOf: pionts", citiesFile,
			`spec.columns[2].sampler.category.valuesOf: no column is called "pionts"; did you mean "points"?`,
		},
		"a constraint that no value meets": {
			"otherColumn: city", "value: Rome", "city,points\nRome,1\n",
			`spec.constraints[0]: can never be met: "other_city"`,
		},
		"no value at all": {"valuesOf: points", "valuesOf: points", "city,points\nRome,\n", `column "points" of the seed, which spec.columns[2]`},
	} {
		w := newWorld(t, strings.Replace(categoriesSpec, test.old, test.new, 1), "")
		ending := engine.Generate(t.Context(), withSeed(t, w, "cities.csv", test.file, 0))
		if ending.ExitCode == runreport.ExitOK || !strings.Contains(ending.Result.Message, test.want) {
			t.Errorf("%s: %s, want %s", name, ending.Result.Message, test.want)
		}
	}
}
