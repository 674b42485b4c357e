package people

import (
	"math"
	"strconv"
	"time"

	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// mailPattern is how the part before the @ is made of a name. The initials stand for the first letters.
type mailPattern int

const (
	firstDotLast mailPattern = iota
	firstLast
	initialLast
	firstUnderscoreLast
	lastInitial
	firstInitial
)

// mailPatterns are how frequent the patterns are, and mailNumbers which numbers follow: none, any of two digits, the year of birth with
// two digits and with four, and the day.
var (
	mailPatterns = random.NewWeights(30, 20, 15, 10, 15, 10)
	mailNumbers  = random.NewWeights(40, 30, 10, 10, 10)
)

// adult is the age from which on persons have a telephone and an e-mail address.
const adult = 18

// mailbox appends the part before the @ but for its number.
func mailbox(text []byte, stream *random.Stream, first, last string) []byte {
	if first == "" {
		first = "mail"
	}
	if last == "" {
		last = "box"
	}
	switch mailPattern(mailPatterns.Draw(stream)) {
	case firstDotLast:
		return append(append(append(text, first...), '.'), last...)
	case firstLast:
		return append(append(text, first...), last...)
	case initialLast:
		return append(append(text, first[0]), last...)
	case firstUnderscoreLast:
		return append(append(append(text, first...), '_'), last...)
	case lastInitial:
		return append(append(text, last...), first[0])
	default:
		return append(append(text, first...), last[0])
	}
}

func mailNumber(text []byte, stream *random.Stream, birth time.Time) []byte {
	kind, number := mailNumbers.Draw(stream), 1+stream.Below(99)
	switch {
	case kind == 1:
		return strconv.AppendUint(text, number, 10)
	case birth.IsZero():
		return text
	case kind == 2:
		return birth.AppendFormat(text, "06")
	case kind == 3:
		return birth.AppendFormat(text, "2006")
	case kind == 4:
		return strconv.AppendInt(text, int64(birth.Day()), 10)
	}
	return text
}

// rowNumbers gives each row of a dataset a number of its own, which looks drawn. Rows below ten thousand have numbers below it, those below
// a hundred thousand the others below that, and so on: a dataset that grows changes none.
type rowNumbers struct{ bands []random.Permutation }

// fewestNumbers is the size of the first band.
const fewestNumbers = 10_000

func newRowNumbers(key random.Key) rowNumbers {
	var numbers rowNumbers
	for low, high := uint64(0), uint64(fewestNumbers); high < math.MaxInt64/10; low, high = high, high*10 {
		stream := key.At(high)
		numbers.bands = append(numbers.bands, random.NewPermutation(&stream, high-low))
	}
	return numbers
}

// appendNumber appends the number of a record's row. Rows that allowResize has made of one have that of it, and their own after it.
func (n rowNumbers) appendNumber(text []byte, record *table.Record) []byte {
	row, low, high := uint64(record.Row), uint64(0), uint64(fewestNumbers)
	for _, band := range n.bands {
		if row < high {
			row = low + band.At(row-low)
			break
		}
		low, high = high, high*10
	}
	text = strconv.AppendUint(text, row, 10)
	if record.Ordinal > 0 {
		text = strconv.AppendInt(append(text, '-'), int64(record.Ordinal), 10)
	}
	return text
}
