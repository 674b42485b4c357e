package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

// Columns that rows have from the seed beside its own have names that nothing else has.
func TestColumnsAddedToTheSeed(t *testing.T) {
	columns := []table.Field{{Name: "Title"}, {Name: "year", Type: table.Type{Kind: table.KindInt}}}
	for seed, want := range map[string]string{
		`sampleRows: [{name: examples, count: 3}, {name: after, count: 1, from: Next}]`: "",
		`sampleRows: [{name: examples, count: 0}]`:                                      "spec.seed.sampleRows[0].count: must be from 1 to 100, but is 0",
		`sampleRows: [{name: examples, count: 101, from: Before}]`: "spec.seed.sampleRows[0].count: must be from 1 to 100, but is 101; " +
			`spec.seed.sampleRows[0].from: must be Random or Next, but is "Before"`,
		`sampleRows: [{name: "a b", count: 1}]`:                                `spec.seed.sampleRows[0].name: "a b" can't be used in templates`,
		`sampleRows: [{name: not, count: 1}]`:                                  `spec.seed.sampleRows[0].name: "not" is a word of the template language`,
		`sampleRows: [{name: id, count: 1}]`:                                   `spec.seed.sampleRows[0].name: spec.columns[0] is called "id" too`,
		`sampleRows: [{name: title, count: 1}]`:                                `spec.seed.sampleRows[0].name: a column of the seed is called "Title" too`,
		`rowsPerSeedRow: {count: 2, numberColumn: YEAR}`:                       `spec.seed.rowsPerSeedRow.numberColumn: a column of the seed is called "year" too`,
		`columns: [{name: t, from: Title}], sampleRows: [{name: T, count: 1}]`: `spec.seed.sampleRows[0].name: spec.seed.columns[0] is called "t" too`,
		`rowsPerSeedRow: {count: 2, numberColumn: nr}, sampleRows: [{name: nr, count: 1}]`: `spec.seed.sampleRows[0].name: ` +
			`spec.seed.rowsPerSeedRow.numberColumn is called "nr" too`,
		`sampleRows: [{name: one, count: 1}, {name: One, count: 1}]`: `spec.seed.sampleRows[1].name: spec.seed.sampleRows[0] is called "one" too`,
	} {
		spec := parse(t, `{numRecords: 9, output: {persistentVolumeClaim: {claimName: c}}, columns: [{name: id, sampler: {type: UUID}}],
			seed: {configMap: {name: c, key: s.csv}, `+seed+`}}`)
		_, err := plan.Compile(spec, plan.SeedFields(spec, columns))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", seed, err, want)
		}
	}
}

func TestFurtherRowsOfTheSeedAreListsOfItsRows(t *testing.T) {
	spec := parse(t, `{seed: {configMap: {name: c, key: s.csv}, rowsPerSeedRow: {count: 2, numberColumn: nr},
		sampleRows: [{name: examples, count: 2}]}}`)
	var lines []string
	for _, field := range plan.SeedFields(spec, []table.Field{{Name: "a"}, {Name: "b", Type: table.Type{Kind: table.KindInt}}}) {
		lines = append(lines, field.Name+" "+field.Type.String())
	}
	if difference := cmp.Diff([]string{"a string", "b int64", "nr int64", "examples list<struct<a: string, b: int64>>"}, lines); difference != "" {
		t.Error(difference)
	}
}

// Writing the default out is the same run; another sample is another one.
func TestSampleRowsNameTheRun(t *testing.T) {
	hash := func(samples string) string {
		return plan.ConfigHash(parse(t, `{columns: [{name: id, sampler: {type: UUID}}], seed: {configMap: {name: c, key: s.csv}`+samples+`}}`))
	}
	random := hash(", sampleRows: [{name: a, count: 1}]")
	if random != hash(", sampleRows: [{name: a, count: 1, from: Random}]") {
		t.Error("writing the default out changes the hash")
	}
	for _, other := range []string{"", ", sampleRows: [{name: a, count: 2}]", ", sampleRows: [{name: a, count: 1, from: Next}]"} {
		if hash(other) == random {
			t.Errorf("%q has the same hash", other)
		}
	}
}
