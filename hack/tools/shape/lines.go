package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"unicode/utf8"
)

// longLines are the lines with more characters than limit, a tab counted as one, outside tables of tests (composite literals in _test.go
// files). The comments that generators read, as +kubebuilder markers, don't count either: they end with their line.
func longLines(all []*source, limit int) (long []finding, inTables int) {
	for _, s := range all {
		exempt := tables(s)
		for i, line := range bytes.Split(s.text, []byte("\n")) {
			length := utf8.RuneCount(line)
			switch {
			case length <= limit, bytes.HasPrefix(bytes.TrimSpace(line), []byte("// +")):
			case exempt[i+1]:
				inTables++
			default:
				long = append(long, finding{place: fmt.Sprintf("%s:%d", s.path, i+1), value: length})
			}
		}
	}
	return long, inTables
}

// tables are the numbers of the lines that belong to a composite literal of a test.
func tables(s *source) map[int]bool {
	lines := map[int]bool{}
	if !s.isTest() {
		return lines
	}
	ast.Inspect(s.file, func(node ast.Node) bool {
		literal, is := node.(*ast.CompositeLit)
		if !is {
			return true
		}
		for line := s.line(literal.Pos()); line <= s.line(literal.End()); line++ {
			lines[line] = true
		}
		return false
	})
	return lines
}
