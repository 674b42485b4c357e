package seed

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// convert reads a text as a value of a type.
func convert(kind table.Type, text string) (any, error) {
	switch kind.Kind {
	case table.KindString:
		return text, nil
	case table.KindBool:
		if value, isBool := parseBool(text); isBool {
			return value, nil
		}
	case table.KindInt:
		if number, err := strconv.ParseInt(text, 10, 64); err == nil {
			return number, nil
		}
	case table.KindFloat:
		if number, err := strconv.ParseFloat(text, 64); err == nil && !math.IsInf(number, 0) && !strings.ContainsAny(text, "_xX") {
			return number, nil
		}
	case table.KindDecimal:
		number, isNumber := table.ParseDecimal(text)
		if isNumber && fits(number, kind) {
			return number, nil
		}
	case table.KindDate:
		if moment, err := time.Parse(time.DateOnly, text); err == nil {
			return table.DateOf(moment), nil
		}
	case table.KindTime:
		if moment, err := time.Parse("15:04:05.999999999", text); err == nil {
			return table.TimeOfDay(moment.Sub(time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC))), nil
		}
	case table.KindTimestamp:
		if moment, _, err := parseTimestamp(text); err == nil {
			return moment, nil
		}
	}
	return nil, fmt.Errorf("%.60q is not a value of type %s", text, kind)
}

func fits(number table.Decimal, kind table.Type) bool {
	exact, isExact := number.Rescaled(kind.Scale)
	return isExact && exact.Precision() <= kind.Precision
}

func parseBool(text string) (value, isBool bool) {
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

// parseTimestamp reads a timestamp, and says whether it has no zone.
func parseTimestamp(text string) (moment time.Time, local bool, err error) {
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
