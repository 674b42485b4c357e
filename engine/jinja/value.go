package jinja

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"sort"
	"strings"
	"time"
)

// Value is a value of the template language, one of: nil (None), bool, int64, *big.Int (beyond int64), float64, string, *List,
// Tuple, *Dict, *Range, Undefined, Written, or a callable.
type Value any

// List is a mutable list.
type List struct{ Items []Value }

// Tuple is an immutable list.
type Tuple []Value

// Range is the result of range().
type Range struct{ Start, Stop, Step int64 }

// Len is the number of items.
func (r *Range) Len() int64 {
	switch {
	case r.Step > 0 && r.Start < r.Stop:
		return (r.Stop-r.Start-1)/r.Step + 1
	case r.Step < 0 && r.Start > r.Stop:
		return (r.Start-r.Stop-1)/(-r.Step) + 1
	}
	return 0
}

// Undefined is the value of a name that does not exist.
type Undefined struct {
	// Message says what does not exist.
	Message string
	// empty marks the value of an inline "if" without "else", which may be printed in strict mode too.
	empty bool
}

// Dict is a mutable dictionary that keeps the order of insertion.
type Dict struct {
	keys   []Value
	values []Value
	index  map[any]int
}

// NewDict returns an empty dictionary.
func NewDict() *Dict { return &Dict{index: map[any]int{}} }

// Len is the number of entries.
func (d *Dict) Len() int { return len(d.keys) }

// Get returns the value of a key. A key that can't be one is not found.
func (d *Dict) Get(key Value) (Value, bool) {
	hashed, err := hashKey(key)
	if err != nil {
		return nil, false
	}
	position, found := d.index[hashed]
	if !found {
		return nil, false
	}
	return d.values[position], true
}

// Set sets the value of a key. It fails for lists and dictionaries, which can't be keys.
func (d *Dict) Set(key, value Value) error {
	hashed, err := hashKey(key)
	if err != nil {
		return err
	}
	if position, found := d.index[hashed]; found {
		d.values[position] = value
		return nil
	}
	d.index[hashed] = len(d.keys)
	d.keys = append(d.keys, key)
	d.values = append(d.values, value)
	return nil
}

// Delete removes a key.
func (d *Dict) Delete(key Value) {
	hashed, err := hashKey(key)
	if err != nil {
		return
	}
	position, found := d.index[hashed]
	if !found {
		return
	}
	d.keys = append(d.keys[:position:position], d.keys[position+1:]...)
	d.values = append(d.values[:position:position], d.values[position+1:]...)
	delete(d.index, hashed)
	for other, at := range d.index {
		if at > position {
			d.index[other] = at - 1
		}
	}
}

func (d *Dict) copy() *Dict {
	result := NewDict()
	for i, key := range d.keys {
		// The keys were keys already.
		_ = result.Set(key, d.values[i])
	}
	return result
}

// MarshalJSON writes an object in order. Keys that are not strings are written as templates print them.
func (d *Dict) MarshalJSON() ([]byte, error) {
	var buffer bytes.Buffer
	buffer.WriteByte('{')
	for i, key := range d.keys {
		if i > 0 {
			buffer.WriteByte(',')
		}
		name, err := json.Marshal(Str(key))
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(d.values[i])
		if err != nil {
			return nil, err
		}
		buffer.Write(name)
		buffer.WriteByte(':')
		buffer.Write(value)
	}
	buffer.WriteByte('}')
	return buffer.Bytes(), nil
}

// MarshalJSON writes an array.
func (l *List) MarshalJSON() ([]byte, error) { return json.Marshal(l.Items) }

type (
	noneKey  struct{}
	bigKey   string
	tupleKey string
)

