// Package visibility says which parts of a web page a reader can't see, by its attributes and by the style sheets that are in it.
// It fetches nothing, runs nothing and changes no page; where it can't know a value, it takes a text for one that is seen.
package visibility

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Hidden returns the elements that are hidden as a whole, and the texts and pictures in them. It is an error when the page has more style
// sheets than can be looked at.
func Hidden(page *html.Node) (map[*html.Node]bool, error) {
	all, err := cascade(page)
	if err != nil {
		return nil, err
	}
	f := &finder{properties: all, hidden: map[*html.Node]bool{}}
	f.look(page, surroundings{color: black, background: white})
	return f.hidden, nil
}

// HiddenByAttributes says whether the attributes of an element alone keep a reader from seeing it.
func HiddenByAttributes(name string, attributes []html.Attribute) bool {
	element := &html.Node{Type: html.ElementNode, Data: name, Attr: attributes}
	element.AppendChild(&html.Node{Type: html.TextNode, Data: "text"})
	own := properties{}
	present(element, own)
	inline(element, own, false)
	inline(element, own, true)
	f := &finder{properties: own, hidden: map[*html.Node]bool{}}
	f.look(element, surroundings{color: black, background: white})
	return f.hidden[element]
}

// surroundings are what an element has from those around it. A color that is not known is empty.
type surroundings struct {
	color, background string
	invisible, tiny   bool
}

func (s surroundings) hide() bool {
	return s.invisible || s.tiny || s.color == transparent || s.color != "" && s.color == s.background
}

type finder struct {
	properties properties
	hidden     map[*html.Node]bool
}

// look returns how many texts and pictures a node has, and how many of them are hidden. Parsing has bounded how deep it goes.
func (f *finder) look(node *html.Node, around surroundings) (texts, hidden int) {
	own := around
	switch node.Type {
	case html.TextNode:
		if strings.TrimSpace(node.Data) == "" {
			return 0, 0
		}
		return 1, f.count(node, around)
	case html.ElementNode:
		if _, is := attribute(node, "hidden"); is || removed(f.properties[node]) {
			f.hidden[node] = true
			return 1, 1
		}
		own = around.with(f.properties[node])
		if node.Data == "img" {
			return 1, f.count(node, surroundings{invisible: own.invisible})
		}
	}
	for child := range node.ChildNodes() {
		of, lost := f.look(child, own)
		texts, hidden = texts+of, hidden+lost
	}
	if own != around && texts > 0 && texts == hidden {
		f.hidden[node] = true
	}
	return texts, hidden
}

func (f *finder) count(node *html.Node, around surroundings) int {
	if !around.hide() {
		return 0
	}
	f.hidden[node] = true
	return 1
}

// with returns what an element gives to what is in it.
func (s surroundings) with(own map[string]string) surroundings {
	switch own["visibility"] {
	case "hidden", "collapse":
		s.invisible = true
	case "visible", "initial":
		s.invisible = false
	}
	if size := own["font-size"]; size != "" && size != "inherit" {
		relative := strings.HasSuffix(size, "%") || strings.HasSuffix(size, "em") && !strings.HasSuffix(size, "rem")
		s.tiny = isZero(size) || size == "1px" || s.tiny && relative
	}
	s.background = behind(own, s.background)
	if color := own["color"]; color != "" && color != "inherit" && color != "currentcolor" {
		s.color = plainColor(color)
	}
	if own["background-clip"] == "text" || own["-webkit-background-clip"] == "text" {
		s.color = ""
	}
	return s
}

// behind is the color behind the text of an element: its own, or that around it.
func behind(own map[string]string, around string) string {
	if picture := own["background-image"]; picture != "" && picture != "none" && picture != "initial" {
		return ""
	}
	switch color := plainColor(own["background-color"]); {
	case color == transparent, slices.Contains([]string{"", "none", "inherit", "initial", "unset"}, color):
		return around
	case strings.Contains(color, "url(") || strings.Contains(color, "gradient("):
		return ""
	default:
		return color
	}
}

// removed says whether nothing of an element is seen, whatever those in it say of themselves.
func removed(own map[string]string) bool {
	placed := slices.Contains([]string{"absolute", "fixed", "relative", "sticky"}, own["position"])
	switch {
	case own["display"] == "none", isZero(own["opacity"]):
		return true
	case placed && (isFarOff(own["left"]) || isFarOff(own["top"])), isFarOff(own["text-indent"]):
		return true
	case isFarOff(own["margin-left"]) && !strings.HasSuffix(own["left"], "%"):
		return true
	}
	nothing := func(shape string) bool { return strings.HasPrefix(own["clip"], shape) }
	return slices.ContainsFunc([]string{"rect(0,0,0,0", "rect(0000", "rect(0px,0px,0px,0px", "rect(1px,1px,1px,1px"}, nothing) ||
		slices.Contains([]string{"inset(50%)", "inset(100%)"}, own["clip-path"])
}

// properties are those of elements by their names; elements without any are not in it.
type properties map[*html.Node]map[string]string

// set takes what is declared for an element.
func (p properties) set(element *html.Node, declared declaration) {
	own := p[element]
	if own == nil {
		own = map[string]string{}
		p[element] = own
	}
	if declared.name == "background" { // it sets all that the background has
		delete(own, "background-image")
		own["background-color"] = declared.value
		return
	}
	own[declared.name] = declared.value
}

// present takes the properties of the attributes of old pages.
func present(element *html.Node, into properties) {
	if color, is := attribute(element, "bgcolor"); is {
		into.set(element, declaration{name: "background-color", value: plain(color)})
	}
	name := "color"
	if element.Data == "body" {
		name = "text"
	}
	if color, is := attribute(element, name); is && (element.Data == "body" || element.Data == "font") {
		into.set(element, declaration{name: "color", value: plain(color)})
	}
}

// inline takes the properties of an element's own style, those that are important or the others.
func inline(element *html.Node, into properties, important bool) {
	style, is := attribute(element, "style")
	if !is {
		return
	}
	for _, declared := range declarations(tokens(style)) {
		if declared.important == important {
			into.set(element, declared)
		}
	}
}

func attribute(element *html.Node, name string) (value string, is bool) {
	for _, attribute := range element.Attr {
		if attribute.Key == name {
			return attribute.Val, true
		}
	}
	return "", false
}

// cascade returns the properties of each element that has any: those of old attributes, of the style sheets by their specificity, of its
// own style, and then those that are important.
func cascade(page *html.Node) (properties, error) {
	var elements []*html.Node
	for node := range page.Descendants() {
		if node.Type == html.ElementNode {
			elements = append(elements, node)
		}
	}
	rules, by, err := sheets(elements)
	if err != nil {
		return nil, err
	}
	all := properties{}
	for _, element := range elements {
		present(element, all)
	}
	for _, important := range []bool{false, true} {
		for _, rule := range rules {
			rule.apply(by[rule.key], all, important)
		}
		for _, element := range elements {
			inline(element, all, important)
		}
	}
	return all, nil
}
