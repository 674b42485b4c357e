package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"

	"seedloom.dev/seedloom/engine/table"
)

// maxDepth bounds the nesting of objects and lists.
const maxDepth = 32

// object is a JSON object that keeps the order of its keys.
type object struct {
	keys   []string
	values map[string]any
}

// parseJSON reads one array of objects.
func parseJSON(data []byte) ([]table.Field, [][]any, error) {
	decoder := newDecoder(data)
	value, err := decodeValue(decoder, 0)
	if err != nil {
		return nil, nil, describe(err, data, decoder)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the array; for one object a line, set spec.seed.format to JSONL")
	}
	items, isArray := value.([]any)
	if !isArray {
		return nil, nil, errors.New("it must be an array of objects")
	}
	return tabulate(items)
}

// parseJSONLines reads one object after the other.
func parseJSONLines(data []byte) ([]table.Field, [][]any, error) {
	decoder := newDecoder(data)
	var items []any
	for decoder.More() {
		item, err := decodeValue(decoder, 0)
		if err != nil {
			return nil, nil, describe(err, data, decoder)
		}
		items = append(items, item)
	}
	return tabulate(items)
}

func newDecoder(data []byte) *json.Decoder {
	decoder := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, byteOrderMark)))
	decoder.UseNumber()
	return decoder
}

// describe adds the line at which reading stopped.
func describe(err error, data []byte, decoder *json.Decoder) error {
	offset := min(decoder.InputOffset(), int64(len(data)))
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends in the middle of a value")
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte{'\n'}), err)
}

// decodeValue reads a value token by token, since a map would lose the order of the keys.
func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delimiter, isDelimiter := token.(json.Delim)
	if !isDelimiter {
		return token, nil
	}
	if delimiter == '[' {
		items := []any{}
		for decoder.More() {
			item, err := decodeValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, item)
		}
		_, err := decoder.Token()
		return items, err
	}
	made := &object{values: map[string]any{}}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, _ := key.(string)
		value, err := decodeValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		if _, twice := made.values[name]; !twice {
			made.keys = append(made.keys, name)
		}
		made.values[name] = value
	}
	_, err = decoder.Token()
	return made, err
}

// tabulate makes rows of objects. A key that an object lacks is null there.
func tabulate(items []any) ([]table.Field, [][]any, error) {
	for i, item := range items {
		if _, isObject := item.(*object); !isObject {
			return nil, nil, fmt.Errorf("record %d is not an object", i+1)
		}
	}
	shape, err := inferAll(items)
	if err != nil {
		return nil, nil, err
	}
	rows := make([][]any, len(items))
	for i, item := range items {
		cells, _ := convert(shape, item).([]any)
		rows[i] = cells
	}
	return shape.Fields, rows, nil
}

// inferAll returns the type that all values have; nulls fit any. Numbers are floats as soon as one is. Values of different kinds are refused.
func inferAll(values []any) (table.Type, error) {
	found := false
	kind := table.Type{}
	var names []string
	members := map[string][]any{}
	var elements []any
	for i, value := range values {
		if value == nil {
			continue
		}
		current := kindOf(value)
		switch {
		case !found:
			kind.Kind, found = current, true
		case kind.Kind == table.KindInt && current == table.KindFloat, kind.Kind == table.KindFloat && current == table.KindInt:
			kind.Kind = table.KindFloat
		case kind.Kind != current:
			return kind, fmt.Errorf("record %d has a %s where those before it have a %s", i+1, current, kind.Kind)
		}
		switch typed := value.(type) {
		case []any:
			elements = append(elements, typed...)
		case *object:
			for _, key := range typed.keys {
				if _, known := members[key]; !known {
					names = append(names, key)
					members[key] = make([]any, len(values))
				}
				members[key][i] = typed.values[key]
			}
		}
	}
	switch kind.Kind {
	case table.KindList:
		element, err := inferAll(elements)
		if err != nil {
			return kind, fmt.Errorf("in a list: %w", err)
		}
		kind.Element = &element
	case table.KindStruct:
		for _, name := range names {
			member, err := inferAll(members[name])
			if err != nil {
				return kind, fmt.Errorf("column %q: %w", name, err)
			}
			kind.Fields = append(kind.Fields, table.Field{Name: name, Type: member})
		}
	}
	return kind, nil
}

func kindOf(value any) table.Kind {
	switch typed := value.(type) {
	case bool:
		return table.KindBool
	case json.Number:
		if _, err := typed.Int64(); err == nil {
			return table.KindInt
		}
		return table.KindFloat
	case []any:
		return table.KindList
	case *object:
		return table.KindStruct
	}
	return table.KindString
}

// convert turns a decoded value into a cell of the type.
func convert(kind table.Type, value any) any {
	switch typed := value.(type) {
	case json.Number:
		if kind.Kind == table.KindInt {
			number, _ := typed.Int64()
			return number
		}
		number, err := typed.Float64()
		if err != nil || math.IsInf(number, 0) {
			return nil
		}
		return number
	case []any:
		items := make([]any, len(typed))
		for i, item := range typed {
			items[i] = convert(*kind.Element, item)
		}
		return items
	case *object:
		members := make([]any, len(kind.Fields))
		for i, field := range kind.Fields {
			members[i] = convert(field.Type, typed.values[field.Name])
		}
		return members
	}
	return value
}
