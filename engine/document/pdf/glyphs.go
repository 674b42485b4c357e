package pdf

import (
	"bytes"
	"math"
	"unicode"
	"unicode/utf8"
)

// run is a piece of text that is seen, or is not.
type run struct {
	text   []byte
	hidden bool
}

// segment is text of one line without a wide gap in it.
type segment struct {
	runs []run
	box  box
	// size is that of the font in points, level that of the heading it is by the structure of the document.
	size  float64
	level int
	chars int
	// toLeft says that it is written from right to left. Of text that is turned, upright is false.
	toLeft, upright bool
}

// line is what stands on one line, in the order of reading.
type line []segment

// hyphen is what PDFium has for a hyphen that parts a word at the end of a line.
const hyphen = '\x02'

// object is what holds for all characters of a text object.
type object struct {
	size    float64
	level   int
	upright bool
	unseen  bool
	color   color
	order   int
}

// tiny is the size, in points, up to which nobody can read a text.
const tiny = 2

// pageReader reads the characters of a page.
type pageReader struct {
	*instance
	text     uint64
	page     box
	quarters int
	shapes   *shapes
	levels   map[int]int // of headings, by the mark of their content
	objects  map[uint32]*object
	lines    []line
	open     *segment
	current  line
	pending  bool // a space comes before the next character
}

// readLines reads the text of a page, line by line.
func (p *pageReader) readLines(count int) []line {
	for index := range count {
		char := rune(p.call(textChar, p.text, uint64(index)))
		switch {
		case p.err != nil:
			return nil
		case char == '\n' || char == '\r':
			p.endLine()
		case char == ' ' || char == '\t' || char == '\u00a0':
			p.pending = p.open != nil
		case char == hyphen, char == 0xFFFE, (char == '-' || char == '\u00ad') && p.number(textHyphen, p.text, uint64(index)) == 1:
			p.char(hyphen, index)
		case char == 0, char < ' ', char >= '\uFDD0' && char <= '\uFDEF':
		default:
			if !utf8.ValidRune(char) {
				char = utf8.RuneError
			}
			p.char(char, index)
		}
	}
	p.endLine()
	return p.lines
}

func (p *pageReader) char(char rune, index int) {
	at := box{}
	if p.isTrue(textBox, p.text, uint64(index), p.at(0)) {
		// In the order of FS_RECTF: left, top, right, bottom.
		at = box{p.real(0), p.real(3), p.real(2), p.real(1)}.turned(p.quarters)
	}
	if p.open != nil && p.open.endsWithHyphen() {
		p.endLine() // PDFium says nothing of the end of such a line
	}
	from := p.objectOf(index, at)
	if p.open != nil && p.parted(from, at, char) {
		p.endSegment()
	}
	if p.open == nil {
		p.open = &segment{box: at, size: from.size, level: from.level, upright: from.upright}
	}
	p.open.add(char, p.hidden(from, at), p.pending)
	p.open.box = p.open.box.with(at)
	p.open.toLeft = p.open.toLeft || writtenToLeft(char)
	p.pending = false
}

func (s *segment) add(char rune, hidden, spaced bool) {
	s.chars++
	var space string
	if spaced {
		s.chars++
		space = " "
	}
	if last := len(s.runs) - 1; last >= 0 && s.runs[last].hidden == hidden {
		s.runs[last].text = utf8.AppendRune(append(s.runs[last].text, space...), char)
		return
	}
	s.runs = joined(s.runs, []run{{utf8.AppendRune(nil, char), hidden}}, space)
}

// joined appends runs after some text between them, which is seen unless both sides are hidden.
func joined(runs, next []run, between string) []run {
	last := len(runs) - 1
	if last < 0 || len(next) == 0 {
		return append(runs, next...)
	}
	first := next[0].text
	if runs[last].hidden && !next[0].hidden {
		return append(append(runs, run{text: append([]byte(between), first...)}), next[1:]...)
	}
	runs[last].text = append(runs[last].text, between...)
	if runs[last].hidden == next[0].hidden {
		runs[last].text = append(runs[last].text, first...)
		return append(runs, next[1:]...)
	}
	return append(append(runs, run{first, next[0].hidden}), next[1:]...)
}

func (s *segment) endsWithHyphen() bool { return bytes.HasSuffix(s.lastText(), []byte{hyphen}) }

func writtenToLeft(char rune) bool {
	return char >= 0x590 && char < 0x900 && unicode.IsLetter(char)
}

// parted says whether a wide gap is before a character.
func (p *pageReader) parted(from *object, at box, char rune) bool {
	open := p.open
	if !open.upright || !from.upright || open.toLeft || writtenToLeft(char) {
		return false
	}
	gap := at.left - open.box.right
	return gap > max(open.size, from.size, 4) || p.pending && gap > 0 && p.crossed(open.box.right, at)
}

// crossed says whether a line is drawn between a place and a character.
func (p *pageReader) crossed(from float64, to box) bool {
	_, height := to.center()
	for _, rule := range p.shapes.lines {
		if rule.width() <= thin && rule.contains(rule.left, height) && rule.left >= from && rule.right <= to.left {
			return true
		}
	}
	return false
}

func (p *pageReader) endSegment() {
	if p.open != nil {
		p.current = append(p.current, *p.open)
	}
	p.open, p.pending = nil, false
}

func (p *pageReader) endLine() {
	p.endSegment()
	if len(p.current) > 0 {
		p.lines = append(p.lines, p.current)
	}
	p.current = nil
}

// objectOf is what holds for a character, from the object that it is of.
func (p *pageReader) objectOf(index int, at box) *object {
	handle := uint32(p.call(textObject, p.text, uint64(index)))
	if known := p.objects[handle]; known != nil {
		return known
	}
	from := uint64(handle)
	found := &object{upright: true, size: at.height(), order: math.MaxInt}
	p.objects[handle] = found
	if handle == 0 {
		return found
	}
	if order, known := p.shapes.orders[handle]; known {
		found.order = order
	}
	found.level = p.levels[p.number(objectMark, from)]
	if p.isTrue(textSize, from, p.at(0)) {
		found.size = p.real(0)
	}
	if p.isTrue(textMatrix, p.text, uint64(index), p.at(0)) {
		place := p.scratchMatrix()
		found.size *= math.Hypot(place.c, place.d)
		across, up := place.a, place.b
		for range p.quarters & 3 {
			across, up = up, -across
		}
		found.upright = across > 0 && math.Abs(up) < across/5
	}
	mode := p.number(textMode, from)
	found.unseen = mode == 3 || mode == 7 // neither filled nor stroked; but a way to clip
	if p.isTrue(objectFill, from, p.at(0), p.at(1), p.at(2), p.at(3)) {
		found.color = color{uint8(p.whole(0)), uint8(p.whole(1)), uint8(p.whole(2))}
		found.unseen = found.unseen || mode == 0 && p.whole(3) == 0
	}
	return found
}

// hidden says whether a reader can't see a character.
func (p *pageReader) hidden(from *object, at box) bool {
	if !at.sound() || at.area() == 0 {
		return from.unseen
	}
	x, y := at.center()
	switch {
	case !p.page.contains(x, y), from.size <= tiny:
		return true
	case from.unseen:
		return !p.shapes.pictured(at, p.page)
	case from.order == math.MaxInt:
		return false
	}
	return p.shapes.hides(from.color, from.order, at)
}
