package syntax

import (
	"errors"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"seedloom.dev/seedloom/engine/validate"
)

// Elements that have no end tag, and elements whose end tag may be left out.
var (
	voidElements = strings.Fields("area base br col embed hr img input link meta source track wbr")
	loosely      = strings.Fields("html head body li dt dd p rt rp optgroup option colgroup caption thead tbody tfoot tr td th")
)

// openElement is an element that has begun and not ended.
type openElement struct {
	name   string
	offset int
}

// htmlMistakes finds end tags without a start, elements that never end, and what breaks off within a tag or a comment. Browsers show any
// text; these are what an author would call a mistake.
func htmlMistakes(code string) []validate.Message {
	tokens := html.NewTokenizer(strings.NewReader(code))
	checked := &htmlChecker{code: code}
	for len(checked.found) < validate.MaxMessages {
		kind := tokens.Next()
		raw := tokens.Raw()
		start := checked.offset
		checked.offset += len(raw)
		if kind == html.ErrorToken {
			if !errors.Is(tokens.Err(), io.EOF) {
				checked.add(start, tokens.Err().Error())
			}
			checked.finish(start, string(raw))
			return checked.found
		}
		if kind == html.CommentToken && !isComment(string(raw)) {
			checked.add(start, "this is neither a tag nor a comment that ends")
		}
		if kind == html.StartTagToken || kind == html.EndTagToken {
			name, _ := tokens.TagName()
			checked.tag(kind == html.EndTagToken, string(name), start)
		}
	}
	return checked.found
}

func isComment(raw string) bool {
	return strings.HasPrefix(raw, "<!--") && (strings.HasSuffix(raw, "-->") || strings.HasSuffix(raw, "--!>"))
}

type htmlChecker struct {
	code   string
	offset int
	open   []openElement
	found  []validate.Message
}

func (c *htmlChecker) add(offset int, text string) {
	c.found = append(c.found, at(c.code, offset, text))
}

func (c *htmlChecker) tag(ends bool, name string, offset int) {
	switch {
	case !ends && !slices.Contains(voidElements, name):
		c.open = append(c.open, openElement{name, offset})
	case !ends:
	case slices.Contains(voidElements, name):
		c.add(offset, "</"+name+"> is an end tag of an element that has none")
	default:
		c.end(name, offset)
	}
}

// end closes the last open element with a name, and with it those within it whose end tag may be left out.
func (c *htmlChecker) end(name string, offset int) {
	for last := len(c.open) - 1; last >= 0; last-- {
		if c.open[last].name == name {
			c.open = c.open[:last]
			return
		}
		if !slices.Contains(loosely, c.open[last].name) {
			c.add(offset, "</"+name+"> stands where <"+c.open[last].name+"> is still open")
			c.drop(name)
			return
		}
	}
	c.add(offset, "</"+name+"> ends an element that has not begun")
}

// drop forgets the last open element with a name, so that it is reported once.
func (c *htmlChecker) drop(name string) {
	for last := len(c.open) - 1; last >= 0; last-- {
		if c.open[last].name == name {
			c.open = slices.Delete(c.open, last, last+1)
			return
		}
	}
}

// finish reports what is open at the end of the text.
func (c *htmlChecker) finish(start int, rest string) {
	if strings.HasPrefix(rest, "<") {
		c.add(start, "the text ends within a tag")
	}
	for _, element := range c.open {
		if !slices.Contains(loosely, element.name) && len(c.found) < validate.MaxMessages {
			c.add(element.offset, "<"+element.name+"> never ends")
		}
	}
}
