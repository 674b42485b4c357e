// Package sandbox runs programs of the user over rows: Starlark, in processes of their own with limits on steps, memory and time, and
// without any input or output. It knows how values of the engine become values of a program and come back, and nothing of what the programs
// are for.
package sandbox

import (
	"errors"
	"fmt"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const (
	// RowKey is the key, in each row, with the number of the row; what the code returns has it too.
	RowKey = "_row"
	// maxProblems bounds how many problems of one program are reported.
	maxProblems = 16
	// fileName stands in positions: "source:3:1".
	fileName = "source"
)

// options are the dialect: no recursion, no reassignment of globals, no while loops. Every program ends.
var options = &syntax.FileOptions{Set: true}

// Check returns everything that is wrong with a program, as far as it can be known without running it; nothing when it is right. The
// program defines the function with the name entryPoint, of one parameter: the rows.
func Check(source, entryPoint string) []string {
	file, _, err := starlark.SourceProgramOptions(options, fileName, source, isPredeclared)
	if err != nil {
		return problems(err)
	}
	if found := clocks(file); len(found) > 0 {
		return found
	}
	for _, statement := range file.Stmts {
		switch typed := statement.(type) {
		case *syntax.LoadStmt:
			return []string{fmt.Sprintf("%s: load is not available", typed.Load)}
		case *syntax.DefStmt:
			if typed.Name.Name == entryPoint {
				return checkParameters(typed, entryPoint)
			}
		}
	}
	return []string{fmt.Sprintf("must define a function %s(rows)", entryPoint)}
}

// clocks are the places where a program asks for the time of day.
func clocks(file *syntax.File) []string {
	var found []string
	syntax.Walk(file, func(node syntax.Node) bool {
		member, isMember := node.(*syntax.DotExpr)
		if !isMember || member.Name.Name != "now" {
			return true
		}
		if module, isName := member.X.(*syntax.Ident); isName && module.Name == "time" {
			found = append(found, fmt.Sprintf("%s: time.now is not available: what the code returns depends on its rows alone", member.Name.NamePos))
		}
		return true
	})
	return found
}

func checkParameters(definition *syntax.DefStmt, entryPoint string) []string {
	if len(definition.Params) == 1 {
		if _, plain := definition.Params[0].(*syntax.Ident); plain {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: %s must have exactly one parameter: def %s(rows)", definition.Def, entryPoint, entryPoint)}
}

func problems(err error) []string {
	var unresolved resolve.ErrorList
	if !errors.As(err, &unresolved) {
		return []string{err.Error()}
	}
	var texts []string
	for i, problem := range unresolved {
		if i == maxProblems {
			return append(texts, fmt.Sprintf("and %d more", len(unresolved)-maxProblems))
		}
		texts = append(texts, fmt.Sprintf("%s: %s", problem.Pos, problem.Msg))
	}
	return texts
}
