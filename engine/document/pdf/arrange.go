package pdf

import (
	"cmp"
	"slices"
)

// arrange makes blocks of the lines of pages.
func arrange(sheets []sheet, outline []bookmark) *Document {
	document := &Document{Pages: make([]Page, len(sheets))}
	markHeadings(sheets, outline, document)
	for i := range sheets {
		flow := &flow{pitch: pitchOf(sheets[i].lines), rights: map[int]float64{}}
		flow.sheet(&sheets[i])
		document.Pages[i].Blocks = flow.finish()
		document.Pages[i].Image = sheets[i].image
		sheets[i] = sheet{} // so that its memory can be used again
	}
	return document
}

// sheet takes the lines of a page.
func (f *flow) sheet(from *sheet) {
	lines := from.lines
	for i := range lines {
		lines[i] = withLabel(lines[i])
		f.measure(lines[i])
	}
	tables := ruledTables(from.rules)
	for len(lines) > 0 {
		if table := tableOf(tables, lines[0]); table != nil {
			lines = f.ruled(table, lines)
			continue
		}
		count := gridLength(lines)
		if count == 0 {
			f.add(lines[0].whole())
			lines = lines[1:]
			continue
		}
		f.grid(lines[:count])
		lines = lines[count:]
	}
}

// withLabel is a line whose first segment is no mere label of what follows.
func withLabel(of line) line {
	if len(of) != 2 || !isLabel(of[0].visible()) {
		return of
	}
	return line{*of.whole()}
}

// gridLength is how many lines stand side by side in columns: those of a table, or of columns that were written line by line. It is 0 where
// fewer than two do.
func gridLength(lines []line) int {
	parted, length := 0, 0
	var columns []interval
	for i, one := range lines {
		if i > 0 && !follows(lines[i-1], one) || one[0].level > 0 || !fits(columns, one) {
			break
		}
		columns = columnsOf(lines[:i+1])
		if len(one) > 1 {
			parted++
			length = i + 1
		} else if i == 0 || i > length {
			break
		}
	}
	if parted < 2 {
		return 0
	}
	return length
}

// fits says whether a line has its parts in columns: none of them in two, and one that stands alone in one.
func fits(columns []interval, one line) bool {
	for _, part := range one {
		within := 0
		for _, column := range columns {
			if part.box.left < column.right && part.box.right > column.left {
				within++
			}
		}
		if within > 1 || within == 0 && len(one) == 1 && len(columns) > 0 {
			return false
		}
	}
	return true
}

// follows says whether a line stands just below another one.
func follows(above, below line) bool {
	first, second := above[0], below[0]
	gap := first.box.bottom - second.box.bottom
	return first.upright && second.upright && gap > 0 && gap <= 4*max(first.size, second.size)
}

// interval is a part of the width of a page.
type interval struct{ left, right float64 }

// narrowest is the least width between columns, in points.
const narrowest = 3

// columnsOf are the columns that lines stand in, from left to right.
func columnsOf(lines []line) []interval {
	var all []interval
	for _, one := range lines {
		for _, part := range one {
			all = append(all, interval{part.box.left, part.box.right})
		}
	}
	slices.SortFunc(all, func(a, b interval) int { return cmp.Compare(a.left, b.left) })
	columns := all[:1]
	for _, next := range all[1:] {
		if last := &columns[len(columns)-1]; next.left < last.right+narrowest {
			last.right = max(last.right, next.right)
		} else {
			columns = append(columns, next)
		}
	}
	return columns
}

// grid takes lines that stand side by side: column by column where they are texts, as a table where they are cells.
func (f *flow) grid(lines []line) {
	columns := columnsOf(lines)
	if len(columns) < 2 {
		for _, one := range lines {
			f.add(one.whole())
		}
		return
	}
	cells := cellsOf(lines, columns)
	if areTexts(cells) {
		for column := range columns {
			f.end()
			for _, row := range cells {
				if row[column] != nil {
					f.add(row[column])
				}
			}
		}
		f.end()
		return
	}
	f.table(cells)
}

// cellsOf are the segments of lines by their columns; nil where there is none.
func cellsOf(lines []line, columns []interval) [][]*segment {
	cells := make([][]*segment, len(lines))
	for row, one := range lines {
		cells[row] = make([]*segment, len(columns))
		for i := range one {
			part := &one[i]
			column, _ := slices.BinarySearchFunc(columns, part.box.left, func(at interval, left float64) int { return cmp.Compare(at.right, left) })
			column = min(column, len(columns)-1)
			if cells[row][column] == nil {
				cells[row][column] = part.copied()
				continue
			}
			cells[row][column].join(part, " ")
		}
	}
	return cells
}

// areTexts says whether columns hold running text, and not the cells of a table: two or three, of several words a line.
func areTexts(cells [][]*segment) bool {
	columns := len(cells[0])
	if columns > 3 || len(cells) < 3 {
		return false
	}
	for column := range columns {
		words, count := 0, 0
		for _, row := range cells {
			if row[column] != nil {
				count++
				words += wordsOf(row[column])
			}
		}
		if count < 2 || words < 3*count {
			return false
		}
	}
	return true
}

func wordsOf(of *segment) int {
	words, inWord := 0, false
	for _, one := range of.runs {
		for _, char := range one.text {
			if char != ' ' && !inWord {
				words++
			}
			inWord = char != ' '
		}
	}
	return words
}
