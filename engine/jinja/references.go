package jinja

import "maps"

// referenceCollector walks the syntax tree and notes the names that are read before they are assigned in their scope.
type referenceCollector struct {
	scopes []map[string]bool
	seen   map[string]bool
	names  []string
	paths  []Path
	// line is that of the statement that is walked.
	line int
	// guarded says that a missing member is asked for, or replaced.
	guarded bool
}

func collectReferences(body []node) *referenceCollector {
	c := &referenceCollector{scopes: []map[string]bool{{}}, seen: map[string]bool{}}
	c.statements(body)
	return c
}

func (c *referenceCollector) scoped(walk func()) {
	c.scopes = append(c.scopes, map[string]bool{})
	walk()
	c.scopes = c.scopes[:len(c.scopes)-1]
}

func (c *referenceCollector) declare(names ...string) {
	for _, text := range names {
		c.scopes[len(c.scopes)-1][text] = true
	}
}

func (c *referenceCollector) isDeclared(text string) bool {
	for _, scope := range c.scopes {
		if scope[text] {
			return true
		}
	}
	return false
}

// path notes a path whose name comes from outside, and the indexes in it that are no constants.
func (c *referenceCollector) path(value expression) {
	path, isPath := pathOf(value)
	if isPath && len(path.Steps) > 0 && !c.isDeclared(path.Name) {
		path.Line, path.Guarded = c.line, c.guarded
		c.paths = append(c.paths, path)
	}
}

func (c *referenceCollector) read(text string) {
	if c.isDeclared(text) {
		return
	}
	if !c.seen[text] {
		c.seen[text] = true
		c.names = append(c.names, text)
	}
}

func (c *referenceCollector) target(target expression) {
	switch t := target.(type) {
	case *name:
		c.declare(t.name)
	case *tupleLiteral:
		for _, item := range t.items {
			c.target(item)
		}
	case *attribute:
		c.expression(t.object)
	}
}

func (c *referenceCollector) statements(body []node) {
	for _, statement := range body {
		c.statement(statement)
	}
}

func (c *referenceCollector) statement(statement node) {
	c.line = statement.lineNumber()
	switch s := statement.(type) {
	case *outputNode:
		c.expression(s.value)
	case *doNode:
		c.expression(s.value)
	case *ifNode:
		c.expression(s.condition)
		c.branches(s)
	case *forNode:
		c.loop(s)
	case *setNode:
		c.expression(s.value)
		c.target(s.target)
	case *setBlockNode:
		c.filters(s.filters)
		c.scoped(func() { c.statements(s.body) })
		c.target(s.target)
	case *withNode:
		for _, value := range s.values {
			c.expression(value)
		}
		c.scoped(func() {
			for _, target := range s.targets {
				c.target(target)
			}
			c.statements(s.body)
		})
	case *filterNode:
		c.filters(s.filters)
		c.scoped(func() { c.statements(s.body) })
	case *macroNode:
		c.declare(s.macro.name)
		c.macro(s.macro)
	case *callNode:
		c.expression(s.call)
		c.macro(s.caller)
	case *blockNode:
		c.scoped(func() { c.statements(s.body) })
	}
}

// branches reads both branches of a condition. What only one of them assigns may be missing after it, so it still counts as read from
// outside.
func (c *referenceCollector) branches(s *ifNode) {
	before := c.scopes[len(c.scopes)-1]
	branch := func(body []node) map[string]bool {
		assigned := maps.Clone(before)
		c.scopes[len(c.scopes)-1] = assigned
		c.statements(body)
		return assigned
	}
	then, next := branch(s.then), branch(s.next)
	for text := range then {
		if next[text] {
			before[text] = true
		}
	}
	c.scopes[len(c.scopes)-1] = before
}

func (c *referenceCollector) loop(s *forNode) {
	c.expression(s.iterable)
	c.scoped(func() {
		c.target(s.target)
		c.expression(s.filter)
		c.declare("loop")
		c.statements(s.body)
	})
	c.scoped(func() { c.statements(s.next) })
}

func (c *referenceCollector) macro(macro *macroDefinition) {
	c.expressions(macro.defaults)
	c.scoped(func() {
		c.declare(macro.parameters...)
		c.declare("caller", "varargs", "kwargs")
		c.statements(macro.body)
	})
}

func (c *referenceCollector) filters(calls []filterCall) {
	for _, call := range calls {
		c.arguments(call.arguments)
	}
}

func (c *referenceCollector) arguments(call arguments) {
	c.expressions(call.positional)
	c.expressions(call.named)
	c.expression(call.spread)
	c.expression(call.spreadNamed)
}

func (c *referenceCollector) expressions(items []expression) {
	for _, item := range items {
		c.expression(item)
	}
}

func (c *referenceCollector) expression(value expression) {
	switch e := value.(type) {
	case *name:
		c.read(e.name)
	case *tupleLiteral:
		c.expressions(e.items)
	case *listLiteral:
		c.expressions(e.items)
	case *dictLiteral:
		c.expressions(e.keys)
		c.expressions(e.values)
	case *attribute:
		c.path(e)
		c.within(e.object)
	case *subscript:
		c.path(e)
		c.within(e.object)
		c.expression(e.index)
	case *slice:
		c.expressions([]expression{e.object, e.start, e.stop, e.step})
	case *unary:
		c.expression(e.operand)
	case *binary:
		c.expressions([]expression{e.left, e.right})
	case *logical:
		c.expressions([]expression{e.left, e.right})
	case *comparison:
		c.expression(e.first)
		c.expressions(e.operands)
	case *conditional:
		c.expressions([]expression{e.condition, e.then, e.otherwise})
	case *concatenation:
		c.expressions(e.items)
	case *callExpression:
		if method, isMethod := e.function.(*attribute); isMethod {
			c.expression(method.object)
		} else {
			c.expression(e.function)
		}
		c.arguments(e.arguments)
	case *filterExpression:
		c.asked(e.value, e.call.name == "default" || e.call.name == "d")
		c.arguments(e.call.arguments)
	case *testExpression:
		c.asked(e.value, e.name == "defined" || e.name == "undefined")
		c.arguments(e.arguments)
	}
}

// within walks the object of a path that was noted as a whole: what it leads through is no path of its own.
func (c *referenceCollector) within(object expression) {
	switch e := object.(type) {
	case *attribute:
		c.within(e.object)
	case *subscript:
		c.within(e.object)
		c.expression(e.index)
	default:
		c.expression(object)
	}
}

// asked walks a value that may be missing.
func (c *referenceCollector) asked(value expression, guarded bool) {
	before := c.guarded
	c.guarded = before || guarded
	c.expression(value)
	c.guarded = before
}

// Path is a name, and the members and items that are reached from it: {{ order.lines[0].sku }}.
type Path struct {
	Name string
	// Steps are the members (string) and items (int64) below the name.
	Steps []any
	// Line is where it stands.
	Line int
	// Guarded says that the template asks whether it is there, or has a default for it.
	Guarded bool
}

// pathOf reads an expression as a path.
func pathOf(value expression) (Path, bool) {
	switch typed := value.(type) {
	case *name:
		return Path{Name: typed.name}, true
	case *attribute:
		path, isPath := pathOf(typed.object)
		path.Steps = append(path.Steps, typed.name)
		return path, isPath
	case *subscript:
		path, isPath := pathOf(typed.object)
		fixed, isConstant := typed.index.(*constant)
		if !isConstant {
			return Path{}, false
		}
		switch fixed.value.(type) {
		case string, int64:
			path.Steps = append(path.Steps, fixed.value)
			return path, isPath
		}
	}
	return Path{}, false
}
