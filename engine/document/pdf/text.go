package pdf

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"seedloom.dev/seedloom/engine/document/block"
)

// Document is what is read of a document.
type Document struct{ Pages []Page }

// Page is what is read of a page.
type Page struct {
	Blocks []block.Block
	// Bookmarks are the entries of the outline that lead to the page, and of which no line there has the words.
	Bookmarks []Heading
	// Image says that it has a picture.
	Image bool
}

// Heading is what an entry of the outline says.
type Heading struct {
	Level int
	Title string
}

// visible is the text of a segment that is seen.
func (s *segment) visible() string {
	var text strings.Builder
	for _, one := range s.runs {
		if !one.hidden {
			text.Write(one.text)
		}
	}
	return text.String()
}

// join appends a segment after some text between them.
func (s *segment) join(next *segment, between string) {
	s.runs = joined(s.runs, next.runs, between)
	s.chars += next.chars + utf8.RuneCountInString(between)
	s.box = s.box.with(next.box)
	s.toLeft = s.toLeft || next.toLeft
}

// copied is a segment that can be joined with others without changing the one that it is of.
func (s *segment) copied() *segment {
	result := *s
	result.runs = make([]run, len(s.runs))
	for i, one := range s.runs {
		result.runs[i] = run{slices.Clone(one.text), one.hidden}
	}
	return &result
}

// whole is a line as one segment.
func (l line) whole() *segment {
	first := l[0].copied()
	for i := range l[1:] {
		first.join(&l[i+1], " ")
	}
	return first
}

// lastText and firstText are the texts at the ends of a segment.
func (s *segment) lastText() []byte {
	if len(s.runs) == 0 {
		return nil
	}
	return s.runs[len(s.runs)-1].text
}

func (s *segment) firstText() []byte {
	if len(s.runs) == 0 {
		return nil
	}
	return s.runs[0].text
}

// finished are the pieces of a text as others see them.
func finished(runs []run) []block.Run {
	var result []block.Run
	for _, one := range runs {
		text := strings.ReplaceAll(string(one.text), string(hyphen), "-")
		if text != "" {
			result = append(result, block.Run{Text: text, Hidden: one.hidden})
		}
	}
	return result
}

// endsSentence says whether a text ends as a sentence does.
func endsSentence(text []byte) bool {
	text = bytes.TrimRight(text, " \"')]\u201d\u00bb")
	last, _ := utf8.DecodeLastRune(text)
	return strings.ContainsRune(".!?:;…。！？", last)
}

func beginsSmall(text []byte) bool {
	first, _ := utf8.DecodeRune(text)
	return unicode.IsLower(first)
}

// withoutSpaces says whether the letters of a script are written without spaces between words.
func withoutSpaces(char rune) bool {
	return unicode.In(char, unicode.Han, unicode.Hiragana, unicode.Katakana) || char >= 0x3000 && char < 0x3040
}

// label is what items of lists, and numbered headings, begin with.
var label = regexp.MustCompile(`^(?:[•◦▪‣·●○■□–*\x{2212}\x{F0B7}-]|\(?(?:[0-9]{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]|` +
	`[0-9]{1,2}(?:\.[0-9]{1,2})+\.?|§ ?[0-9]+)$`)

// isLabel says whether a text is one and no more.
func isLabel(text string) bool { return label.MatchString(strings.TrimSpace(text)) }

// beginsWithLabel says whether a line begins with one.
func beginsWithLabel(text []byte) bool {
	word, rest, _ := bytes.Cut(text, []byte(" "))
	return len(rest) > 0 && len(word) <= 12 && label.Match(word)
}
