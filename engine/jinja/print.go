package jinja

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
)

// maxPrintDepth bounds the nesting of printed values; a list can hold itself.
const maxPrintDepth = 64

// Str is Python's str().
func Str(value Value) string {
	switch v := value.(type) {
	case string:
		return v
	case Undefined:
		return ""
	case int64:
		return strconv.FormatInt(v, 10)
	case Written:
		return v.text
	}
	var text strings.Builder
	writeRepr(&text, value, 0)
	return text.String()
}

// Repr is Python's repr().
func Repr(value Value) string {
	var text strings.Builder
	writeRepr(&text, value, 0)
	return text.String()
}

func writeRepr(out *strings.Builder, value Value, depth int) {
	if depth > maxPrintDepth {
		out.WriteString("...")
		return
	}
	switch v := value.(type) {
	case nil:
		out.WriteString("None")
	case bool:
		if v {
			out.WriteString("True")
		} else {
			out.WriteString("False")
		}
	case int64:
		out.WriteString(strconv.FormatInt(v, 10))
	case *big.Int:
		out.WriteString(v.String())
	case float64:
		out.WriteString(floatRepr(v))
	case Written:
		if isNull(v) {
			out.WriteString("None") // within a list, as Python has it
			return
		}
		out.WriteString(v.text)
	case string:
		writeStringRepr(out, v)
	case *List:
		writeItems(out, "[", v.Items, "]", depth)
	case Tuple:
		if len(v) == 1 {
			writeItems(out, "(", v, ",)", depth)
		} else {
			writeItems(out, "(", v, ")", depth)
		}
	case *Dict:
		out.WriteByte('{')
		for i, key := range v.keys {
			if i > 0 {
				out.WriteString(", ")
			}
			writeRepr(out, key, depth+1)
			out.WriteString(": ")
			writeRepr(out, v.values[i], depth+1)
		}
		out.WriteByte('}')
	case *Range:
		if v.Step == 1 {
			fmt.Fprintf(out, "range(%d, %d)", v.Start, v.Stop)
		} else {
			fmt.Fprintf(out, "range(%d, %d, %d)", v.Start, v.Stop, v.Step)
		}
	case Undefined:
		out.WriteString("Undefined")
	default:
		out.WriteString("<" + typeName(value) + ">")
	}
}

func writeItems(out *strings.Builder, open string, items []Value, closing string, depth int) {
	out.WriteString(open)
	for i, item := range items {
		if i > 0 {
			out.WriteString(", ")
		}
		writeRepr(out, item, depth+1)
	}
	out.WriteString(closing)
}

func writeStringRepr(out *strings.Builder, text string) {
	quote := byte('\'')
	if strings.Contains(text, "'") && !strings.Contains(text, `"`) {
		quote = '"'
	}
	out.WriteByte(quote)
	for _, r := range text {
		switch {
		case r == rune(quote) || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r == '\n':
			out.WriteString(`\n`)
		case r == '\r':
			out.WriteString(`\r`)
		case r == '\t':
			out.WriteString(`\t`)
		case r < 0x20 || r == 0x7f || (r > 0x7f && r <= 0xff && !unicode.IsPrint(r)):
			fmt.Fprintf(out, `\x%02x`, r)
		case r > 0xff && r <= 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(out, `\u%04x`, r)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(out, `\U%08x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte(quote)
}

// floatRepr is Python's repr of a float: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e16.
func floatRepr(value float64) string {
	switch {
	case math.IsNaN(value):
		return "nan"
	case math.IsInf(value, 1):
		return "inf"
	case math.IsInf(value, -1):
		return "-inf"
	case value == 0:
		if math.Signbit(value) {
			return "-0.0"
		}
		return "0.0"
	}
	if size := math.Abs(value); size < 1e-4 || size >= 1e16 {
		return strconv.FormatFloat(value, 'e', -1, 64)
	}
	text := strconv.FormatFloat(value, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// print is str() with the cost counted before it is built, since a value can hold itself many times over.
func (e *evaluation) print(value Value) (string, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case Undefined:
		return "", e.useUndefined(v)
	case *boundMethod:
		return "", v.uncalled()
	case *List, Tuple, *Dict:
		if err := e.measure(value, 0); err != nil {
			return "", err
		}
	}
	return Str(value), nil
}

// measure counts steps and memory for every value within a value.
func (e *evaluation) measure(value Value, depth int) error {
	if depth > maxPrintDepth {
		return nil
	}
	if err := e.step(1); err != nil {
		return err
	}
	each := func(items []Value) error {
		for _, item := range items {
			if err := e.measure(item, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	switch v := value.(type) {
	case string:
		return e.allocate(len(v) + 2)
	case *big.Int:
		return e.allocate(v.BitLen() / 3)
	case *List:
		return each(v.Items)
	case Tuple:
		return each(v)
	case *Dict:
		if err := each(v.keys); err != nil {
			return err
		}
		return each(v.values)
	}
	return e.allocate(8)
}
