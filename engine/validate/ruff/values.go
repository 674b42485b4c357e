package ruff

import (
	"fmt"
	"math"
	"reflect"
)

// What JavaScript has and Go does not. A value of the host is one of these, nil (null), a bool, a float64, or a string.
type (
	undefined struct{}
	bigint    int64
	symbol    string
	function  func(this any) any
	array     struct{ items []any }
	object    struct {
		names   []string
		members map[string]any
	}
	failed   struct{ message string }
	iterator struct {
		of   *array
		next int
	}
	mapping struct{ keys, values []any }
)

func newObject() *object { return &object{members: map[string]any{}} }

func (o *object) set(name string, value any) {
	if _, known := o.members[name]; !known {
		o.names = append(o.names, name)
	}
	o.members[name] = value
}

// property is a member of a value by its name or position.
func property(of, name any) any {
	switch typed := of.(type) {
	case *object:
		if text, isText := name.(string); isText {
			if value, found := typed.members[text]; found {
				return value
			}
		}
	case *array:
		if name == any(symbol("iterator")) {
			return function(func(this any) any {
				list, _ := this.(*array)
				return &iterator{of: list}
			})
		}
		if position, isNumber := name.(float64); isNumber && position >= 0 && int(position) < len(typed.items) {
			return typed.items[int(position)]
		}
	case *iterator:
		if name == any("next") {
			return function(func(this any) any { return this.(*iterator).step() })
		}
	}
	return undefined{}
}

// step is the next result of an iteration.
func (i *iterator) step() any {
	result := newObject()
	if i.of == nil || i.next >= len(i.of.items) {
		result.set("done", true)
		result.set("value", undefined{})
		return result
	}
	i.next++
	result.set("done", false)
	result.set("value", i.of.items[i.next-1])
	return result
}

// entries are the pairs of an object's names and members.
func entries(of any) *array {
	list := &array{}
	if typed, isObject := of.(*object); isObject {
		for _, name := range typed.names {
			list.items = append(list.items, &array{items: []any{name, typed.members[name]}})
		}
	}
	return list
}

// assign sets a member of a value.
func assign(to, name, value any) error {
	switch typed := to.(type) {
	case *object:
		text, isText := name.(string)
		if !isText {
			return fmt.Errorf("a member has a name of the type %T", name)
		}
		typed.set(text, value)
	case *mapping:
		typed.keys, typed.values = append(typed.keys, name), append(typed.values, value)
	}
	return nil
}

// assignAt sets an item of an array.
func assignAt(to any, position int, value any) {
	list, isArray := to.(*array)
	if !isArray || position > 1<<20 {
		return
	}
	for len(list.items) <= position {
		list.items = append(list.items, undefined{})
	}
	list.items[position] = value
}

// isNothing says whether a value is null or undefined.
func isNothing(value any) bool {
	_, isUndefined := value.(undefined)
	return value == nil || isUndefined
}

func isSame(a, b any) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return reflect.TypeOf(a).Comparable() && reflect.TypeOf(b).Comparable() && a == b
}

func isSafeInteger(value any) bool {
	number, isNumber := value.(float64)
	return isNumber && number == math.Trunc(number) && math.Abs(number) < 1<<53
}

// fromGo is a Go value as JavaScript has it.
func fromGo(value any) any {
	switch typed := value.(type) {
	case map[string]any:
		result := newObject()
		for name, member := range typed {
			result.set(name, fromGo(member))
		}
		return result
	case []string:
		result := &array{}
		for _, item := range typed {
			result.items = append(result.items, item)
		}
		return result
	}
	return value
}

// toGo is a value of JavaScript as Go has it.
func toGo(value any) any {
	switch typed := value.(type) {
	case *object:
		members := make(map[string]any, len(typed.members))
		for name, member := range typed.members {
			members[name] = toGo(member)
		}
		return members
	case *array:
		items := make([]any, len(typed.items))
		for i, item := range typed.items {
			items[i] = toGo(item)
		}
		return items
	case undefined:
		return nil
	case failed:
		return typed.message
	case bigint:
		return float64(typed)
	}
	return value
}
