package jinja

import "strings"

// maxParseDepth bounds the nesting of syntax, so that neither parsing nor evaluation can exhaust the stack.
const maxParseDepth = 150

type parser struct {
	tokens []token
	at     int
	depth  int
	loops  int
}

func parseTemplate(source string) ([]node, error) {
	tokens, err := tokenize(source)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	body, ending, err := p.statements()
	if err != nil {
		return nil, err
	}
	if ending != "" {
		return nil, syntaxError(p.current().line, "unexpected tag '%s'", ending)
	}
	return body, nil
}

func (p *parser) current() token { return p.tokens[p.at] }

func (p *parser) next() token {
	t := p.tokens[p.at]
	if t.kind != tokenEnd {
		p.at++
	}
	return t
}

func (p *parser) isOperator(text string) bool {
	t := p.current()
	return t.kind == tokenOperator && t.text == text
}

func (p *parser) isName(text string) bool {
	t := p.current()
	return t.kind == tokenName && t.text == text
}

func (p *parser) skipOperator(text string) bool {
	if p.isOperator(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) skipName(text string) bool {
	if p.isName(text) {
		p.at++
		return true
	}
	return false
}

func (p *parser) expectOperator(text string) error {
	if !p.skipOperator(text) {
		return syntaxError(p.current().line, "expected '%s', got %s", text, describe(p.current()))
	}
	return nil
}

func (p *parser) expectName() (string, error) {
	t := p.current()
	if t.kind != tokenName {
		return "", syntaxError(t.line, "expected a name, got %s", describe(t))
	}
	p.at++
	return t.text, nil
}

func (p *parser) unexpected() error {
	return syntaxError(p.current().line, "unexpected %s", describe(p.current()))
}

func describe(t token) string {
	switch t.kind {
	case tokenEnd:
		return "the end of the template"
	case tokenBlockEnd, tokenVariableEnd:
		return "the end of the tag"
	case tokenText, tokenBlockBegin, tokenVariableBegin:
		return "a new tag"
	}
	return "'" + t.text + "'"
}

func (p *parser) enter() error {
	p.depth++
	if p.depth > maxParseDepth {
		return syntaxError(p.current().line, "nested too deeply; at most %d levels are possible", maxParseDepth)
	}
	return nil
}

// statements parses up to the end, or up to a tag that only an enclosing statement knows, whose name it returns. That tag's
// name is consumed.
func (p *parser) statements() ([]node, string, error) {
	if err := p.enter(); err != nil {
		return nil, "", err
	}
	defer func() { p.depth-- }()
	var body []node
	for {
		t := p.next()
		switch t.kind {
		case tokenEnd:
			return body, "", nil
		case tokenText:
			body = append(body, &textNode{position(t.line), t.text})
		case tokenVariableBegin:
			value, err := p.tuple(true, false)
			if err != nil {
				return nil, "", err
			}
			if p.current().kind != tokenVariableEnd {
				return nil, "", p.unexpected()
			}
			p.next()
			body = append(body, &outputNode{position(t.line), value})
		case tokenBlockBegin:
			tag, err := p.expectName()
			if err != nil {
				return nil, "", err
			}
			switch tag {
			case "elif", "else", "endif", "endfor", "endset", "endwith", "endfilter", "endmacro", "endcall", "endblock":
				return body, tag, nil
			}
			statement, err := p.statement(tag, position(t.line))
			if err != nil {
				return nil, "", err
			}
			body = append(body, statement)
		default:
			p.at--
			return nil, "", p.unexpected()
		}
	}
}

// body parses the statements of a block up to one of the given tags, and returns which it was.
func (p *parser) body(opened position, name string, ends ...string) ([]node, string, error) {
	body, ending, err := p.statements()
	if err != nil {
		return nil, "", err
	}
	for _, end := range ends {
		if ending == end {
			return body, ending, nil
		}
	}
	if ending == "" {
		return nil, "", syntaxError(int(opened), "'%s' is not closed: '%s' is missing", name, ends[len(ends)-1])
	}
	return nil, "", syntaxError(p.current().line, "unexpected tag '%s'; '%s' of line %d expects '%s'", ending, name, int(opened),
		strings.Join(ends, "' or '"))
}

func (p *parser) blockEnd() error {
	if p.current().kind != tokenBlockEnd {
		return p.unexpected()
	}
	p.next()
	return nil
}

// block parses "%} body {% end %}".
func (p *parser) block(opened position, name string) ([]node, error) {
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	body, _, err := p.body(opened, name, "end"+name)
	if err != nil {
		return nil, err
	}
	return body, nil
}

func (p *parser) statement(tag string, at position) (node, error) {
	switch tag {
	case "if":
		return p.ifStatement(at)
	case "for":
		return p.forStatement(at)
	case "set":
		return p.setStatement(at)
	case "with":
		return p.withStatement(at)
	case "filter":
		return p.filterStatement(at)
	case "macro":
		macro, err := p.macroDefinition(at)
		return &macroNode{at, macro}, err
	case "call":
		return p.callStatement(at)
	case "do":
		value, err := p.tuple(true, false)
		if err != nil {
			return nil, err
		}
		return &doNode{at, value}, p.blockEnd()
	case "block":
		return p.blockStatement(at)
	case "break", "continue":
		if p.loops == 0 {
			return nil, syntaxError(int(at), "'%s' outside of a loop", tag)
		}
		if tag == "break" {
			return &breakNode{at}, p.blockEnd()
		}
		return &continueNode{at}, p.blockEnd()
	case "include", "import", "from", "extends":
		return nil, syntaxError(int(at), "'%s' is not possible: templates can't load other templates", tag)
	}
	return nil, syntaxError(int(at), "unknown tag '%s'", tag)
}

func (p *parser) ifStatement(at position) (node, error) {
	condition, err := p.tuple(false, false)
	if err != nil {
		return nil, err
	}
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	then, ending, err := p.body(at, "if", "elif", "else", "endif")
	if err != nil {
		return nil, err
	}
	statement := &ifNode{position: at, condition: condition, then: then}
	switch ending {
	case "elif":
		if err := p.enter(); err != nil {
			return nil, err
		}
		next, err := p.ifStatement(at)
		p.depth--
		if err != nil {
			return nil, err
		}
		statement.next = []node{next}
		return statement, nil
	case "else":
		if err := p.blockEnd(); err != nil {
			return nil, err
		}
		if statement.next, _, err = p.body(at, "if", "endif"); err != nil {
			return nil, err
		}
	}
	return statement, p.blockEnd()
}

func (p *parser) forStatement(at position) (node, error) {
	target, err := p.assignmentTarget()
	if err != nil {
		return nil, err
	}
	if !p.skipName("in") {
		return nil, syntaxError(p.current().line, "expected 'in', got %s", describe(p.current()))
	}
	statement := &forNode{position: at, target: target}
	if statement.iterable, err = p.tuple(false, true); err != nil {
		return nil, err
	}
	if p.skipName("if") {
		if statement.filter, err = p.expression(); err != nil {
			return nil, err
		}
	}
	statement.recursive = p.skipName("recursive")
	if err := p.blockEnd(); err != nil {
		return nil, err
	}
	p.loops++
	var ending string
	statement.body, ending, err = p.body(at, "for", "else", "endfor")
	p.loops--
	if err != nil {
		return nil, err
	}
	if ending == "else" {
		if err := p.blockEnd(); err != nil {
			return nil, err
		}
		if statement.next, _, err = p.body(at, "for", "endfor"); err != nil {
			return nil, err
		}
	}
	return statement, p.blockEnd()
}

// assignmentTarget parses a name, a tuple of names, or "name.attribute".
func (p *parser) assignmentTarget() (expression, error) {
	line := position(p.current().line)
	var targets []expression
	isTuple := false
	for {
		target, err := p.assignmentItem(line)
		if err != nil {
			return nil, err
		}
		targets = append(targets, target)
		if !p.skipOperator(",") {
			break
		}
		isTuple = true
		if p.current().kind != tokenName && !p.isOperator("(") || p.isName("in") {
			break
		}
	}
	if isTuple {
		return &tupleLiteral{line, targets}, nil
	}
	return targets[0], nil
}

// assignmentItem parses one target of a tuple of them, which may be a tuple in parentheses.
func (p *parser) assignmentItem(line position) (expression, error) {
	if p.skipOperator("(") {
		inner, err := p.assignmentTarget()
		if err != nil {
			return nil, err
		}
		return inner, p.expectOperator(")")
	}
	text, err := p.expectName()
	if err != nil {
		return nil, err
	}
	switch text {
	case "true", "false", "none", "True", "False", "None":
		return nil, syntaxError(int(line), "can't assign to '%s'", text)
	}
	target := &name{line, text}
	if !p.skipOperator(".") {
		return target, nil
	}
	member, err := p.expectName()
	if err != nil {
		return nil, err
	}
	return &attribute{line, target, member}, nil
}

func (p *parser) setStatement(at position) (node, error) {
	target, err := p.assignmentTarget()
	if err != nil {
		return nil, err
	}
	if p.skipOperator("=") {
		value, err := p.tuple(true, false)
		if err != nil {
			return nil, err
		}
		return &setNode{at, target, value}, p.blockEnd()
	}
	var filters []filterCall
	if p.isOperator("|") {
		if filters, err = p.filterChain(); err != nil {
			return nil, err
		}
	}
	body, err := p.block(at, "set")
	if err != nil {
		return nil, err
	}
	return &setBlockNode{at, target, filters, body}, p.blockEnd()
}

func (p *parser) withStatement(at position) (node, error) {
	statement := &withNode{position: at}
	for p.current().kind != tokenBlockEnd {
		if len(statement.targets) > 0 {
			if err := p.expectOperator(","); err != nil {
				return nil, err
			}
		}
		text, err := p.expectName()
		if err != nil {
			return nil, err
		}
		if err := p.expectOperator("="); err != nil {
			return nil, err
		}
		value, err := p.expression()
		if err != nil {
			return nil, err
		}
		statement.targets = append(statement.targets, &name{at, text})
		statement.values = append(statement.values, value)
	}
	var err error
	if statement.body, err = p.block(at, "with"); err != nil {
		return nil, err
	}
	return statement, p.blockEnd()
}

func (p *parser) filterStatement(at position) (node, error) {
	first, err := p.filterCall()
	if err != nil {
		return nil, err
	}
	rest, err := p.filterChain()
	if err != nil {
		return nil, err
	}
	body, err := p.block(at, "filter")
	if err != nil {
		return nil, err
	}
	return &filterNode{at, append([]filterCall{first}, rest...), body}, p.blockEnd()
}

func (p *parser) filterChain() ([]filterCall, error) {
	var calls []filterCall
	for p.skipOperator("|") {
		call, err := p.filterCall()
		if err != nil {
			return nil, err
		}
		calls = append(calls, call)
	}
	return calls, nil
}

func (p *parser) macroDefinition(at position) (*macroDefinition, error) {
	text, err := p.expectName()
	if err != nil {
		return nil, err
	}
	macro := &macroDefinition{name: text}
	if err := p.signature(macro); err != nil {
		return nil, err
	}
	return macro, p.macroBody(at, "macro", macro)
}

func (p *parser) macroBody(at position, tag string, macro *macroDefinition) error {
	// A macro's body is not part of the loop that it stands in.
	loops := p.loops
	p.loops = 0
	body, err := p.block(at, tag)
	p.loops = loops
	if err != nil {
		return err
	}
	macro.body = body
	return p.blockEnd()
}

func (p *parser) signature(macro *macroDefinition) error {
	if err := p.expectOperator("("); err != nil {
		return err
	}
	for !p.isOperator(")") {
		if len(macro.parameters) > 0 {
			if err := p.expectOperator(","); err != nil {
				return err
			}
		}
		parameter, err := p.expectName()
		if err != nil {
			return err
		}
		macro.parameters = append(macro.parameters, parameter)
		if p.skipOperator("=") {
			value, err := p.expression()
			if err != nil {
				return err
			}
			macro.defaults = append(macro.defaults, value)
		} else if len(macro.defaults) > 0 {
			return syntaxError(p.current().line, "parameter '%s' without a default stands behind one with a default", parameter)
		}
	}
	return p.expectOperator(")")
}

func (p *parser) callStatement(at position) (node, error) {
	caller := &macroDefinition{name: "caller"}
	if p.isOperator("(") {
		if err := p.signature(caller); err != nil {
			return nil, err
		}
	}
	value, err := p.expression()
	if err != nil {
		return nil, err
	}
	call, ok := value.(*callExpression)
	if !ok {
		return nil, syntaxError(int(at), "'call' expects a call, such as name()")
	}
	if err := p.macroBody(at, "call", caller); err != nil {
		return nil, err
	}
	return &callNode{at, caller, call}, nil
}

func (p *parser) blockStatement(at position) (node, error) {
	if _, err := p.expectName(); err != nil {
		return nil, err
	}
	body, err := p.block(at, "block")
	if err != nil {
		return nil, err
	}
	if p.current().kind == tokenName {
		p.next()
	}
	return &blockNode{at, body}, p.blockEnd()
}
