package jinja

import "unicode/utf8"

// signal tells an enclosing loop what a statement in its body has asked for.
type signal int

const (
	proceed signal = iota
	breakLoop
	continueLoop
)

func (e *evaluation) statements(body []node) (signal, error) {
	for _, statement := range body {
		if err := e.step(1); err != nil {
			return proceed, atLine(err, statement.lineNumber())
		}
		asked, err := e.statement(statement)
		if err != nil {
			return proceed, atLine(err, statement.lineNumber())
		}
		if asked != proceed {
			return asked, nil
		}
	}
	return proceed, nil
}

func (e *evaluation) statement(statement node) (signal, error) {
	switch s := statement.(type) {
	case *textNode:
		return proceed, e.write(s.text)
	case *outputNode:
		value, err := e.eval(s.value)
		if err != nil {
			return proceed, err
		}
		text, err := e.print(value)
		if err != nil {
			return proceed, err
		}
		return proceed, e.write(text)
	case *ifNode:
		chosen, err := e.condition(s.condition)
		if err != nil {
			return proceed, err
		}
		if chosen {
			return e.statements(s.then)
		}
		return e.statements(s.next)
	case *forNode:
		return proceed, e.loop(s, nil, nil)
	case *setNode:
		value, err := e.eval(s.value)
		if err != nil {
			return proceed, err
		}
		return proceed, e.assign(s.target, value)
	case *setBlockNode:
		text, err := e.captureFiltered(s.body, s.filters)
		if err != nil {
			return proceed, err
		}
		return proceed, e.assign(s.target, text)
	case *withNode:
		return e.with(s)
	case *filterNode:
		value, err := e.captureFiltered(s.body, s.filters)
		if err != nil {
			return proceed, err
		}
		text, err := e.print(value)
		if err != nil {
			return proceed, err
		}
		return proceed, e.write(text)
	case *macroNode:
		e.scope.assign(s.macro.name, &macro{definition: s.macro, closure: e.scope})
		return proceed, nil
	case *callNode:
		return proceed, e.callBlock(s)
	case *doNode:
		_, err := e.eval(s.value)
		return proceed, err
	case *blockNode:
		var asked signal
		err := e.scoped(func() (err error) { asked, err = e.statements(s.body); return err })
		return asked, err
	case *breakNode:
		return breakLoop, nil
	case *continueNode:
		return continueLoop, nil
	}
	return proceed, fail(KindValue, "unknown statement %T", statement)
}

func (e *evaluation) condition(value expression) (bool, error) {
	result, err := e.eval(value)
	if err != nil {
		return false, err
	}
	return e.truthy(result)
}

func (e *evaluation) truthy(value Value) (bool, error) {
	if undefined, ok := value.(Undefined); ok {
		return false, e.useUndefined(undefined)
	}
	return Truthy(value), nil
}

func (e *evaluation) with(s *withNode) (asked signal, err error) {
	values := make([]Value, len(s.values))
	for i, expression := range s.values {
		if values[i], err = e.eval(expression); err != nil {
			return proceed, err
		}
	}
	err = e.scoped(func() (err error) {
		for i, target := range s.targets {
			if err := e.assign(target, values[i]); err != nil {
				return err
			}
		}
		asked, err = e.statements(s.body)
		return err
	})
	return asked, err
}

func (e *evaluation) captureFiltered(body []node, calls []filterCall) (Value, error) {
	text, err := e.capture(func() error {
		return e.scoped(func() error { _, err := e.statements(body); return err })
	})
	if err != nil {
		return nil, err
	}
	value, err := e.text(text)
	for i := range calls {
		if err != nil {
			return nil, err
		}
		value, err = e.applyFilter(value, &calls[i])
	}
	return value, err
}

func (e *evaluation) assign(target expression, value Value) error {
	switch t := target.(type) {
	case *name:
		e.scope.assign(t.name, value)
		return nil
	case *attribute:
		object, err := e.eval(t.object)
		if err != nil {
			return err
		}
		space, ok := object.(*namespace)
		if !ok {
			return fail(KindType, "can't assign an attribute of a %s; only those of namespace() can be assigned", typeName(object))
		}
		return space.values.Set(t.name, value)
	case *tupleLiteral:
		items, err := e.items(value)
		if err != nil {
			return err
		}
		if len(items) != len(t.items) {
			return fail(KindValue, "can't unpack %d values into %d names", len(items), len(t.items))
		}
		for i, item := range t.items {
			if err := e.assign(item, items[i]); err != nil {
				return err
			}
		}
		return nil
	}
	return fail(KindValue, "can't assign to this expression")
}

// loopState is the variable "loop".
type loopState struct {
	node     *forNode
	index    int
	items    []Value
	depth    int
	changed  []Value
	hasValue bool
	// closure is the scope around the loop, for recursive calls.
	closure *scope
}

