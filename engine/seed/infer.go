package seed

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"seedloom.dev/seedloom/engine/table"
)

// located is a decoded value with the number of the record in which it stands, from 1.
type located struct {
	value  any
	record int
}

// inferAll returns the type that all values have; nulls fit any. Numbers are floats as soon as one is. What has no common type, and numbers
// of which digits would be lost, are refused.
func inferAll(values []located) (table.Type, error) {
	made := table.Type{}
	found := false
	var inexact *located
	for i, item := range values {
		if item.value == nil {
			continue
		}
		kind, err := kindOf(item.value)
		if err != nil {
			return made, fmt.Errorf("record %d has the number %.40s, %w", item.record, item.value, err)
		}
		if number, isNumber := item.value.(json.Number); isNumber && inexact == nil && kind == table.KindInt && !exactAsFloat(number.String()) {
			inexact = &values[i]
		}
		switch {
		case !found:
			made.Kind, found = kind, true
		case made.Kind == table.KindInt && kind == table.KindFloat, made.Kind == table.KindFloat && kind == table.KindInt:
			made.Kind = table.KindFloat
		case made.Kind != kind:
			return made, fmt.Errorf("record %d has a value of type %s, but those before it have %s; make them alike", item.record, kind, made.Kind)
		}
	}
	switch {
	case made.Kind == table.KindFloat && inexact != nil:
		return made, fmt.Errorf("record %d has the number %s, which can't be held exactly together with numbers that have a fraction; write them as strings",
			inexact.record, inexact.value)
	case made.Kind == table.KindList:
		return inferList(values)
	case made.Kind == table.KindStruct:
		return inferStruct(values)
	}
	return made, nil
}

func inferList(values []located) (table.Type, error) {
	var elements []located
	for _, item := range values {
		items, _ := item.value.([]any)
		for _, element := range items {
			elements = append(elements, located{element, item.record})
		}
	}
	element, err := inferAll(elements)
	if err != nil {
		return table.Type{}, fmt.Errorf("in a list: %w", err)
	}
	return table.Type{Kind: table.KindList, Element: &element}, nil
}

// inferStruct returns the fields of all objects, in the order in which they first come.
func inferStruct(values []located) (table.Type, error) {
	made := table.Type{Kind: table.KindStruct}
	var names []string
	members := map[string][]located{}
	for _, item := range values {
		fields, isObject := item.value.(*object)
		if !isObject {
			continue // null
		}
		for _, key := range fields.keys {
			if _, known := members[key]; !known {
				names = append(names, key)
			}
			members[key] = append(members[key], located{fields.values[key], item.record})
		}
	}
	if len(names) > maxColumns {
		return made, fmt.Errorf("its objects have %d different keys, and at most %d are supported; turn what varies into a list of objects with a key and a value",
			len(names), maxColumns)
	}
	for _, name := range names {
		member, err := inferAll(members[name])
		if err != nil {
			return made, fmt.Errorf("%q: %w", name, err)
		}
		made.Fields = append(made.Fields, table.Field{Name: name, Type: member})
	}
	return made, nil
}

var errTooLong = errors.New("which has more digits than can be held exactly; write it as a string")

// kindOf returns the kind of a decoded value that is not null.
func kindOf(value any) (table.Kind, error) {
	switch typed := value.(type) {
	case bool:
		return table.KindBool, nil
	case json.Number:
		if _, err := typed.Int64(); err == nil && !strings.HasPrefix(typed.String(), "-0") {
			return table.KindInt, nil
		}
		if isInteger(typed.String()) && !exactAsFloat(typed.String()) {
			return table.KindFloat, errTooLong
		}
		if _, err := typed.Float64(); err != nil {
			return table.KindFloat, errors.New("which is too large; write it as a string")
		}
		return table.KindFloat, nil
	case []any:
		return table.KindList, nil
	case *object:
		return table.KindStruct, nil
	}
	return table.KindString, nil
}
