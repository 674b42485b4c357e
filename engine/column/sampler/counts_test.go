package sampler_test

import (
	"encoding/json"
	"math"
	"os"
	"sort"
	"testing"

	"seedloom.dev/seedloom/engine/table"
)

// scipyValues are what SciPy says of a distribution; testdata/scipy_values.py has made them.
type scipyValues struct {
	Sampler        string
	Mean, Variance float64
	// Ends are the upper ends of bins, which are included, and Shares how much of the distribution is in each; the last bin is open.
	Ends   []int64
	Shares []float64
}

// TestCountsFollowTheirDistributions compares 100 000 draws with SciPy's distributions: their mean and variance, and by chi-square their
// shares in bins. The seeds are fixed, so that it can't fail by chance.
func TestCountsFollowTheirDistributions(t *testing.T) {
	data, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []scipyValues
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	const count = 100_000
	for _, want := range all {
		kind, values := draws(t, want.Sampler, count)
		if kind != table.KindInt {
			t.Errorf("%s: kind %s", want.Sampler, kind)
		}
		sum, squares := 0.0, 0.0
		bins := make([]float64, len(want.Shares))
		for _, value := range values {
			drawn := value.(int64)
			sum += float64(drawn)
			squares += (float64(drawn) - want.Mean) * (float64(drawn) - want.Mean)
			bins[sort.Search(len(want.Ends), func(i int) bool { return drawn <= want.Ends[i] })]++
		}
		mean, variance := sum/count, squares/count
		if off := math.Abs(mean-want.Mean) / math.Sqrt(want.Variance/count); off > 4 {
			t.Errorf("%s: the mean is %g, %.1f standard errors from %g", want.Sampler, mean, off, want.Mean)
		}
		if math.Abs(variance/want.Variance-1) > 0.05 {
			t.Errorf("%s: the variance is %g, not %g", want.Sampler, variance, want.Variance)
		}
		statistic, freedom := 0.0, -1.0
		for i, share := range want.Shares {
			if expected := share * count; expected > 5 {
				statistic += (bins[i] - expected) * (bins[i] - expected) / expected
				freedom++
			}
		}
		// By Wilson and Hilferty, the cube root of chi-square over its degrees of freedom is about normal; four deviations are allowed.
		limit := freedom * math.Pow(1-2/(9*freedom)+4*math.Sqrt(2/(9*freedom)), 3)
		if freedom > 0 && statistic > limit {
			t.Errorf("%s: chi-square is %.1f at %g degrees of freedom, above %.1f: %v of %v", want.Sampler, statistic, freedom, limit, bins,
				want.Shares)
		}
	}
}
