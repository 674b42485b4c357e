package document

import (
	"strings"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Readers put these noncharacters into the text, which finish turns into places. No text has them: clean removes them before.
const (
	hiddenBegin  = '\uFDD0'
	hiddenEnd    = '\uFDD1'
	headingBegin = '\uFDD2' // of the heading at this place: a digit, its level, and its title follow, which are no text of the document
	headingEnd   = '\uFDD3'
	pageBegin    = '\uFDD4'
)

// What encloses hidden text that is marked.
const (
	markBegin = "[hidden text: "
	markEnd   = "]"
)

// clean removes what no text has: the noncharacters that readers put in themselves, zeros and other controls.
func clean(text string) string {
	return strings.Map(func(char rune) rune {
		switch {
		case char >= '\uFDD0' && char <= '\uFDEF':
			return -1
		case char < ' ' && char != '\n' && char != '\t', char == 0x7f:
			return -1
		}
		return char
	}, strings.NewReplacer("\r\n", "\n", "\r", "\n", "\f", "\n", "\v", "\n").Replace(text))
}

// writer builds the text of a document.
type writer struct {
	mode   v1alpha1.HiddenText
	text   strings.Builder
	result Document
	// inHeading says that a heading is open, which heading holds.
	inHeading bool
	heading   []rune
	// depth is how many hidden parts are open, hidden what they hold.
	depth  int
	hidden strings.Builder
	// flag says that the tags of a flag (an emoji) may follow.
	flag bool
}

// finish turns what a reader has written into a document.
func finish(raw string, mode v1alpha1.HiddenText) (*Document, error) {
	result := &writer{mode: mode}
	if len(raw) > 2*MaxText {
		return nil, problem("it has more than %d MiB of text: split it", MaxText>>20)
	}
	for _, char := range raw {
		result.take(char)
		if result.text.Len()+result.hidden.Len() > MaxText {
			return nil, problem("it has more than %d MiB of text: split it", MaxText>>20)
		}
	}
	result.endHidden()
	result.result.Text = result.text.String()
	return &result.result, nil
}

// take takes a character, or a mark.
func (w *writer) take(char rune) {
	switch {
	case char == hiddenBegin:
		w.depth++
	case char == hiddenEnd:
		if w.depth--; w.depth == 0 {
			w.endHidden()
		}
	case char == headingBegin:
		w.inHeading = true
	case char == headingEnd:
		w.endHeading()
	case char == pageBegin:
		w.result.Pages = append(w.result.Pages, w.text.Len())
	case w.inHeading:
		w.heading = append(w.heading, char)
	default:
		w.char(char)
	}
}

func (w *writer) endHeading() {
	title := &writer{mode: w.mode} // what of its characters is never seen is treated as it is in the text
	for _, char := range w.heading[1:] {
		title.char(char)
	}
	title.endHidden()
	if text := headingText(title.text.String()); text != "" {
		w.result.Headings = append(w.result.Headings, Heading{At: w.text.Len(), Level: int(w.heading[0] - '0'), Text: text})
	}
	w.inHeading, w.heading = false, nil
}

// maxHeading bounds the characters of a heading in the path of a chunk.
const maxHeading = 200

// headingText is a heading on one line.
func headingText(text string) string {
	text = strings.Join(strings.Fields(strings.TrimLeft(text, "#")), " ")
	if utf8.RuneCountInString(text) > maxHeading {
		text = string([]rune(text)[:maxHeading]) + "…"
	}
	return text
}

// char takes a character, which may be one that is never seen.
func (w *writer) char(char rune) {
	tag := char >= 0xE0000 && char <= 0xE007F || char >= 0xE0100 && char <= 0xE01EF
	if w.mode == v1alpha1.HiddenTextKeep || !tag {
		w.flag = char == blackFlag
	}
	switch {
	case tag && !w.flag && w.mode != v1alpha1.HiddenTextKeep:
		w.tag(char)
	case !tag && w.mode != v1alpha1.HiddenTextKeep && isInvisible(char):
	case w.depth > 0:
		w.hidden.WriteRune(char)
	default:
		if !tag {
			w.endHidden() // of tags
		}
		w.text.WriteRune(char)
	}
}

// blackFlag begins the flags of regions, which tags spell.
const blackFlag = '\U0001F3F4'

// tag takes a character that stands for a letter, and is never seen.
func (w *writer) tag(char rune) {
	if char >= 0xE0020 && char < 0xE007F {
		char -= 0xE0000
	} else {
		char = '\uFFFD'
	}
	w.hidden.WriteRune(char)
}

// isInvisible says whether a character is only a hint of how to set a text.
func isInvisible(char rune) bool {
	switch {
	case char == '\u00AD', char == '\u200B', char == '\uFEFF', char == '\u180E', char >= '\u2060' && char <= '\u2064':
		return true
	case char >= '\u202A' && char <= '\u202E', char >= '\u2066' && char <= '\u206F', char == '\u200E', char == '\u200F':
		return true
	}
	return char == '\u115F' || char == '\u1160' || char == '\u3164' || char == '\uFFA0'
}

// endHidden ends a hidden part, and does with it what was asked for.
func (w *writer) endHidden() {
	if w.hidden.Len() == 0 {
		return
	}
	text := w.hidden.String()
	w.hidden.Reset()
	if strings.TrimSpace(text) == "" {
		w.text.WriteString(text)
		return
	}
	part := Hidden{At: w.text.Len(), Characters: utf8.RuneCountInString(strings.TrimSpace(text))}
	switch w.mode {
	case v1alpha1.HiddenTextKeep:
		w.text.WriteString(text)
		part.End = w.text.Len()
	case v1alpha1.HiddenTextMark:
		w.text.WriteString(markBegin)
		part.At = w.text.Len()
		w.text.WriteString(strings.TrimSpace(text))
		part.End = w.text.Len()
		w.text.WriteString(markEnd)
	default:
		part.End = part.At
	}
	w.result.Hidden = append(w.result.Hidden, part)
}
