package jinja

// builtins are the functions that every template has.
var builtins = map[string]Value{
	"range":     function(builtinRange),
	"dict":      function(builtinDict),
	"namespace": function(builtinNamespace),
	"cycler":    function(builtinCycler),
	"joiner":    function(builtinJoiner),
}

// IsReserved says whether a name is a word of the language, which no template can read as a variable.
func IsReserved(name string) bool {
	switch name {
	case "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else":
		return true
	}
	return false
}

// IsBuiltin says whether a name is that of a built-in function.
func IsBuiltin(name string) bool {
	_, found := builtins[name]
	return found
}

func builtinRange(_ *evaluation, call callArguments) (Value, error) {
	bounds := make([]int64, 0, 3)
	for _, value := range call.positional {
		bound, ok := asSmall(value)
		if !ok {
			return nil, fail(KindType, "range() takes integers, not %s", typeName(value))
		}
		bounds = append(bounds, bound)
	}
	switch {
	case len(call.names) > 0 || len(bounds) == 0 || len(bounds) > 3:
		return nil, fail(KindType, "range() takes one to three integers")
	case len(bounds) == 1:
		return &Range{Stop: bounds[0], Step: 1}, nil
	case len(bounds) == 2:
		return &Range{Start: bounds[0], Stop: bounds[1], Step: 1}, nil
	case bounds[2] == 0:
		return nil, fail(KindValue, "range() arg 3 must not be zero")
	}
	return &Range{Start: bounds[0], Stop: bounds[1], Step: bounds[2]}, nil
}

func builtinDict(e *evaluation, call callArguments) (Value, error) {
	dict := NewDict()
	if err := e.allocate(2 * itemBytes * len(call.names)); err != nil {
		return nil, err
	}
	for _, value := range call.positional {
		if err := e.updateDict(dict, value); err != nil {
			return nil, err
		}
	}
	for i, key := range call.names {
		if err := dict.Set(key, call.named[i]); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

// updateDict adds the entries of a dict, or of a sequence of pairs.
func (e *evaluation) updateDict(dict *Dict, value Value) error {
	if other, ok := value.(*Dict); ok {
		if err := e.allocate(2 * itemBytes * other.Len()); err != nil {
			return err
		}
		for i, key := range other.keys {
			if err := dict.Set(key, other.values[i]); err != nil {
				return err
			}
		}
		return nil
	}
	items, err := e.items(value)
	if err != nil {
		return err
	}
	for _, item := range items {
		pair, err := e.items(item)
		if err != nil {
			return err
		}
		if len(pair) != 2 {
			return fail(KindValue, "a dict is made of pairs, not of %d values", len(pair))
		}
		if err := dict.Set(pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

func builtinNamespace(e *evaluation, call callArguments) (Value, error) {
	values, err := builtinDict(e, call)
	if err != nil {
		return nil, err
	}
	return &namespace{values: values.(*Dict)}, nil
}

func builtinCycler(_ *evaluation, call callArguments) (Value, error) {
	if len(call.positional) == 0 {
		return nil, fail(KindType, "cycler() needs values")
	}
	space := &namespace{values: NewDict()}
	at := 0
	set := func(text string, value Value) { _ = space.values.Set(text, value) }
	set("current", call.positional[0])
	set("next", function(func(*evaluation, callArguments) (Value, error) {
		value := call.positional[at]
		at = (at + 1) % len(call.positional)
		set("current", call.positional[at])
		return value, nil
	}))
	set("reset", function(func(*evaluation, callArguments) (Value, error) {
		at = 0
		set("current", call.positional[0])
		return nil, nil
	}))
	return space, nil
}

func builtinJoiner(_ *evaluation, call callArguments) (Value, error) {
	reader := &parameters{what: "joiner()", call: call}
	separator := reader.string("sep", ", ")
	if err := reader.finish(); err != nil {
		return nil, err
	}
	used := false
	return function(func(*evaluation, callArguments) (Value, error) {
		if !used {
			used = true
			return "", nil
		}
		return separator, nil
	}), nil
}
