package people

import (
	"sort"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
)

// weighted draws an index by weights. The zero value has none to draw.
type weighted struct{ upTo []float64 }

// newWeighted takes weights that are not negative.
func newWeighted(weights []float64) weighted {
	upTo, total := make([]float64, len(weights)), 0.0
	for i, weight := range weights {
		total += weight
		upTo[i] = total
	}
	return weighted{upTo}
}

// isEmpty says that nothing can be drawn.
func (w weighted) isEmpty() bool { return len(w.upTo) == 0 || w.upTo[len(w.upTo)-1] <= 0 }

// draw returns an index with a weight above zero.
func (w weighted) draw(stream *random.Stream) int {
	at := stream.Float64() * w.upTo[len(w.upTo)-1]
	return sort.Search(len(w.upTo)-1, func(i int) bool { return w.upTo[i] > at })
}

// weightOf is a weight of the spec, which is 1 by default.
func weightOf(weight *v1alpha1.Decimal) float64 {
	if weight == nil {
		return 1
	}
	return weight.Float64()
}
