package jinja

import (
	"math"
	"math/big"
	"strings"
	"unicode/utf8"
)

// percentFormat is Python's "format % values".
func (e *evaluation) percentFormat(format string, values Value) (Value, error) {
	var out strings.Builder
	arguments := newPercentArguments(values)
	for rest := format; ; {
		before, after, found := strings.Cut(rest, "%")
		out.WriteString(before)
		if !found {
			break
		}
		if rest = after; strings.HasPrefix(rest, "%") {
			out.WriteByte('%')
			rest = rest[1:]
			continue
		}
		text, size, err := e.percentConversion(rest, arguments)
		if err != nil {
			return nil, err
		}
		if err := e.allocate(len(text)); err != nil {
			return nil, err
		}
		out.WriteString(text)
		rest = rest[size:]
	}
	if arguments.used < len(arguments.positional) && arguments.mapping == nil {
		return nil, fail(KindType, "not all arguments converted during string formatting")
	}
	return e.text(out.String())
}

// percentConversion formats one value. size is how much of the text, which stands behind a percent sign, describes it.
func (e *evaluation) percentConversion(text string, arguments *percentArguments) (formatted string, size int, err error) {
	value, keySize, err := arguments.keyed(text)
	if err != nil {
		return "", 0, err
	}
	spec, size, err := parsePercentSpec(text[keySize:], arguments)
	if err != nil {
		return "", 0, err
	}
	if keySize == 0 {
		if value, err = arguments.take(); err != nil {
			return "", 0, err
		}
	}
	formatted, err = e.percentValue(spec, value)
	return formatted, keySize + size, err
}

// percentArguments are the values of "format % values".
type percentArguments struct {
	positional Tuple
	used       int
	// mapping is nil where the values have no keys.
	mapping *Dict
}

func newPercentArguments(values Value) *percentArguments {
	positional, isTuple := values.(Tuple)
	if !isTuple {
		positional = Tuple{values}
	}
	mapping, _ := values.(*Dict)
	return &percentArguments{positional: positional, mapping: mapping}
}

// take returns the next value.
func (a *percentArguments) take() (Value, error) {
	if a.used >= len(a.positional) {
		return nil, fail(KindType, "not enough arguments for format string")
	}
	a.used++
	return a.positional[a.used-1], nil
}

// keyed returns the value of the key in parentheses that a text begins with, and the length of both; 0 where there is no key.
func (a *percentArguments) keyed(text string) (value Value, size int, err error) {
	if !strings.HasPrefix(text, "(") {
		return nil, 0, nil
	}
	end := strings.IndexByte(text, ')')
	if end < 0 {
		return nil, 0, fail(KindValue, "incomplete format key")
	}
	if a.mapping == nil {
		return nil, 0, fail(KindType, "format requires a mapping")
	}
	value, found := a.mapping.Get(text[1:end])
	if !found {
		return nil, 0, fail(KindValue, "the mapping has no key '%s'", text[1:end])
	}
	return value, end + 1, nil
}

// width reads a width or a precision at *at, and moves it behind that. An asterisk stands for the next value.
func (a *percentArguments) width(text string, at *int) (int, error) {
	if *at >= len(text) || text[*at] != '*' {
		return readWidth(text, at)
	}
	*at++
	value, err := a.take()
	if err != nil {
		return 0, err
	}
	width, ok := asSmall(value)
	if !ok {
		return 0, fail(KindType, "* wants int")
	}
	return checkWidth(width)
}

// percentFlags reads the flags that a text begins with, and returns their length.
func (s *layout) percentFlags(text string) int {
	for i := range len(text) {
		switch text[i] {
		case '-':
			s.align = '<'
		case '+':
			s.sign = '+'
		case ' ':
			if s.sign == 0 {
				s.sign = ' '
			}
		case '#':
			s.alternate = true
		case '0':
			s.zero = true
		default:
			return i
		}
	}
	return len(text)
}

func parsePercentSpec(text string, arguments *percentArguments) (layout, int, error) {
	spec := layout{fill: ' ', precision: -1, align: '>'}
	i := spec.percentFlags(text)
	var err error
	if spec.width, err = arguments.width(text, &i); err != nil {
		return spec, 0, err
	}
	if spec.width < 0 {
		spec.align, spec.width = '<', -spec.width
	}
	if i < len(text) && text[i] == '.' {
		i++
		if spec.precision, err = arguments.width(text, &i); err != nil {
			return spec, 0, err
		}
	}
	for i < len(text) && strings.IndexByte("hlL", text[i]) >= 0 {
		i++
	}
	if i >= len(text) {
		return spec, 0, fail(KindValue, "incomplete format")
	}
	spec.verb = text[i]
	if spec.align == '<' {
		spec.zero = false
	}
	return spec, i + 1, nil
}

func (e *evaluation) percentValue(spec layout, value Value) (string, error) {
	switch spec.verb {
	case 's', 'r', 'a':
		text, err := e.print(value)
		if spec.verb != 's' && err == nil {
			text = Repr(value)
		}
		if err != nil {
			return "", err
		}
		return spec.padText(truncateRunes(text, spec.precision)), nil
	case 'c':
		return spec.percentCharacter(value)
	case 'd', 'i', 'u', 'x', 'X', 'o':
		return spec.percentInteger(value)
	case 'f', 'F', 'e', 'E', 'g', 'G':
		float, ok := asFloat(value)
		if !ok {
			return "", fail(KindType, "must be real number, not %s", typeName(value))
		}
		return spec.float(float), nil
	}
	return "", fail(KindValue, "unsupported format character '%c'", spec.verb)
}

func (s layout) percentCharacter(value Value) (string, error) {
	if code, ok := value.(int64); ok && utf8.ValidRune(rune(code)) {
		return s.padText(string(rune(code))), nil
	}
	if text, ok := value.(string); ok && utf8.RuneCountInString(text) == 1 {
		return s.padText(text), nil
	}
	return "", fail(KindType, "%%c requires int or char")
}

func (s layout) percentInteger(value Value) (string, error) {
	value = Unwritten(value)
	if float, ok := value.(float64); ok && strings.IndexByte("diu", s.verb) >= 0 {
		if math.IsNaN(float) || math.IsInf(float, 0) {
			return "", fail(KindValue, "cannot convert float NaN or infinity to integer")
		}
		integer, _ := big.NewFloat(float).Int(nil)
		value = normalize(integer)
	}
	if !isNumber(value) || typeName(value) == "float" {
		return "", fail(KindType, "%%%c format: a number is required, not %s", s.verb, typeName(value))
	}
	if strings.IndexByte("iu", s.verb) >= 0 {
		s.verb = 'd'
	}
	return s.integer(value), nil
}
