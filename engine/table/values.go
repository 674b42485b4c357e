package table

import (
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Bytes is how much text or binary data is in a value, with what lies below it. What has a fixed size counts for nothing.
func Bytes(value any) int64 {
	switch typed := value.(type) {
	case string:
		return int64(len(typed))
	case []byte:
		return int64(len(typed))
	case []any:
		size := int64(0)
		for _, item := range typed {
			size += Bytes(item)
		}
		return size
	}
	return 0
}

// Date is a day, counted from 1970-01-01.
type Date int32

// DateOf returns the day of a moment in UTC.
func DateOf(moment time.Time) Date {
	seconds := moment.Unix()
	days := seconds / 86400
	if seconds%86400 < 0 {
		days--
	}
	return Date(days)
}

// String returns the day as 2026-01-31, which is what Python's str prints.
func (d Date) String() string { return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly) }

// TimeOfDay is the time since midnight in nanoseconds.
type TimeOfDay int64

// String returns the time as 15:04:05, which is what Python's str prints, with a fraction only where there is one: of six digits, or of
// nine where six don't tell it.
func (t TimeOfDay) String() string {
	moment := time.Unix(0, int64(t)).UTC()
	switch {
	case t%1e9 == 0:
		return moment.Format("15:04:05")
	case t%1000 == 0:
		return moment.Format("15:04:05.000000")
	}
	return moment.Format("15:04:05.000000000")
}

// Decimal is the number Unscaled · 10^-Scale, and keeps its zeros: 1.50 is not written as 1.5. It is immutable.
type Decimal struct {
	Unscaled *big.Int
	Scale    int32
}

// maxPrecision is the largest of decimals that every reader knows.
const maxPrecision = 38

// AnyDecimal is the type of decimals of which nothing more is known: nine digits may stand after the point, as in sums of money in any
// currency.
func AnyDecimal() Type { return Type{Kind: KindDecimal, Precision: maxPrecision, Scale: 9} }

// ParseDecimal reads digits with an optional sign and an optional point between them; no exponent, no blanks.
func ParseDecimal(text string) (Decimal, bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "" || strings.HasSuffix(text, ".") || strings.Trim(whole+fraction, "0123456789") != "" {
		return Decimal{}, false
	}
	unscaled, isNumber := new(big.Int).SetString(whole+fraction, 10)
	if !isNumber {
		return Decimal{}, false
	}
	if digits != text {
		unscaled.Neg(unscaled)
	}
	return Decimal{Unscaled: unscaled, Scale: int32(len(fraction))}, true
}

// Precision is how many digits the number has, those after the point included.
func (d Decimal) Precision() int32 {
	return max(int32(len(new(big.Int).Abs(d.Unscaled).String())), d.Scale)
}

// Rescaled returns the same number with another scale; it fails where digits would be lost.
func (d Decimal) Rescaled(scale int32) (Decimal, bool) {
	if scale >= d.Scale {
		return Decimal{new(big.Int).Mul(d.Unscaled, powerOfTen(scale-d.Scale)), scale}, true
	}
	quotient, rest := new(big.Int).QuoRem(d.Unscaled, powerOfTen(d.Scale-scale), new(big.Int))
	return Decimal{quotient, scale}, rest.Sign() == 0
}

// Float64 is the number that is nearest.
func (d Decimal) Float64() float64 {
	number, _ := strconv.ParseFloat(d.Plain(), 64)
	return number
}

func powerOfTen(exponent int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// Plain returns the number without an exponent.
func (d Decimal) Plain() string {
	digits := new(big.Int).Abs(d.Unscaled).String()
	if missing := int(d.Scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if d.Scale > 0 {
		point := len(digits) - int(d.Scale)
		digits = digits[:point] + "." + digits[point:]
	}
	if d.Unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// String returns what Python's str prints of a Decimal: 1.50, and 1E-7 where more than six zeros would come first.
func (d Decimal) String() string {
	digits := new(big.Int).Abs(d.Unscaled).String()
	exponent := len(digits) - int(d.Scale) - 1 // of the first digit
	if d.Scale == 0 || exponent >= -6 {
		return d.Plain()
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	if d.Unscaled.Sign() < 0 {
		digits = "-" + digits
	}
	return digits + "E" + strconv.Itoa(exponent)
}
