package seedrows

import (
	"sort"
	"sync"
)

// blockSize is how many positions of the seed a sum of the index stands for.
const blockSize = 256

// Index finds which row of the seed a row of the dataset follows from. It holds 8 bytes for 256 rows of the seed, and grows as far as it is
// asked: finding the last row of all takes one draw for each row of the seed, and no reading of the seed. It may be used by many
// goroutines.
type Index struct {
	expansion *Expansion
	// seedRow is the number in the file of the row at a position of the seed.
	seedRow func(position int64) int64
	mutex   sync.Mutex
	// sums are how many rows follow from the positions before each block; drawn is how many positions are summed up.
	sums  []int64
	drawn int64
	total int64
}

// NewIndex returns the index of an expansion. Positions are those of the rows of the seed that are used, in the order in which the dataset
// has them.
func NewIndex(expansion *Expansion, seedRow func(position int64) int64) *Index {
	return &Index{expansion: expansion, seedRow: seedRow}
}

// Place says from where a row of the dataset follows.
type Place struct {
	// Position is that of the row of the seed, Number the number of the row among those that follow from it, from 0, and Count how many do.
	Position, Number, Count int64
}

// Next is the place after this one.
func (x *Index) Next(place Place) Place {
	place.Number++
	for place.Number >= place.Count {
		place.Position, place.Number = place.Position+1, 0
		place.Count = x.at(place.Position)
	}
	return place
}

func (x *Index) at(position int64) int64 { return x.expansion.Of(x.seedRow(position)) }

// Total is how many rows follow from the first positions.
func (x *Index) Total(positions int64) int64 {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.grow(func() bool { return x.drawn < positions })
	if positions == x.drawn {
		return x.total
	}
	block := positions / blockSize
	total := x.sums[block]
	for position := block * blockSize; position < positions; position++ {
		total += x.at(position)
	}
	return total
}

// Positions is from how many positions at least so many rows follow, out of so many positions at most.
func (x *Index) Positions(rows, most int64) int64 {
	x.mutex.Lock()
	defer x.mutex.Unlock()
	x.grow(func() bool { return x.total < rows && x.drawn < most })
	return x.drawn
}

// Find returns the place of a row, of which there must be one.
func (x *Index) Find(row int64) Place {
	x.mutex.Lock()
	x.grow(func() bool { return x.total <= row })
	block := sort.Search(len(x.sums), func(i int) bool { return x.sums[i] > row }) - 1
	left := row - x.sums[block]
	x.mutex.Unlock()
	for position := int64(block) * blockSize; ; position++ {
		count := x.at(position)
		if left < count {
			return Place{position, left, count}
		}
		left -= count
	}
}

// grow sums up further positions while more are wanted. The caller holds the mutex.
func (x *Index) grow(more func() bool) {
	for more() {
		if x.drawn%blockSize == 0 {
			x.sums = append(x.sums, x.total)
		}
		x.total += x.at(x.drawn)
		x.drawn++
	}
}
