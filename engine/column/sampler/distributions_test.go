package sampler_test

import (
	"encoding/json"
	"math"
	"os"
	"sort"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/column/sampler"
)

// scipyValues are what SciPy says of a distribution; testdata/scipy_values.py has made them.
type scipyValues struct {
	Sampler string
	// Mean, Variance and Kurtosis are nil where they are infinite or don't exist.
	Mean, Variance, Kurtosis *float64
	// Ends are the upper ends of bins, which are included, and Shares how much of the distribution is in each; the last bin is open.
	Ends   []float64
	Shares []float64
}

const drawn = 100_000

// TestDrawsFollowTheirDistributions compares 100 000 draws with SciPy's distributions: their mean and variance, and by chi-square their
// shares in bins. The seeds are fixed, so that it can't fail by chance.
func TestDrawsFollowTheirDistributions(t *testing.T) {
	data, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []scipyValues
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		_, values := draws(t, want.Sampler, drawn)
		numbers := make([]float64, len(values))
		for i, value := range values {
			switch v := value.(type) {
			case int64:
				numbers[i] = float64(v)
			case float64:
				numbers[i] = v
			}
		}
		want.checkMoments(t, numbers)
		want.checkShares(t, numbers)
	}
}

// checkMoments looks at the mean and the variance, as far as so many draws can tell them.
func (s *scipyValues) checkMoments(t *testing.T, numbers []float64) {
	if s.Mean == nil || s.Variance == nil || s.Kurtosis == nil {
		return
	}
	sum, squares := 0.0, 0.0
	for _, number := range numbers {
		sum += number
		squares += (number - *s.Mean) * (number - *s.Mean)
	}
	mean, variance := sum/drawn, squares/drawn
	if math.Abs(mean-*s.Mean) > 4*math.Sqrt(*s.Variance/drawn) {
		t.Errorf("%s: the mean is %g, not %g", s.Sampler, mean, *s.Mean)
	}
	if math.Abs(variance-*s.Variance) > 5**s.Variance*math.Sqrt((*s.Kurtosis+2)/drawn) {
		t.Errorf("%s: the variance is %g, not %g", s.Sampler, variance, *s.Variance)
	}
}

// checkShares looks at the shares in bins by chi-square. By Wilson and Hilferty, the cube root of that over its degrees of freedom is about
// normal; four deviations are allowed.
func (s *scipyValues) checkShares(t *testing.T, numbers []float64) {
	bins := make([]float64, len(s.Shares))
	for _, number := range numbers {
		bins[sort.SearchFloat64s(s.Ends, number)]++
	}
	statistic, freedom := 0.0, -1.0
	for i, share := range s.Shares {
		expected := share * drawn
		if expected > 5 {
			statistic += (bins[i] - expected) * (bins[i] - expected) / expected
			freedom++
		} else if bins[i] > 30 {
			t.Errorf("%s: %g draws where %g are to be expected", s.Sampler, bins[i], expected)
		}
	}
	limit := freedom * math.Pow(1-2/(9*freedom)+4*math.Sqrt(2/(9*freedom)), 3)
	if freedom > 0 && !(statistic <= limit) {
		t.Errorf("%s: chi-square is %.1f at %g degrees of freedom, above %.1f: %v of %v", s.Sampler, statistic, freedom, limit, bins,
			s.Shares)
	}
}

// Users find each distribution, and no other, in the documentation, and each is held against SciPy.
func TestEveryDistributionIsListedAndTested(t *testing.T) {
	page, err := os.ReadFile("../../../docs/samplers.md")
	if err != nil {
		t.Fatal(err)
	}
	truths, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	message := sampler.Validate(parse(t, "{type: Distribution, distribution: {name: none}}"))[0].Message
	names := strings.Split(strings.TrimPrefix(message[:strings.Index(message, ", but")], "is none of "), ", ")
	for _, name := range names {
		if !strings.Contains(string(page), "`"+name+"`") || !strings.Contains(string(truths), "name: "+name+",") {
			t.Errorf("%s is not in docs/samplers.md, or not in testdata/scipy.json", name)
		}
	}
	if len(names) < 40 {
		t.Errorf("there are only %d distributions", len(names))
	}
}
