package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// source is a Go file of the repository.
type source struct {
	// path is relative to the repository, with slashes.
	path string
	text []byte
	file *ast.File
	set  *token.FileSet
}

func (s *source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

func (s *source) line(position token.Pos) int { return s.set.Position(position).Line }

// sources are the Go files that git knows in a folder, or would add, without generated ones, by path.
func sources(root string) ([]*source, error) {
	command := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go")
	command.Dir = root
	command.Stderr = os.Stderr
	listed, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w", err)
	}
	paths := strings.Fields(string(listed))
	slices.Sort(paths)
	set := token.NewFileSet()
	var found []*source
	for _, path := range slices.Compact(paths) {
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		if os.IsNotExist(err) {
			continue // it is deleted, and git not told yet
		}
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if ast.IsGenerated(file) {
			continue
		}
		found = append(found, &source{path: path, text: bytes.TrimSuffix(text, []byte("\n")), file: file, set: set})
	}
	return found, nil
}
