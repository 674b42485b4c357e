package jinja

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFormatWidth bounds widths and precisions in formats.
const maxFormatWidth = 1 << 16

// layout is a parsed format specification, of either style.
type layout struct {
	fill      rune
	align     byte // '<', '>', '^', '=' or 0
	sign      byte // '+', ' ' or 0
	alternate bool
	zero      bool
	width     int
	grouping  byte // ',' or '_' or 0
	precision int  // -1 where left out
	verb      byte
}

func checkWidth(width int64) (int, error) {
	if width > maxFormatWidth || width < -maxFormatWidth {
		return 0, fail(KindLimit, "a format's width or precision is above %d", maxFormatWidth)
	}
	return int(width), nil
}

// readWidth reads digits at *at, and moves it behind them.
func readWidth(text string, at *int) (int, error) {
	start := *at
	for *at < len(text) && text[*at] >= '0' && text[*at] <= '9' {
		*at++
	}
	if start == *at {
		return 0, nil
	}
	width, err := strconv.ParseInt(text[start:*at], 10, 64)
	if err != nil {
		width = math.MaxInt64
	}
	return checkWidth(width)
}

func truncateRunes(text string, limit int) string {
	if limit < 0 {
		return text
	}
	for at := range text {
		if limit == 0 {
			return text[:at]
		}
		limit--
	}
	return text
}

// padText fills a text up to the width.
func (s layout) padText(text string) string {
	return s.pad("", text)
}

// pad fills a sign and its digits up to the width.
func (s layout) pad(sign, digits string) string {
	space := s.width - utf8.RuneCountInString(sign) - utf8.RuneCountInString(digits)
	if space <= 0 {
		return sign + digits
	}
	fill := func(n int) string { return strings.Repeat(string(s.fill), n) }
	switch s.align {
	case '<':
		return sign + digits + fill(space)
	case '^':
		return fill(space/2) + sign + digits + fill(space-space/2)
	case '=':
		return sign + fill(space) + digits
	}
	return fill(space) + sign + digits
}

// number finishes a number: its sign, and zeros up to the width.
func (s layout) number(negative bool, digits string) string {
	sign := ""
	if negative {
		sign = "-"
	} else if s.sign != 0 {
		sign = string(s.sign)
	}
	if s.zero {
		if space := s.width - len(sign) - len(digits); space > 0 {
			digits = strings.Repeat("0", space) + digits
		}
	}
	return s.pad(sign, digits)
}

func (s layout) integer(value Value) string {
	integer, _ := asBig(value)
	base, prefix := 10, ""
	switch s.verb {
	case 'x', 'X':
		base, prefix = 16, "0x"
	case 'o':
		base, prefix = 8, "0o"
	case 'b':
		base, prefix = 2, "0b"
	}
	digits := new(big.Int).Abs(integer).Text(base)
	if s.precision > len(digits) {
		digits = strings.Repeat("0", s.precision-len(digits)) + digits
	}
	digits = group(digits, s.grouping)
	if s.alternate {
		digits = prefix + digits
	}
	if s.verb == 'X' {
		digits = strings.ToUpper(digits)
	}
	return s.number(integer.Sign() < 0, digits)
}

// group puts a separator between thousands.
func group(digits string, separator byte) string {
	if separator == 0 {
		return digits
	}
	var out strings.Builder
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 {
			out.WriteByte(separator)
		}
		out.WriteByte(digits[i])
	}
	return out.String()
}

func (s layout) float(value float64) string {
	negative := math.Signbit(value) && !math.IsNaN(value)
	value = math.Abs(value)
	upper := strings.IndexByte("FEG", s.verb) >= 0
	var digits string
	switch {
	case math.IsNaN(value):
		digits = "nan"
	case math.IsInf(value, 0):
		digits = "inf"
	default:
		digits = s.finite(value)
	}
	if upper {
		digits = strings.ToUpper(digits)
	}
	return s.number(negative, digits)
}

