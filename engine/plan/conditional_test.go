package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

// What conditions read becomes a dependency of the column, and what is wrong with them is said with its path.
func TestConditionalParametersArePartOfTheGraph(t *testing.T) {
	const head = `{numRecords: 1, output: {persistentVolumeClaim: {claimName: c}}, columns: [`
	const draw = `{name: tier, sampler: {type: Category, category: {values: [gold, tin]}}}, `
	compiled, err := plan.Compile(parse(t, head+`{name: price, sampler: {type: Uniform, uniform: {low: 0, high: 1},
		conditional: [{when: "{{ tier == 'gold' }}", parameters: {low: 5, high: 6}}]}}, `+draw+`]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if compiled.Columns[0].Name != "tier" || compiled.Columns[1].Requires[0] != 1 {
		t.Errorf("price stands before tier, which its condition reads")
	}

	for name, c := range map[string]struct{ columns, want string }{
		"a circle": {draw + `{name: a, sampler: {type: UUID, conditional: [{when: "{{ b }}", parameters: {prefix: x}}]}},
			{name: b, sampler: {type: UUID, conditional: [{when: "{{ a }}", parameters: {prefix: x}}]}}`,
			`spec.columns[1]: columns depend on each other in a circle: a → b → a`},
		"itself": {`{name: a, sampler: {type: UUID, conditional: [{when: "{{ a }}", parameters: {prefix: x}}]}}`,
			`spec.columns[0]: the column "a" depends on itself`},
		"an unknown column, no template, nothing, and no parameters of the type": {
			draw + `{name: a, sampler: {type: Poisson, poisson: {mean: -1}, conditional: [{when: "{{ tear }}", parameters: {mean: 2}},
			{when: "{{ tier", parameters: {mean: 2}}, {when: "tier == 'gold'", parameters: {mean: 2}}, {when: " ", parameters: {low: 2}}]}}`,
			`spec.columns[1].sampler.poisson.mean: must be from 0 to 1000000000, but is -1
spec.columns[1].sampler.conditional[3].parameters: is not of the form of poisson: unknown field "poisson.low"
spec.columns[1].sampler.conditional[1].when: is not a valid template: line 1: the tag is not closed: '}}' is missing
spec.columns[1].sampler.conditional[2].when: must refer to at least one other column, as in {{ stars > 2 }}, or it would decide the same for every row
spec.columns[1].sampler.conditional[3].when: must not be empty
spec.columns[1].sampler.conditional[0].when: no column is called "tear"; did you mean "tier"?`},
		"lists of a category that has other values under a condition": {
			`{name: a, sampler: {type: UUID}}, {name: genre, sampler: {type: Category, category: {values: [x]},
				conditional: [{when: "{{ a < 'b' }}", parameters: {values: [z]}}]}},
			{name: kind, sampler: {type: Subcategory, subcategory: {category: genre, values: [{of: x, values: [q]}, {of: w, values: [q]}]}}}`,
			`spec.columns[2].sampler.subcategory.values[1].of: column "genre" never has the value "w"
spec.columns[2].sampler.subcategory.values: has no list of "z", which column "genre" may have`},
	} {
		_, err := plan.Compile(parse(t, head+c.columns+`]}`), nil)
		var invalid *plan.InvalidError
		if !errors.As(err, &invalid) {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		var lines []string
		for _, violation := range invalid.Violations {
			lines = append(lines, violation.String())
		}
		if difference := cmp.Diff(c.want, strings.Join(lines, "\n")); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

// A default that is written out is none that changes rows, in conditional parameters too.
func TestTheHashOfConditionalParameters(t *testing.T) {
	hash := func(parameters string) string {
		return plan.ConfigHash(parse(t, `{numRecords: 1, columns: [{name: a, sampler: {type: UUID,
			conditional: [{when: "{{ b }}", parameters: `+parameters+`}]}}]}`))
	}
	if hash(`{prefix: x}`) != hash(`{letterCase: Lower, length: 32, prefix: x}`) {
		t.Error("a default that is written out changes the hash")
	}
	if hash(`{prefix: x}`) == hash(`{prefix: z}`) {
		t.Error("conditional parameters are not in the hash")
	}
}
