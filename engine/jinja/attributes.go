package jinja

import (
	"strings"
	"unicode/utf8"
)

// attribute is "object.name". Of a dictionary the item of that name comes first, unless it is called: the values of templates are
// documents, whose members may be called "items" as well. (Jinja2 prefers the method in both cases.)
func (e *evaluation) attribute(object Value, text string, called bool) (Value, error) {
	if strings.HasPrefix(text, "_") {
		return nil, fail(KindSecurity, "access to attribute '%s' is not possible: it begins with '_'", text)
	}
	if dict, ok := object.(*Dict); ok && !called {
		if value, found := dict.Get(text); found {
			return value, nil
		}
	}
	if value, found := member(object, text); found {
		return value, nil
	}
	if dict, ok := object.(*Dict); ok {
		if value, found := dict.Get(text); found {
			return value, nil
		}
	}
	return missingAttribute(object, text)
}

func missingAttribute(object Value, text string) (Value, error) {
	switch typed := object.(type) {
	case Undefined:
		if typed.absent {
			return typed, nil
		}
		return nil, fail(KindUndefined, "%s", typed.Message)
	case Written:
		if isNull(typed) {
			return Null, nil
		}
	}
	missing := Undefined{Message: "'" + typeName(object) + " object' has no attribute '" + text + "'"}
	if dict, isDict := object.(*Dict); isDict && dict.document {
		missing.empty, missing.absent = true, true
	}
	return missing, nil
}

// groupMember finds the members by which a group of the filter groupby is read too: it is a pair of the grouper and its list.
func groupMember(pair Tuple, text string) (Value, bool) {
	if len(pair) != 2 {
		return nil, false
	}
	if _, isList := pair[1].(*List); !isList {
		return nil, false
	}
	switch text {
	case "grouper":
		return pair[0], true
	case "list":
		return pair[1], true
	}
	return nil, false
}

// member finds methods and the attributes of our own objects.
func member(object Value, text string) (Value, bool) {
	switch o := object.(type) {
	case *namespace:
		value, found := o.values.Get(text)
		return value, found
	case *loopState:
		return o.member(text)
	case Tuple:
		if value, found := groupMember(o, text); found {
			return value, true
		}
	}
	bound, found := methodsOf(object)[text]
	if !found {
		return nil, false
	}
	return &boundMethod{owner: typeName(object), name: text, function: func(e *evaluation, call callArguments) (Value, error) {
		if err := e.step(1); err != nil {
			return nil, err
		}
		reader := &parameters{what: typeName(object) + "." + text + "()", call: call}
		value, err := bound(e, object, reader)
		if err != nil {
			return nil, err
		}
		return value, reader.finish()
	}}, true
}

func methodsOf(object Value) map[string]method {
	switch object.(type) {
	case string:
		return stringMethods
	case *List:
		return listMethods
	case Tuple:
		return tupleMethods
	case *Dict:
		return dictMethods
	}
	return nil
}

func (s *loopState) member(text string) (Value, bool) {
	switch text {
	case "index":
		return int64(s.index + 1), true
	case "index0":
		return int64(s.index), true
	case "revindex":
		return int64(len(s.items) - s.index), true
	case "revindex0":
		return int64(len(s.items) - s.index - 1), true
	case "first":
		return s.index == 0, true
	case "last":
		return s.index == len(s.items)-1, true
	case "length":
		return int64(len(s.items)), true
	case "depth":
		return int64(s.depth), true
	case "depth0":
		return int64(s.depth - 1), true
	case "previtem":
		if s.index == 0 {
			return Undefined{Message: "there is no previous item"}, true
		}
		return s.items[s.index-1], true
	case "nextitem":
		if s.index == len(s.items)-1 {
			return Undefined{Message: "there is no next item"}, true
		}
		return s.items[s.index+1], true
	case "cycle":
		return function(func(_ *evaluation, call callArguments) (Value, error) {
			if len(call.positional) == 0 {
				return nil, fail(KindType, "loop.cycle() needs values")
			}
			return call.positional[s.index%len(call.positional)], nil
		}), true
	case "changed":
		return function(func(e *evaluation, call callArguments) (Value, error) {
			same := false
			if s.hasValue {
				var err error
				if same, err = e.equal(Tuple(s.changed), Tuple(call.positional), 0); err != nil {
					return nil, err
				}
			}
			s.changed, s.hasValue = call.positional, true
			return !same, nil
		}), true
	}
	return nil, false
}

