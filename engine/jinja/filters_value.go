package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

func filterAbs(_ *evaluation, value Value, _ *parameters) (Value, error) {
	value = Unwritten(value)
	if float, ok := value.(float64); ok {
		return math.Abs(float), nil
	}
	if integer, ok := asBig(value); ok {
		return normalize(new(big.Int).Abs(integer)), nil
	}
	return nil, badFilterValue("abs", value)
}

func badFilterValue(filter string, value Value) error {
	if undefined, ok := value.(Undefined); ok {
		return fail(KindUndefined, "%s", undefined.Message)
	}
	return fail(KindType, "filter '%s' can't be applied to a %s", filter, typeName(value))
}

// filterRound rounds half to even on the exact binary value, as Python's round() does.
func filterRound(_ *evaluation, value Value, p *parameters) (Value, error) {
	precision, method := p.integer("precision", 0), p.string("method", "common")
	if !isNumber(value) {
		return nil, badFilterValue("round", value)
	}
	value = Unwritten(value)
	float, isFloat := value.(float64)
	switch method {
	case "common":
		if !isFloat {
			if precision >= 0 {
				return normalizeNumber(value), nil
			}
			return roundInteger(value, precision)
		}
		return roundFloat(float, precision), nil
	case "ceil", "floor":
		float, _ = asFloat(value)
		scale := math.Pow(10, float64(precision))
		if method == "ceil" {
			return math.Ceil(float*scale) / scale, nil
		}
		return math.Floor(float*scale) / scale, nil
	}
	return nil, fail(KindValue, "filter 'round': method must be common, ceil or floor")
}

func normalizeNumber(value Value) Value {
	if integer, ok := asBig(value); ok {
		return normalize(integer)
	}
	return value
}

func roundFloat(value float64, precision int64) float64 {
	if math.IsNaN(value) || math.IsInf(value, 0) || precision > 320 {
		return value
	}
	if precision >= 0 {
		rounded, _ := strconv.ParseFloat(strconv.FormatFloat(value, 'f', int(precision), 64), 64)
		return rounded
	}
	if precision < -308 {
		return 0
	}
	scale := math.Pow(10, float64(-precision))
	return math.RoundToEven(value/scale) * scale
}

func roundInteger(value Value, precision int64) (Value, error) {
	integer, _ := asBig(value)
	if precision < -1000 {
		return int64(0), nil
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(-precision), nil)
	quotient, rest := new(big.Int).DivMod(integer, scale, new(big.Int))
	twice := new(big.Int).Lsh(rest, 1).Cmp(scale)
	if twice > 0 || (twice == 0 && quotient.Bit(0) == 1) {
		quotient.Add(quotient, big.NewInt(1))
	}
	return normalize(quotient.Mul(quotient, scale)), nil
}

func filterInt(_ *evaluation, value Value, p *parameters) (Value, error) {
	fallback, base := p.value("default", int64(0)), p.integer("base", 10)
	switch v := Unwritten(value).(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fallback, nil
		}
		integer, _ := big.NewFloat(v).Int(nil)
		return normalize(integer), nil
	case string:
		text := strings.ReplaceAll(strings.TrimSpace(v), "_", "")
		if len(text) > maxBigBits/4 {
			return fallback, nil
		}
		switch base {
		case 16:
			text = strings.TrimPrefix(text, "0x")
		case 8:
			text = strings.TrimPrefix(text, "0o")
		case 2:
			text = strings.TrimPrefix(text, "0b")
		}
		if base >= 2 && base <= 36 {
			if integer, ok := new(big.Int).SetString(text, int(base)); ok {
				return normalize(integer), nil
			}
		}
		if float, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(float) && !math.IsInf(float, 0) {
			integer, _ := big.NewFloat(float).Int(nil)
			return normalize(integer), nil
		}
		return fallback, nil
	}
	if integer, ok := asBig(value); ok {
		return normalize(integer), nil
	}
	return fallback, nil
}

func filterFloat(_ *evaluation, value Value, p *parameters) (Value, error) {
	fallback := p.value("default", 0.0)
	if text, ok := value.(string); ok {
		if float, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil {
			return float, nil
		}
		return fallback, nil
	}
	if float, ok := asFloat(value); ok {
		return float, nil
	}
	return fallback, nil
}

func filterString(e *evaluation, value Value, _ *parameters) (Value, error) {
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	return e.text(text)
}

func filterDefault(_ *evaluation, value Value, p *parameters) (Value, error) {
	fallback, falsy := p.value("default_value", ""), p.boolean("boolean", false)
	if _, missing := value.(Undefined); missing || (falsy && !Truthy(value)) {
		return fallback, nil
	}
	return value, nil
}

func filterLength(e *evaluation, value Value, _ *parameters) (Value, error) {
	switch v := value.(type) {
	case string:
		return int64(utf8.RuneCountInString(v)), nil
	case *List:
		return int64(len(v.Items)), nil
	case Tuple:
		return int64(len(v)), nil
	case *Dict:
		return int64(v.Len()), nil
	case *Range:
		return v.Len(), nil
	case Undefined:
		return int64(0), e.useUndefined(v)
	}
	return nil, fail(KindType, "object of type '%s' has no len()", typeName(value))
}

func filterAttribute(e *evaluation, value Value, p *parameters) (Value, error) {
	text := p.string("name", "")
	if strings.HasPrefix(text, "_") {
		return nil, fail(KindSecurity, "access to attribute '%s' is not possible: it begins with '_'", text)
	}
	if found, known := member(value, text); known {
		return found, nil
	}
	return missingAttribute(value, text)
}

func filterPrettyPrint(e *evaluation, value Value, _ *parameters) (Value, error) {
	if err := e.measure(value, 0); err != nil {
		return nil, err
	}
	return e.text(Repr(value))
}

func filterFileSize(_ *evaluation, value Value, p *parameters) (Value, error) {
	binary := p.boolean("binary", false)
	size, ok := asFloat(value)
	if text, isText := value.(string); isText {
		parsed, err := strconv.ParseFloat(text, 64)
		size, ok = parsed, err == nil
	}
	if !ok {
		return nil, badFilterValue("filesizeformat", value)
	}
	base, units := 1000.0, []string{"kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"}
	if binary {
		base, units = 1024, []string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"}
	}
	switch {
	case size == 1:
		return "1 Byte", nil
	case size < base:
		return strconv.FormatInt(int64(size), 10) + " Bytes", nil
	}
	for i, name := range units {
		unit := math.Pow(base, float64(i+2))
		if size < unit || i == len(units)-1 {
			return strconv.FormatFloat(base*size/unit, 'f', 1, 64) + " " + name, nil
		}
	}
	return "", nil
}
