package random

import "sort"

// Weights draw an index by how frequent it is to be. The zero value has none to draw.
type Weights struct {
	// upTo are the sums of the weights up to each index, but for what follows the last one with a weight.
	upTo []float64
}

// NewWeights takes weights that are not negative, and whose sum is finite.
func NewWeights(weights ...float64) Weights {
	upTo, total, last := make([]float64, len(weights)), 0.0, -1
	for i, weight := range weights {
		if total += weight; weight > 0 {
			last = i
		}
		upTo[i] = total
	}
	return Weights{upTo[:last+1]}
}

// IsEmpty says that nothing can be drawn.
func (w Weights) IsEmpty() bool { return len(w.upTo) == 0 }

// Draw returns an index with a weight above zero.
func (w Weights) Draw(stream *Stream) int {
	last := len(w.upTo) - 1
	at := stream.Float64() * w.upTo[last]
	// Rounding can reach the sum of all, which is past the last one.
	return sort.Search(last, func(i int) bool { return at < w.upTo[i] })
}
