// Package random is the one place that random draws of the engine come from: each is a function of the seed, the column, and the row,
// ordinal and attempt of a record, so that the number of shards, restarts, machines and other columns change nothing. What is drawn is not
// known here.
//
// The algorithms are frozen: another result for the same key gives users other data, and needs another version of a run's identity.
package random

import (
	"math"
	"math/bits"

	"seedloom.dev/seedloom/engine/table"
)

// Key identifies all that is drawn for one purpose under a seed.
type Key uint64

// NewKey returns the key of a purpose: the FNV-1a hash of its name, mixed with the seed. The values of a column are drawn under its name;
// whatever else is drawn has a name with a slash, which no column can have.
func NewKey(seed int64, name string) Key {
	hash := uint64(14695981039346656037)
	for i := range len(name) {
		hash = (hash ^ uint64(name[i])) * 1099511628211
	}
	return Key(mix(hash ^ mix(uint64(seed))))
}

// Of returns the stream of draws of a record: of its row, its ordinal and its attempt.
func (k Key) Of(record *table.Record) Stream {
	return k.stream(uint64(record.Row), uint64(uint32(record.Ordinal))<<32|uint64(uint32(record.Attempt)))
}

// OfRow returns what Of does for the record of a row's first attempt.
func (k Key) OfRow(row table.RowIndex) Stream { return k.stream(uint64(row), 0) }

// At returns the stream of draws with a number, for what belongs to no record.
func (k Key) At(number uint64) Stream { return k.stream(number, 0) }

// stream maps each pair of numbers to a stream of its own, as far as an odd increment can tell pairs apart.
func (k Key) stream(a, b uint64) Stream {
	a, b = mix(uint64(k)^mix(a)), mix(b+golden)
	return Stream{state: mix(a + b), increment: increment(a + 2*b)}
}

// Stream is a stream of random numbers: the generator SplitMix64 with an increment of its own (Steele, Lea, Flood 2014), 127 bits in all,
// so that no two streams are alike in practice. It is a value: a copy draws what the original would have drawn.
type Stream struct{ state, increment uint64 }

// golden is 2^64 divided by the golden ratio.
const golden = 0x9e3779b97f4a7c15

// increment returns an odd number with many changes between neighbouring bits, as the authors of SplitMix64 ask for.
func increment(x uint64) uint64 {
	x = mix(x) | 1
	if bits.OnesCount64(x^x>>1) < 24 {
		x ^= 0xaaaaaaaaaaaaaaaa
	}
	return x
}

// Sub returns the stream with a number below this one, which is independent of it and of its other ones.
func (s Stream) Sub(number uint64) Stream {
	offset := mix(number + golden)
	return Stream{state: mix(s.state + offset), increment: increment(s.increment + 2*offset)}
}

// mix is the finaliser of SplitMix64: a bijection in which every input bit changes half of the output bits.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Uint64 returns the next 64 random bits.
func (s *Stream) Uint64() uint64 {
	s.state += s.increment
	return mix(s.state)
}

// Float64 returns a number in [0, 1), a multiple of 2^-53.
func (s *Stream) Float64() float64 { return float64(s.Uint64()>>11) * 0x1p-53 }

// Below returns a number in [0, n), each equally likely, by Lemire's multiplication. It is 0 where n is not positive.
func (s *Stream) Below(n uint64) uint64 {
	if n == 0 {
		return 0
	}
	high, low := bits.Mul64(s.Uint64(), n)
	if low >= n {
		return high // as nearly always; the division below is the dearer part
	}
	for threshold := -n % n; low < threshold; {
		high, low = bits.Mul64(s.Uint64(), n)
	}
	return high
}

// Normal returns a number of the standard normal distribution, by the polar method of Marsaglia.
func (s *Stream) Normal() float64 {
	for {
		x, y := 2*s.Float64()-1, 2*s.Float64()-1
		// The conversions keep processors that could from adding and multiplying in one step, with other bits.
		if square := float64(x*x) + float64(y*y); square > 0 && square < 1 {
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

// NewPermutation returns the permutation that the next draws of a stream give.
func NewPermutation(stream *Stream, n uint64) Permutation {
	p := Permutation{n: n, half: uint(bits.Len64(max(n, 1)-1)+1) / 2}
	for i := range p.keys {
		p.keys[i] = stream.Uint64()
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