// hashKey returns a comparable form in which equal keys are equal: 1, 1.0 and True are one key, as in Python.
func hashKey(value Value) (any, error) {
	switch v := Unwritten(value).(type) {
	case nil:
		return noneKey{}, nil
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case int64, string:
		return v, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
			return int64(v), nil
		}
		return v, nil
	case *big.Int:
		return bigKey(v.String()), nil
	case Tuple:
		var text strings.Builder
		for _, item := range v {
			hashed, err := hashKey(item)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&text, "%T:%q;", hashed, fmt.Sprint(hashed))
		}
		return tupleKey(text.String()), nil
	}
	return nil, fail(KindType, "unhashable type: '%s'", typeName(value))
}

// FromGo converts plain Go data: maps become dictionaries with sorted keys, json.Number an int where it is written as one, times their
// ISO form. Values of this package pass unchanged; anything else becomes its printed form.
func FromGo(value any) Value {
	switch v := value.(type) {
	case nil, bool, int64, float64, string, *big.Int, *List, Tuple, *Dict, *Range, Undefined, Written:
		return v
	case int:
		return int64(v)
	case int32:
		return int64(v)
	case float32:
		return float64(v)
	case json.Number:
		return numberValue(v)
	case time.Time:
		v = v.UTC()
		if v.Nanosecond() == 0 {
			return v.Format("2006-01-02T15:04:05")
		}
		return v.Format("2006-01-02T15:04:05.000000")
	case []any:
		list := &List{Items: make([]Value, len(v))}
		for i, item := range v {
			list.Items[i] = FromGo(item)
		}
		return list
	case map[string]any:
		keys := make([]string, 0, len(v))
		for key := range v {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		dict := NewDict()
		for _, key := range keys {
			_ = dict.Set(key, FromGo(v[key]))
		}
		return dict
	}
	return fmt.Sprint(value)
}

func numberValue(number json.Number) Value {
	text := number.String()
	if !strings.ContainsAny(text, ".eE") {
		if integer, ok := new(big.Int).SetString(text, 10); ok {
			return normalize(integer)
		}
	}
	float, err := number.Float64()
	if err != nil {
		return text
	}
	return float
}

// DecodeJSON reads JSON, keeping the order of keys and the difference between 1 and 1.0.
func DecodeJSON(data []byte) (Value, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	value, err := decodeJSON(decoder)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err == nil {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return value, nil
}

func decodeJSON(decoder *json.Decoder) (Value, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return decodeList(decoder)
		}
		return decodeDict(decoder)
	case json.Number:
		return numberValue(t), nil
	}
	return token, nil
}

// decodeList reads the items of a list, and its end.
func decodeList(decoder *json.Decoder) (Value, error) {
	list := &List{}
	for decoder.More() {
		item, err := decodeJSON(decoder)
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
	}
	_, err := decoder.Token()
	return list, err
}

// decodeDict reads the members of an object, and its end.
func decodeDict(decoder *json.Decoder) (Value, error) {
	dict := NewDict()
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		value, err := decodeJSON(decoder)
		if err != nil {
			return nil, err
		}
		if err := dict.Set(key, value); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return dict, err
}

// Truthy is Python's truth value. In strict mode the evaluation refuses Undefined before it gets here.
func Truthy(value Value) bool {
	switch v := Unwritten(value).(type) {
	case nil, Undefined:
		return false
	case bool:
		return v
	case int64:
		return v != 0
	case *big.Int:
		return v.Sign() != 0
	case float64:
		return v != 0
	case string:
		return v != ""
	case *List:
		return len(v.Items) > 0
	case Tuple:
		return len(v) > 0
	case *Dict:
		return v.Len() > 0
	case *Range:
		return v.Len() > 0
	}
	return true
}

// typeName is the name of a value's type in messages, as Python has it.
func typeName(value Value) string {
	switch Unwritten(value).(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case int64, *big.Int:
		return "int"
	case float64:
		return "float"
	case string:
		return "str"
	case *List:
		return "list"
	case Tuple:
		return "tuple"
	case *Dict:
		return "dict"
	case *Range:
		return "range"
	case Undefined:
		return "Undefined"
	case *namespace:
		return "namespace"
	case *loopState:
		return "loop"
	}
	return "function"
}
