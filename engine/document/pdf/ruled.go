package pdf

import (
	"math"
	"slices"
)

// ruledTable is a table whose cells are parted by lines that are drawn. Across are the places of upright lines from left to right, up those
// of level ones from the bottom.
type ruledTable struct {
	box        box
	across, up []float64
}

// touching is how far lines may be from each other, in points, that belong together.
const touching = 2

// ruledTables finds the tables of at least two rows and two columns.
func ruledTables(rules []box) []*ruledTable {
	var tables []*ruledTable
	for _, group := range groups(rules) {
		table := &ruledTable{box: group[0]}
		for _, rule := range group {
			table.box = table.box.with(rule)
			if rule.width() > thin {
				table.up = append(table.up, rule.bottom, rule.top)
			}
			if rule.height() > thin {
				table.across = append(table.across, rule.left, rule.right)
			}
		}
		table.across, table.up = distinct(table.across), distinct(table.up)
		if len(table.across) > 2 && len(table.up) > 2 {
			tables = append(tables, table)
		}
	}
	return tables
}

// groups are lines that touch each other.
func groups(rules []box) [][]box {
	group := make([]int, len(rules)) // of each rule the number of one that it belongs to, or its own
	for i := range group {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	for i, one := range rules {
		for j, other := range rules[:i] {
			if one.left <= other.right+touching && other.left <= one.right+touching && one.bottom <= other.top+touching &&
				other.bottom <= one.top+touching {
				group[root(i)] = root(j)
			}
		}
	}
	members := map[int][]box{}
	var order []int
	for i, one := range rules {
		at := root(i)
		if members[at] == nil {
			order = append(order, at)
		}
		members[at] = append(members[at], one)
	}
	result := make([][]box, 0, len(order))
	for _, at := range order {
		result = append(result, members[at])
	}
	return result
}

// distinct are places in their order, one of those that are so near to each other that a line is drawn from one to the other.
func distinct(places []float64) []float64 {
	slices.Sort(places)
	return slices.CompactFunc(places, func(a, b float64) bool { return math.Abs(a-b) <= thin })
}

// tableOf is the table that a line begins in; nil for none.
func tableOf(tables []*ruledTable, of line) *ruledTable {
	x, y := of[0].box.center()
	for _, table := range tables {
		if table.box.contains(x, y) {
			return table
		}
	}
	return nil
}

// ruled takes the lines of a table, which are not all of the next ones, and returns the others.
func (f *flow) ruled(table *ruledTable, lines []line) []line {
	rows := make([][]*segment, len(table.up)-1)
	var others []line
	for _, one := range lines {
		var outside line
		for i := range one {
			x, y := one[i].box.center()
			if !table.box.contains(x, y) {
				outside = append(outside, one[i])
				continue
			}
			row := len(rows) - 1 - between(table.up, y)
			if rows[row] == nil {
				rows[row] = make([]*segment, len(table.across)-1)
			}
			cell := &rows[row][between(table.across, min(x, one[i].box.left+touching))]
			if *cell == nil {
				*cell = one[i].copied()
			} else {
				(*cell).join(&one[i], parting(*cell))
			}
		}
		if len(outside) > 0 {
			others = append(others, outside)
		}
	}
	f.table(slices.DeleteFunc(rows, func(row []*segment) bool { return row == nil }))
	return others
}

// parting is what stands between the lines of a cell.
func parting(above *segment) string {
	if !above.endsWithHyphen() {
		return " "
	}
	last := &above.runs[len(above.runs)-1]
	last.text = last.text[:len(last.text)-1]
	return ""
}

// between is in which of the spaces between places a place lies.
func between(places []float64, at float64) int {
	index, _ := slices.BinarySearch(places, at)
	return max(0, min(index-1, len(places)-2))
}
