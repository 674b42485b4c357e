package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

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
