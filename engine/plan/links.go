package plan

import "slices"

// links are the groups of columns that constraints link.
type links struct {
	// parents lead from each column to another one of its group, and in the end to the group's root, which leads to itself; -1 is none.
	parents []int
	// constraints are the columns that each constraint is of, by its index.
	constraints map[int]int
}

func newLinks(columns int) *links {
	l := &links{parents: make([]int, columns), constraints: map[int]int{}}
	for i := range l.parents {
		l.parents[i] = -1
	}
	return l
}

// join puts a column, and another one where that is not negative, into one group, for a constraint where that is not negative.
func (l *links) join(constraint, column, other int) {
	for _, one := range []int{column, other} {
		if one >= 0 && l.parents[one] < 0 {
			l.parents[one] = one
		}
	}
	if other >= 0 {
		a, b := l.root(column), l.root(other)
		l.parents[max(a, b)] = min(a, b)
	}
	if constraint >= 0 {
		l.constraints[constraint] = column
	}
}

// root is the first column of a column's group.
func (l *links) root(column int) int {
	for l.parents[column] != column {
		column = l.parents[column]
	}
	return column
}

// roots are the first columns of all groups, ascending.
func (l *links) roots() []int {
	var roots []int
	for column, parent := range l.parents {
		if parent == column {
			roots = append(roots, column)
		}
	}
	return roots
}

// members are the columns of a group, ascending; none where the column is in no group.
func (l *links) members(column int) []int {
	if l.parents[column] < 0 {
		return nil
	}
	var members []int
	for other, parent := range l.parents {
		if parent >= 0 && l.root(other) == l.root(column) {
			members = append(members, other)
		}
	}
	return members
}

// constraintsOf are the constraints of a group, ascending.
func (l *links) constraintsOf(column int) []int {
	var found []int
	for constraint, of := range l.constraints {
		if l.root(of) == l.root(column) {
			found = append(found, constraint)
		}
	}
	slices.Sort(found)
	return found
}
