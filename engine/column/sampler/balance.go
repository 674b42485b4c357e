package sampler

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// balanced gives each value to as many rows as its weight says: the rows are shuffled by a keyed permutation, so that each finds its place
// by itself, and the first places have the first value. Attempts of a row have one value.
func balanced(spec *v1alpha1.CategorySampler, convert v1alpha1.NumberConversion, in site) drawFunc {
	_, values := categoryValues(spec)
	convertAll(values, convert)
	records := uint64(max(in.Records, 1))
	ends := shares(len(values), spec.Weights, records)
	stream := random.NewKey(in.Seed, "balance/"+in.column).At(0)
	permutation := random.NewPermutation(&stream, records)
	return func(_ *random.Stream, record *table.Record) (any, error) {
		place := permutation.At(uint64(record.Row) % records)
		return values[sort.Search(len(ends), func(i int) bool { return place < ends[i] })], nil
	}
}

// shares divides places among values by their weights, and returns where the places of each end. What is left after rounding down goes to
// those that lack most, of equal ones to the first.
func shares(values int, weights []v1alpha1.Decimal, places uint64) []uint64 {
	of, total := make([]float64, values), 0.0
	for i := range of {
		of[i] = 1
		if weights != nil {
			of[i] = weights[i].Float64()
		}
		total += of[i]
	}
	counts, lacks, order := make([]uint64, values), make([]float64, values), make([]int, values)
	left := places
	for i, weight := range of {
		exact := float64(places) * (weight / total)
		counts[i] = min(uint64(math.Floor(exact)), left)
		lacks[i], order[i] = exact-float64(counts[i]), i
		left -= counts[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lacks[b], lacks[a]) })
	for i := 0; left > 0; i = (i + 1) % values {
		if of[order[i]] > 0 {
			counts[order[i]]++
			left--
		}
	}
	for i := 1; i < values; i++ {
		counts[i] += counts[i-1]
	}
	return counts
}
