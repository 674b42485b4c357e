package docx

import (
	"encoding/xml"
	"strconv"
	"strings"

	"seedloom.dev/seedloom/engine/document/block"
)

// paragraph is one that is open.
type paragraph struct {
	block  block.Block
	style  style
	shaded bool
	// list and depth are those of the paragraph itself, level that of its own outline.
	list  string
	depth int
	level int
	// inText and inRun say that such elements are open; run is what its properties say. A box of text in a run has paragraphs of its own.
	inText, inRun bool
	run           runStyle
}

// table is one that is open.
type table struct {
	rows [][][]block.Run
	cell []block.Run
	span int
}

// reader reads the text of a part.
type reader struct {
	styles *styles
	blocks []block.Block
	// paragraphs and tables are those that are open: a box of text in a paragraph has paragraphs, a cell may hold a table.
	paragraphs []*paragraph
	tables     []*table
	// skipped is how many elements are open whose text is none of the document.
	skipped  int
	counters map[string]int
	note     string
}

// runStyle is what is known of a piece of text.
type runStyle struct{ hidden, white, shaded, tiny bool }

// skips are elements whose text is none of the document: what was deleted or moved away, and copies for older versions.
func skips(name string) bool {
	switch name {
	case "del", "moveFrom", "Fallback", "instrText", "rPrChange", "pPrChange", "tblPrChange", "sectPrChange", "numPicBullet":
		return true
	}
	return false
}

func (r *reader) start(name string, attributes []xml.Attr) error {
	if r.skipped > 0 || skips(name) {
		r.skipped += boolean(skips(name))
		return nil
	}
	switch name {
	case "p":
		r.paragraphs = append(r.paragraphs, &paragraph{})
	case "tbl":
		r.tables = append(r.tables, &table{})
	case "tr", "tc", "gridSpan":
		r.startOfTable(name, attributes)
	case "footnote", "endnote":
		r.startNote(name, attributes)
	default:
		if open := r.paragraph(); open != nil {
			r.inside(open, name, attributes)
		}
	}
	return nil
}

func boolean(is bool) int {
	if is {
		return 1
	}
	return 0
}

// paragraph is the innermost one that is open; nil for none.
func (r *reader) paragraph() *paragraph {
	if len(r.paragraphs) == 0 {
		return nil
	}
	return r.paragraphs[len(r.paragraphs)-1]
}

// inside takes an element of a paragraph.
func (r *reader) inside(open *paragraph, name string, attributes []xml.Attr) {
	switch {
	case name == "r":
		open.inRun, open.run = true, runStyle{}
		return
	case name == "t":
		open.inText = true
		return
	case open.inRun:
		r.insideRun(open, name, attributes)
		return
	}
	said := value(attributes, "val")
	switch name {
	case "pStyle":
		open.style = r.styles.of(said)
	case "numId":
		open.list = said
	case "ilvl":
		open.depth, _ = strconv.Atoi(said)
	case "outlineLvl":
		if level, err := strconv.Atoi(said); err == nil && level >= 0 && level < 9 {
			open.level = min(level+1, maxLevel)
		}
	case "shd":
		open.shaded = isShade(attributes)
	}
}

func isShade(attributes []xml.Attr) bool {
	fill := value(attributes, "fill")
	return fill != "" && fill != "auto" && !strings.EqualFold(fill, "ffffff")
}

// insideRun takes an element of a piece of text.
func (r *reader) insideRun(open *paragraph, name string, attributes []xml.Attr) {
	said := value(attributes, "val")
	switch name {
	case "tab", "ptab":
		r.add(open, "\t")
	case "br", "cr":
		r.add(open, "\n")
	case "noBreakHyphen":
		r.add(open, "-")
	case "footnoteReference", "endnoteReference":
		r.add(open, "[^"+noteName(name, value(attributes, "id"))+"]")
	case "rStyle":
		open.run.hidden = open.run.hidden || r.styles.of(said).hidden
	case "vanish":
		open.run.hidden = isOn(attributes)
	case "color":
		open.run.white = strings.EqualFold(said, "ffffff")
	case "shd":
		open.run.shaded = isShade(attributes)
	case "highlight":
		open.run.shaded = said != "none" && said != "white"
	case "sz":
		halves, err := strconv.ParseFloat(said, 64)
		open.run.tiny = err == nil && halves <= 4
	}
}

// noteName is how a note is named in the text.
func noteName(element, id string) string {
	if strings.HasPrefix(element, "end") {
		return "e" + id
	}
	return id
}

