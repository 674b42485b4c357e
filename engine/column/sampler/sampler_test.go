package sampler_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/golden"
)

func parse(t testing.TB, text string) *v1alpha1.Sampler {
	t.Helper()
	var spec v1alpha1.Sampler
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return &spec
}

func draws(t testing.TB, text string, rows int) (table.Kind, []any) {
	t.Helper()
	s, err := sampler.New("column", parse(t, text), sampler.Dataset{Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	values := make([]any, rows)
	schema := table.NewSchema()
	for row := range values {
		if values[row], err = s.Generate(context.Background(), table.NewRecord(schema, table.RowIndex(row), 0)); err != nil {
			t.Fatal(err)
		}
	}
	kind, err := sampler.TypeOf(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return kind.Kind, values
}

// ofEachType are samplers of each type that reads no other column, in some forms.
var ofEachType = []string{
	`{type: Category, category: {values: [a, b, c]}}`,
	`{type: Category, category: {values: [1, 2, 3.5], weights: [3, 0, 1]}, convertTo: str}`,
	`{type: Uniform, uniform: {low: 0, high: 1}}`,
	`{type: Uniform, uniform: {low: 1, high: 6}, convertTo: int}`,
	`{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`,
	`{type: Gaussian, gaussian: {mean: 10, stddev: 2, decimalPlaces: 3}}`,
	`{type: UUID}`,
	`{type: UUID, uuid: {prefix: id-, length: 8, letterCase: Upper}}`,
	`{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}}`,
	`{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01", unit: Second}}`,
	`{type: Bernoulli, bernoulli: {probability: 0.5}}`,
	`{type: Binomial, binomial: {trials: 20, probability: 0.2}}`,
	`{type: Binomial, binomial: {trials: 5000, probability: 0.7}, convertTo: str}`,
	`{type: Poisson, poisson: {mean: 3.5}}`,
	`{type: Poisson, poisson: {mean: 1234}, convertTo: float}`,
	`{type: Distribution, distribution: {name: gamma, parameters: {a: 2}, scale: 3, decimalPlaces: 4}}`,
	`{type: Distribution, distribution: {name: nbinom, parameters: {"n": 3, p: 0.2}, loc: 1}}`,
	`{type: BernoulliMixture, bernoulliMixture: {probability: 0.5, distribution: {name: lognorm, parameters: {s: 1}}}}`,
	`{type: Sequence, sequence: {start: 7}}`,
	`{type: Pattern, pattern: {regex: "[A-Z]{3}-[0-9]{4}(/x+)?"}}`,
}

// The values are part of the contract with users: the same manifest gives the same data in every version.
func TestDrawsAreFrozen(t *testing.T) {
	var lines strings.Builder
	for _, text := range ofEachType {
		_, values := draws(t, text, 4)
		fmt.Fprintln(&lines, text)
		for _, value := range values {
			fmt.Fprintf(&lines, "  %v\n", value)
		}
	}
	golden.Check(t, "testdata/draws.txt", lines.String(), "users would get other data for the same manifest; raise identityVersion in "+
		"engine/plan if that is meant")
}

func TestKindsAndConversions(t *testing.T) {
	for _, c := range []struct {
		text  string
		kind  table.Kind
		check func(any) bool
	}{
		{`{type: Category, category: {values: [1, 2]}}`, table.KindInt, func(v any) bool { return v == int64(1) || v == int64(2) }},
		{`{type: Category, category: {values: [1, 2.5]}}`, table.KindFloat, func(v any) bool { return v == 1.0 || v == 2.5 }},
		{`{type: Category, category: {values: [1, two]}}`, table.KindString, func(v any) bool { return v == "1" || v == "two" }},
		{`{type: Category, category: {values: ["1", "2"]}, convertTo: int}`, table.KindInt, func(v any) bool { return v == int64(1) || v == int64(2) }},
		{`{type: Category, category: {values: [0]}, convertTo: float}`, table.KindFloat, func(v any) bool { return v == 0.0 }},
		{`{type: Uniform, uniform: {low: -1, high: 1}}`, table.KindFloat, func(v any) bool { f := v.(float64); return f >= -1 && f < 1 }},
		{`{type: Uniform, uniform: {low: 0, high: 1, decimalPlaces: 1}}`, table.KindFloat, func(v any) bool { f := v.(float64) * 10; return math.Abs(f-math.Round(f)) < 1e-9 }},
		{`{type: Uniform, uniform: {low: 1, high: 2}, convertTo: str}`, table.KindString, func(v any) bool { return strings.HasPrefix(v.(string), "1.") || v == "2.0" }},
		{`{type: UUID, uuid: {prefix: id-, length: 8, letterCase: Upper}}`, table.KindString, func(v any) bool {
			return len(v.(string)) == 11 && strings.HasPrefix(v.(string), "id-") && strings.ToUpper(v.(string)[3:]) == v.(string)[3:]
		}},
		{`{type: Distribution, distribution: {name: expon}}`, table.KindFloat, func(v any) bool { return v.(float64) > 0 }},
		{`{type: Distribution, distribution: {name: geom, parameters: {p: 0.5}}}`, table.KindInt, func(v any) bool { return v.(int64) >= 1 }},
		{`{type: Distribution, distribution: {name: geom, parameters: {p: 0.5}}, convertTo: str}`, table.KindString, func(v any) bool { return v.(string) >= "1" && !strings.Contains(v.(string), ".") }},
		{`{type: Distribution, distribution: {name: geom, parameters: {p: 0.5}, decimalPlaces: 1}, convertTo: float}`, table.KindFloat, func(v any) bool { return v.(float64) >= 1 }},
		{`{type: BernoulliMixture, bernoulliMixture: {probability: 0.4, distribution: {name: poisson, parameters: {mu: 9}, loc: 1}}}`, table.KindInt, func(v any) bool { return v.(int64) >= 0 }},
		{`{type: BernoulliMixture, bernoulliMixture: {probability: 0, distribution: {name: norm}}, convertTo: str}`, table.KindString, func(v any) bool { return v == "0.0" }},
		{`{type: DateTime, dateTime: {start: "2026-03-01", end: "2026-03-05T00:00:00Z"}}`, table.KindTimestamp, func(v any) bool {
			at := v.(time.Time)
			return at.Year() == 2026 && at.Month() == 3 && at.Day() >= 1 && at.Day() <= 4 && at.Hour() == 0 && at.Location() == time.UTC
		}},
		{`{type: DateTime, dateTime: {start: "2020-06-15", end: "2026-01-01", unit: Month}}`, table.KindTimestamp, func(v any) bool { return v.(time.Time).Day() == 1 }},
	} {
		kind, values := draws(t, c.text, 500)
		if kind != c.kind {
			t.Errorf("%s: kind %s, want %s", c.text, kind, c.kind)
		}
		for _, value := range values {
			if !c.check(value) {
				t.Errorf("%s: value %#v", c.text, value)
				break
			}
		}
	}
}

func TestWeightsAreFollowed(t *testing.T) {
	_, values := draws(t, `{type: Category, category: {values: [a, b, never], weights: [3, 1, 0]}}`, 40_000)
	counts := map[any]int{}
	for _, value := range values {
		counts[value]++
	}
	if counts["never"] > 0 || math.Abs(float64(counts["a"])/40_000-0.75) > 0.01 {
		t.Errorf("got %v, want a at 75 %% and never at 0", counts)
	}
}

func TestIdentifiersAreUniqueAndValid(t *testing.T) {
	_, values := draws(t, `{type: UUID}`, 100_000)
	seen := map[any]bool{}
	for _, value := range values {
		text := value.(string)
		if seen[value] || len(text) != 32 || text[12] != '4' || !strings.Contains("89ab", text[16:17]) {
			t.Fatalf("%s is taken, or not a version 4 UUID", text)
		}
		seen[value] = true
	}
}

func TestAttemptsDrawAfresh(t *testing.T) {
	s, err := sampler.New("c", parse(t, `{type: Uniform, uniform: {low: 0, high: 1}}`), sampler.Dataset{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	schema := table.NewSchema()
	first, _ := s.Generate(context.Background(), table.NewRecord(schema, 5, 0))
	again, _ := s.Generate(context.Background(), table.NewRecord(schema, 5, 0))
	second, _ := s.Generate(context.Background(), table.NewRecord(schema, 5, 1))
	if first != again || first == second {
		t.Errorf("attempt 0: %v and %v, attempt 1: %v", first, again, second)
	}
}

func TestViolations(t *testing.T) {
	for text, want := range map[string]string{
		`{type: DateTime, dateTime: {start: "yesterday!", end: "2026-13-01"}}`: "dateTime.start dateTime.end",
		`{type: DateTime, dateTime: {start: "2026-01-02", end: "2026-01-02"}}`: "dateTime.end",
		`{type: DateTime, dateTime: {start: "1000-01-01", end: "2026-01-02"}}`: "dateTime.end",
		`{type: DateTime}`: "dateTime",
		`{type: Uniform, uniform: {low: 2, high: 1}}`: "uniform.high",
		`{type: Uniform}`: "uniform",
		`{type: Gaussian, gaussian: {mean: 0, stddev: -1}}`:            "gaussian.stddev",
		`{type: Category, category: {values: [a], weights: [1, 2]}}`:   "category.weights",
		`{type: Category, category: {values: [a], weights: [0]}}`:      "category.weights",
		`{type: Category, category: {values: [a, 1]}, convertTo: int}`: "category.values[0]",
		`{type: Category, category: {values: [true, {a: 1}]}}`:         "category.values[0] category.values[1]",
		`{type: Category}`:               "category",
		`{type: Category, category: {}}`: "category.values",
		`{type: Category, category: {values: ["1e30"]}, convertTo: int}`:                                   "category.values[0]",
		`{type: Gaussian, gaussian: {mean: 1e30, stddev: 1}, convertTo: int}`:                              "gaussian",
		`{type: Gaussian, gaussian: {mean: 0, stddev: 1e19}, convertTo: int}`:                              "gaussian",
		`{type: Gaussian, gaussian: {mean: 1e308, stddev: 1e308}}`:                                         "gaussian",
		`{type: Gaussian, gaussian: {mean: 1e30, stddev: 1}}`:                                              "",
		`{type: Uniform, uniform: {low: 0, high: 1e19}, convertTo: int}`:                                   "uniform",
		`{type: Uniform, uniform: {low: -9223372036854775808, high: 9223372036854775808}, convertTo: int}`: "",
		`{type: Uniform, uniform: {low: 0, high: 1, decimalPlaces: 16}}`:                                   "uniform.decimalPlaces",
		`{type: UUID, uuid: {length: 40, letterCase: Mixed}}`:                                              "uuid.length uuid.letterCase",
		`{type: UUID, convertTo: int}`:                                                                     "convertTo",
		`{type: UUID, uniform: {low: 0, high: 1}}`:                                                         "uniform",
		`{type: DateTime, dateTime: {start: "2026-01-01", end: "2026-01-02", unit: Week}}`:                 "dateTime.unit",
		`{type: Bernoulli}`: "bernoulli",
		`{type: Bernoulli, bernoulli: {probability: 1.5}}`:                                                             "bernoulli.probability",
		`{type: Binomial, binomial: {trials: -1, probability: -0.1}}`:                                                  "binomial.probability binomial.trials",
		`{type: Binomial, binomial: {}}`:                                                                               "binomial binomial",
		`{type: Binomial, binomial: {trials: 0, probability: 1}}`:                                                      "",
		`{type: Poisson, poisson: {mean: 1e10}}`:                                                                       "poisson.mean",
		`{type: Distribution, distribution: {name: gauss}}`:                                                            "distribution.name",
		`{type: Distribution, distribution: {name: gamma}}`:                                                            "distribution.parameters",
		`{type: Distribution, distribution: {name: gamma, parameters: {a: -1, b: 2}, scale: 0}}`:                       "distribution.parameters.a distribution.parameters.b distribution.scale",
		`{type: Distribution, distribution: {name: truncnorm, parameters: {a: 2, b: 1}}}`:                              "distribution.parameters",
		`{type: Distribution, distribution: {name: poisson, parameters: {mu: 2}, loc: 0.5, scale: 2}}`:                 "distribution.scale distribution.loc",
		`{type: Distribution, distribution: {name: nbinom, parameters: {"n": 1000000000, p: 0.0001}}}`:                 "distribution.parameters",
		`{type: Distribution, distribution: {name: norm, parameters: {s: 1}, decimalPlaces: 20}}`:                      "distribution.decimalPlaces distribution.parameters.s",
		`{type: BernoulliMixture, bernoulliMixture: {probability: 2}}`:                                                 "bernoulliMixture.probability bernoulliMixture",
		`{type: BernoulliMixture, bernoulliMixture: {probability: 0.5, distribution: {name: t, parameters: {df: 0}}}}`: "bernoulliMixture.distribution.parameters.df",
		`{type: Sequence, sequence: {start: 9000000000000000000, step: 0}}`:                                            "sequence.start sequence.step",
		`{type: Pattern}`:                                        "pattern",
		`{type: Pattern, pattern: {}}`:                           "pattern",
		`{type: Pattern, pattern: {regex: "[a"}}`:                "pattern.regex",
		`{type: Pattern, pattern: {regex: "a\\bc"}}`:             "pattern.regex",
		`{type: Pattern, pattern: {regex: "a^b"}}`:               "pattern.regex",
		`{type: Pattern, pattern: {regex: "(a$)b"}}`:             "pattern.regex",
		`{type: Pattern, pattern: {regex: "(^a|b$)"}}`:           "",
		`{type: Pattern, pattern: {regex: "a"}, convertTo: int}`: "convertTo",
		`{type: Poisson, poisson: {}}`:                           "poisson",
		`{type: Subcategory, subcategory: {}}`:                   "subcategory.category subcategory.values",
		`{type: Subcategory, subcategory: {category: a, values: [{of: x, values: [1]}, {of: x, values: [true]}]}}`: "subcategory.values[1].of subcategory.values[1].values[0]",
		`{type: Subcategory, subcategory: {category: a, values: [{of: x, values: [1], weights: [1, 2]}]}}`:         "subcategory.values[0].weights",
		`{type: Subcategory, subcategory: {category: a, values: [{values: []}]}}`:                                  "subcategory.values[0] subcategory.values[0].values",
		`{type: TimeDelta, timeDelta: {from: a, min: 3, max: 3}}`:                                                  "timeDelta",
		`{type: TimeDelta, timeDelta: {min: 1, max: 200000}}`:                                                      "timeDelta.from timeDelta.max",
		`{type: TimeDelta, timeDelta: {from: a, min: 1, max: 2, unit: Week}}`:                                      "timeDelta.unit",
		`{type: TimeDelta, timeDelta: {from: a}}`:                                                                  "timeDelta",
		`{type: TimeDelta, timeDelta: {from: a, min: 0, max: 1}, convertTo: str}`:                                  "convertTo",
		`{type: Nothing}`: "type",
		`{type: UUID}`:    "",
	} {
		var fields []string
		for _, violation := range sampler.Validate(parse(t, text)) {
			fields = append(fields, violation.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: violations of %q, want %q", text, got, want)
		}
	}
	broken := &v1alpha1.Sampler{Type: v1alpha1.SamplerCategory, Category: &v1alpha1.CategorySampler{Values: []apiextensionsv1.JSON{{Raw: []byte("{")}}}}
	if len(sampler.Validate(broken)) != 1 {
		t.Error("a value that is not JSON was accepted")
	}
}

func TestWhatIsOutOfRangeIsSaidWithItsNumbers(t *testing.T) {
	for text, want := range map[string]string{
		`{type: Gaussian, gaussian: {mean: 1e30, stddev: 2}, convertTo: int}`: "mean 1e+30 and the standard deviation 2 goes from 1e+30 to 1e+30, outside of what an int can hold (-9223372036854775808 to 9223372036854775807)",
		`{type: Category, category: {values: ["1e30"]}, convertTo: int}`:      `"1e30" can't be converted to int, which convertTo asks for: an int holds -9223372036854775808 to 9223372036854775807`,
		`{type: Nothing}`: `, but is "Nothing"`,
	} {
		violations := sampler.Validate(parse(t, text))
		if len(violations) != 1 || !strings.Contains(violations[0].Message, want) {
			t.Errorf("%s: got %v, want %q", text, violations, want)
		}
	}
}

// Ints are rounded half to even, and not by way of floats, which would change large ones.
func TestConversionsToInt(t *testing.T) {
	for value, want := range map[string]int64{
		`"2.7"`: 3, `"2.5"`: 2, `-2.5`: -2, `"9007199254740993"`: 9007199254740993, `9223372036854775807`: math.MaxInt64, `"-9223372036854775808"`: math.MinInt64,
	} {
		if _, values := draws(t, `{type: Category, category: {values: [`+value+`]}, convertTo: int}`, 1); values[0] != want {
			t.Errorf("%s: got %v, want %d", value, values[0], want)
		}
	}
}

// Each member of the API's samplers that has parameters belongs to a type.
func TestEveryMemberHasItsFamily(t *testing.T) {
	known := sampler.Validate(&v1alpha1.Sampler{})[0].Message
	known = strings.TrimPrefix(known[:strings.Index(known, ", but is")], "must be one of ")
	members := reflect.TypeFor[v1alpha1.Sampler]()
	for i := range members.NumField() {
		field := members.Field(i)
		if field.Type.Kind() != reflect.Pointer {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		spec := &v1alpha1.Sampler{Type: "None"}
		reflect.ValueOf(spec).Elem().Field(i).Set(reflect.New(field.Type.Elem()))
		owners := 0
		for kind := range strings.SplitSeq(known, ", ") {
			spec.Type = v1alpha1.SamplerType(kind)
			if !slices.ContainsFunc(sampler.Validate(spec), func(v sampler.Violation) bool {
				return v.Field == name && strings.Contains(v.Message, "is for samplers of type")
			}) {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("the member %s belongs to %d types", name, owners)
		}
	}
}

func BenchmarkSamplers(b *testing.B) {
	for name, text := range map[string]string{
		"category":          `{type: Category, category: {values: [a, b, c], weights: [1, 2, 3]}}`,
		"uniform":           `{type: Uniform, uniform: {low: 0, high: 1}}`,
		"gaussian":          `{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`,
		"uuid":              `{type: UUID}`,
		"bernoulli":         `{type: Bernoulli, bernoulli: {probability: 0.3}}`,
		"binomial-inverted": `{type: Binomial, binomial: {trials: 50, probability: 0.1}}`,
		"binomial-rejected": `{type: Binomial, binomial: {trials: 5000, probability: 0.3}}`,
		"poisson-inverted":  `{type: Poisson, poisson: {mean: 4}}`,
		"sequence":          `{type: Sequence}`,
		"pattern":           `{type: Pattern, pattern: {regex: "[A-Z]{3}-[0-9]{4}"}}`,
		"gamma":             `{type: Distribution, distribution: {name: gamma, parameters: {a: 2}}}`,
		"lognorm":           `{type: Distribution, distribution: {name: lognorm, parameters: {s: 2}}}`,
		"poisson-rejected":  `{type: Poisson, poisson: {mean: 400}}`,
		"datetime":          `{type: DateTime, dateTime: {start: "2020-01-01", end: "2026-01-01"}}`,
	} {
		b.Run(name, func(b *testing.B) {
			s, err := sampler.New("c", parse(b, text), sampler.Dataset{Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			record := table.NewRecord(table.NewSchema(), 0, 0)
			b.ReportAllocs()
			for b.Loop() {
				record.Row++
				_, _ = s.Generate(context.Background(), record)
			}
		})
	}
}
