package export

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/table"
)

// textFormat is a format of rows that are texts, one after the other.
type textFormat struct {
	// head stands before the first row of each file.
	head []byte
	// row appends a row.
	row   func(to []byte, cells []any) ([]byte, error)
	limit int64
	next  []byte
}

func (f *textFormat) encode(cells []any) (size int64, err error) {
	f.next, err = f.row(f.next[:0], cells)
	return int64(len(f.next)), err
}

func (f *textFormat) open(to io.Writer) (rows, error) {
	_, err := to.Write(f.head)
	return &textRows{format: f, to: to}, err
}

func (f *textFormat) maxRows() int64 { return f.limit }

type textRows struct {
	format *textFormat
	to     io.Writer
}

func (r *textRows) put() error {
	_, err := r.to.Write(r.format.next)
	return err
}

func (r *textRows) end() error { return nil }

// jsonLine appends a row as an object on a line of its own.
func jsonLine(schema *table.Schema) func(to []byte, cells []any) ([]byte, error) {
	kind := table.Type{Kind: table.KindStruct, Fields: schema.Fields()}
	names := memberNames(kind)
	return func(to []byte, cells []any) ([]byte, error) {
		to, err := names.append(to, cells)
		return append(to, '\n'), err
	}
}

// members are the members of an object, with their names as JSON.
type members struct {
	names []string
	types []table.Type
}

func memberNames(of table.Type) *members {
	result := &members{}
	for _, field := range of.Fields {
		result.names = append(result.names, string(appendText(nil, field.Name)))
		result.types = append(result.types, field.Type)
	}
	return result
}

func (m *members) append(to []byte, cells []any) ([]byte, error) {
	if len(cells) != len(m.names) {
		return to, fmt.Errorf("%d values are there for %d members", len(cells), len(m.names))
	}
	to = append(to, '{')
	for i, cell := range cells {
		if i > 0 {
			to = append(to, ',')
		}
		to = append(append(to, m.names[i]...), ':')
		var err error
		if to, err = appendJSON(to, m.types[i], cell); err != nil {
			return to, err
		}
	}
	return append(to, '}'), nil
}

// appendJSON appends a value as JSON. A float has a point or an exponent, so that readers that look at the values give it the type that it
// has; NaN and the infinities, of which JSON has none, are null; integers and decimals have all of their digits.
func appendJSON(to []byte, kind table.Type, value any) ([]byte, error) {
	switch typed := value.(type) {
	case nil:
		return append(to, "null"...), nil
	case string:
		if kind.HoldsDocument(typed) && json.Valid([]byte(typed)) {
			return append(to, typed...), nil
		}
		return appendText(to, typed), nil
	case float64:
		if math.IsNaN(typed) || math.IsInf(typed, 0) {
			return append(to, "null"...), nil
		}
		return appendFloat(to, typed), nil
	case table.Decimal:
		return append(to, typed.Plain()...), nil
	case []any:
		if kind.Kind == table.KindStruct {
			return memberNames(kind).append(to, typed)
		}
		return appendList(to, kind, typed)
	case int64, bool:
		return appendScalar(to, kind, value)
	}
	to, err := appendScalar(append(to, '"'), kind, value)
	return append(to, '"'), err
}

func appendList(to []byte, kind table.Type, values []any) ([]byte, error) {
	element := table.Type{}
	if kind.Element != nil {
		element = *kind.Element
	}
	to = append(to, '[')
	for i, value := range values {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = appendJSON(to, element, value); err != nil {
			return to, err
		}
	}
	return append(to, ']'), nil
}

// appendScalar appends a value that is no list and no struct as plain text, in which nothing has to be escaped.
func appendScalar(to []byte, kind table.Type, value any) ([]byte, error) {
	switch typed := value.(type) {
	case int64:
		return strconv.AppendInt(to, typed, 10), nil
	case bool:
		return strconv.AppendBool(to, typed), nil
	case float64:
		return appendFloat(to, typed), nil
	case table.Decimal:
		return append(to, typed.Plain()...), nil
	case time.Time:
		to = append(to, table.FormatTimestamp(typed)...)
		if !kind.Local {
			to = append(to, 'Z')
		}
		return to, nil
	case table.Date:
		return append(to, typed.String()...), nil
	case table.TimeOfDay:
		return append(to, typed.String()...), nil
	case []byte:
		return base64.StdEncoding.AppendEncode(to, typed), nil
	}
	return to, fmt.Errorf("a %T can't be written as %s", value, kind)
}

// appendFloat appends the shortest digits that tell the number, with a point or an exponent; NaN and inf are words.
func appendFloat(to []byte, number float64) []byte {
	switch {
	case math.IsNaN(number):
		return append(to, "NaN"...)
	case math.IsInf(number, 1):
		return append(to, "inf"...)
	case math.IsInf(number, -1):
		return append(to, "-inf"...)
	}
	before := len(to)
	to = strconv.AppendFloat(to, number, 'g', -1, 64)
	if !strings.ContainsAny(string(to[before:]), ".e") {
		to = append(to, ".0"...)
	}
	return to
}

const hexadecimal = "0123456789abcdef"

// appendText appends a text as JSON, in UTF-8: only what JSON demands, and what ends lines elsewhere, is escaped.
func appendText(to []byte, text string) []byte {
	to = append(to, '"')
	for i := 0; i < len(text); {
		if c := text[i]; c < utf8.RuneSelf {
			to = appendByte(to, c)
			i++
			continue
		}
		char, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case char == utf8.RuneError && size == 1:
			to = append(to, "\ufffd"...)
		case char == '\u2028' || char == '\u2029' || char == '\u0085':
			// JSON has them as they are, and readers of lines that know more ends of lines than LF break the row there.
			to = append(append(to, `\u`...), hexadecimal[char>>12&15], hexadecimal[char>>8&15], hexadecimal[char>>4&15], hexadecimal[char&15])
		default:
			to = append(to, text[i:i+size]...)
		}
		i += size
	}
	return append(to, '"')
}

func appendByte(to []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\':
		return append(to, '\\', c)
	case c == '\n':
		return append(to, `\n`...)
	case c == '\r':
		return append(to, `\r`...)
	case c == '\t':
		return append(to, `\t`...)
	case c < ' ' || c == 0x7f:
		return append(to, '\\', 'u', '0', '0', hexadecimal[c>>4], hexadecimal[c&15])
	}
	return append(to, c)
}
