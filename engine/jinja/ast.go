package jinja

// node is a statement.
type node interface{ lineNumber() int }

type position int

func (p position) lineNumber() int { return int(p) }

type (
	textNode struct {
		position
		text string
	}
	outputNode struct {
		position
		value expression
	}
	ifNode struct {
		position
		condition  expression
		then, next []node
	}
	forNode struct {
		position
		target     expression
		iterable   expression
		filter     expression // nil without "if"
		body, next []node
		recursive  bool
	}
	setNode struct {
		position
		target expression
		value  expression
	}
	setBlockNode struct {
		position
		target  expression
		filters []filterCall
		body    []node
	}
	withNode struct {
		position
		targets []expression
		values  []expression
		body    []node
	}
	filterNode struct {
		position
		filters []filterCall
		body    []node
	}
	macroNode struct {
		position
		macro *macroDefinition
	}
	callNode struct {
		position
		caller *macroDefinition
		call   *callExpression
	}
	doNode struct {
		position
		value expression
	}
	blockNode struct {
		position
		body []node
	}
	breakNode    struct{ position }
	continueNode struct{ position }
)

type macroDefinition struct {
	name       string
	parameters []string
	// defaults belong to the last parameters.
	defaults []expression
	body     []node
}

// expression is a node with a value.
type expression interface{ lineNumber() int }

type (
	constant struct {
		position
		value Value
	}
	name struct {
		position
		name string
	}
	tupleLiteral struct {
		position
		items []expression
	}
	listLiteral struct {
		position
		items []expression
	}
	dictLiteral struct {
		position
		keys, values []expression
	}
	attribute struct {
		position
		object expression
		name   string
	}
	subscript struct {
		position
		object expression
		index  expression
	}
	slice struct {
		position
		object            expression
		start, stop, step expression // nil where left out
	}
	unary struct {
		position
		operator string
		operand  expression
	}
	binary struct {
		position
		operator    string
		left, right expression
	}
	logical struct {
		position
		or          bool
		left, right expression
	}
	comparison struct {
		position
		first     expression
		operators []string
		operands  []expression
	}
	conditional struct {
		position
		condition, then expression
		otherwise       expression // nil without "else"
	}
	concatenation struct {
		position
		items []expression
	}
	callExpression struct {
		position
		function  expression
		arguments arguments
	}
	filterExpression struct {
		position
		value expression
		call  filterCall
	}
	testExpression struct {
		position
		value     expression
		name      string
		test      testFunction
		arguments arguments
		negated   bool
	}
)

type filterCall struct {
	position
	name      string
	filter    filterFunction
	arguments arguments
}

type arguments struct {
	positional []expression
	names      []string
	named      []expression
	// spread is the value after "*", spreadNamed that after "**"; nil without.
	spread, spreadNamed expression
}
