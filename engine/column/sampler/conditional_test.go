package sampler_test

import (
	"reflect"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// conditionalParameters are two valid sets of parameters of each type, of which no draw can be had from both.
var conditionalParameters = map[v1alpha1.SamplerType]struct{ member, usual, conditional string }{
	v1alpha1.SamplerCategory:    {"category", `{values: [a]}`, `{values: [b]}`},
	v1alpha1.SamplerSubcategory: {"subcategory", `{category: other, values: [{of: x, values: [a]}, {of: z, values: [a]}]}`, `{category: other, values: [{of: x, values: [b]}]}`},
	v1alpha1.SamplerUniform:     {"uniform", `{low: 0, high: 1}`, `{low: 5, high: 6}`},
	v1alpha1.SamplerGaussian:    {"gaussian", `{mean: 0, stddev: 1}`, `{mean: 1000, stddev: 1}`},
	v1alpha1.SamplerBernoulli:   {"bernoulli", `{probability: 0}`, `{probability: 1}`},
	v1alpha1.SamplerBernoulliMixture: {"bernoulliMixture", `{probability: 0, distribution: {name: norm}}`,
		`{probability: 1, distribution: {name: norm, loc: 100}}`},
	v1alpha1.SamplerBinomial:     {"binomial", `{trials: 3, probability: 0}`, `{trials: 3, probability: 1}`},
	v1alpha1.SamplerPoisson:      {"poisson", `{mean: 0}`, `{mean: 1000}`},
	v1alpha1.SamplerDistribution: {"distribution", `{name: uniform}`, `{name: uniform, loc: 5}`},
	v1alpha1.SamplerSequence:     {"sequence", `{start: 0}`, `{start: 1000000}`},
	v1alpha1.SamplerUUID:         {"uuid", `{prefix: a-}`, `{prefix: b-}`},
	v1alpha1.SamplerPattern:      {"pattern", `{regex: "a+"}`, `{regex: "b+"}`},
	v1alpha1.SamplerDateTime:     {"dateTime", `{start: "2026-01-01", end: "2026-02-01"}`, `{start: "2027-01-01", end: "2027-02-01"}`},
	v1alpha1.SamplerGeoPoint:     {"geoPoint", `{box: {south: 0, north: 1, west: 0, east: 1}}`, `{box: {south: 5, north: 6, west: 0, east: 1}}`},
	v1alpha1.SamplerTimeDelta:    {"timeDelta", `{from: at, min: 0, max: 1}`, `{from: at, min: 100, max: 101}`},
	v1alpha1.SamplerPerson:       {"person", `{locale: de_DE}`, `{locale: fr_FR}`},
}

// Each type takes conditional parameters: where the condition holds, a value is what a sampler with these alone would draw.
func TestEveryTypeTakesConditionalParameters(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "other"}, table.Field{Name: "at"}, table.Field{Name: "c"})
	build := func(text string) *sampler.Sampler {
		s, err := sampler.New("c", parse(t, text), sampler.Dataset{Seed: 1, Schema: schema, Records: 100})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for kind, c := range conditionalParameters {
		head := "{type: " + string(kind) + ", " + c.member + ": "
		usual, special := build(head+c.usual+"}"), build(head+c.conditional+"}")
		both := build(head + c.usual + `, conditional: [{when: "{{ other == 'x' }}", parameters: ` + c.conditional + `}]}`)
		for row, other := range []string{"z", "x"} {
			record := table.NewRecord(schema, table.RowIndex(row), 0)
			record.Cells[0], record.Cells[1] = other, "2026-01-01"
			want, err := []*sampler.Sampler{usual, special}[row].Generate(t.Context(), record)
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			unwanted, err := []*sampler.Sampler{special, usual}[row].Generate(t.Context(), record)
			if got, gotErr := both.Generate(t.Context(), record); gotErr != nil || !reflect.DeepEqual(got, want) ||
				err == nil && reflect.DeepEqual(got, unwanted) {
				t.Errorf("%s, where other is %s: %v, %v, want %v", kind, other, got, gotErr, want)
			}
		}
	}
	known := sampler.Validate(&v1alpha1.Sampler{})[0].Message
	for name := range strings.SplitSeq(strings.TrimPrefix(known[:strings.Index(known, ", but is")], "must be one of "), ", ") {
		if _, tested := conditionalParameters[v1alpha1.SamplerType(name)]; !tested {
			t.Errorf("%s has no conditional parameters here", name)
		}
	}
}