func (s layout) finite(value float64) string {
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	switch s.verb {
	case 'f', 'F', '%':
		whole, fraction, _ := strings.Cut(strconv.FormatFloat(value, 'f', precision, 64), ".")
		whole = group(whole, s.grouping)
		if fraction != "" {
			return whole + "." + fraction
		}
		return whole
	case 'e', 'E':
		return strconv.FormatFloat(value, 'e', precision, 64)
	case 0:
		if s.precision < 0 {
			whole, fraction, _ := strings.Cut(floatRepr(value), ".")
			return group(whole, s.grouping) + "." + fraction
		}
	}
	if precision == 0 {
		precision = 1
	}
	exponent := 0
	if value != 0 {
		_, text, _ := strings.Cut(strconv.FormatFloat(value, 'e', precision-1, 64), "e")
		exponent, _ = strconv.Atoi(text)
	}
	var text string
	if exponent < -4 || exponent >= precision {
		text = strconv.FormatFloat(value, 'e', precision-1, 64)
		if !s.alternate {
			mantissa, power, _ := strings.Cut(text, "e")
			text = trimZeros(mantissa) + "e" + power
		}
		return text
	}
	text = strconv.FormatFloat(value, 'f', precision-1-exponent, 64)
	if !s.alternate {
		text = trimZeros(text)
	}
	whole, fraction, dotted := strings.Cut(text, ".")
	if dotted {
		return group(whole, s.grouping) + "." + fraction
	}
	return group(whole, s.grouping)
}

func trimZeros(text string) string {
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// braceFormat is str.format().
func (e *evaluation) braceFormat(format string, call callArguments) (Value, error) {
	var out strings.Builder
	automatic := 0
	for rest := format; rest != ""; {
		at := strings.IndexAny(rest, "{}")
		if at < 0 {
			out.WriteString(rest)
			break
		}
		out.WriteString(rest[:at])
		bracket := rest[at]
		rest = rest[at+1:]
		if strings.HasPrefix(rest, string(bracket)) {
			out.WriteByte(bracket)
			rest = rest[1:]
			continue
		}
		if bracket == '}' {
			return nil, fail(KindValue, "single '}' encountered in format string")
		}
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return nil, fail(KindValue, "expected '}' before end of string")
		}
		field := rest[:end]
		if strings.Contains(field, "{") {
			return nil, fail(KindValue, "nested replacement fields are not possible")
		}
		rest = rest[end+1:]
		text, err := e.formatField(field, call, &automatic)
		if err != nil {
			return nil, err
		}
		if err := e.allocate(len(text)); err != nil {
			return nil, err
		}
		out.WriteString(text)
	}
	return e.text(out.String())
}

func (e *evaluation) formatField(field string, call callArguments, automatic *int) (string, error) {
	field, specification, _ := strings.Cut(field, ":")
	field, conversion, _ := strings.Cut(field, "!")
	end := strings.IndexAny(field, ".[")
	if end < 0 {
		end = len(field)
	}
	value, err := formatArgument(field[:end], call, automatic)
	if err != nil {
		return "", err
	}
	for path := field[end:]; path != ""; {
		if value, path, err = e.formatStep(value, path); err != nil {
			return "", err
		}
	}
	switch conversion {
	case "":
	case "s":
		value, err = e.print(value)
	case "r", "a":
		value = Repr(value)
	default:
		return "", fail(KindValue, "unknown conversion specifier '%s'", conversion)
	}
	if err != nil {
		return "", err
	}
	return e.formatValue(value, specification)
}

func formatArgument(text string, call callArguments, automatic *int) (Value, error) {
	if text == "" {
		text = strconv.Itoa(*automatic)
		*automatic++
	}
	if index, err := strconv.Atoi(text); err == nil {
		if index < 0 || index >= len(call.positional) {
			return nil, fail(KindValue, "replacement index %d out of range for positional args tuple", index)
		}
		return call.positional[index], nil
	}
	for i, given := range call.names {
		if given == text {
			return call.named[i], nil
		}
	}
	return nil, fail(KindValue, "format() has no argument '%s'", text)
}