// loop runs a for statement over its iterable, or, when called recursively, over items.
func (e *evaluation) loop(s *forNode, recursive *loopState, items []Value) error {
	if recursive == nil {
		iterable, err := e.eval(s.iterable)
		if err != nil {
			return err
		}
		if items, err = e.items(iterable); err != nil {
			return err
		}
	}
	if s.filter != nil {
		var err error
		if items, err = e.filterItems(s, items); err != nil {
			return err
		}
	}
	if len(items) == 0 {
		return e.scoped(func() error { _, err := e.statements(s.next); return err })
	}
	state := &loopState{node: s, items: items, depth: 1, closure: e.scope}
	if recursive != nil {
		state.depth = recursive.depth + 1
	}
	for i, item := range items {
		if err := e.step(1); err != nil {
			return err
		}
		state.index = i
		var asked signal
		err := e.scoped(func() (err error) {
			e.scope.assign("loop", state)
			if err = e.assign(s.target, item); err == nil {
				asked, err = e.statements(s.body)
			}
			return err
		})
		if err != nil {
			return err
		}
		if asked == breakLoop {
			break
		}
	}
	return nil
}

func (e *evaluation) filterItems(s *forNode, items []Value) ([]Value, error) {
	kept := make([]Value, 0, len(items))
	for _, item := range items {
		if err := e.step(1); err != nil {
			return nil, err
		}
		var keep bool
		err := e.scoped(func() (err error) {
			if err = e.assign(s.target, item); err == nil {
				keep, err = e.condition(s.filter)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if keep {
			kept = append(kept, item)
		}
	}
	return kept, nil
}

// items returns what iterating over a value gives. The caller does not change it.
func (e *evaluation) items(value Value) ([]Value, error) {
	switch v := value.(type) {
	case *List:
		// The list may change while it is iterated over.
		return append([]Value(nil), v.Items...), e.step(len(v.Items) / 8)
	case Tuple:
		return v, nil
	case *Dict:
		return append([]Value(nil), v.keys...), nil
	case string:
		count := utf8.RuneCountInString(v)
		if err := e.allocate(count * itemBytes); err != nil {
			return nil, err
		}
		items := make([]Value, 0, count)
		for _, r := range v {
			items = append(items, string(r))
		}
		return items, nil
	case *Range:
		length := v.Len()
		if length > int64(e.limits.Steps) {
			return nil, fail(KindLimit, "range() has %d items; the template may take %d steps", length, e.limits.Steps)
		}
		if err := e.allocate(int(length) * itemBytes); err != nil {
			return nil, err
		}
		items := make([]Value, length)
		for i := range items {
			items[i] = v.Start + int64(i)*v.Step
		}
		return items, nil
	case Undefined:
		return nil, e.useUndefined(v)
	case *boundMethod:
		return nil, v.uncalled()
	}
	return nil, fail(KindType, "'%s' object is not iterable", typeName(value))
}

// macro is a callable made by a macro or call statement.
type macro struct {
	definition *macroDefinition
	closure    *scope
}

func (e *evaluation) callMacro(m *macro, call callArguments) (Value, error) {
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	caller := e.scope
	e.scope = &scope{outer: m.closure}
	defer func() { e.scope = caller }()
	if err := e.bindParameters(m.definition, call); err != nil {
		return nil, err
	}
	text, err := e.capture(func() error { _, err := e.statements(m.definition.body); return err })
	if err != nil {
		return nil, err
	}
	return e.text(text)
}

func (e *evaluation) bindParameters(definition *macroDefinition, call callArguments) error {
	named := map[string]Value{}
	for i, text := range call.names {
		named[text] = call.named[i]
	}
	withoutDefault := len(definition.parameters) - len(definition.defaults)
	for i, parameter := range definition.parameters {
		value, given := named[parameter]
		switch {
		case i < len(call.positional):
			value = call.positional[i]
		case given:
		case i >= withoutDefault:
			var err error
			if value, err = e.eval(definition.defaults[i-withoutDefault]); err != nil {
				return err
			}
		default:
			value = Undefined{Message: "parameter '" + parameter + "' was not provided"}
		}
		delete(named, parameter)
		e.scope.assign(parameter, value)
	}
	if caller, given := named["caller"]; given {
		e.scope.assign("caller", caller)
	}
	rest := Tuple{}
	if len(call.positional) > len(definition.parameters) {
		rest = call.positional[len(definition.parameters):]
	}
	e.scope.assign("varargs", rest)
	extra := NewDict()
	for i, text := range call.names {
		if _, left := named[text]; left && text != "caller" {
			if err := extra.Set(text, call.named[i]); err != nil {
				return err
			}
		}
	}
	e.scope.assign("kwargs", extra)
	return nil
}

func (e *evaluation) callBlock(s *callNode) error {
	function, err := e.eval(s.call.function)
	if err != nil {
		return err
	}
	call, err := e.evalArguments(s.call.arguments)
	if err != nil {
		return err
	}
	call.names = append(call.names, "caller")
	call.named = append(call.named, &macro{definition: s.caller, closure: e.scope})
	value, err := e.call(function, call)
	if err != nil {
		return err
	}
	text, err := e.print(value)
	if err != nil {
		return err
	}
	return e.write(text)
}