// Of several conditions that hold, the first one decides.
func TestTheFirstConditionThatHoldsDecides(t *testing.T) {
	values, err := drawBeside(t, `{type: Category, category: {values: [0]}, conditional: [
		{when: "{{ other > 1 }}", parameters: {values: [1]}}, {when: "{{ other > 0 }}", parameters: {values: [2]}}]}`,
		3, int64(0), int64(1), int64(2))
	if err != nil || values[0] != int64(0) || values[1] != int64(2) || values[2] != int64(1) {
		t.Errorf("%v, %v", values, err)
	}
}

// All values of a column have one type, whichever parameters they are drawn with.
func TestConditionalParametersHaveOneKind(t *testing.T) {
	for text, want := range map[string]struct {
		kind   table.Kind
		values []any
	}{
		`{type: Category, category: {values: [1]}, conditional: [{when: "{{ other }}", parameters: {values: [2]}}]}`:                       {table.KindInt, []any{int64(1), int64(2)}},
		`{type: Category, category: {values: [1]}, conditional: [{when: "{{ other }}", parameters: {values: [2.5]}}]}`:                     {table.KindFloat, []any{1.0, 2.5}},
		`{type: Category, category: {values: [1.5]}, conditional: [{when: "{{ other }}", parameters: {values: [2]}}]}`:                     {table.KindFloat, []any{1.5, 2.0}},
		`{type: Category, category: {values: [a]}, conditional: [{when: "{{ other }}", parameters: {values: [2]}}]}`:                       {table.KindString, []any{"a", "2"}},
		`{type: Category, category: {values: [1.5]}, conditional: [{when: "{{ other }}", parameters: {values: [b]}}]}`:                     {table.KindString, []any{"1.5", "b"}},
		`{type: Category, category: {values: [a]}, conditional: [{when: "{{ other }}", parameters: {values: [2.5, c], weights: [1, 0]}}]}`: {table.KindString, []any{"a", "2.5"}},
	} {
		kind, err := sampler.TypeOf(parse(t, text))
		if err != nil || kind.Kind != want.kind {
			t.Errorf("%s: %v, %v", text, kind, err)
		}
		values, err := drawBeside(t, text, 2, false, true)
		if err != nil || values[0] != want.values[0] || values[1] != want.values[1] {
			t.Errorf("%s: %v, %v, want %v", text, values, err, want.values)
		}
	}
}

func TestViolationsOfConditionalParametersHaveTheirPaths(t *testing.T) {
	for text, want := range map[string]string{
		`{type: Uniform, uniform: {low: 2, high: 1}, conditional: [{when: x, parameters: {low: 5, high: 4}}, {when: x, parameters: {low: 0}}]}`: "uniform.high conditional[0].parameters.high conditional[1].parameters",
		`{type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: x}]}`:                                                                 "conditional[0].parameters",
		`{type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: x, parameters: {mean: 1, stddev: 2}}]}`:                               "conditional[0].parameters conditional[0].parameters",
		`{type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: x, parameters: {low: zero, high: 1}}]}`:                               "conditional[0].parameters",
		`{type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: x, parameters: null}]}`:                                               "conditional[0].parameters",
		`{type: Category, category: {values: [1]}, conditional: [{when: x, parameters: {values: [true]}}]}`:                                     "conditional[0].parameters.values[0]",
		`{type: Poisson, conditional: [{when: x, parameters: {mean: -1}}]}`:                                                                     "poisson conditional[0].parameters.mean",
	} {
		var fields []string
		for _, violation := range sampler.Validate(parse(t, text)) {
			fields = append(fields, violation.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: violations of %q, want %q", text, got, want)
		}
	}
}

// A condition that fails costs the row, and is named.
func TestAConditionThatFails(t *testing.T) {
	_, err := drawBeside(t, `{type: UUID, conditional: [{when: "{{ other.x.y }}", parameters: {}}]}`, 1, "text")
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonTemplateError || failed.Consequence != failure.DropRow ||
		!strings.Contains(err.Error(), `column "c": conditional[0].when`) {
		t.Errorf("%v", err)
	}
}