// subscript is "object[index]": the item first, then the attribute of that name.
func (e *evaluation) subscript(object, index Value) (Value, error) {
	if position, ok := asSmall(index); ok {
		if value, found, err := e.itemAt(object, position); found || err != nil {
			return value, err
		}
	}
	if dict, ok := object.(*Dict); ok {
		if _, err := hashKey(index); err != nil {
			return nil, err
		}
		if value, found := dict.Get(index); found {
			return value, nil
		}
	}
	if text, ok := index.(string); ok {
		if strings.HasPrefix(text, "_") {
			if _, isDict := object.(*Dict); !isDict {
				return nil, fail(KindSecurity, "access to attribute '%s' is not possible: it begins with '_'", text)
			}
		} else if value, found := member(object, text); found {
			return value, nil
		}
	}
	return missingAttribute(object, Str(index))
}

// itemAt returns an item of a sequence by its position, from the end where it is negative.
func (e *evaluation) itemAt(object Value, position int64) (Value, bool, error) {
	pick := func(items []Value) (Value, bool, error) {
		if position < 0 {
			position += int64(len(items))
		}
		if position < 0 || position >= int64(len(items)) {
			return Undefined{Message: "'" + typeName(object) + " object' has no element " + Str(position)}, true, nil
		}
		return items[position], true, nil
	}
	switch o := object.(type) {
	case *List:
		return pick(o.Items)
	case Tuple:
		return pick(o)
	case string:
		if err := e.step(len(o) / 1024); err != nil {
			return nil, true, err
		}
		if position < 0 {
			position += int64(utf8.RuneCountInString(o))
		}
		for _, r := range o {
			if position == 0 {
				return string(r), true, nil
			}
			position--
		}
		return Undefined{Message: "'str object' has no such element"}, true, nil
	case *Range:
		if position < 0 {
			position += o.Len()
		}
		if position < 0 || position >= o.Len() {
			return Undefined{Message: "'range object' has no such element"}, true, nil
		}
		return o.Start + position*o.Step, true, nil
	}
	return nil, false, nil
}

func (e *evaluation) slice(n *slice) (Value, error) {
	object, err := e.eval(n.object)
	if err != nil {
		return nil, err
	}
	var bounds [3]*int64
	for i, part := range []expression{n.start, n.stop, n.step} {
		if part == nil {
			continue
		}
		value, err := e.eval(part)
		if err != nil {
			return nil, err
		}
		if value == nil {
			continue
		}
		bound, ok := asSmall(value)
		if !ok {
			return nil, fail(KindType, "slice indices must be integers, not %s", typeName(value))
		}
		bounds[i] = &bound
	}
	if undefined, ok := object.(Undefined); ok {
		return nil, fail(KindUndefined, "%s", undefined.Message)
	}
	if _, isDict := object.(*Dict); isDict {
		return nil, fail(KindType, "a dict can't be sliced")
	}
	if r, ok := object.(*Range); ok {
		return sliceRange(r, bounds)
	}
	items, err := e.items(object)
	if err != nil {
		return nil, err
	}
	picked, err := sliceItems(items, bounds)
	if err != nil {
		return nil, err
	}
	switch object.(type) {
	case string:
		var text strings.Builder
		for _, item := range picked {
			text.WriteString(item.(string))
		}
		return e.text(text.String())
	case Tuple:
		return Tuple(picked), nil
	}
	return e.list(picked)
}

// sliceBounds resolves the parts of a slice for a sequence of a length, as Python's slice.indices does.
func sliceBounds(length int64, bounds [3]*int64) (start, stop, step int64, err error) {
	step = 1
	if bounds[2] != nil {
		step = *bounds[2]
	}
	if step == 0 {
		return 0, 0, 0, fail(KindValue, "slice step cannot be zero")
	}
	// A step beyond the length takes one item, like the length itself.
	step = min(max(step, -length-1), length+1)
	clamp := func(bound *int64, fallback int64) int64 {
		if bound == nil {
			return fallback
		}
		at := *bound
		if at < 0 {
			at += length
		}
		if step > 0 {
			return min(max(at, 0), length)
		}
		return min(max(at, -1), length-1)
	}
	if step > 0 {
		return clamp(bounds[0], 0), clamp(bounds[1], length), step, nil
	}
	return clamp(bounds[0], length-1), clamp(bounds[1], -1), step, nil
}

func sliceItems(items []Value, bounds [3]*int64) ([]Value, error) {
	start, stop, step, err := sliceBounds(int64(len(items)), bounds)
	if err != nil {
		return nil, err
	}
	picked := []Value{}
	for i := start; (step > 0 && i < stop) || (step < 0 && i > stop); i += step {
		picked = append(picked, items[i])
	}
	return picked, nil
}

func sliceRange(r *Range, bounds [3]*int64) (Value, error) {
	start, stop, step, err := sliceBounds(r.Len(), bounds)
	if err != nil {
		return nil, err
	}
	return &Range{Start: r.Start + start*r.Step, Stop: r.Start + stop*r.Step, Step: step * r.Step}, nil
}
