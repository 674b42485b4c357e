package seed

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// exactDigits is how many digits a float surely keeps.
const exactDigits = 15

// textShape gathers what the cells of a column of CSV have in common. Its zero value has seen none.
type textShape struct {
	// seen says that there was a cell that is not empty; the others say what some cell was not.
	seen, notBool, notInt, notFloat, notDecimal, notDate, notTimestamp bool
	zoned, local, nanoseconds                                          bool
	// beyond says that there was a moment that is no timestamp of nanoseconds.
	beyond bool
	// whole and fraction are the longest parts of decimals.
	whole, fraction int32
}

// settledAsText says that no cell can change the type any more.
func (s *textShape) isText() bool {
	return s.notBool && s.notInt && s.notFloat && s.notDecimal && s.notDate && s.notTimestamp
}

// observe takes the next cell into account. An empty one is null, and fits any type.
func (s *textShape) observe(cell []byte) {
	if len(cell) == 0 || s.isText() {
		return
	}
	s.seen = true
	if s.notInt && s.notFloat && s.notDecimal {
		s.notNumber(cell)
		return
	}
	if canonicalInt(cell) {
		s.notBool, s.notDate, s.notTimestamp = true, true, true
		s.wholeDigits(cell)
		s.notFloat = s.notFloat || len(cell) > exactDigits && !exactAsFloat(string(cell))
		return
	}
	if cell[0] != '-' && (cell[0] < '0' || cell[0] > '9') {
		s.notInt, s.notFloat, s.notDecimal = true, true, true
		s.notNumber(cell)
		return
	}
	if whole, fraction, isPlain := plainFraction(cell); isPlain {
		s.notInt, s.notBool, s.notDate, s.notTimestamp = true, true, true, true
		s.whole, s.fraction = max(s.whole, whole), max(s.fraction, fraction)
		return
	}
	s.number(cell)
}

// plainFraction knows the most frequent numbers that are no integers at a glance: so few digits with a point between them that any float
// keeps them. It returns how many digits stand before the point and after it.
func plainFraction(cell []byte) (whole, fraction int32, isPlain bool) {
	if cell[0] == '-' {
		cell = cell[1:]
	}
	if len(cell) > exactDigits || len(cell) > 1 && cell[0] == '0' && cell[1] != '.' {
		return 0, 0, false
	}
	point := -1
	for i, char := range cell {
		switch {
		case char == '.' && point < 0:
			point = i
		case char < '0' || char > '9':
			return 0, 0, false
		}
	}
	if point < 1 || point == len(cell)-1 {
		return 0, 0, false
	}
	return int32(point), int32(len(cell) - 1 - point), true
}

// number takes into account what begins as a number.
func (s *textShape) number(cell []byte) {
	s.notInt, s.notBool = true, true
	text := string(cell)
	digits := strings.TrimPrefix(text, "-")
	code := len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9'
	plain := strings.Trim(digits, "0123456789.") == "" && strings.Count(digits, ".") <= 1 && digits != "" && digits[0] != '.' &&
		!strings.HasSuffix(digits, ".")
	if code || !plain {
		s.notDecimal = true
	} else {
		s.digits(cell)
	}
	if code || !floatText(text, plain) {
		s.notFloat = true
	}
	if plain {
		s.notDate, s.notTimestamp = true, true
	} else {
		s.moment(text)
	}
}

// floatText says whether a text is a number that a float keeps.
func floatText(text string, plain bool) bool {
	if strings.ContainsAny(text, "xXpP_") {
		return false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(number, 0) || math.IsNaN(number) {
		return false
	}
	if !plain {
		return true
	}
	significant := strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(text, "-"), ".", ""), "0")
	return len(significant) <= exactDigits || !strings.Contains(text, ".") && exactAsFloat(text) ||
		strconv.FormatFloat(number, 'f', -1, 64) == text
}

func (s *textShape) wholeDigits(integer []byte) {
	digits := len(integer)
	if integer[0] == '-' {
		digits--
	}
	s.whole = max(s.whole, int32(digits))
}

func (s *textShape) digits(cell []byte) {
	cell = bytes.TrimPrefix(cell, []byte{'-'})
	whole, fraction, _ := bytes.Cut(cell, []byte{'.'})
	s.whole, s.fraction = max(s.whole, int32(len(whole))), max(s.fraction, int32(len(fraction)))
}

// notNumber takes into account what is none.
func (s *textShape) notNumber(cell []byte) {
	text := string(cell)
	if !s.notBool {
		_, isBool := table.ParseBool(text)
		s.notBool = !isBool
	}
	s.moment(text)
}

// moment takes into account whether a text is a date or a timestamp.
func (s *textShape) moment(text string) {
	if s.notDate && s.notTimestamp {
		return
	}
	moment, local, err := table.ParseTimestamp(text)
	if err != nil {
		s.notDate, s.notTimestamp = true, true
		return
	}
	s.notDate = s.notDate || len(text) != len(time.DateOnly)
	s.zoned, s.local = s.zoned || !local, s.local || local
	s.nanoseconds = s.nanoseconds || moment.Nanosecond()%1000 != 0
	beyond := moment.Year() < 1678 || moment.Year() > 2261
	s.beyond = s.beyond || beyond
	s.notTimestamp = s.zoned && s.local || s.nanoseconds && beyond
}

// merge takes into account what cells have in common that come later: the shape is that of all of them.
func (s *textShape) merge(later *textShape) {
	notTimestamp := s.notTimestamp || later.notTimestamp || s.nanoseconds && later.beyond
	s.seen, s.notBool, s.notInt = s.seen || later.seen, s.notBool || later.notBool, s.notInt || later.notInt
	s.notFloat, s.notDecimal, s.notDate = s.notFloat || later.notFloat, s.notDecimal || later.notDecimal, s.notDate || later.notDate
	s.zoned, s.local, s.nanoseconds = s.zoned || later.zoned, s.local || later.local, s.nanoseconds || later.nanoseconds
	s.beyond, s.notTimestamp = s.beyond || later.beyond, notTimestamp || s.zoned && s.local
	s.whole, s.fraction = max(s.whole, later.whole), max(s.fraction, later.fraction)
}

// canonicalInt says whether a text is an integer of 64 bits that is written as any program would write it: "007" is a code, not a number.
func canonicalInt(text []byte) bool {
	digits := bytes.TrimPrefix(text, []byte{'-'})
	if len(digits) == 0 || len(digits) > 19 || digits[0] == '0' && len(text) > 1 {
		return false
	}
	for _, digit := range digits {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	if len(digits) < 19 {
		return true
	}
	_, err := strconv.ParseInt(string(text), 10, 64)
	return err == nil
}

// kind is the narrowest type that every cell has. A column without any value is one of texts.
func (s *textShape) kind() table.Type {
	switch {
	case !s.seen:
		return table.Type{Kind: table.KindString}
	case !s.notBool:
		return table.Type{Kind: table.KindBool}
	case !s.notInt:
		return table.Type{Kind: table.KindInt}
	case !s.notFloat:
		return table.Type{Kind: table.KindFloat}
	case !s.notDecimal && s.whole+s.fraction <= maxPrecision:
		return table.Type{Kind: table.KindDecimal, Precision: max(1, s.whole+s.fraction), Scale: s.fraction}
	case !s.notDate:
		return table.Type{Kind: table.KindDate}
	case !s.notTimestamp:
		return table.Type{Kind: table.KindTimestamp, Local: s.local, Nanoseconds: s.nanoseconds}
	}
	return table.Type{Kind: table.KindString}
}
