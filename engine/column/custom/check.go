// Package custom makes columns by code of the user: Starlark programs that run in a sandbox, with a limit on their steps and
// without any input or output. Nothing here knows how rows are scheduled or stored.
package custom

import (
	"errors"
	"fmt"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const (
	// RowKey is the key, in each row, with the position of the row in the batch; what the code returns has it too.
	RowKey = "_row"
	// entryPoint is the function that the code defines.
	entryPoint = "generate"
	// maxProblems bounds how many problems of one program are reported.
	maxProblems = 16
	// fileName stands in positions: "source:3:1".
	fileName = "source"
)

// options are the dialect: no recursion, no reassignment of globals, no while loops. Every program ends.
var options = &syntax.FileOptions{Set: true}

// Check returns everything that is wrong with a program, as far as it can be known without running it; nothing when it is right.
func Check(source string) []string {
	file, _, err := starlark.SourceProgramOptions(options, fileName, source, isPredeclared)
	if err != nil {
		return problems(err)
	}
	for _, statement := range file.Stmts {
		switch typed := statement.(type) {
		case *syntax.LoadStmt:
			return []string{fmt.Sprintf("%s: load is not available", typed.Load)}
		case *syntax.DefStmt:
			if typed.Name.Name == entryPoint {
				return checkParameters(typed)
			}
		}
	}
	return []string{"must define a function generate(rows)"}
}

func checkParameters(definition *syntax.DefStmt) []string {
	if len(definition.Params) == 1 {
		if _, plain := definition.Params[0].(*syntax.Ident); plain {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: generate must have exactly one parameter: def generate(rows)", definition.Def)}
}

// isPredeclared says that nothing beyond Starlark's own built-in names is there.
func isPredeclared(string) bool { return false }

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
