package pdf

import (
	"bytes"
	"math"
	"slices"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/document/block"
)

// flow makes paragraphs of lines.
type flow struct {
	blocks []block.Block
	// pitch is how far apart the lines of the page are.
	pitch float64
	// rights say where the lines of the page end at most, by where they begin.
	rights map[int]float64
	// open is the paragraph or heading that is not finished, last its last line.
	open, last *segment
}

// pitchOf is the usual distance of lines, in sizes of their font.
func pitchOf(lines []line) float64 {
	var found []float64
	for i := range lines[min(1, len(lines)):] {
		above, below := lines[i][0], lines[i+1][0]
		gap := (above.box.bottom - below.box.bottom) / max(below.size, 1)
		if gap > 0.8 && gap < 2.5 && math.Abs(above.size-below.size) < 0.1*above.size {
			found = append(found, gap)
		}
	}
	if len(found) == 0 {
		return 1.2
	}
	slices.Sort(found)
	return found[len(found)/2]
}

// stripe is the width, in points, of what lines are counted to begin at the same place.
const stripe = 24

// measure takes a line that is to come.
func (f *flow) measure(one line) {
	for i := range one {
		if part := &one[i]; part.upright {
			f.rights[int(part.box.left/stripe)] = max(f.rights[int(part.box.left/stripe)], part.box.right)
		}
	}
}

// rightOf is where lines end that begin about where a segment does.
func (f *flow) rightOf(next *segment) float64 {
	at := int(next.box.left / stripe)
	return max(f.rights[at-1], f.rights[at], f.rights[at+1])
}

// add takes the next line.
func (f *flow) add(next *segment) {
	switch {
	case f.open == nil:
	case f.open.level != next.level, !f.continues(next):
		f.end()
	default:
		f.open.join(next, f.between(next))
		f.last = next
		return
	}
	f.open, f.last = next.copied(), next
}

// continues says whether a line goes on with what is open.
func (f *flow) continues(next *segment) bool {
	last := f.last
	if last.goesOn(next) {
		return true
	}
	if math.Abs(last.size-next.size) > 0.15*max(last.size, next.size) {
		return false
	}
	gap := last.box.bottom - next.box.bottom
	switch {
	case !last.upright || !next.upright:
		return last.upright == next.upright
	case gap <= 0: // in another column
		return next.level == 0 && !endsSentence(last.lastText()) && beginsSmall(next.firstText())
	case gap > 1.3*f.pitch*max(last.size, next.size):
		return false
	}
	indented := !next.toLeft && next.box.left > last.box.left+0.8*next.size && next.box.left < last.box.left+5*next.size
	return !indented || !endsSentence(last.lastText()) || beginsWithLabel(f.open.firstText())
}

// goesOn says whether a segment stands just behind another one on the same line: PDFium ends a line behind a mark of a footnote.
func (s *segment) goesOn(next *segment) bool {
	gap, size := next.box.left-s.box.right, max(s.size, next.size)
	return s.upright && next.upright && !s.toLeft && math.Abs(s.box.bottom-next.box.bottom) < 0.4*size && gap > -0.2*size && gap < size
}

// between is what stands between the open text and a line that goes on with it. A hyphen that parts a word is taken away.
func (f *flow) between(next *segment) string {
	text := f.open.lastText()
	if f.open.endsWithHyphen() {
		f.open.runs[len(f.open.runs)-1].text = text[:len(text)-1]
		return ""
	}
	first, _ := utf8.DecodeRune(next.firstText())
	last, _ := utf8.DecodeLastRune(text)
	switch {
	case f.last.goesOn(next) && next.box.left-f.last.box.right < 0.15*next.size:
		return ""
	case next.level > 0, f.last.goesOn(next):
		return " "
	case beginsWithLabel(next.firstText()):
		return "\n"
	case withoutSpaces(first) && withoutSpaces(last):
		return ""
	case next.toLeft || f.last.toLeft || !next.upright:
		return "\n"
	}
	// Where the next word would have had room, the line was ended for another reason.
	word, _, _ := bytes.Cut(next.firstText(), []byte(" "))
	width := float64(utf8.RuneCount(word)+1) * next.box.width() / float64(max(next.chars, 1))
	if f.last.box.right+width < f.rightOf(next) {
		return "\n"
	}
	return " "
}

// end finishes what is open.
func (f *flow) end() {
	if f.open == nil {
		return
	}
	if runs := finished(f.open.runs); len(runs) > 0 {
		f.blocks = append(f.blocks, block.Block{Level: f.open.level, Runs: runs})
	}
	f.open, f.last = nil, nil
}

// table takes the cells of a table.
func (f *flow) table(cells [][]*segment) {
	f.end()
	var table block.Block
	for _, row := range cells {
		texts := make([][]block.Run, len(row))
		for i, cell := range row {
			if cell != nil {
				texts[i] = finished(cell.runs)
			}
		}
		table.Rows = append(table.Rows, texts)
	}
	f.blocks = append(f.blocks, table)
}

func (f *flow) finish() []block.Block {
	f.end()
	return f.blocks
}
