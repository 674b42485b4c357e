package jinja

import (
	"math/big"
	"strconv"
)

// expression parses one expression, with the operators in the order of Jinja: the inline "if" binds weakest, then or, and, not,
// comparisons, + and -, ~, * / // %, **, the unary signs, and last filters and tests.
func (p *parser) expression() (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	value, err := p.or()
	if err != nil {
		return nil, err
	}
	for p.isName("if") {
		line := position(p.next().line)
		condition, err := p.or()
		if err != nil {
			return nil, err
		}
		node := &conditional{position: line, condition: condition, then: value}
		if p.skipName("else") {
			if node.otherwise, err = p.expression(); err != nil {
				return nil, err
			}
		}
		value = node
	}
	return value, nil
}

// tuple parses expressions separated by commas; one without a comma is itself. Without conditionals, "if" ends it.
func (p *parser) tuple(conditionals, stopAtRecursive bool) (expression, error) {
	line := position(p.current().line)
	parse := p.expression
	if !conditionals && stopAtRecursive {
		parse = p.or
	}
	var items []expression
	isTuple := false
	for {
		if len(items) > 0 && !isTuple {
			break
		}
		if p.tupleEnds(stopAtRecursive) {
			break
		}
		item, err := parse()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		if !p.skipOperator(",") {
			break
		}
		isTuple = true
	}
	if isTuple {
		return &tupleLiteral{line, items}, nil
	}
	if len(items) == 0 {
		return nil, syntaxError(int(line), "expected an expression, got %s", describe(p.current()))
	}
	return items[0], nil
}

func (p *parser) tupleEnds(stopAtRecursive bool) bool {
	t := p.current()
	switch t.kind {
	case tokenVariableEnd, tokenBlockEnd, tokenEnd:
		return true
	case tokenOperator:
		return t.text == ")"
	case tokenName:
		return stopAtRecursive && t.text == "recursive"
	}
	return false
}

func (p *parser) or() (expression, error) {
	left, err := p.and()
	for err == nil && p.isName("or") {
		line := position(p.next().line)
		var right expression
		if right, err = p.and(); err == nil {
			left = &logical{line, true, left, right}
		}
	}
	return left, err
}

func (p *parser) and() (expression, error) {
	left, err := p.not()
	for err == nil && p.isName("and") {
		line := position(p.next().line)
		var right expression
		if right, err = p.not(); err == nil {
			left = &logical{line, false, left, right}
		}
	}
	return left, err
}

func (p *parser) not() (expression, error) {
	if !p.isName("not") {
		return p.compare()
	}
	line := position(p.next().line)
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	operand, err := p.not()
	return &unary{line, "not", operand}, err
}

func (p *parser) compare() (expression, error) {
	first, err := p.sum()
	if err != nil {
		return nil, err
	}
	node := &comparison{position: position(p.current().line), first: first}
	for {
		operator := ""
		t := p.current()
		switch {
		case t.kind == tokenOperator && (t.text == "==" || t.text == "!=" || t.text == "<" || t.text == "<=" || t.text == ">" || t.text == ">="):
			operator = t.text
			p.next()
		case p.isName("in"):
			operator = "in"
			p.next()
		case p.isName("not") && p.tokens[p.at+1].kind == tokenName && p.tokens[p.at+1].text == "in":
			operator = "not in"
			p.at += 2
		}
		if operator == "" {
			break
		}
		operand, err := p.sum()
		if err != nil {
			return nil, err
		}
		node.operators = append(node.operators, operator)
		node.operands = append(node.operands, operand)
	}
	if len(node.operators) == 0 {
		return first, nil
	}
	return node, nil
}

// leftAssociative parses operands of the next level, joined by any of the operators. Long chains count as depth: they nest to the left.
func (p *parser) leftAssociative(operand func() (expression, error), operators ...string) (expression, error) {
	left, err := operand()
	for chain := 0; err == nil; chain++ {
		t := p.current()
		matches := false
		if t.kind == tokenOperator {
			for _, operator := range operators {
				matches = matches || t.text == operator
			}
		}
		if !matches {
			return left, nil
		}
		if chain > 10*maxParseDepth {
			return nil, syntaxError(t.line, "too many operators in one expression")
		}
		p.next()
		var right expression
		if right, err = operand(); err == nil {
			left = &binary{position(t.line), t.text, left, right}
		}
	}
	return nil, err
}

func (p *parser) sum() (expression, error) {
	return p.leftAssociative(p.concatenation, "+", "-")
}

func (p *parser) concatenation() (expression, error) {
	first, err := p.product()
	if err != nil || !p.isOperator("~") {
		return first, err
	}
	node := &concatenation{position(p.current().line), []expression{first}}
	for p.skipOperator("~") {
		item, err := p.product()
		if err != nil {
			return nil, err
		}
		node.items = append(node.items, item)
	}
	return node, nil
}

