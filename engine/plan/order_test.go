package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// graph returns a spec with a column for each entry, which reads the columns with the indexes in it. Column 0 is called c0.
func graph(reads [][]int) *v1alpha1.DatasetGenerationSpec {
	spec := &v1alpha1.DatasetGenerationSpec{NumRecords: 1}
	for i, targets := range reads {
		expression := "x"
		for _, target := range targets {
			expression += fmt.Sprintf(" {{ c%d }}", target)
		}
		spec.Columns = append(spec.Columns, v1alpha1.Column{Name: fmt.Sprintf("c%d", i), Expression: &v1alpha1.Expression{Expr: expression}})
	}
	return spec
}

func TestEachCycleIsReportedOnceWithItsWay(t *testing.T) {
	for name, test := range map[string]struct {
		reads [][]int
		wants []string
	}{
		"none":                {[][]int{{1, 2}, {2}, {}}, nil},
		"itself":              {[][]int{{}, {1}}, []string{`spec.columns[1]: the column "c1" depends on itself`}},
		"two":                 {[][]int{{1}, {0}}, []string{"spec.columns[0]: columns depend on each other in a circle: c0 → c1 → c0"}},
		"the way is shortest": {[][]int{{1, 3}, {2}, {3}, {0}}, []string{"spec.columns[0]: columns depend on each other in a circle: c0 → c3 → c0"}},
		"readers of a cycle":  {[][]int{{1}, {2}, {1}}, []string{"spec.columns[1]: columns depend on each other in a circle: c1 → c2 → c1"}},
		"two groups": {[][]int{{2}, {3}, {0}, {1}}, []string{
			"spec.columns[0]: columns depend on each other in a circle: c0 → c2 → c0", "spec.columns[1]: columns depend on each other in a circle: c1 → c3 → c1",
		}},
		"one group of two circles": {[][]int{{1}, {0, 2}, {1}}, []string{"spec.columns[0]: columns depend on each other in a circle: c0 → c1 → c0"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, violation := range plan.Validate(graph(test.reads)) {
				if violation.Reason != plan.ReasonCycle {
					t.Errorf("%s has the reason %s", violation, violation.Reason)
				}
				got = append(got, violation.String())
			}
			if difference := cmp.Diff(test.wants, got); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// randomGraph returns a graph without cycles: columns read only what stands before them in a random permutation.
func randomGraph(random *rand.Rand) [][]int {
	order := random.Perm(1 + random.IntN(12))
	reads := make([][]int, len(order))
	for position, column := range order {
		for _, earlier := range order[:position] {
			if random.IntN(4) == 0 {
				reads[column] = append(reads[column], earlier)
			}
		}
		slices.Sort(reads[column])
	}
	return reads
}

func TestEveryColumnStandsAfterWhatItReadsAndAsEarlyAsConfigured(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		reads := randomGraph(random)
		compiled, err := plan.Compile(graph(reads), nil)
		if err != nil {
			t.Fatalf("%v: %v", reads, err)
		}
		placed := make([]bool, len(reads))
		ready := func(column int) bool {
			return !placed[column] && !slices.ContainsFunc(reads[column], func(target int) bool { return !placed[target] })
		}
		for _, column := range compiled.Columns {
			first := 0
			for first < len(reads) && !ready(first) {
				first++
			}
			if column.Index != first {
				t.Fatalf("%v: column %d stands where %d could", reads, column.Index, first)
			}
			placed[column.Index] = true
			if !slices.Equal(column.Requires, reads[column.Index]) {
				t.Fatalf("%v: column %d requires %v", reads, column.Index, column.Requires)
			}
			for _, dependent := range column.Dependents {
				if !slices.Contains(reads[dependent], column.Index) {
					t.Fatalf("%v: column %d does not read its source %d", reads, dependent, column.Index)
				}
			}
		}
		if slices.Contains(placed, false) {
			t.Fatalf("%v: columns are missing", reads)
		}
	}
}

func TestWritingADefaultOutKeepsTheHash(t *testing.T) {
	columns := func(sampler, expression string) *v1alpha1.DatasetGenerationSpec {
		return parse(t, "numRecords: 1\ncolumns:\n- {name: a, sampler: "+sampler+"}\n- {name: b, expression: "+expression+"}\n")
	}
	uuid := plan.ConfigHash(columns(`{type: UUID}`, `{expr: x}`))
	for _, same := range []string{`{letterCase: Lower}`, `{length: 32}`, `{letterCase: Lower, length: 32}`} {
		if plan.ConfigHash(columns(`{type: UUID, uuid: `+same+`}`, `{expr: x, type: str}`)) != uuid {
			t.Errorf("uuid: %s changes the hash", same)
		}
	}
	for _, other := range []string{`{letterCase: Upper}`, `{length: 31}`, `{prefix: p}`} {
		if plan.ConfigHash(columns(`{type: UUID, uuid: `+other+`}`, `{expr: x}`)) == uuid {
			t.Errorf("uuid: %s does not change the hash", other)
		}
	}
	moment := `{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"%s}}`
	if plan.ConfigHash(columns(fmt.Sprintf(moment, ""), `{expr: x}`)) !=
		plan.ConfigHash(columns(fmt.Sprintf(moment, ", unit: Day"), `{expr: x}`)) {
		t.Error("unit: Day changes the hash")
	}
	plain := parse(t, valid)
	plain.Run = nil
	written := plain.DeepCopy()
	size := int32(plain.EffectiveRowGroupSize())
	written.Run = &v1alpha1.RunSettings{RowGroupSize: &size}
	if plan.ConfigHash(plain) != plan.ConfigHash(written) {
		t.Error("the default of rowGroupSize changes the hash")
	}
}

func TestTheHashLooksAtModelsAndNotAtTheirNames(t *testing.T) {
	renamed := strings.NewReplacer("writer", "author", "name: local", "name: vllm", "provider: local", "provider: vllm").Replace(valid)
	if renamed == valid || plan.ConfigHash(parse(t, renamed)) != plan.ConfigHash(parse(t, valid)) {
		t.Error("the names of models and providers change the hash")
	}
	unused := strings.Replace(valid, "models: [", "models: [{alias: other, provider: local, model: n}, ", 1)
	if unused == valid || plan.ConfigHash(parse(t, unused)) != plan.ConfigHash(parse(t, valid)) {
		t.Error("a model that no column uses changes the hash")
	}
}

func TestEndpointsAreNeverQuoted(t *testing.T) {
	for _, endpoint := range []string{"http://user:pass-word@vllm/v1", "http://vllm/v1?key=pass-word", "pass-word", "http://[pass-word/v1", "http://vllm/#pass-word"} {
		spec := parse(t, valid)
		spec.Providers[0].Endpoint = endpoint
		violations := plan.Validate(spec)
		if len(violations) != 1 || violations[0].Field != "spec.providers[0].endpoint" || strings.Contains(violations[0].Message, "pass-word") {
			t.Errorf("%s: got %v", endpoint, violations)
		}
	}
}
