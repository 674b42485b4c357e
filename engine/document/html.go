package document

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"

	"seedloom.dev/seedloom/engine/document/visibility"
)

// without are the elements that hold no text of the document.
var without = []string{
	"script", "style", "template", "noscript", "svg", "math", "iframe", "object", "embed", "canvas", "nav", "button", "select", "input",
	"textarea", "head", "audio", "video", "map", "dialog",
}

// readHTML reads a web page as Markdown.
func readHTML(data []byte, keep bool) (string, error) {
	decoded, err := charset.NewReader(bytes.NewReader(data), "text/html")
	if err != nil {
		return "", problem("its encoding is not known: %v", err)
	}
	text, err := io.ReadAll(io.LimitReader(decoded, 4*MaxBytes))
	if err != nil {
		return "", problem("it is not text in the encoding that it names: %v", err)
	}
	page, err := html.Parse(strings.NewReader(clean(strings.ToValidUTF8(string(text), "\uFFFD"))))
	if err != nil {
		return "", problem("its elements are nested too deep, or it is no HTML: %v", err)
	}
	cleanTree(page)
	hidden, err := visibility.Hidden(page)
	if err != nil {
		return "", problem("%v", err)
	}
	(&preparer{keep: keep, hidden: hidden}).prepare(page, false)
	to := converter.NewConverter(converter.WithPlugins(
		base.NewBasePlugin(),
		commonmark.NewCommonmarkPlugin(commonmark.WithListEndComment(false)),
		table.NewTablePlugin(table.WithNewlineBehavior(table.NewlineBehaviorPreserve), table.WithSpanCellBehavior(table.SpanBehaviorMirror),
			table.WithHeaderPromotion(true)),
	))
	markdown, err := to.ConvertNode(page)
	if err != nil {
		return "", problem("it can't be turned into text: %v", err)
	}
	return string(markdown), nil
}

// cleanTree removes from a page what no text has: entities may stand for the marks of hidden parts.
func cleanTree(page *html.Node) {
	for node := range page.Descendants() {
		if node.Type == html.TextNode {
			node.Data = clean(node.Data)
		}
		for i := range node.Attr {
			node.Attr[i].Val = clean(node.Attr[i].Val)
		}
	}
}

// preparer makes a page ready to become text.
type preparer struct {
	// keep says that hidden elements stay what they are; else they are replaced by their texts.
	keep bool
	// hidden are the elements, texts and pictures that a reader can't see.
	hidden map[*html.Node]bool
}

// prepare removes from a page what is no text, and marks what is hidden. Parsing has bounded how deep it goes.
func (p *preparer) prepare(node *html.Node, hidden bool) {
	for child := node.FirstChild; child != nil; {
		next := child.NextSibling
		isElement := child.Type == html.ElementNode
		switch {
		case child.Type == html.CommentNode, isElement && slices.Contains(without, child.Data):
			node.RemoveChild(child)
		case isElement && child.Data == "img":
			// Pictures are their descriptions: what they show is no text, and may be megabytes of it.
			text := attribute(child.Attr, "alt")
			if hidden || p.hidden[child] {
				text = enclosed(text)
			}
			node.InsertBefore(&html.Node{Type: html.TextNode, Data: text}, child)
			node.RemoveChild(child)
		case child.Type == html.TextNode && (hidden || p.hidden[child]):
			child.Data = enclosed(child.Data)
		case isElement && !hidden && !p.keep && p.hidden[child]:
			replace(child, enclosed(textOf(child)))
		default:
			p.prepare(child, hidden || p.hidden[child])
		}
		child = next
	}
}

// enclosed is a text that is hidden.
func enclosed(text string) string {
	if strings.TrimSpace(text) == "" {
		return text
	}
	return string(hiddenBegin) + text + string(hiddenEnd)
}

// textOf is the text of an element.
func textOf(node *html.Node) string {
	var text strings.Builder
	for child := range node.Descendants() {
		switch {
		case child.Type == html.TextNode && !slices.Contains(without, child.Parent.Data):
			text.WriteString(child.Data)
		case child.Type == html.ElementNode && child.Data == "img":
			text.WriteString(attribute(child.Attr, "alt"))
		case child.Type == html.ElementNode && text.Len() > 0 && isBlock(child.Data):
			text.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// isBlock says whether an element stands on lines of its own.
func isBlock(name string) bool {
	return slices.Contains([]string{"p", "div", "br", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6", "section"}, name)
}

// replace puts a text in the place of an element: before the table or list, where it was a part of one that has no place for texts.
func replace(node *html.Node, text string) {
	at := node
	for slices.Contains([]string{"table", "thead", "tbody", "tfoot", "tr", "colgroup", "ul", "ol", "dl"}, at.Parent.Data) {
		at = at.Parent
	}
	at.Parent.InsertBefore(&html.Node{Type: html.TextNode, Data: text}, at)
	node.Parent.RemoveChild(node)
}

func attribute(attributes []html.Attribute, name string) string {
	for _, attribute := range attributes {
		if attribute.Key == name {
			return attribute.Val
		}
	}
	return ""
}