func (r *reader) end(name string) {
	if r.skipped > 0 {
		r.skipped -= boolean(skips(name))
		return
	}
	open := r.paragraph()
	switch {
	case name == "tbl", name == "tr", name == "tc":
		r.endOfTable(name)
	case open == nil:
	case name == "p":
		r.endParagraph(open)
	case name == "r":
		open.inRun = false
	case name == "t":
		open.inText = false
	}
}

func (r *reader) text(text []byte) {
	if open := r.paragraph(); open != nil && open.inText && r.skipped == 0 {
		r.add(open, string(text))
	}
}

// add adds text to a paragraph.
func (r *reader) add(open *paragraph, text string) {
	// What is behind the text of a table is not known: its style may say it.
	white := open.run.white && !open.run.shaded && !open.shaded && len(r.tables) == 0
	hidden := open.run.hidden || open.run.tiny || white || open.style.hidden
	runs := open.block.Runs
	if last := len(runs) - 1; last >= 0 && runs[last].Hidden == hidden && len(runs[last].Text) < longPiece {
		runs[last].Text += text
		return
	}
	open.block.Runs = append(open.block.Runs, block.Run{Text: text, Hidden: hidden})
}

// longPiece is how long a piece may get by appending, which copies it each time.
const longPiece = 4 << 10

func (r *reader) startNote(name string, attributes []xml.Attr) {
	if kind := value(attributes, "type"); kind == "" || kind == "normal" {
		r.note = "[^" + noteName(name, value(attributes, "id")) + "]: "
	}
}

func (r *reader) endParagraph(open *paragraph) {
	r.paragraphs = r.paragraphs[:len(r.paragraphs)-1]
	if len(r.tables) > 0 {
		cell := &r.tables[len(r.tables)-1].cell
		if len(*cell) > 0 && len(open.block.Runs) > 0 {
			*cell = append(*cell, block.Run{Text: " "})
		}
		*cell = append(*cell, open.block.Runs...)
		return
	}
	if len(open.block.Runs) == 0 {
		return
	}
	r.finish(open)
}

// finish makes a block of a paragraph.
func (r *reader) finish(open *paragraph) {
	if open.block.Level = open.level; open.level == 0 {
		open.block.Level = open.style.level
	}
	list, depth := open.list, open.depth
	if list == "" {
		list, depth = open.style.list, open.style.depth
	}
	if list != "" && list != "0" && open.block.Level == 0 {
		open.block.Lead = r.lead(list, depth)
	}
	if r.note != "" {
		open.block.Lead, r.note = r.note, ""
	}
	r.blocks = append(r.blocks, open.block)
}

// lead is what the next item of a list begins with.
func (r *reader) lead(list string, depth int) string {
	depth = max(0, min(depth, 8))
	place := strings.Repeat("  ", depth)
	key := list + "/" + strconv.Itoa(depth)
	switch r.styles.formats[key] {
	case "", "bullet", "none":
		return place + "- "
	}
	r.counters[key]++
	for deeper := depth + 1; deeper <= 8; deeper++ {
		delete(r.counters, list+"/"+strconv.Itoa(deeper))
	}
	return place + strconv.Itoa(r.counters[key]) + ". "
}

func (r *reader) startOfTable(name string, attributes []xml.Attr) {
	if len(r.tables) == 0 {
		return
	}
	open := r.tables[len(r.tables)-1]
	switch name {
	case "tr":
		open.rows = append(open.rows, nil)
	case "tc":
		open.cell, open.span = nil, 1
	case "gridSpan":
		if span, err := strconv.Atoi(value(attributes, "val")); err == nil {
			open.span = max(1, min(span, 64))
		}
	}
}

func (r *reader) endOfTable(name string) {
	last := len(r.tables) - 1
	if last < 0 {
		return
	}
	open := r.tables[last]
	switch {
	case name == "tc" && len(open.rows) > 0:
		row := &open.rows[len(open.rows)-1]
		*row = append(*row, open.cell)
		for range open.span - 1 {
			*row = append(*row, nil)
		}
		open.cell = nil
	case name == "tbl":
		r.tables = r.tables[:last]
		r.endTable(open)
	}
}

// endTable makes a block of a table; what one in a cell holds becomes text of that cell.
func (r *reader) endTable(of *table) {
	if len(r.tables) == 0 {
		if len(of.rows) > 0 {
			r.blocks = append(r.blocks, block.Block{Rows: of.rows})
		}
		return
	}
	outer := r.tables[len(r.tables)-1]
	for _, row := range of.rows {
		for _, cell := range row {
			if len(cell) > 0 {
				outer.cell = append(append(outer.cell, block.Run{Text: " "}), cell...)
			}
		}
	}
}
