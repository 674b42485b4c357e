package seed

import (
	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// Selector says which row of a seed belongs to which row of the dataset: a pure function, so that shards need no coordination and a
// resumed run sees the same order.
type Selector struct {
	length   int
	shuffled bool
	key      random.Key
}

// NewSelector returns the selector of a seed with a number of rows.
func NewSelector(length int, order v1alpha1.SeedOrder, randomSeed int64) *Selector {
	return &Selector{length: length, shuffled: order == v1alpha1.SeedShuffled, key: random.NewKey(randomSeed, "seed/order")}
}

// Index returns the row of the seed. When the dataset is longer than the seed, each row comes once before any comes again; a
// shuffled seed has another order each time.
func (s *Selector) Index(row table.RowIndex) int {
	position := int(int64(row) % int64(s.length))
	if !s.shuffled {
		return position
	}
	stream := s.key.At(uint64(row) / uint64(s.length))
	permutation := random.NewPermutation(&stream, uint64(s.length))
	return int(permutation.At(uint64(position)))
}
