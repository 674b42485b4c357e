package main

import (
	"fmt"
	"go/ast"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// use says who mentions a name.
type use struct{ product, test bool }

// onlyTested are the exported functions, types, variables, constants and methods that tests mention and nothing else does. Packages that
// only tests import are for tests; methods that an interface asks for are called through it.
func onlyTested(loaded []*packages.Package, public []string) (found []finding) {
	uses, imported := usesOf(loaded), importedByProduct(loaded)
	interfaces := interfacesOf(loaded)
	for _, one := range loaded {
		if isVariant(one) || slices.Contains(public, one.PkgPath) || one.Name != "main" && !imported[one.PkgPath] {
			continue
		}
		for identifier, object := range one.TypesInfo.Defs {
			owner := ownerOf(object)
			if owner == nil || !owner.Exported() || isField(owner) || isTestFile(fileOf(one, identifier)) {
				continue
			}
			if mentioned := uses[keyOf(owner)]; !mentioned.test || mentioned.product {
				continue
			}
			if function, is := owner.(*types.Func); is && fromInterface(function, interfaces) {
				continue
			}
			position := one.Fset.Position(identifier.Pos())
			place := fmt.Sprintf("%s/%s:%d", short(one.PkgPath), filepath.Base(position.Filename), position.Line)
			found = append(found, finding{place: place, name: strings.TrimPrefix(keyOf(owner), one.PkgPath+".")})
		}
	}
	slices.SortFunc(found, func(a, b finding) int { return strings.Compare(a.place, b.place) })
	return found
}

// usesOf says of each name who mentions it.
func usesOf(loaded []*packages.Package) map[string]use {
	uses := map[string]use{}
	for _, one := range loaded {
		for identifier, object := range one.TypesInfo.Uses {
			owner := ownerOf(object)
			if owner == nil {
				continue
			}
			mentioned := uses[keyOf(owner)]
			if isTestFile(fileOf(one, identifier)) || isForTests(one) {
				mentioned.test = true
			} else {
				mentioned.product = true
			}
			uses[keyOf(owner)] = mentioned
		}
	}
	return uses
}

// importedByProduct are the packages that something other than a test imports.
func importedByProduct(loaded []*packages.Package) map[string]bool {
	imported := map[string]bool{}
	for _, one := range loaded {
		if isVariant(one) || isForTests(one) {
			continue
		}
		for path := range one.Imports {
			imported[path] = true
		}
	}
	return imported
}

// keyOf is the same for an object whether its package was read as source or as a compiled one.
func keyOf(object types.Object) string {
	path := ""
	if object.Pkg() != nil {
		path = object.Pkg().Path()
	}
	if function, is := object.(*types.Func); is {
		if receiver := function.Signature().Recv(); receiver != nil {
			kind := types.Unalias(receiver.Type())
			if pointer, is := kind.(*types.Pointer); is {
				kind = types.Unalias(pointer.Elem())
			}
			if named, is := kind.(*types.Named); is {
				return path + "." + named.Obj().Name() + "." + object.Name()
			}
		}
	}
	return path + "." + object.Name()
}

func isField(object types.Object) bool {
	variable, is := object.(*types.Var)
	return is && variable.IsField()
}

// interfacesOf are all interfaces that the packages and what they import declare, and those that stand in expressions, by their methods'
// names.
func interfacesOf(loaded []*packages.Package) map[string][]*types.Interface {
	found := map[string][]*types.Interface{}
	add := func(kind types.Type) {
		declared, is := kind.Underlying().(*types.Interface)
		if !is {
			return
		}
		for method := range declared.Methods() {
			found[method.Name()] = append(found[method.Name()], declared)
		}
	}
	seen := map[*types.Package]bool{}
	var walk func(of *types.Package)
	walk = func(of *types.Package) {
		if seen[of] {
			return
		}
		seen[of] = true
		for _, name := range of.Scope().Names() {
			if declared, is := of.Scope().Lookup(name).(*types.TypeName); is {
				add(declared.Type())
			}
		}
		for _, imported := range of.Imports() {
			walk(imported)
		}
	}
	add(types.Universe.Lookup("error").Type())
	for _, one := range loaded {
		walk(one.Types)
		for expression, value := range one.TypesInfo.Types {
			if _, is := expression.(*ast.InterfaceType); is {
				add(value.Type)
			}
		}
	}
	return found
}

// fromInterface says whether a method makes its type satisfy an interface.
func fromInterface(method *types.Func, interfaces map[string][]*types.Interface) bool {
	receiver := method.Signature().Recv()
	if receiver == nil {
		return false
	}
	kind := receiver.Type()
	if _, is := kind.(*types.Pointer); !is {
		kind = types.NewPointer(kind)
	}
	return slices.ContainsFunc(interfaces[method.Name()], func(asked *types.Interface) bool { return types.Implements(kind, asked) })
}
