package seed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

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
	decoder, data, err := newDecoder(data)
	if err != nil {
		return nil, nil, err
	}
	value, err := decodeValue(decoder, 0)
	if err != nil {
		return nil, nil, describe(err, data, decoder)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("something follows the first value; for one object a line, set spec.seed.format to JSONL")
	}
	items, isArray := value.([]any)
	if !isArray {
		return nil, nil, errors.New("it must be an array of objects; for one object a line, set spec.seed.format to JSONL")
	}
	return tabulate(items)
}

// parseJSONLines reads one object after the other.
func parseJSONLines(data []byte) ([]table.Field, [][]any, error) {
	decoder, data, err := newDecoder(data)
	if err != nil {
		return nil, nil, err
	}
	var items []any
	for {
		item, err := decodeValue(decoder, 0)
		if errors.Is(err, io.EOF) {
			return tabulate(items)
		}
		if err != nil {
			return nil, nil, describe(err, data, decoder)
		}
		if _, isArray := item.([]any); isArray {
			return nil, nil, fmt.Errorf("record %d is an array; for one array of objects, set spec.seed.format to JSON", len(items)+1)
		}
		items = append(items, item)
	}
}

// newDecoder returns a decoder, and the data from which it reads.
func newDecoder(data []byte) (*json.Decoder, []byte, error) {
	data = bytes.TrimPrefix(data, byteOrderMark)
	if !utf8.Valid(data) {
		return nil, nil, errors.New("it is not text in UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder, data, nil
}

// describe adds the line at which reading stopped: that of the token after the last one that was read.
func describe(err error, data []byte, decoder *json.Decoder) error {
	offset := min(decoder.InputOffset(), int64(len(data)))
	rest := bytes.TrimLeft(data[offset:], " \t\r\n,:")
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:len(data)-len(rest)], []byte{'\n'}), err)
}

var errCutOff = errors.New("it ends in the middle of a value")

// decodeValue reads a value token by token, since a map would lose the order of the keys. It returns io.EOF only where no value begins.
func decodeValue(decoder *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("values are nested more than %d deep", maxDepth)
	}
	token, err := decoder.Token()
	if err != nil {
		if depth > 0 || errors.Is(err, io.ErrUnexpectedEOF) {
			err = cutOff(err)
		}
		return nil, err
	}
	switch token {
	case json.Delim('['):
		return decodeArray(decoder, depth)
	case json.Delim('{'):
		return decodeObject(decoder, depth)
	}
	return token, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCutOff
	}
	return err
}

func decodeArray(decoder *json.Decoder, depth int) (any, error) {
	items := []any{}
	for decoder.More() {
		item, err := decodeValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, cutOff(err)
	}
	return items, nil
}

func decodeObject(decoder *json.Decoder, depth int) (any, error) {
	made := &object{values: map[string]any{}}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, cutOff(err)
		}
		name, isName := key.(string)
		if !isName {
			return nil, errors.New("the key of an object is not a string")
		}
		if _, twice := made.values[name]; twice {
			return nil, fmt.Errorf("the key %q comes twice in one object", name)
		}
		value, err := decodeValue(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		made.keys = append(made.keys, name)
		made.values[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, cutOff(err)
	}
	return made, nil
}

// tabulate makes rows of objects. A key that an object lacks is null there.
func tabulate(items []any) ([]table.Field, [][]any, error) {
	all := make([]located, len(items))
	for i, item := range items {
		all[i] = located{item, i + 1}
		if _, isObject := item.(*object); !isObject {
			return nil, nil, fmt.Errorf("record %d is not an object", i+1)
		}
	}
	shape, err := inferAll(all)
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

// convert turns a decoded value into a cell of the type that was inferred from it.
func convert(kind table.Type, value any) any {
	switch typed := value.(type) {
	case json.Number:
		if kind.Kind == table.KindInt {
			number, _ := typed.Int64()
			return number
		}
		number, _ := typed.Float64()
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
