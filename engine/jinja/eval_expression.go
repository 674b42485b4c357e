package jinja

import "strings"

func (e *evaluation) eval(node expression) (Value, error) {
	if err := e.step(1); err != nil {
		return nil, atLine(err, node.lineNumber())
	}
	value, err := e.evalNode(node)
	if err != nil {
		return nil, atLine(err, node.lineNumber())
	}
	return value, nil
}

func (e *evaluation) evalNode(node expression) (Value, error) {
	switch n := node.(type) {
	case *constant:
		return n.value, nil
	case *name:
		return e.variable(n.name), nil
	case *tupleLiteral:
		items, err := e.evalAll(n.items)
		return Tuple(items), err
	case *listLiteral:
		items, err := e.evalAll(n.items)
		if err != nil {
			return nil, err
		}
		return e.list(items)
	case *dictLiteral:
		return e.dictLiteral(n)
	case *attribute:
		object, err := e.eval(n.object)
		if err != nil {
			return nil, err
		}
		return e.attribute(object, n.name, false)
	case *subscript:
		object, err := e.eval(n.object)
		if err != nil {
			return nil, err
		}
		index, err := e.eval(n.index)
		if err != nil {
			return nil, err
		}
		return e.subscript(object, index)
	case *slice:
		return e.slice(n)
	case *unary:
		return e.unary(n)
	case *binary:
		left, err := e.eval(n.left)
		if err != nil {
			return nil, err
		}
		right, err := e.eval(n.right)
		if err != nil {
			return nil, err
		}
		return e.arithmetic(n.operator, left, right)
	case *logical:
		left, err := e.eval(n.left)
		if err != nil {
			return nil, err
		}
		decided, err := e.truthy(left)
		if err != nil {
			return nil, err
		}
		if decided == n.or {
			return left, nil
		}
		return e.eval(n.right)
	case *comparison:
		return e.comparison(n)
	case *conditional:
		return e.conditional(n)
	case *concatenation:
		return e.concatenate(n)
	case *callExpression:
		function, err := e.callee(n.function)
		if err != nil {
			return nil, err
		}
		call, err := e.evalArguments(n.arguments)
		if err != nil {
			return nil, err
		}
		return e.call(function, call)
	case *filterExpression:
		value, err := e.eval(n.value)
		if err != nil {
			return nil, err
		}
		return e.applyFilter(value, &n.call)
	case *testExpression:
		return e.evalTest(n)
	}
	return nil, fail(KindValue, "unknown expression %T", node)
}

// callee evaluates what is called.
func (e *evaluation) callee(node expression) (Value, error) {
	method, isAttribute := node.(*attribute)
	if !isAttribute {
		return e.eval(node)
	}
	object, err := e.eval(method.object)
	if err != nil {
		return nil, err
	}
	return e.attribute(object, method.name, true)
}

func (e *evaluation) variable(text string) Value {
	if value, found := e.scope.lookup(text); found {
		return value
	}
	if e.vars != nil {
		if value, found := e.vars.Lookup(text); found {
			return value
		}
	}
	if builtin, found := builtins[text]; found {
		return builtin
	}
	return undefinedName(text)
}

