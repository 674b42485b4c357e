package main

import (
	"fmt"
	"go/ast"
	"go/token"

	"github.com/uudashr/gocognit"
)

// What a flat switch may be: outside of it the function is short and simple, and so is each clause.
const (
	flatRestLines        = 30
	flatClauseLines      = 15
	flatRestComplexity   = 10
	flatClauseComplexity = 5
)

// longFunctions are the functions with more than limit lines, and those of them that are flat switches apart.
func longFunctions(all []*source, limit int) (long, flat []finding) {
	return functions(all, func(s *source, function *ast.FuncDecl) (int, bool) {
		lines := linesOf(s, function)
		return lines, lines > limit
	})
}

// complexFunctions are the functions above a cognitive complexity, and those of them that are flat switches apart.
func complexFunctions(all []*source, limit int) (found, flat []finding) {
	return functions(all, func(_ *source, function *ast.FuncDecl) (int, bool) {
		complexity := gocognit.Complexity(function)
		return complexity, complexity > limit
	})
}

func functions(all []*source, measure func(*source, *ast.FuncDecl) (value int, above bool)) (found, flat []finding) {
	for _, s := range all {
		if s.isTest() {
			continue
		}
		for _, declaration := range s.file.Decls {
			function, is := declaration.(*ast.FuncDecl)
			if !is || function.Body == nil {
				continue
			}
			value, above := measure(s, function)
			if !above {
				continue
			}
			at := finding{place: fmt.Sprintf("%s:%d", s.path, s.line(function.Pos())), name: nameOf(function), value: value}
			if isFlat(s, function) {
				flat = append(flat, at)
			} else {
				found = append(found, at)
			}
		}
	}
	return found, flat
}

// nameOf is the name of a function as its package writes it, such as (*driver).run.
func nameOf(function *ast.FuncDecl) string {
	if function.Recv == nil || len(function.Recv.List) == 0 {
		return function.Name.Name
	}
	kind, star := function.Recv.List[0].Type, ""
	if pointer, is := kind.(*ast.StarExpr); is {
		kind, star = pointer.X, "*"
	}
	switch generic := kind.(type) {
	case *ast.IndexExpr:
		kind = generic.X
	case *ast.IndexListExpr:
		kind = generic.X
	}
	if name, is := kind.(*ast.Ident); is {
		return fmt.Sprintf("(%s%s).%s", star, name.Name, function.Name.Name)
	}
	return function.Name.Name
}

// isFlat says whether a function is, but for a few lines, one switch of short and simple clauses: a table, which grows longer and not
// harder.
func isFlat(s *source, function *ast.FuncDecl) bool {
	largest := largestSwitch(s, function.Body)
	if largest == nil {
		return false
	}
	rest := linesOf(s, function) - linesOf(s, largest)
	complexity := gocognit.Complexity(function)
	for _, clause := range clausesOf(largest) {
		if linesOf(s, clause) > flatClauseLines+1 {
			return false
		}
		inside := gocognit.Complexity(&ast.FuncDecl{
			Name: function.Name, Type: &ast.FuncType{Params: &ast.FieldList{}},
			Body: &ast.BlockStmt{Lbrace: clause.Pos(), List: clause.Body, Rbrace: clause.End()},
		})
		if inside > flatClauseComplexity {
			return false
		}
		complexity -= inside
	}
	return rest <= flatRestLines && complexity-len(clausesOf(largest)) <= flatRestComplexity
}

// largestSwitch is the switch with the most lines.
func largestSwitch(s *source, body *ast.BlockStmt) ast.Stmt {
	var largest ast.Stmt
	ast.Inspect(body, func(node ast.Node) bool {
		switch statement := node.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SwitchStmt, *ast.TypeSwitchStmt:
			if largest == nil || linesOf(s, statement) > linesOf(s, largest) {
				largest = statement.(ast.Stmt)
			}
		}
		return true
	})
	return largest
}

func clausesOf(statement ast.Stmt) (clauses []*ast.CaseClause) {
	var body *ast.BlockStmt
	switch statement := statement.(type) {
	case *ast.SwitchStmt:
		body = statement.Body
	case *ast.TypeSwitchStmt:
		body = statement.Body
	}
	for _, clause := range body.List {
		clauses = append(clauses, clause.(*ast.CaseClause))
	}
	return clauses
}

// span is what has a beginning and an end.
type span interface {
	Pos() token.Pos
	End() token.Pos
}

func linesOf(s *source, of span) int { return s.line(of.End()) - s.line(of.Pos()) + 1 }
