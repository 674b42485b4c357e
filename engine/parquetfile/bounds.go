package parquetfile

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// maxStatistics is how many bytes of a text the statistics of a file have at most. Readers hold a footer in memory, and refuse one that is
// too large.
const maxStatistics = 64

// signBit is that of the first byte of a big-endian number. Where it is flipped, the order of the bytes is that of the numbers.
const signBit = 0x80

// bounds are the least and the greatest of some values, by the kind of their column. NaN is none.
type bounds struct {
	set                       bool
	leastInt, greatestInt     int64
	leastFloat, greatestFloat float64
	// least and greatest are those of bytes; of numbers of a fixed length, the sign is flipped.
	least, greatest string
}

func (b *bounds) takeInt(value int64) {
	if !b.set {
		b.set, b.leastInt, b.greatestInt = true, value, value
		return
	}
	b.leastInt, b.greatestInt = min(b.leastInt, value), max(b.greatestInt, value)
}

func (b *bounds) takeFloat(value float64) {
	switch {
	case value != value: // NaN
	case !b.set:
		b.set, b.leastFloat, b.greatestFloat = true, value, value
	case value < b.leastFloat:
		b.leastFloat = value
	case value > b.greatestFloat:
		b.greatestFloat = value
	}
}

func takeText[T string | []byte](b *bounds, value T) {
	switch {
	case !b.set:
		text := string(value)
		b.set, b.least, b.greatest = true, text, text
	case string(value) < b.least:
		b.least = string(value)
	case string(value) > b.greatest:
		b.greatest = string(value)
	}
}

// merge takes other bounds of the same kind.
func (b *bounds) merge(other *bounds) {
	switch {
	case !other.set:
	case !b.set:
		*b = *other
	default:
		b.leastInt, b.greatestInt = min(b.leastInt, other.leastInt), max(b.greatestInt, other.greatestInt)
		b.leastFloat, b.greatestFloat = min(b.leastFloat, other.leastFloat), max(b.greatestFloat, other.greatestFloat)
		b.least, b.greatest = min(b.least, other.least), max(b.greatest, other.greatest)
	}
}

// statistics are the bounds as they stand in a file. Those of texts are cut, and then marked as inexact: the least is still not above any
// value, and the greatest not below. It is nil where no text stands above all.
func (b *bounds) statistics(physical format.Type) (in statistics) {
	switch physical {
	case format.Boolean:
		in.MinValue, in.MaxValue = []byte{byte(b.leastInt)}, []byte{byte(b.greatestInt)}
	case format.Int32:
		in.MinValue = binary.LittleEndian.AppendUint32(nil, uint32(b.leastInt))
		in.MaxValue = binary.LittleEndian.AppendUint32(nil, uint32(b.greatestInt))
	case format.Int64:
		in.MinValue = binary.LittleEndian.AppendUint64(nil, uint64(b.leastInt))
		in.MaxValue = binary.LittleEndian.AppendUint64(nil, uint64(b.greatestInt))
	case format.Double:
		least, greatest := b.leastFloat, b.greatestFloat
		if least == 0 { // the two zeros are equal, and readers may tell them apart
			least = math.Copysign(0, -1)
		}
		if greatest == 0 {
			greatest = 0
		}
		in.MinValue = binary.LittleEndian.AppendUint64(nil, math.Float64bits(least))
		in.MaxValue = binary.LittleEndian.AppendUint64(nil, math.Float64bits(greatest))
	case format.FixedLenByteArray:
		in.MinValue, in.MaxValue = []byte(b.least), []byte(b.greatest)
		in.MinValue[0] ^= signBit
		in.MaxValue[0] ^= signBit
	default:
		in.cut(b.least, b.greatest)
	}
	return in
}

// cut takes the bounds of texts.
func (s *statistics) cut(least, greatest string) {
	isLeast, isGreatest := len(least) <= maxStatistics, len(greatest) <= maxStatistics
	s.MinValue, s.MaxValue = prefix(least), prefix(greatest)
	if isLeast && isGreatest {
		return
	}
	s.IsMinValueExact, s.IsMaxValueExact = thrift.New(isLeast), thrift.New(isGreatest)
	if !isGreatest {
		s.MaxValue = above(s.MaxValue)
		if s.MaxValue == nil {
			s.IsMaxValueExact = thrift.Null[bool]{}
		}
	}
}

// prefix is what of a text is kept, in memory of its own: whole characters.
func prefix(text string) []byte {
	if len(text) <= maxStatistics {
		return []byte(text)
	}
	end := maxStatistics
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return []byte(text[:end])
}

// above returns a text that stands above all texts with a prefix: its last character that has a next one is raised. It is nil where there
// is none.
func above(prefix []byte) []byte {
	for len(prefix) > 0 {
		last, size := utf8.DecodeLastRune(prefix)
		prefix = prefix[:len(prefix)-size]
		next := last + 1
		if next == 0xD800 { // the surrogates are no characters
			next = 0xE000
		}
		if last != utf8.RuneError && next <= utf8.MaxRune {
			return utf8.AppendRune(append([]byte(nil), prefix...), next)
		}
	}
	return nil
}
