package plan

import (
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// reference is a name that a column reads, and the field that says so.
type reference struct {
	name, field string
	// decides says that it is read only to decide whether a cell is skipped, or for another column that is drawn together with this one.
	decides bool
}

// edges returns, for each column of the spec, the configured columns that it reads, by index, ascending and each once.
func edges(columns map[string]int, references [][]reference) [][]int {
	result := make([][]int, len(references))
	for i, names := range references {
		for _, reference := range names {
			if target, found := columns[reference.name]; found {
				result[i] = append(result[i], target)
			}
		}
		slices.Sort(result[i])
		result[i] = slices.Compact(result[i])
	}
	return result
}

// findCycles returns one shortest cycle for each group of columns that depend on each other, as indexes of columns; each starts at
// the group's first configured column and follows what a column reads. The last one reads the first one.
func findCycles(columns map[string]int, references [][]reference, spec []v1alpha1.Column) [][]int {
	reads := edges(columns, references)
	inGroup := make([]bool, len(spec))
	var cycles [][]int
	for start := range spec {
		if inGroup[start] {
			continue
		}
		from := reachable(reads, start)
		if !from[start] {
			continue
		}
		for other := range spec {
			// The columns that reach start, and are reached from it, form its group: they are reported once.
			if from[other] && reachable(reads, other)[start] {
				inGroup[other] = true
			}
		}
		cycles = append(cycles, shortestCycle(reads, start))
	}
	return cycles
}

// reachable says which columns are read, directly or not, by start.
func reachable(reads [][]int, start int) []bool {
	seen := make([]bool, len(reads))
	next := []int{start}
	for len(next) > 0 {
		current := next[len(next)-1]
		next = next[:len(next)-1]
		for _, target := range reads[current] {
			if !seen[target] {
				seen[target] = true
				next = append(next, target)
			}
		}
	}
	return seen
}

// shortestCycle returns the shortest way from start back to it; there is one.
func shortestCycle(reads [][]int, start int) []int {
	previous := map[int]int{}
	queue := []int{start}
	for len(queue) > 0 {
		current := queue[0]
		queue = queue[1:]
		for _, target := range reads[current] {
			if target == start {
				cycle := []int{current}
				for current != start {
					current = previous[current]
					cycle = append(cycle, current)
				}
				slices.Reverse(cycle)
				return cycle
			}
			if _, seen := previous[target]; !seen {
				previous[target] = current
				queue = append(queue, target)
			}
		}
	}
	return []int{start}
}

// topological orders columns so that each stands after those that it reads; of several that could come next, the first
// configured one does, but for those that belong together, which stand one after the other. There are no cycles.
func topological(reads [][]int, together func(column int) []int) []int {
	order := make([]int, 0, len(reads))
	placed := make([]bool, len(reads))
	isPlaced := func(column int) bool { return placed[column] }
	candidates := make([]int, len(reads))
	for column := range reads {
		candidates[column] = column
	}
	for len(order) < len(reads) {
		var first []int
		if len(order) > 0 {
			first = together(order[len(order)-1])
		}
		for _, column := range slices.Concat(first, candidates) {
			if !placed[column] && all(reads[column], isPlaced) {
				placed[column] = true
				order = append(order, column)
				break
			}
		}
	}
	return order
}

func all(columns []int, holds func(int) bool) bool {
	return !slices.ContainsFunc(columns, func(column int) bool { return !holds(column) })
}
