package pdf

import "strings"

// bookmark is an entry of the outline of a document.
type bookmark struct {
	title string
	level int
	// page counts from 0. Height is where it leads to on the page; 0 where it says nothing of that.
	page   int
	height float64
}

// What of an outline, and of the structure of a page, is looked at.
const (
	maxBookmarks = 10_000
	maxElements  = 10_000
	maxDepth     = 32
	maxLevel     = 6
)

// readOutline reads the outline of a document with some pages; one that leads in a circle is cut off.
func (i *instance) readOutline(pages int) []bookmark {
	outline := &outlineReader{instance: i, pages: pages, seen: map[uint32]bool{}}
	outline.read(0, 1)
	return outline.found
}

type outlineReader struct {
	*instance
	pages int
	seen  map[uint32]bool
	found []bookmark
}

func (o *outlineReader) read(parent uint64, level int) {
	for one := o.call(bookmarkChild, o.document, parent); one != 0; one = o.call(bookmarkNext, o.document, one) {
		if o.seen[uint32(one)] || len(o.seen) >= maxBookmarks || level > maxDepth {
			return
		}
		o.seen[uint32(one)] = true
		o.add(one, level)
		o.read(one, level+1)
	}
}

func (o *outlineReader) add(one uint64, level int) {
	place := o.call(bookmarkPlace, o.document, one)
	if action := uint64(0); place == 0 {
		if action = o.call(bookmarkAction, one); action != 0 {
			place = o.call(actionPlace, o.document, action)
		}
	}
	title := strings.Join(strings.Fields(o.text(bookmarkTitle, one)), " ")
	if place == 0 || title == "" {
		return
	}
	page := o.number(placePage, o.document, place)
	if page < 0 || page >= o.pages {
		return
	}
	found := bookmark{title: title, level: min(level, maxLevel), page: page}
	if o.isTrue(placeInPage, place, o.at(0), o.at(1), o.at(2), o.at(3), o.at(4), o.at(5)) && o.whole(1) != 0 {
		found.height = o.real(4)
	}
	o.found = append(o.found, found)
}

// readLevels reads which content of a page is a heading by the structure of the document, and of which level.
func (i *instance) readLevels(page uint64) map[int]int {
	tree := i.call(treeOfPage, page)
	if tree == 0 {
		return nil
	}
	defer i.call(treeClose, tree)
	reader := &treeReader{instance: i, levels: map[int]int{}}
	for index := range i.number(treeCount, tree) {
		reader.read(i.call(treeChild, tree, uint64(index)), 0, 0)
	}
	return reader.levels
}

type treeReader struct {
	*instance
	levels map[int]int
	looked int
}

func (t *treeReader) read(element uint64, level, depth int) {
	if t.looked++; element == 0 || depth > maxDepth || t.looked > maxElements || t.err != nil {
		return
	}
	if own := headingLevel(t.text(elementType, element)); own > 0 {
		level = own
	}
	if level > 0 {
		for index := range t.number(elementMarks, element) {
			if mark := t.number(elementMark, element, uint64(index)); mark >= 0 && index < maxElements {
				t.levels[mark] = level
			}
		}
	}
	for index := range t.number(elementCount, element) {
		if t.looked > maxElements {
			return
		}
		t.read(t.call(elementChild, element, uint64(index)), level, depth+1)
	}
}

// headingLevel is the level of a heading by the type of its element; 0 for other types.
func headingLevel(kind string) int {
	switch {
	case kind == "H" || kind == "Title":
		return 1
	case len(kind) == 2 && kind[0] == 'H' && kind[1] >= '1' && kind[1] <= '6':
		return int(kind[1] - '0')
	}
	return 0
}
