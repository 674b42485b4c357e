package sampler_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

// checkFrequencies holds counts against the shares of a distribution by chi-square, with four deviations by Wilson and Hilferty.
func checkFrequencies(t *testing.T, what string, counts map[any]int, shares map[any]float64) {
	t.Helper()
	total, statistic, freedom := 0, 0.0, float64(len(shares)-1)
	for _, count := range counts {
		total += count
	}
	for value, share := range shares {
		expected := share * float64(total)
		statistic += (float64(counts[value]) - expected) * (float64(counts[value]) - expected) / expected
	}
	limit := freedom * math.Pow(1-2/(9*freedom)+4*math.Sqrt(2/(9*freedom)), 3)
	if !(statistic <= limit) || len(counts) > len(shares) {
		t.Errorf("%s: chi-square is %.1f at %g degrees of freedom, above %.1f: %v", what, statistic, freedom, limit, counts)
	}
}

// equally are equal shares of some values.
func equally(values ...any) map[any]float64 {
	shares := map[any]float64{}
	for _, value := range values {
		shares[value] = 1 / float64(len(values))
	}
	return shares
}

func digitsOf(alphabet string) map[any]float64 {
	var digits []any
	for _, digit := range alphabet {
		digits = append(digits, string(digit))
	}
	return equally(digits...)
}

func countOf(values []any) map[any]int {
	counts := map[any]int{}
	for _, value := range values {
		counts[value]++
	}
	return counts
}

// Continuous samplers follow their distribution functions, by Kolmogorov and Smirnov. Those of SciPy are held against SciPy beside this.
func TestContinuousSamplersFollowTheirTheory(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	year := 365 * 24 * time.Hour
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for text, theory := range map[string]func(x float64) float64{
		`{type: Uniform, uniform: {low: -2, high: 6}}`:       func(x float64) float64 { return (x + 2) / 8 },
		`{type: Gaussian, gaussian: {mean: 10, stddev: 3}}`:  func(x float64) float64 { return normal((x - 10) / 3) },
		`{type: Distribution, distribution: {name: expon}}`:  func(x float64) float64 { return 1 - math.Exp(-x) },
		`{type: Distribution, distribution: {name: cauchy}}`: func(x float64) float64 { return 0.5 + math.Atan(x)/math.Pi },
		`{type: Distribution, distribution: {name: beta, parameters: {a: 2, b: 1}, loc: 1, scale: 2}}`: func(x float64) float64 {
			return (x - 1) * (x - 1) / 4
		},
		`{type: BernoulliMixture, bernoulliMixture: {probability: 1, distribution: {name: rayleigh}}}`: func(x float64) float64 {
			return 1 - math.Exp(-x*x/2)
		},
		`{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01", unit: Second}}`: func(x float64) float64 { return x },
	} {
		_, values := draws(t, text, drawn)
		numbers := make([]float64, len(values))
		for i, value := range values {
			switch typed := value.(type) {
			case float64:
				numbers[i] = typed
			case time.Time:
				numbers[i] = float64(typed.Sub(start)) / float64(year)
			}
		}
		checkDistribution(t, text, numbers, theory)
	}
}

// Samplers of single values follow their frequencies, by chi-square.
func TestDiscreteSamplersFollowTheirTheory(t *testing.T) {
	monthShares := map[any]float64{}
	for month := time.January; month <= time.December; month++ {
		first := time.Date(2026, month, 1, 0, 0, 0, 0, time.UTC)
		monthShares[first] = first.AddDate(0, 1, 0).Sub(first).Hours() / 24 / 365
	}
	for text, shares := range map[string]map[any]float64{
		`{type: Category, category: {values: [a, b, c, d, e]}}`:                               equally("a", "b", "c", "d", "e"),
		`{type: Category, category: {values: [a, b, c], weights: [0.2, 5, 4.8]}}`:             {"a": 0.02, "b": 0.5, "c": 0.48},
		`{type: Bernoulli, bernoulli: {probability: 0.3}}`:                                    {int64(1): 0.3, int64(0): 0.7},
		`{type: Uniform, uniform: {low: 0.5, high: 6.5}, convertTo: int}`:                     equally(int64(1), int64(2), int64(3), int64(4), int64(5), int64(6)),
		`{type: Uniform, uniform: {low: 0.05, high: 0.35, decimalPlaces: 1}, convertTo: str}`: equally("0.1", "0.2", "0.3"),
		`{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01", unit: Month}}`:   monthShares,
		`{type: BernoulliMixture, bernoulliMixture: {probability: 0.4, distribution: {name: bernoulli, parameters: {p: 0.5}, loc: 1}}}`: {
			int64(0): 0.6, int64(1): 0.2, int64(2): 0.2,
		},
	} {
		_, values := draws(t, text, drawn)
		checkFrequencies(t, text, countOf(values), shares)
	}
}

