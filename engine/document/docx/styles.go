package docx

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
)

// style is what a style says of a paragraph, or of a piece of text.
type style struct {
	basedOn string
	// level is that of a heading; 0 for none.
	level  int
	hidden bool
	// list is the number of its list, depth how deep it is in it.
	list  string
	depth int
}

// styles are those of a document, and the formats of its lists.
type styles struct {
	byID map[string]*style
	// formats are those of lists, by the number of the list and the depth in it.
	formats map[string]string
}

// styles reads both. A document may have neither.
func (p *parts) styles(folder string) (*styles, error) {
	known := &styles{byID: map[string]*style{}, formats: map[string]string{}}
	if err := p.read(folder+"/styles.xml", &styleReader{known: known}); err != nil && !errors.Is(err, errNoPart) {
		return nil, err
	}
	lists := &listReader{known: known, abstract: map[string]map[string]string{}}
	if err := p.read(folder+"/numbering.xml", lists); err != nil && !errors.Is(err, errNoPart) {
		return nil, err
	}
	return known, nil
}

// of is what a style says with those that it is based on.
func (s *styles) of(id string) style {
	var result style
	for range 16 { // styles may be based on each other in a circle
		found := s.byID[id]
		if found == nil {
			break
		}
		if result.level == 0 {
			result.level = found.level
		}
		if result.list == "" {
			result.list, result.depth = found.list, found.depth
		}
		result.hidden = result.hidden || found.hidden
		id = found.basedOn
	}
	return result
}

const maxLevel = 6

// styleReader reads styles.
type styleReader struct {
	known *styles
	open  *style
}

func (r *styleReader) start(name string, attributes []xml.Attr) error {
	if name == "style" {
		r.open = &style{}
		r.known.byID[value(attributes, "styleId")] = r.open
		return nil
	}
	if r.open == nil {
		return nil
	}
	said := value(attributes, "val")
	switch name {
	case "name":
		if level := headingLevel(said); level > 0 {
			r.open.level = level
		}
	case "basedOn":
		r.open.basedOn = said
	case "outlineLvl":
		if level, err := strconv.Atoi(said); err == nil && level >= 0 && level < 9 && r.open.level == 0 {
			r.open.level = min(level+1, maxLevel)
		}
	case "vanish":
		r.open.hidden = isOn(attributes)
	case "numId":
		r.open.list = said
	case "ilvl":
		r.open.depth, _ = strconv.Atoi(said)
	}
	return nil
}

func (r *styleReader) end(name string) {
	if name == "style" {
		r.open = nil
	}
}

func (r *styleReader) text([]byte) {}

// headingLevel is the level of headings by the name of their style, which is English in every language of Word; 0 for other names.
func headingLevel(name string) int {
	name = strings.ToLower(name)
	if name == "title" {
		return 1
	}
	digits, is := strings.CutPrefix(name, "heading ")
	level, err := strconv.Atoi(digits)
	if !is || err != nil || level < 1 || level > 9 {
		return 0
	}
	return min(level, maxLevel)
}

// listReader reads the formats of lists.
type listReader struct {
	known    *styles
	abstract map[string]map[string]string
	formats  map[string]string // of the abstract list that is open
	depth    string
	number   string
}

func (r *listReader) start(name string, attributes []xml.Attr) error {
	switch name {
	case "abstractNum":
		r.formats = map[string]string{}
		r.abstract[value(attributes, "abstractNumId")] = r.formats
	case "lvl":
		r.depth = value(attributes, "ilvl")
	case "numFmt":
		if r.formats != nil {
			r.formats[r.depth] = value(attributes, "val")
		}
	case "num":
		r.number = value(attributes, "numId")
	case "abstractNumId":
		for depth, format := range r.abstract[value(attributes, "val")] {
			r.known.formats[r.number+"/"+depth] = format
		}
	}
	return nil
}

func (r *listReader) end(name string) {
	if name == "abstractNum" {
		r.formats = nil
	}
}

func (r *listReader) text([]byte) {}
