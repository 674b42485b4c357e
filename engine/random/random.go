// Package random makes every random draw of the engine a pure function of (seed, column, row, attempt), so that the number of shards,
// restarts and machines change nothing. Its algorithms are frozen: another result for the same key would be a breaking change.
package random

import (
	"math"
	"math/bits"

	"seedloom.dev/seedloom/engine/table"
)

// ColumnKey identifies the stream of draws of a column under a seed.
type ColumnKey uint64

// Column returns the key of a column: the FNV-1a hash of its name, mixed with the seed.
func Column(seed int64, name string) ColumnKey {
	hash := uint64(14695981039346656037)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return ColumnKey(mix(hash ^ mix(uint64(seed))))
}

// Source is a stream of random numbers, the generator SplitMix64 (Steele, Lea, Flood 2014). It is a value: copying it copies the stream's
// state, and making one costs nothing.
type Source struct{ state uint64 }

// Cell returns the stream of one cell's attempt.
func (k ColumnKey) Cell(row table.RowIndex, attempt int32) Source {
	return Source{state: mix((uint64(k) ^ mix(uint64(row))) + mix(uint64(uint32(attempt))+0x9e3779b97f4a7c15))}
}

// mix is the finaliser of SplitMix64: a bijection in which every input bit changes half of the output bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 returns the next 64 random bits.
func (s *Source) Uint64() uint64 {
	s.state += 0x9e3779b97f4a7c15
	return mix(s.state)
}

// Float64 returns a number in [0, 1), a multiple of 2^-53.
func (s *Source) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// Below returns a number in [0, n), each equally likely, by Lemire's multiplication. It is 0 where n is not positive.
func (s *Source) Below(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	high, low := bits.Mul64(s.Uint64(), n)
	for threshold := -n % n; low < threshold; {
		high, low = bits.Mul64(s.Uint64(), n)
	}
	return high
}

// Normal returns a number of the standard normal distribution, by the polar method of Marsaglia.
func (s *Source) Normal() float64 {
	for {
		x, y := 2*s.Float64()-1, 2*s.Float64()-1
		if square := x*x + y*y; square > 0 && square < 1 {
			return x * math.Sqrt(-2*math.Log(square)/square)
		}
	}
}

// Permutation is a keyed permutation of [0, n) that needs no memory: a Feistel network on the smallest even number of bits that holds n,
// walked along its cycle until the result is below n (Black, Rogaway 2002).
type Permutation struct {
	n    uint64
	half uint
	keys [4]uint64
}

// NewPermutation returns the permutation of a key.
func NewPermutation(key ColumnKey, n uint64) Permutation {
	source := Source{state: uint64(key)}
	p := Permutation{n: n, half: uint(bits.Len64(max(n, 1)-1)+1) / 2}
	for i := range p.keys {
		p.keys[i] = source.Uint64()
	}
	return p
}

// At returns where index, which is below n, is moved to.
func (p Permutation) At(index uint64) uint64 {
	if p.n < 2 {
		return index
	}
	mask := uint64(1)<<p.half - 1
	for {
		left, right := index>>p.half, index&mask
		for _, key := range p.keys {
			left, right = right, left^(mix(right^key)&mask)
		}
		index = left<<p.half | right
		if index < p.n {
			return index
		}
	}
}
