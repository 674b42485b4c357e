package sandbox

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	starlarkjson "go.starlark.net/lib/json"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/engine/table"
)

// ToStarlark turns a cell into a value of Starlark: timestamps in their ISO form, structs as dicts.
func ToStarlark(kind table.Type, value any) starlark.Value {
	switch typed := value.(type) {
	case bool:
		return starlark.Bool(typed)
	case int64:
		return starlark.MakeInt64(typed)
	case float64:
		return starlark.Float(typed)
	case string:
		if kind.HoldsDocument(typed) {
			return fromJSON(typed)
		}
		return starlark.String(typed)
	case time.Time:
		return starlark.String(table.FormatTimestamp(typed))
	case []any:
		return nested(kind, typed)
	}
	return exact(value)
}

func nested(kind table.Type, items []any) starlark.Value {
	if kind.Kind == table.KindStruct {
		dict := starlark.NewDict(len(items))
		for i, field := range kind.Fields {
			if i < len(items) {
				// A string can always be a key of a dict that nothing iterates over.
				_ = dict.SetKey(starlark.String(field.Name), ToStarlark(field.Type, items[i]))
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
		values[i] = ToStarlark(element, item)
	}
	return starlark.NewList(values)
}

// FromStarlark turns a returned value into a cell of a type. An int is taken for a float, and a text in its ISO form for a timestamp;
// nothing else is converted, and no digit is lost. What readers of the files could not read is refused: text that is not UTF-8, and floats
// that are not finite.
func FromStarlark(kind table.Type, value starlark.Value) (any, error) {
	if value == starlark.None {
		return nil, nil
	}
	if cell, known, err := fromExact(kind, value); known {
		return cell, err
	}
	if _, isText := value.(starlark.String); kind.Document || kind.Mixed && !isText {
		return ToJSON(value)
	}
	switch typed := value.(type) {
	case starlarktime.Time:
		if kind.Kind == table.KindTimestamp {
			return table.Timestamp(kind, time.Time(typed))
		}
	case starlark.Bool:
		if kind.Kind == table.KindBool {
			return bool(typed), nil
		}
	case starlark.String:
		if kind.Kind == table.KindString || kind.Kind == table.KindTimestamp {
			return fromText(kind, string(typed))
		}
	case starlark.Float:
		if kind.Kind == table.KindFloat {
			return finite(float64(typed))
		}
	case starlark.Int:
		switch kind.Kind {
		case table.KindFloat:
			return finite(float64(typed.Float()))
		case table.KindInt:
			number, fits := typed.Int64()
			if !fits {
				return nil, errors.New("the value is an int that does not fit into 64 bits")
			}
			return number, nil
		}
	case *starlark.Dict:
		if kind.Kind == table.KindStruct {
			return fromDict(kind, typed)
		}
	case starlark.Indexable: // a list or a tuple
		if kind.Kind == table.KindList {
			return fromList(kind, typed)
		}
	}
	return nil, fmt.Errorf("the value is a %s, but the column has the type %s", value.Type(), kind)
}

func fromText(kind table.Type, text string) (any, error) {
	if kind.Kind == table.KindTimestamp {
		moment, _, err := table.ParseTimestamp(text)
		if err != nil {
			return nil, errors.New("the value is a text that is not a timestamp such as 2026-01-31T12:00:00")
		}
		return table.Timestamp(kind, moment)
	}
	if !utf8.ValidString(text) {
		return nil, errors.New("the text is not valid UTF-8: slices of a string count bytes, not letters; slice list(text.codepoints()) instead")
	}
	return text, nil
}

// fromDict turns a dict into a struct. A field that the dict lacks is null; a key that is no field is a mistake.
func fromDict(kind table.Type, dict *starlark.Dict) (any, error) {
	values := make([]any, len(kind.Fields))
	known := 0
	for i, field := range kind.Fields {
		value, found, err := dict.Get(starlark.String(field.Name))
		if err != nil {
			return nil, err
		}
		if !found {
			continue
		}
		known++
		if values[i], err = FromStarlark(field.Type, value); err != nil {
			return nil, fmt.Errorf("field %q: %w", field.Name, err)
		}
	}
	if known < dict.Len() {
		return nil, fmt.Errorf("the value has keys that the column's type %s does not have", kind)
	}
	return values, nil
}

func fromList(kind table.Type, list starlark.Indexable) (any, error) {
	values := make([]any, list.Len())
	for i := range values {
		var err error
		if values[i], err = FromStarlark(*kind.Element, list.Index(i)); err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
	}
	return values, nil
}

func finite(number float64) (any, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, fmt.Errorf("the value %v is not a finite number; return None where there is none", number)
	}
	return number, nil
}

// fromJSON reads a document. What is no JSON stays a text.
func fromJSON(text string) starlark.Value {
	document, err := starlark.Call(new(starlark.Thread), starlarkjson.Module.Members["decode"], starlark.Tuple{starlark.String(text)}, nil)
	if err != nil {
		return starlark.String(text)
	}
	return document
}

// ToJSON writes a value as a document.
func ToJSON(value starlark.Value) (string, error) {
	text, err := starlark.Call(new(starlark.Thread), starlarkjson.Module.Members["encode"], starlark.Tuple{value}, nil)
	if err != nil {
		return "", fmt.Errorf("the value can't be written as JSON: %w", err)
	}
	written, _ := starlark.AsString(text)
	return written, nil
}