// What a sampler reads decides its list or its start, and nothing of what it draws.
func TestReadingSamplersFollowTheirTheory(t *testing.T) {
	at := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC) // a Friday
	values, err := drawBeside(t, `{type: TimeDelta, timeDelta: {from: other, min: -1, max: 4, unit: BusinessDay}}`, drawn, at)
	if err != nil {
		t.Fatal(err)
	}
	day := func(days int) any { return at.AddDate(0, 0, days) }
	checkFrequencies(t, "TimeDelta", countOf(values), equally(day(-1), day(0), day(3), day(4), day(5)))
	values, err = drawBeside(t, `{type: Subcategory,
		subcategory: {category: other, values: [{of: x, values: [a, b, c], weights: [1, 2, 7]}]}}`, drawn, "x")
	if err != nil {
		t.Fatal(err)
	}
	checkFrequencies(t, "Subcategory", countOf(values), map[any]float64{"a": 0.1, "b": 0.2, "c": 0.7})
	values, err = drawBeside(t, `{type: Category, category: {values: [a]},
		conditional: [{when: "{{ other == 'x' }}", parameters: {values: [b, c]}}]}`, 20_000, "x", "z")
	if err != nil {
		t.Fatal(err)
	}
	checkFrequencies(t, "conditional", countOf(values), map[any]float64{"a": 0.5, "b": 0.25, "c": 0.25})
}

// Each digit of an identifier, and each character of a pattern, is as likely as the others in its place.
func TestCharactersFollowTheirTheory(t *testing.T) {
	for text, c := range map[string]struct {
		at       []int
		alphabet string
	}{
		`{type: UUID}`: {[]int{0, 7, 11, 13, 31}, "0123456789abcdef"},
		`{type: Pattern, pattern: {regex: "[A-E][0-9]{3}"}}`: {[]int{0}, "ABCDE"},
		`{type: Pattern, pattern: {regex: "x[0-9]{3}"}}`:     {[]int{1, 2, 3}, "0123456789"},
	} {
		_, values := draws(t, text, drawn)
		for _, place := range c.at {
			counts := map[any]int{}
			for _, value := range values {
				counts[value.(string)[place:place+1]]++
			}
			checkFrequencies(t, fmt.Sprintf("%s at %d", text, place), counts, digitsOf(c.alphabet))
		}
	}
}

// Columns are independent of each other, and rows of the rows before them, also where samplers are alike but for their names, and where one
// is constrained.
func TestColumnsAndRowsAreIndependent(t *testing.T) {
	schema := table.NewSchema()
	var columns [3][]float64
	for i := range columns {
		s, err := sampler.New(fmt.Sprintf("column%d", i), parse(t, unitInterval), sampler.Dataset{Seed: int64(i / 2), Schema: schema})
		if err != nil {
			t.Fatal(err)
		}
		for row := range drawn {
			value, err := s.Generate(t.Context(), table.NewRecord(schema, table.RowIndex(row), 0))
			if err != nil {
				t.Fatal(err)
			}
			columns[i] = append(columns[i], value.(float64))
		}
	}
	first := columns[0]
	for what, pair := range map[string][2][]float64{
		"two columns":             {first, columns[1]},
		"two seeds":               {first, columns[2]},
		"neighbouring rows":       {first[1:], first[:drawn-1]},
		"rows two apart":          {first[2:], first[:drawn-2]},
		"rows 1000 apart":         {first[1000:], first[:drawn-1000]},
		"a row and another one's": {first[1:], columns[1][:drawn-1]},
	} {
		// Four by four quarters tell more than a correlation does.
		counts, shares := map[any]int{}, map[any]float64{}
		for i := range pair[0] {
			counts[[2]int{int(4 * pair[0][i]), int(4 * pair[1][i])}]++
		}
		for x := range 4 {
			for y := range 4 {
				shares[[2]int{x, y}] = 1.0 / 16
			}
		}
		checkFrequencies(t, what, counts, shares)
	}
}
