package main

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// arrow leads from a file to another one of its package, which declares something that the first one uses.
type arrow struct{ from, to string }

// arrowsOf are the arrows between the files of a package, without tests and generated files. However often a file uses another, that is
// one.
func arrowsOf(in *packages.Package) (files []string, arrows map[arrow]bool) {
	declared := map[types.Object]string{}
	for identifier, object := range in.TypesInfo.Defs {
		if object != nil {
			declared[object] = fileOf(in, identifier)
		}
	}
	arrows = map[arrow]bool{}
	for _, file := range in.Syntax {
		name := fileOf(in, file)
		if isTestFile(name) || ast.IsGenerated(file) {
			continue
		}
		files = append(files, name)
		ast.Inspect(file, func(node ast.Node) bool {
			identifier, is := node.(*ast.Ident)
			if !is {
				return true
			}
			object := ownerOf(in.TypesInfo.Uses[identifier])
			if to, known := declared[object]; object != nil && known && to != name {
				arrows[arrow{from: name, to: to}] = true
			}
			return true
		})
	}
	slices.Sort(files)
	return files, arrows
}

// upwardOf are the arrows that run up in the best order of the files that is found: the one with the fewest.
func upwardOf(files []string, arrows map[arrow]bool) (up []finding) {
	level := map[string]int{}
	for place, file := range inOrder(files, arrows) {
		level[file] = place
	}
	for one := range arrows {
		if level[one.to] < level[one.from] {
			up = append(up, finding{place: one.from, name: "→ " + one.to})
		}
	}
	slices.SortFunc(up, func(a, b finding) int { return strings.Compare(a.String(), b.String()) })
	return up
}

// inOrder returns the files from the highest to the lowest. It begins with those that use most and are used least, and then moves one file
// at a time to where it leaves the fewest arrows that run up, until no move helps. Equal files stand by name, so the order is always the
// same.
func inOrder(files []string, arrows map[arrow]bool) []string {
	weight := map[string]int{}
	for one := range arrows {
		weight[one.from]++
		weight[one.to]--
	}
	order := slices.Clone(files)
	slices.SortFunc(order, func(a, b string) int {
		if weight[a] != weight[b] {
			return weight[b] - weight[a]
		}
		return strings.Compare(a, b)
	})
	for moved := true; moved; {
		moved = false
		for from := range order {
			if to := bestPlace(order, arrows, from); to != from {
				file := order[from]
				order = slices.Insert(slices.Delete(order, from, from+1), to, file)
				moved = true
			}
		}
	}
	return order
}

// bestPlace is where a file leaves the fewest arrows that run up; where it stands when no place is better.
func bestPlace(order []string, arrows map[arrow]bool, from int) int {
	file, best, place := order[from], 0, from
	for _, step := range []int{1, -1} {
		change := 0
		for to := from + step; to >= 0 && to < len(order); to += step {
			other := order[to]
			// Going down past a file turns the arrows to it upward, and those from it downward; going up is the reverse.
			if arrows[arrow{from: file, to: other}] {
				change += step
			}
			if arrows[arrow{from: other, to: file}] {
				change -= step
			}
			if change < best {
				best, place = change, to
			}
		}
	}
	return place
}
