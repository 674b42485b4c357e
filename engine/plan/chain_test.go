package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

// What the first dataset of a chain drops can't be read by the second, and is not taken for a misspelt name.
func TestColumnsThatTheSeedDropsAreNamed(t *testing.T) {
	first := parse(t, `{numRecords: 1, columns: [{name: kept, sampler: {type: UUID}}, {name: secret, drop: true, sampler: {type: UUID}},
		{name: raw_text, sampler: {type: UUID}}], processors: [{name: drop, dropColumns: {columnNames: ["raw_*"]}}],
		output: {persistentVolumeClaim: {claimName: c}}}`)
	const message = `, which the dataset "first" drops: keep it there, and drop it in the last dataset of the chain`
	for second, want := range map[string][]string{
		`{name: a, expression: {expr: "{{ kept }} {{ secret }} {{ secret }}"}}, {name: b, expression: {expr: "{{ raw_text }} {{ a }}"}}`: {
			`spec.columns[0].expression.expr: reads the column "secret"` + message,
			`spec.columns[1].expression.expr: reads the column "raw_text"` + message,
		},
		`{name: secret, sampler: {type: UUID}}, {name: b, expression: {expr: "{{ secret }} {{ kept }}"}}`: nil,
	} {
		spec := parse(t, `{seed: {datasetRef: {name: first}}, columns: [`+second+`], output: {persistentVolumeClaim: {claimName: c}}}`)
		if diff := cmp.Diff(want, lines(plan.DroppedInSeed(spec, first))); diff != "" {
			t.Errorf("%s: %s", second, diff)
		}
		spec.Seed.DatasetRef.Form = "chat"
		if found := plan.DroppedInSeed(spec, first); found != nil {
			t.Errorf("a form: %v", found)
		}
	}
	spec := parse(t, `{seed: {datasetRef: {name: first}, columns: [{name: kept}, {name: open, from: secret}]},
		columns: [{name: a, expression: {expr: "{{ open }}"}}], output: {persistentVolumeClaim: {claimName: c}}}`)
	if got := lines(plan.DroppedInSeed(spec, first)); len(got) != 1 || got[0] != `spec.seed.columns[1]: reads the column "secret"`+message {
		t.Errorf("of chosen columns: %q", got)
	}
}

// What a row has from its seed anew is not read from the column of that name that the seed drops.
func TestAddedColumnsMayHaveTheNameOfOneThatTheSeedDrops(t *testing.T) {
	first := parse(t, `{numRecords: 1, columns: [{name: kept, sampler: {type: UUID}}, {name: number, drop: true, sampler: {type: UUID}},
		{name: examples, drop: true, sampler: {type: UUID}}], output: {persistentVolumeClaim: {claimName: c}}}`)
	spec := parse(t, `{seed: {datasetRef: {name: first}, rowsPerSeedRow: {count: 2, numberColumn: number},
		sampleRows: [{name: examples, count: 1}]}, columns: [{name: a, expression: {expr: "{{ number }} {{ examples[0].kept }}"}}],
		output: {persistentVolumeClaim: {claimName: c}}}`)
	if found := plan.DroppedInSeed(spec, first); found != nil {
		t.Errorf("got %v", found)
	}
}

func lines(violations []plan.Violation) (found []string) {
	for _, violation := range violations {
		found = append(found, violation.Field+": "+violation.Message)
	}
	return found
}

// What says how many rows follow from a row of the seed knows no row of the dataset.
func TestWhatDrawsHowManyRowsFollow(t *testing.T) {
	const field = "spec.seed.rowsPerSeedRow.sampler"
	for sampler, want := range map[string]string{
		`{type: Poisson, poisson: {mean: 3}}`:                           "",
		`{type: Category, category: {values: [1, 2], weights: [3, 1]}}`: "",
		`{type: Uniform, uniform: {low: 1, high: 5}, convertTo: int}`:   "",
		`{type: Uniform, uniform: {low: 1, high: 5}}`:                   field + ": must draw whole numbers: samplers of type Poisson and Binomial do, or set convertTo to int",
		`{type: Sequence}`: field + ": can't be of type Sequence, which depends on the rows of the dataset: take one that draws by chance alone",
		`{type: Category, category: {values: [1, 2], balance: Exact}}`: field + ".category.balance: can't be Exact, which depends on the rows of " +
			"the dataset: take one that draws by chance alone",
	} {
		var lines []string
		for _, violation := range plan.Validate(parse(t, `{output: {persistentVolumeClaim: {claimName: c}},
			columns: [{name: id, sampler: {type: UUID}}],
			seed: {datasetRef: {name: customers}, rowsPerSeedRow: {sampler: `+sampler+`}}}`)) {
			lines = append(lines, violation.String())
		}
		if difference := cmp.Diff(want, strings.Join(lines, "\n")); difference != "" {
			t.Errorf("%s: %s", sampler, difference)
		}
	}
}
