package jinja

import (
	"maps"
	"slices"
)

// UndefinedLenient is how Jinja treats missing names unless it is told otherwise.
const UndefinedLenient = undefinedLenient

// Keys returns the keys in order; the caller does not change them.
func (d *Dict) Keys() []Value { return d.keys }

// DecodeJSON reads JSON whose nulls are None, as Jinja2 has them.
func DecodeJSON(data []byte) (Value, error) { return decodeAll(data, false) }

// FilterNames are the names of all filters.
func FilterNames() []string { return slices.Sorted(maps.Keys(filters)) }
