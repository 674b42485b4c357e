package jinja

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"sort"
	"strings"
	"time"
)

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

// DecodeDocument reads a document of the data, keeping the order of keys and the difference between 1 and 1.0: its nulls print as nothing,
// and a member that one of its objects lacks is no mistake of a template.
func DecodeDocument(data []byte) (Value, error) { return decodeAll(data, true) }

func decodeAll(data []byte, document bool) (Value, error) {
	decoder := &jsonDecoder{Decoder: json.NewDecoder(bytes.NewReader(data)), document: document}
	decoder.UseNumber()
	value, err := decoder.value()
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err == nil {
		return nil, fmt.Errorf("more than one JSON value")
	}
	return value, nil
}

type jsonDecoder struct {
	*json.Decoder
	document bool
}

func (d *jsonDecoder) value() (Value, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return d.list()
		}
		return d.dict()
	case json.Number:
		return numberValue(t), nil
	case nil:
		if d.document {
			return Null, nil
		}
	}
	return token, nil
}

// list reads the items of a list, and its end.
func (d *jsonDecoder) list() (Value, error) {
	list := &List{}
	for d.More() {
		item, err := d.value()
		if err != nil {
			return nil, err
		}
		list.Items = append(list.Items, item)
	}
	_, err := d.Token()
	return list, err
}

// dict reads the members of an object, and its end.
func (d *jsonDecoder) dict() (Value, error) {
	dict := NewDict()
	dict.document = d.document
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		if err := dict.Set(key, value); err != nil {
			return nil, err
		}
	}
	_, err := d.Token()
	return dict, err
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

// MarshalJSON writes null: what is nothing in a text is nothing in a document.
func (u Undefined) MarshalJSON() ([]byte, error) { return []byte("null"), nil }
