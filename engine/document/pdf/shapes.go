package pdf

// Kinds of objects of a page.
const (
	kindPath  = 2
	kindImage = 3
	kindForm  = 5
)

// What of a page is looked at to tell what is behind and before its text. Beyond it, text counts as seen.
const (
	maxObjects = 20_000
	maxNested  = 8
	maxShapes  = 2_000
)

// color is one of a screen.
type color struct{ red, green, blue uint8 }

var white = color{255, 255, 255}

// near says that nobody can tell two colors apart.
func (c color) near(other color) bool {
	distance := func(a, b uint8) int { return max(int(a), int(b)) - min(int(a), int(b)) }
	return distance(c.red, other.red)+distance(c.green, other.green)+distance(c.blue, other.blue) <= 12
}

// shape is what is painted on a page but for text.
type shape struct {
	box   box
	order int
	color color
	// even says that it is a rectangle of one color; what another shape looks like is not known.
	even bool
	// image says that it is a picture.
	image bool
}

// shapes are those of a page, in the order in which they are painted.
type shapes struct {
	filled []shape
	// lines are the places of what is drawn as lines.
	lines []box
	// orders says when each text object is painted.
	orders map[uint32]int
	// incomplete says that there are more than those that were looked at.
	incomplete bool
	images     int
}

// readShapes looks through the objects of a page.
func (i *instance) readShapes(page uint64, quarters int) *shapes {
	found := &shapes{orders: map[uint32]int{}}
	for index := range i.number(pageObjects, page) {
		i.readObject(found, i.call(pageObject, page, uint64(index)), matrix{a: 1, d: 1}, quarters, 0)
		if found.incomplete || i.err != nil {
			break
		}
	}
	return found
}

func (i *instance) readObject(found *shapes, object uint64, place matrix, quarters, depth int) {
	order := len(found.orders)
	if order >= maxObjects || len(found.filled) >= maxShapes || len(found.lines) >= maxShapes || depth > maxNested {
		found.incomplete = true
		return
	}
	found.orders[uint32(object)] = order
	switch i.number(objectType, object) {
	case kindPath:
		i.readPath(found, object, place, quarters, order)
	case kindImage:
		found.images++
		if at, known := i.boundsOf(object, place, quarters); known {
			found.filled = append(found.filled, shape{box: at, order: order, image: true})
		}
	case kindForm:
		inner := place
		if i.isTrue(objectMatrix, object, i.at(0)) {
			inner = place.after(i.scratchMatrix())
		}
		for index := range i.number(formObjects, object) {
			i.readObject(found, i.call(formObject, object, uint64(index)), inner, quarters, depth+1)
			if found.incomplete || i.err != nil {
				return
			}
		}
	}
}

func (i *instance) boundsOf(object uint64, place matrix, quarters int) (box, bool) {
	if !i.isTrue(objectBounds, object, i.at(0), i.at(1), i.at(2), i.at(3)) {
		return box{}, false
	}
	at := place.apply(box{i.real(0), i.real(1), i.real(2), i.real(3)}).turned(quarters)
	return at, at.sound()
}

// thin is how wide a line is at most, in points.
const thin = 3

func (i *instance) readPath(found *shapes, object uint64, place matrix, quarters, order int) {
	at, known := i.boundsOf(object, place, quarters)
	if !known || !i.isTrue(pathMode, object, i.at(0), i.at(1)) {
		return
	}
	fills, strokes := i.whole(0) != 0, i.whole(1) != 0
	if strokes || fills && min(at.width(), at.height()) <= thin {
		found.lines = append(found.lines, at)
	}
	if !fills || at.area() == 0 {
		return
	}
	one := shape{box: at, order: order}
	if i.isTrue(objectFill, object, i.at(0), i.at(1), i.at(2), i.at(3)) {
		one.color = color{uint8(i.whole(0)), uint8(i.whole(1)), uint8(i.whole(2))}
		opaque := i.whole(3) == 255
		segments := i.number(pathSegments, object)
		one.even = opaque && (segments == 4 || segments == 5) && !i.isTrue(objectTransparent, object)
	}
	found.filled = append(found.filled, one)
}

// hides says whether text of a color, at a place of the page, can't be seen for what is behind or before it.
func (s *shapes) hides(text color, order int, at box) bool {
	if s.incomplete {
		return false
	}
	x, y := at.center()
	behind, certain := white, true
	for _, one := range s.filled {
		if !one.box.contains(x, y) {
			continue
		}
		if one.order > order {
			if one.even {
				return true
			}
			continue
		}
		behind, certain = one.color, one.even
	}
	return certain && text.near(behind)
}

// pictured says whether a picture of at least half of the page is at a place: text there that is not painted was read from the picture.
func (s *shapes) pictured(at, page box) bool {
	x, y := at.center()
	for _, one := range s.filled {
		if one.image && one.box.area() >= page.area()/2 && one.box.contains(x, y) {
			return true
		}
	}
	return false
}
