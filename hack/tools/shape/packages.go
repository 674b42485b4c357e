package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/types"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"
)

// load reads the packages of the module in a folder with their types, and their tests as packages of their own.
func load(folder string) ([]*packages.Package, error) {
	config := &packages.Config{
		Dir: folder, Tests: true,
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedImports | packages.NeedSyntax | packages.NeedTypes |
			packages.NeedTypesInfo | packages.NeedForTest,
	}
	loaded, err := packages.Load(config, "./...")
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, one := range loaded {
		for _, problem := range one.Errors {
			problems = append(problems, fmt.Errorf("%s: %w", one.ID, problem))
		}
	}
	return loaded, errors.Join(problems...)
}

// isVariant says whether a package is one that is compiled for a test only.
func isVariant(one *packages.Package) bool {
	return one.ID != one.PkgPath || strings.HasSuffix(one.PkgPath, ".test")
}

// isForTests says whether a package is below a folder test, as programs are that tests start.
func isForTests(one *packages.Package) bool { return strings.Contains(one.PkgPath, "/test/") }

// fileOf is the name of the file of a package in which something is, without its folder.
func fileOf(in *packages.Package, node ast.Node) string {
	return filepath.Base(in.Fset.Position(node.Pos()).Filename)
}

func isTestFile(name string) bool { return strings.HasSuffix(name, "_test.go") }

// ownerOf is the package-level object, method or field that an identifier stands for; nil for local ones. What belongs to an instance of a
// generic type is that of its declaration.
func ownerOf(object types.Object) types.Object {
	switch object := object.(type) {
	case nil:
		return nil
	case *types.Func:
		return object.Origin()
	case *types.Var:
		if object.IsField() {
			return object.Origin()
		}
	}
	if object.Pkg() == nil || object.Parent() != object.Pkg().Scope() {
		return nil
	}
	return object
}
