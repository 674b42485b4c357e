package jinja

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Value is a value of the template language, one of: nil (None), bool, int64, *big.Int (beyond int64), float64, string, *List,
// Tuple, *Dict, *Range, Undefined, Written (Null among them), or a callable.
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
	// empty marks the value of an inline "if" without "else", and a member that a document lacks, which may be printed in strict mode too.
	empty bool
	// absent marks a member that a document lacks: its own members are absent too.
	absent bool
}

// Dict is a mutable dictionary that keeps the order of insertion.
type Dict struct {
	keys   []Value
	values []Value
	index  map[any]int
	// document says that it was read from a document without a schema: what it lacks is absent, and no mistake of the template.
	document bool
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
	result.document = d.document
	for i, key := range d.keys {
		// The keys were keys already.
		_ = result.Set(key, d.values[i])
	}
	return result
}

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

// namespace is the object of namespace(), whose attributes can be assigned.
type namespace struct{ values *Dict }

// Written is a number or a truth value that prints as it was written, such as 3.10 or true, and else is what it stands for.
type Written struct {
	text  string
	value Value
	// unscaled and scale are those of a decimal, the number unscaled · 10^-scale; unscaled is nil for anything else.
	unscaled *big.Int
	scale    int32
}

// NewWritten returns a value that prints as a text.
func NewWritten(text string, value Value) Value { return Written{text: text, value: value} }

// Null is a null of the data: it prints as nothing, and else is what none is. (The constant none prints as None.) Its members are null too.
var Null Value = Written{}

func isNull(value Value) bool {
	written, isWritten := value.(Written)
	return isWritten && written.value == nil
}

// Unwritten is what a value stands for.
func Unwritten(value Value) Value {
	if written, isWritten := value.(Written); isWritten {
		return written.value
	}
	return value
}