func (p *parser) product() (expression, error) {
	return p.leftAssociative(p.power, "*", "/", "//", "%")
}

func (p *parser) power() (expression, error) {
	return p.leftAssociative(func() (expression, error) { return p.signed(true) }, "**")
}

func (p *parser) signed(withFilters bool) (expression, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	var value expression
	t := p.current()
	if p.isOperator("-") || p.isOperator("+") {
		p.next()
		operand, err := p.signed(false)
		if err != nil {
			return nil, err
		}
		value = &unary{position(t.line), t.text, operand}
	} else {
		primary, err := p.primary()
		if err != nil {
			return nil, err
		}
		value = primary
	}
	value, err := p.postfix(value)
	if err != nil || !withFilters {
		return value, err
	}
	return p.filtersAndTests(value)
}

func (p *parser) primary() (expression, error) {
	t := p.next()
	line := position(t.line)
	switch t.kind {
	case tokenName:
		switch t.text {
		case "true", "True":
			return &constant{line, true}, nil
		case "false", "False":
			return &constant{line, false}, nil
		case "none", "None":
			return &constant{line, nil}, nil
		}
		return &name{line, t.text}, nil
	case tokenString:
		text := t.text
		for p.current().kind == tokenString {
			text += p.next().text
		}
		return &constant{line, text}, nil
	case tokenInteger:
		integer, ok := new(big.Int).SetString(t.text, 0)
		if !ok {
			// A leading zero would mean octal to SetString.
			if integer, ok = new(big.Int).SetString(t.text, 10); !ok {
				return nil, syntaxError(t.line, "'%s' is not a number", t.text)
			}
		}
		return &constant{line, normalize(integer)}, nil
	case tokenFloat:
		// A float that is too large is infinite, as in Python.
		float, _ := strconv.ParseFloat(t.text, 64)
		return &constant{line, float}, nil
	case tokenOperator:
		switch t.text {
		case "(":
			return p.parenthesized(line)
		case "[":
			items, err := p.items("]")
			return &listLiteral{line, items}, err
		case "{":
			return p.dict(line)
		}
	}
	p.at--
	return nil, p.unexpected()
}

func (p *parser) parenthesized(line position) (expression, error) {
	if p.skipOperator(")") {
		return &tupleLiteral{position: line}, nil
	}
	value, err := p.tuple(true, false)
	if err != nil {
		return nil, err
	}
	return value, p.expectOperator(")")
}