func (e *evaluation) evalAll(nodes []expression) ([]Value, error) {
	values := make([]Value, len(nodes))
	for i, node := range nodes {
		value, err := e.eval(node)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func (e *evaluation) evalArguments(nodes arguments) (callArguments, error) {
	var call callArguments
	var err error
	if call.positional, err = e.evalAll(nodes.positional); err != nil {
		return call, err
	}
	if nodes.spread != nil {
		value, err := e.eval(nodes.spread)
		if err != nil {
			return call, err
		}
		items, err := e.items(value)
		if err != nil {
			return call, err
		}
		call.positional = append(call.positional, items...)
	}
	call.names = append([]string(nil), nodes.names...)
	if call.named, err = e.evalAll(nodes.named); err != nil {
		return call, err
	}
	if nodes.spreadNamed != nil {
		value, err := e.eval(nodes.spreadNamed)
		if err != nil {
			return call, err
		}
		dict, ok := value.(*Dict)
		if !ok {
			return call, fail(KindType, "the argument after ** must be a dict, not %s", typeName(value))
		}
		for i, key := range dict.keys {
			call.names = append(call.names, Str(key))
			call.named = append(call.named, dict.values[i])
		}
	}
	return call, nil
}

func (e *evaluation) dictLiteral(n *dictLiteral) (Value, error) {
	if err := e.allocate(2 * itemBytes * len(n.keys)); err != nil {
		return nil, err
	}
	dict := NewDict()
	for i, keyNode := range n.keys {
		key, err := e.eval(keyNode)
		if err != nil {
			return nil, err
		}
		value, err := e.eval(n.values[i])
		if err != nil {
			return nil, err
		}
		if err := dict.Set(key, value); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

func (e *evaluation) unary(n *unary) (Value, error) {
	value, err := e.eval(n.operand)
	if err != nil {
		return nil, err
	}
	if n.operator == "not" {
		truth, err := e.truthy(value)
		return !truth, err
	}
	return negate(n.operator, value)
}

func (e *evaluation) comparison(n *comparison) (Value, error) {
	left, err := e.eval(n.first)
	if err != nil {
		return nil, err
	}
	for i, operator := range n.operators {
		right, err := e.eval(n.operands[i])
		if err != nil {
			return nil, err
		}
		holds, err := e.compareBy(operator, left, right)
		if err != nil || !holds {
			return false, err
		}
		left = right
	}
	return true, nil
}

func (e *evaluation) conditional(n *conditional) (Value, error) {
	chosen, err := e.condition(n.condition)
	if err != nil {
		return nil, err
	}
	if chosen {
		return e.eval(n.then)
	}
	if n.otherwise == nil {
		return Undefined{Message: "the inline if-expression was false, and has no else", empty: true}, nil
	}
	return e.eval(n.otherwise)
}

func (e *evaluation) concatenate(n *concatenation) (Value, error) {
	var text strings.Builder
	for _, item := range n.items {
		value, err := e.eval(item)
		if err != nil {
			return nil, err
		}
		printed, err := e.print(value)
		if err != nil {
			return nil, err
		}
		if err := e.allocate(len(printed)); err != nil {
			return nil, err
		}
		text.WriteString(printed)
	}
	return text.String(), nil
}

func (e *evaluation) call(callee Value, call callArguments) (Value, error) {
	switch f := callee.(type) {
	case function:
		return f(e, call)
	case *boundMethod:
		return f.function(e, call)
	case *macro:
		return e.callMacro(f, call)
	case *loopState:
		if !f.node.recursive {
			return nil, fail(KindType, "loop() can be called in loops that are marked 'recursive' only")
		}
		return e.recurse(f, call)
	case Undefined:
		return nil, fail(KindUndefined, "%s", f.Message)
	}
	return nil, fail(KindType, "'%s' object is not callable", typeName(callee))
}

func (e *evaluation) recurse(state *loopState, call callArguments) (Value, error) {
	if len(call.positional) != 1 {
		return nil, fail(KindType, "loop() takes the items to loop over")
	}
	if err := e.enter(); err != nil {
		return nil, err
	}
	defer e.leave()
	items, err := e.items(call.positional[0])
	if err != nil {
		return nil, err
	}
	caller := e.scope
	e.scope = &scope{outer: state.closure}
	defer func() { e.scope = caller }()
	text, err := e.capture(func() error { return e.loop(state.node, state, items) })
	if err != nil {
		return nil, err
	}
	return e.text(text)
}

func (e *evaluation) applyFilter(value Value, call *filterCall) (Value, error) {
	arguments, err := e.evalArguments(call.arguments)
	if err != nil {
		return nil, err
	}
	result, err := e.filter(call.name, call.filter, value, arguments)
	return result, atLine(err, call.lineNumber())
}

func (e *evaluation) filter(text string, filter filterFunction, value Value, call callArguments) (Value, error) {
	if err := e.step(1); err != nil {
		return nil, err
	}
	reader := &parameters{what: "filter '" + text + "'", call: call}
	result, err := filter(e, value, reader)
	if err != nil {
		return nil, err
	}
	return result, reader.finish()
}

func (e *evaluation) evalTest(n *testExpression) (Value, error) {
	value, err := e.eval(n.value)
	if err != nil {
		return nil, err
	}
	call, err := e.evalArguments(n.arguments)
	if err != nil {
		return nil, err
	}
	holds, err := e.runTest(n.name, n.test, Unwritten(value), call)
	return holds != n.negated, err
}

func (e *evaluation) runTest(text string, test testFunction, value Value, call callArguments) (bool, error) {
	reader := &parameters{what: "test '" + text + "'", call: call}
	holds, err := test(e, value, reader)
	if err != nil {
		return false, err
	}
	return holds, reader.finish()
}
