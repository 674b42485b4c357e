package table

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Parse reads a text as a value of a type that is no list and no struct. What the type can't hold as a whole is refused, never cut.
func Parse(kind Type, text string) (any, error) {
	switch kind.Kind {
	case KindString:
		return text, nil
	case KindBool:
		if value, isBool := ParseBool(text); isBool {
			return value, nil
		}
	case KindInt:
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return number, nil
		}
	case KindFloat:
		if number, isFloat := ParseFloat(text); isFloat {
			return number, nil
		}
	case KindDecimal:
		number, isNumber := ParseDecimal(text)
		if isNumber && number.Fits(kind) {
			return number, nil
		}
	case KindDate:
		if moment, err := time.Parse(time.DateOnly, text); err == nil {
			return DateOf(moment), nil
		}
	case KindTime:
		if moment, err := time.Parse("15:04:05.999999999", text); err == nil {
			return timeOfDay(kind, moment, text)
		}
	case KindTimestamp:
		if moment, _, err := ParseTimestamp(text); err == nil {
			return Timestamp(kind, moment)
		}
	}
	if number, isNumber := ParseDecimal(text); kind.Kind == KindInt && isNumber && number.Scale == 0 {
		return nil, fmt.Errorf("%.60s is beyond the whole numbers of 64 bits, which end at ±9223372036854775807; take the type decimal or str",
			text)
	}
	return nil, fmt.Errorf("%.60q is not a value of type %s", text, kind)
}

func timeOfDay(kind Type, moment time.Time, text string) (any, error) {
	if !kind.holds(moment) {
		return nil, tooFine(kind, text)
	}
	return TimeOfDay(moment.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), nil
}

// Timestamp is a moment as a cell of a type of timestamps, which must hold all of its digits.
func Timestamp(kind Type, moment time.Time) (any, error) {
	if !kind.holds(moment) {
		return nil, tooFine(kind, FormatTimestamp(moment))
	}
	return moment.UTC(), nil
}

// holds says whether a type of times holds all digits of a time.
func (t Type) holds(moment time.Time) bool { return t.Nanoseconds || moment.Nanosecond()%1000 == 0 }

func tooFine(kind Type, text string) error {
	return fmt.Errorf("%.60q has more than the six digits after the point that a value of type %s holds; round it", text, kind)
}

// Fits says whether a type of decimals holds the number without losing a digit.
func (d Decimal) Fits(kind Type) bool {
	exact, isExact := d.Rescaled(kind.Scale)
	return isExact && exact.Precision() <= kind.Precision
}

// ParseFloat reads a number that is finite, in decimal digits.
func ParseFloat(text string) (number float64, isFloat bool) {
	number, err := strconv.ParseFloat(text, 64)
	return number, err == nil && !math.IsInf(number, 0) && !strings.ContainsAny(text, "_xX")
}

// ParseBool reads true or false, in any case.
func ParseBool(text string) (value, isBool bool) {
	switch len(text) {
	case 4:
		return true, strings.EqualFold(text, "true")
	case 5:
		return false, strings.EqualFold(text, "false")
	}
	return false, false
}

// timestampLayouts are those of local times; with a zone there is RFC 3339 and its variant with a blank.
var timestampLayouts = []string{"2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", time.DateOnly}

var errNoTimestamp = errors.New("no timestamp")

// ParseTimestamp reads a timestamp, and says whether it has no zone.
func ParseTimestamp(text string) (moment time.Time, local bool, err error) {
	if len(text) < len(time.DateOnly) || len(text) > 40 || text[4] != '-' {
		return time.Time{}, false, errNoTimestamp
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00"} {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment.UTC(), false, nil
		}
	}
	for _, layout := range timestampLayouts {
		if moment, err := time.Parse(layout, text); err == nil {
			return moment, true, nil
		}
	}
	return time.Time{}, false, errNoTimestamp
}

// minuteLayouts are those of local times without seconds, as people write them.
var minuteLayouts = []string{"2006-01-02T15:04", "2006-01-02 15:04"}

// ParseMoment reads a moment as people write it: a timestamp, also without seconds or without a time. One without a zone is in the given
// one.
func ParseMoment(text string, zone *time.Location) (time.Time, error) {
	for _, layout := range minuteLayouts {
		if moment, err := time.ParseInLocation(layout, text, zone); err == nil {
			return moment.UTC(), nil
		}
	}
	moment, local, err := ParseTimestamp(text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%.60q is not a date; write 2026-01-31 or 2026-01-31T12:00:00Z", text)
	}
	if local {
		clock := moment.Sub(moment.Truncate(24 * time.Hour))
		hour, minute, second := int(clock/time.Hour), int(clock/time.Minute%60), int(clock/time.Second%60)
		moment = time.Date(moment.Year(), moment.Month(), moment.Day(), hour, minute, second, int(clock%time.Second), zone)
	}
	return moment.UTC(), nil
}