// items parses expressions up to the closing bracket.
func (p *parser) items(closing string) ([]expression, error) {
	var items []expression
	for !p.isOperator(closing) {
		if len(items) > 0 {
			if err := p.expectOperator(","); err != nil {
				return nil, err
			}
			if p.isOperator(closing) {
				break
			}
		}
		item, err := p.expression()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	return items, p.expectOperator(closing)
}

func (p *parser) dict(line position) (expression, error) {
	node := &dictLiteral{position: line}
	for !p.isOperator("}") {
		if len(node.keys) > 0 {
			if err := p.expectOperator(","); err != nil {
				return nil, err
			}
			if p.isOperator("}") {
				break
			}
		}
		key, err := p.expression()
		if err != nil {
			return nil, err
		}
		if err := p.expectOperator(":"); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		node.keys = append(node.keys, key)
		node.values = append(node.values, value)
	}
	return node, p.expectOperator("}")
}

func (p *parser) postfix(value expression) (expression, error) {
	for links := 0; ; links++ {
		if links > maxParseDepth {
			return nil, syntaxError(p.current().line, "too many attributes or calls in one expression")
		}
		line := position(p.current().line)
		switch {
		case p.skipOperator("."):
			t := p.next()
			switch t.kind {
			case tokenName:
				value = &attribute{line, value, t.text}
			case tokenInteger:
				index, err := strconv.ParseInt(t.text, 10, 64)
				if err != nil {
					return nil, syntaxError(t.line, "'%s' is not an index", t.text)
				}
				value = &subscript{line, value, &constant{line, index}}
			default:
				p.at--
				return nil, syntaxError(t.line, "expected a name or a number behind '.', got %s", describe(t))
			}
		case p.skipOperator("["):
			next, err := p.subscript(value, line)
			if err != nil {
				return nil, err
			}
			value = next
		case p.skipOperator("("):
			called, err := p.called(line, value)
			if err != nil {
				return nil, err
			}
			value = called
		default:
			return value, nil
		}
	}
}

func (p *parser) subscript(object expression, line position) (expression, error) {
	var parts [3]expression
	colons := 0
	for !p.isOperator("]") {
		if p.skipOperator(":") {
			colons++
			if colons > 2 {
				return nil, syntaxError(p.current().line, "a slice has at most three parts")
			}
			continue
		}
		if parts[colons] != nil {
			return nil, p.unexpected()
		}
		part, err := p.expression()
		if err != nil {
			return nil, err
		}
		parts[colons] = part
	}
	if err := p.expectOperator("]"); err != nil {
		return nil, err
	}
	if colons > 0 {
		return &slice{line, object, parts[0], parts[1], parts[2]}, nil
	}
	if parts[0] == nil {
		return nil, syntaxError(int(line), "expected an index between the brackets")
	}
	return &subscript{line, object, parts[0]}, nil
}

// callArguments parses what follows "(".
func (p *parser) callArguments() (arguments, error) {
	var call arguments
	for first := true; !p.isOperator(")"); first = false {
		if !first {
			if err := p.expectOperator(","); err != nil {
				return call, err
			}
			if p.isOperator(")") {
				break
			}
		}
		if err := p.callArgument(&call); err != nil {
			return call, err
		}
	}
	return call, p.expectOperator(")")
}

func (p *parser) callArgument(call *arguments) (err error) {
	switch {
	case p.skipOperator("**"):
		call.spreadNamed, err = p.expression()
		return err
	case p.skipOperator("*"):
		call.spread, err = p.expression()
		return err
	}
	if p.current().kind == tokenName && p.tokens[p.at+1].kind == tokenOperator && p.tokens[p.at+1].text == "=" {
		call.names = append(call.names, p.next().text)
		p.next()
		value, err := p.expression()
		call.named = append(call.named, value)
		return err
	}
	if len(call.named) > 0 {
		return syntaxError(p.current().line, "a positional argument stands behind a named one")
	}
	value, err := p.expression()
	call.positional = append(call.positional, value)
	return err
}

func (p *parser) filtersAndTests(value expression) (expression, error) {
	for chain := 0; ; chain++ {
		if chain > maxParseDepth {
			return nil, syntaxError(p.current().line, "too many filters in one expression")
		}
		line := position(p.current().line)
		switch {
		case p.skipOperator("|"):
			call, err := p.filterCall()
			if err != nil {
				return nil, err
			}
			value = &filterExpression{line, value, call}
		case p.isName("is"):
			p.next()
			test, err := p.test(value, line)
			if err != nil {
				return nil, err
			}
			value = test
		case p.isOperator("("):
			p.next()
			called, err := p.called(line, value)
			if err != nil {
				return nil, err
			}
			value = called
		default:
			return value, nil
		}
	}
}

// refusedMethods are the methods of Python's values that templates do not have. A call of one fails for every row, so it is found before.
var refusedMethods = map[string]string{
	"encode": "texts stay texts", "format_map": "format takes the values", "expandtabs": "replace takes '\\t'", "translate": "replace does it",
	"maketrans": "replace does it", "isascii": "there is no test for it", "isidentifier": "there is no test for it",
	"isprintable": "there is no test for it", "fromkeys": "write the dictionary out", "popitem": "dictionaries of a template stay as they are",
}

// called parses the arguments of a call of what was parsed before it.
func (p *parser) called(line position, value expression) (expression, error) {
	call, err := p.callArguments()
	if err != nil {
		return nil, err
	}
	if method, isAttribute := value.(*attribute); isAttribute {
		if reason, refused := refusedMethods[method.name]; refused {
			return nil, syntaxError(int(line), "the method %s() is not available in templates: %s", method.name, reason)
		}
	}
	return &callExpression{line, value, call}, nil
}

// filterCall parses the name and arguments of a filter.
func (p *parser) filterCall() (filterCall, error) {
	line := p.current().line
	text, err := p.expectName()
	if err != nil {
		return filterCall{}, err
	}
	filter, found := filters[text]
	if !found {
		return filterCall{}, syntaxError(line, "no filter named '%s'", text)
	}
	call := filterCall{position: position(line), name: text, filter: filter}
	if p.skipOperator("(") {
		call.arguments, err = p.callArguments()
	}
	return call, err
}

func (p *parser) test(value expression, line position) (expression, error) {
	node := &testExpression{position: line, value: value, negated: p.skipName("not")}
	text, err := p.expectName()
	if err != nil {
		return nil, err
	}
	test, found := tests[text]
	if !found {
		return nil, syntaxError(int(line), "no test named '%s'", text)
	}
	node.name, node.test = text, test
	t := p.current()
	switch {
	case p.skipOperator("("):
		node.arguments, err = p.callArguments()
	case t.kind == tokenString || t.kind == tokenInteger || t.kind == tokenFloat ||
		(t.kind == tokenOperator && (t.text == "[" || t.text == "{")),
		t.kind == tokenName && t.text != "else" && t.text != "or" && t.text != "and" && t.text != "if" && t.text != "in" && t.text != "not" &&
			t.text != "recursive":
		if t.text == "is" && t.kind == tokenName {
			return nil, syntaxError(t.line, "tests can't be chained with 'is'")
		}
		var argument expression
		if argument, err = p.primary(); err == nil {
			argument, err = p.postfix(argument)
		}
		node.arguments.positional = []expression{argument}
	}
	return node, err
}
