package sampler

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// maxDecimalPlaces is how many decimal places numbers may have.
const maxDecimalPlaces = 15

// intRange is what an int can hold, for people.
const intRange = "-9223372036854775808 to 9223372036854775807"

// numberKind is the kind of numbers after their conversion.
func numberKind(spec *v1alpha1.Sampler) table.Kind {
	return convertedKind(spec.ConvertTo, table.KindFloat)
}

func convertedKind(convert v1alpha1.NumberConversion, unconverted table.Kind) table.Kind {
	switch convert {
	case v1alpha1.ConvertToInt:
		return table.KindInt
	case v1alpha1.ConvertToFloat:
		return table.KindFloat
	case v1alpha1.ConvertToStr:
		return table.KindString
	}
	return unconverted
}

// numbers finishes what draws numbers: decimal places, then the conversion.
func numbers(convert v1alpha1.NumberConversion, places *int32, draw func(*random.Stream) float64) drawFunc {
	return func(stream *random.Stream, _ *table.Record) (any, error) {
		value, err := drawNumber(stream, places, draw)
		if err != nil {
			return nil, err
		}
		switch convert {
		case v1alpha1.ConvertToInt:
			integer, fits := toInt(value)
			if !fits {
				return nil, fmt.Errorf("%v was drawn, which is outside of what an int can hold (%s)", value, intRange)
			}
			return integer, nil
		case v1alpha1.ConvertToStr:
			return formatFloat(value), nil
		}
		return value, nil
	}
}

func outsideNumbers(value float64) error {
	return fmt.Errorf("a number was drawn that is outside the range of 64-bit numbers (%v)", value)
}

// validatePlaces looks at the decimal places of numbers.
func validatePlaces(field string, places *int32) []Violation {
	if places == nil || *places >= 0 && *places <= maxDecimalPlaces {
		return nil
	}
	return []Violation{{field, fmt.Sprintf("must be from 0 to %d, but is %d", maxDecimalPlaces, *places)}}
}

// validateRange looks at whether what lies between two numbers can be drawn and converted. what names it for people.
func validateRange(field, what string, low, high float64, convert v1alpha1.NumberConversion) []Violation {
	if math.IsInf(low, 0) || math.IsInf(high, 0) || math.IsNaN(low) || math.IsNaN(high) {
		return []Violation{{field, what + " leaves the range of 64-bit numbers"}}
	}
	_, lowFits := toInt(low)
	_, highFits := toInt(high)
	if convert == v1alpha1.ConvertToInt && !(lowFits && highFits) {
		return []Violation{{field, fmt.Sprintf("%s goes from %.6g to %.6g, outside of what an int can hold (%s), to which convertTo converts",
			what, low, high, intRange)}}
	}
	return nil
}

// round rounds half to even on the exact binary value.
func round(value float64, places int32) float64 {
	// What FormatFloat writes always parses.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'f', int(places), 64), 64)
	return rounded
}

// toInt rounds half to even, where an int can hold the result.
func toInt(value float64) (int64, bool) {
	value = math.RoundToEven(value)
	// 2^63 is the first number above the range; its negative is in it.
	if !(value >= -1<<63 && value < 1<<63) {
		return 0, false
	}
	return int64(value), true
}

func formatFloat(value float64) string {
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}
