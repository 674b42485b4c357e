package sandbox

import (
	"fmt"
	"slices"

	"go.starlark.net/syntax"
)

// AcrossRows says what of a program is hardly meant for a part of the rows: where it remembers rows to compare others with them, and where
// it arranges the rows that it gets, by sorting, numbering or cutting them. Nothing is found in a program that is wrong. It knows patterns,
// and not what the code does: it may find too little.
func AcrossRows(source, entryPoint string) (remembers, arranges []string) {
	file, err := options.Parse(fileName, source, 0)
	if err != nil {
		return nil, nil
	}
	reader := &acrossReader{containers: map[string]bool{}, globals: map[string]bool{}}
	var entry *syntax.DefStmt
	for _, statement := range file.Stmts {
		switch typed := statement.(type) {
		case *syntax.AssignStmt:
			if name, isName := typed.LHS.(*syntax.Ident); isName && isContainer(typed.RHS) {
				reader.globals[name.Name] = true
			}
		case *syntax.DefStmt:
			if typed.Name.Name == entryPoint {
				entry = typed
			}
		}
	}
	if entry == nil || len(entry.Params) != 1 {
		return nil, nil
	}
	parameter, isName := entry.Params[0].(*syntax.Ident)
	if !isName {
		return nil, nil
	}
	reader.rows = parameter.Name
	reader.statements(entry.Body)
	syntax.Walk(file, reader.global)
	for _, statement := range entry.Body {
		syntax.Walk(statement, reader.node)
	}
	slices.Sort(reader.remembers)
	slices.Sort(reader.arranges)
	return slices.Compact(reader.remembers), slices.Compact(reader.arranges)
}

type acrossReader struct {
	// rows is the parameter with the rows.
	rows string
	// globals are containers of the program, and containers are empty ones that the function begins with.
	globals, containers map[string]bool
	remembers, arranges []string
}

func (r *acrossReader) remember(name *syntax.Ident, what string) {
	r.remembers = append(r.remembers, fmt.Sprintf("%s: %s %s", name.NamePos, name.Name, what))
}

// statements notes the empty containers that the function begins with. Those within a loop are of one row.
func (r *acrossReader) statements(body []syntax.Stmt) {
	for _, statement := range body {
		assignment, isAssignment := statement.(*syntax.AssignStmt)
		if !isAssignment {
			continue
		}
		if name, isName := assignment.LHS.(*syntax.Ident); isName && isEmpty(assignment.RHS) {
			r.containers[name.Name] = true
		}
	}
}

// global finds what changes a container of the program, which is there anew for each part of the rows.
func (r *acrossReader) global(node syntax.Node) bool {
	var changed syntax.Expr
	switch typed := node.(type) {
	case *syntax.AssignStmt:
		if index, isIndex := typed.LHS.(*syntax.IndexExpr); isIndex {
			changed = index.X
		}
	case *syntax.CallExpr:
		if method, isMethod := typed.Fn.(*syntax.DotExpr); isMethod && slices.Contains(changingMethods, method.Name.Name) {
			changed = method.X
		}
	}
	if name, isName := changed.(*syntax.Ident); isName && r.globals[name.Name] {
		r.remember(name, "begins anew")
	}
	return true
}

var changingMethods = []string{"add", "append", "clear", "extend", "insert", "pop", "popitem", "remove", "discard", "setdefault", "update"}

func (r *acrossReader) node(node syntax.Node) bool {
	switch typed := node.(type) {
	case *syntax.BinaryExpr:
		if name, isName := typed.Y.(*syntax.Ident); isName && (typed.Op == syntax.IN || typed.Op == syntax.NOT_IN) && r.containers[name.Name] {
			r.remember(name, "knows the rows of one row group")
		}
	case *syntax.SliceExpr:
		if r.isRows(typed.X) {
			r.arranges = append(r.arranges, fmt.Sprintf("%s: %s[…] takes rows of each row group", typed.Lbrack, r.rows))
		}
	case *syntax.CallExpr:
		r.call(typed)
	}
	return true
}

func (r *acrossReader) call(call *syntax.CallExpr) {
	switch function := call.Fn.(type) {
	case *syntax.Ident:
		if slices.Contains([]string{"sorted", "enumerate", "reversed"}, function.Name) && len(call.Args) > 0 && r.isRows(call.Args[0]) {
			r.arranges = append(r.arranges, fmt.Sprintf("%s: %s(%s) is of one row group", function.NamePos, function.Name, r.rows))
		}
	case *syntax.DotExpr:
		name, isName := function.X.(*syntax.Ident)
		if isName && r.containers[name.Name] && (function.Name.Name == "get" || function.Name.Name == "setdefault") {
			r.remember(name, "knows the rows of one row group")
		}
	}
}

func (r *acrossReader) isRows(expression syntax.Expr) bool {
	name, isName := expression.(*syntax.Ident)
	return isName && name.Name == r.rows
}

// isContainer says whether an expression makes a list, a dict or a set.
func isContainer(expression syntax.Expr) bool {
	switch expression.(type) {
	case *syntax.DictExpr, *syntax.ListExpr, *syntax.Comprehension:
		return true
	}
	return isEmpty(expression)
}

// isEmpty says whether an expression makes an empty list, dict or set.
func isEmpty(expression syntax.Expr) bool {
	switch typed := expression.(type) {
	case *syntax.DictExpr:
		return len(typed.List) == 0
	case *syntax.ListExpr:
		return len(typed.List) == 0
	case *syntax.CallExpr:
		name, isName := typed.Fn.(*syntax.Ident)
		return isName && len(typed.Args) == 0 && (name.Name == "dict" || name.Name == "list" || name.Name == "set")
	}
	return false
}