// formatStep follows one ".name" or "[index]" of a replacement field.
func (e *evaluation) formatStep(value Value, path string) (Value, string, error) {
	if path[0] == '.' {
		end := strings.IndexAny(path[1:], ".[")
		if end < 0 {
			end = len(path) - 1
		}
		next, err := e.attribute(value, path[1:end+1], false)
		return next, path[end+1:], err
	}
	end := strings.IndexByte(path, ']')
	if end < 0 {
		return nil, "", fail(KindValue, "missing ']' in format string")
	}
	var index Value = path[1:end]
	if number, err := strconv.ParseInt(path[1:end], 10, 64); err == nil {
		index = number
	}
	next, err := e.subscript(value, index)
	return next, path[end+1:], err
}

// formatValue is format(value, specification).
func (e *evaluation) formatValue(value Value, specification string) (string, error) {
	if specification == "" {
		return e.print(value)
	}
	spec, err := parseBraceSpec(specification)
	if err != nil {
		return "", err
	}
	switch v := Unwritten(value).(type) {
	case string:
		if (spec.verb != 0 && spec.verb != 's') || spec.sign != 0 {
			return "", fail(KindValue, "unknown format code for object of type 'str'")
		}
		if spec.align == 0 {
			spec.align = '<'
		}
		return spec.padText(truncateRunes(v, spec.precision)), nil
	case float64:
		return spec.alignedNumber().formatFloat(v)
	case int64, *big.Int, bool:
		return spec.alignedNumber().formatInteger(v)
	}
	return "", fail(KindType, "unsupported format string passed to %s", typeName(value))
}

func (s layout) alignedNumber() layout {
	if s.align == 0 {
		s.align = '>'
	}
	return s
}

func (s layout) formatFloat(value float64) (string, error) {
	switch s.verb {
	case 0, 'f', 'F', 'e', 'E', 'g', 'G':
		return s.float(value), nil
	case '%':
		width := s.width
		s.width = 0
		text := s.float(value*100) + "%"
		s.width, s.zero = width, false
		return s.pad("", text), nil
	}
	return "", fail(KindValue, "unknown format code '%c' for object of type 'float'", s.verb)
}

func (s layout) formatInteger(value Value) (string, error) {
	switch s.verb {
	case 0, 'd', 'n', 'x', 'X', 'o', 'b':
		if s.precision >= 0 {
			return "", fail(KindValue, "precision not allowed in integer format specifier")
		}
		if s.verb == 0 || s.verb == 'n' {
			s.verb = 'd'
		}
		return s.integer(value), nil
	case 'f', 'F', 'e', 'E', 'g', 'G', '%':
		float, _ := asFloat(value)
		return s.formatFloat(float)
	case 'c':
		if code, ok := value.(int64); ok && utf8.ValidRune(rune(code)) {
			return s.padText(string(rune(code))), nil
		}
	}
	return "", fail(KindValue, "unknown format code '%c' for object of type 'int'", s.verb)
}

func parseBraceSpec(text string) (layout, error) {
	spec := layout{fill: ' ', precision: -1}
	first, size := utf8.DecodeRuneInString(text)
	isAlign := func(at int) bool { return at < len(text) && strings.IndexByte("<>^=", text[at]) >= 0 }
	i := 0
	if isAlign(size) {
		spec.fill, spec.align, i = first, text[size], size+1
	} else if isAlign(0) {
		spec.align, i = text[0], 1
	}
	flag := func(flags string) byte {
		if i < len(text) && strings.IndexByte(flags, text[i]) >= 0 {
			i++
			return text[i-1]
		}
		return 0
	}
	if sign := flag("+- "); sign != '-' {
		spec.sign = sign
	}
	spec.alternate = flag("#") != 0
	if flag("0") != 0 && spec.align == 0 {
		spec.zero = true
	}
	var err error
	if spec.width, err = readWidth(text, &i); err != nil {
		return spec, err
	}
	spec.grouping = flag(",_")
	if flag(".") != 0 {
		start := i
		if spec.precision, err = readWidth(text, &i); err != nil {
			return spec, err
		}
		if start == i {
			return spec, fail(KindValue, "format specifier missing precision")
		}
	}
	if i < len(text) {
		spec.verb = text[i]
		i++
	}
	if i < len(text) {
		return spec, fail(KindValue, "invalid format specifier")
	}
	return spec, nil
}
