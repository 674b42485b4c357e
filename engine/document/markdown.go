package document

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
	"golang.org/x/net/html"

	"seedloom.dev/seedloom/engine/document/visibility"
)

// span is a range of bytes.
type span struct{ start, end int }

// readMarkdown reads Markdown, which is a text as it is but for what stands before it and what no reader sees.
func readMarkdown(data []byte) (string, error) {
	source, err := readText(data)
	if err != nil {
		return "", err
	}
	source = withoutFrontMatter(source)
	return enclose(source, invisible(source)), nil
}

// withoutFrontMatter cuts off the settings of a page in YAML or TOML.
func withoutFrontMatter(source string) string {
	for _, fence := range []string{"---", "+++"} {
		rest, begins := strings.CutPrefix(source, fence+"\n")
		if !begins {
			continue
		}
		if _, after, ends := strings.Cut("\n"+rest, "\n"+fence+"\n"); ends {
			return after
		}
		if strings.HasSuffix(rest, "\n"+fence) {
			return ""
		}
	}
	return source
}

// enclose puts the marks of hidden parts around spans, which don't overlap.
func enclose(source string, spans []span) string {
	var result strings.Builder
	last := 0
	for _, part := range spans {
		if part.start < last {
			continue
		}
		result.WriteString(source[last:part.start])
		result.WriteRune(hiddenBegin)
		result.WriteString(source[part.start:part.end])
		result.WriteRune(hiddenEnd)
		last = part.end
	}
	result.WriteString(source[last:])
	return result.String()
}

// commentDefinition is a definition of a link that leads nowhere, which stands for a comment.
var commentDefinition = regexp.MustCompile(`(?m)^ {0,3}\[[^\]\n]+\]: *(?:#|<#?>) +["'(][^\n]*$`)

func parseMarkdown(source []byte) ast.Node {
	return goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
}

// invisible finds comments and hidden elements of HTML in Markdown, in their order.
func invisible(source string) []span {
	data := []byte(source)
	finder := &hiddenFinder{}
	_ = ast.Walk(parseMarkdown(data), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch typed := node.(type) {
		case *ast.HTMLBlock:
			finder.lines(data, typed.Lines())
			if typed.HasClosure() {
				finder.segment(data, typed.ClosureLine)
			}
		case *ast.RawHTML:
			finder.lines(data, typed.Segments)
		}
		return ast.WalkContinue, nil
	}) // the function gives no error
	finder.finish(len(source))
	for _, found := range commentDefinition.FindAllStringIndex(source, -1) {
		finder.spans = append(finder.spans, span{found[0], found[1]})
	}
	slices.SortFunc(finder.spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
	return finder.spans
}

// hiddenFinder looks through pieces of HTML that stand in a text.
type hiddenFinder struct {
	spans []span
	// name is the hidden element that is open, since start; depth is how many of its name are open.
	name         string
	start, depth int
}

// lines looks through pieces that follow each other, as one where they do so without a gap.
func (f *hiddenFinder) lines(source []byte, pieces *text.Segments) {
	for i := 0; i < pieces.Len(); {
		joined := pieces.At(i)
		for i++; i < pieces.Len() && pieces.At(i).Start == joined.Stop; i++ {
			joined.Stop = pieces.At(i).Stop
		}
		f.segment(source, joined)
	}
}

func (f *hiddenFinder) segment(source []byte, piece text.Segment) {
	if piece.Start < 0 || piece.Stop <= piece.Start {
		return
	}
	tokens := html.NewTokenizer(bytes.NewReader(source[piece.Start:piece.Stop]))
	at := piece.Start
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			return
		}
		start := at
		at += len(tokens.Raw())
		f.token(kind, tokens, start, at)
	}
}

func (f *hiddenFinder) token(kind html.TokenType, tokens *html.Tokenizer, start, end int) {
	if kind == html.CommentToken && f.name == "" {
		f.spans = append(f.spans, span{start, end})
		return
	}
	if kind != html.StartTagToken && kind != html.EndTagToken {
		return
	}
	token := tokens.Token()
	switch {
	case kind == html.StartTagToken && f.name == "" && !isVoid(token.Data) && visibility.HiddenByAttributes(token.Data, token.Attr):
		f.name, f.start, f.depth = token.Data, start, 1
	case kind == html.StartTagToken && token.Data == f.name:
		f.depth++
	case kind == html.EndTagToken && token.Data == f.name:
		if f.depth--; f.depth == 0 {
			f.finish(end)
		}
	}
}

// finish ends the element that is open.
func (f *hiddenFinder) finish(end int) {
	if f.name == "" {
		return
	}
	f.spans = append(f.spans, span{f.start, end})
	f.name = ""
}

func isVoid(name string) bool {
	return slices.Contains([]string{
		"br", "hr", "img", "input", "link", "meta", "wbr", "source", "track", "area", "base", "col", "embed",
	}, name)
}

// markdownHeadings finds the headings of a Markdown text.
func markdownHeadings(source string) []Heading {
	data := []byte(source)
	var headings []Heading
	_ = ast.Walk(parseMarkdown(data), func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		heading, is := node.(*ast.Heading)
		if !is || !entering || heading.Lines().Len() == 0 {
			return ast.WalkContinue, nil
		}
		at := heading.Lines().At(0).Start
		at = bytes.LastIndexByte(data[:at], '\n') + 1
		if title := headingText(plainText(heading, data)); title != "" {
			headings = append(headings, Heading{At: at, Level: heading.Level, Text: title})
		}
		return ast.WalkSkipChildren, nil
	}) // the function gives no error
	return headings
}

// plainText is a text without its marks.
func plainText(node ast.Node, source []byte) string {
	var result strings.Builder
	_ = ast.Walk(node, func(child ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch typed := child.(type) {
		case *ast.Text:
			result.Write(typed.Segment.Value(source))
			if typed.SoftLineBreak() || typed.HardLineBreak() {
				result.WriteByte(' ')
			}
		case *ast.String:
			result.Write(typed.Value)
		}
		return ast.WalkContinue, nil
	}) // the function gives no error
	return result.String()
}
