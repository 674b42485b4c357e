package custom

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/engine/table"
)

// toStarlark turns a cell into a value of Starlark: timestamps in their ISO form, structs as dicts.
func toStarlark(kind table.Type, value any) starlark.Value {
	switch typed := value.(type) {
	case bool:
		return starlark.Bool(typed)
	case int64:
		return starlark.MakeInt64(typed)
	case float64:
		return starlark.Float(typed)
	case string:
		return starlark.String(typed)
	case time.Time:
		return starlark.String(table.FormatTimestamp(typed))
	case []any:
		return nested(kind, typed)
	}
	return starlark.None
}

func nested(kind table.Type, items []any) starlark.Value {
	if kind.Kind == table.KindStruct {
		dict := starlark.NewDict(len(items))
		for i, field := range kind.Fields {
			if i < len(items) {
				// A string can always be a key of a dict that nothing iterates over.
				_ = dict.SetKey(starlark.String(field.Name), toStarlark(field.Type, items[i]))
			}
		}
		return dict
	}
	var element table.Type
	if kind.Element != nil {
		element = *kind.Element
	}
	values := make([]starlark.Value, len(items))
	for i, item := range items {
		values[i] = toStarlark(element, item)
	}
	return starlark.NewList(values)
}

// fromStarlark turns a returned value into a cell of the column's kind. An int is taken for a float; nothing else is converted. What
// readers of the files could not read is refused: text that is not UTF-8, and floats that are not finite.
func fromStarlark(kind table.Kind, value starlark.Value) (any, error) {
	if value == starlark.None {
		return nil, nil
	}
	switch typed := value.(type) {
	case starlark.Bool:
		if kind == table.KindBool {
			return bool(typed), nil
		}
	case starlark.String:
		if kind == table.KindString {
			if !utf8.ValidString(string(typed)) {
				return nil, errors.New("the text is not valid UTF-8: slices of a string count bytes, not letters; slice list(text.codepoints()) instead")
			}
			return string(typed), nil
		}
	case starlark.Float:
		if kind == table.KindFloat {
			return finite(float64(typed))
		}
	case starlark.Int:
		switch kind {
		case table.KindFloat:
			return finite(float64(typed.Float()))
		case table.KindInt:
			number, fits := typed.Int64()
			if !fits {
				return nil, errors.New("the value is an int that does not fit into 64 bits")
			}
			return number, nil
		}
	}
	return nil, fmt.Errorf("the value is a %s, but the column has the type %s", value.Type(), kind)
}

func finite(number float64) (any, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, fmt.Errorf("the value %v is not a finite number; return None where there is none", number)
	}
	return number, nil
}
