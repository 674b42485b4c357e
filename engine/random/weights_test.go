package random_test

import (
	"testing"

	"seedloom.dev/seedloom/engine/random"
)

func TestWeightsAreHowFrequentIndexesAre(t *testing.T) {
	weights := []float64{0, 3, 0, 1, 0}
	drawn := random.NewWeights(weights...)
	counts := make([]int, len(weights))
	stream := random.NewKey(7, "weights").At(0)
	for range 40_000 {
		counts[drawn.Draw(&stream)]++
	}
	if counts[0]+counts[2]+counts[4] != 0 || counts[1] < 29_500 || counts[1] > 30_500 {
		t.Errorf("%v of 40000 draws with the weights %v", counts, weights)
	}
}

// The smallest of all numbers are rounded up to the sum in half of all draws.
func TestRoundingReachesNoIndexWithoutAWeight(t *testing.T) {
	drawn := random.NewWeights(0, 5e-324, 0)
	stream := random.NewKey(7, "weights").At(0)
	for range 100 {
		if index := drawn.Draw(&stream); index != 1 {
			t.Fatalf("index %d has no weight", index)
		}
	}
}

func TestWeightsOfNothing(t *testing.T) {
	for _, weights := range [][]float64{nil, {0, 0}} {
		if !random.NewWeights(weights...).IsEmpty() {
			t.Errorf("%v can be drawn", weights)
		}
	}
	if random.NewWeights(0, 1).IsEmpty() {
		t.Error("a weight can't be drawn")
	}
}
