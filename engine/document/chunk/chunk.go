// Package chunk cuts the text of documents by tokens, characters, sentences or headings, and says where each piece stands. It reads no
// documents and writes no rows.
package chunk

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
)

// Chunk is a piece of a document.
type Chunk struct {
	// ID is the same wherever the same text stands in a document of the same path, whatever stands before it.
	ID   string
	Text string
	// Headings are those above the place where the chunk begins, the highest first.
	Headings []string
	// FirstPage and LastPage count from 1; they are 0 where the format has no pages.
	FirstPage, LastPage int
	// Start and End are in characters of the document's text.
	Start, End int
	// Hidden is how many characters of the chunk, or left out in it, a reader of the document can't see.
	Hidden int
}

// Cut cuts a document, and hands over each chunk until it is told to stop. Without rules the document is one chunk.
func Cut(path string, from *document.Document, rules *v1alpha1.DocumentChunk, yield func(Chunk) bool) {
	cutter := &cutter{path: path, from: from, seen: map[[sha256.Size]byte]int{}, yield: yield, above: headingsAbove(from.Headings)}
	whole := span{0, len(from.Text)}
	switch {
	case rules == nil:
		cutter.emit(whole)
	case rules.By == v1alpha1.ChunkByHeadings:
		cutter.sections(rules)
	default:
		cutter.pieces(whole, rules)
	}
}

// span is a range of bytes of the text.
type span struct{ start, end int }

// cutter cuts one document.
type cutter struct {
	path  string
	from  *document.Document
	seen  map[[sha256.Size]byte]int
	yield func(Chunk) bool
	done  bool
	// counted bytes are so many characters.
	counted, characters int
	// above has for each heading the number of the one above it; -1 for none.
	above []int
}

// headingsAbove says of each heading which one is above it.
func headingsAbove(headings []document.Heading) []int {
	above := make([]int, len(headings))
	for i := range headings {
		parent := i - 1
		for parent >= 0 && headings[parent].Level >= headings[i].Level {
			parent = above[parent]
		}
		above[i] = parent
	}
	return above
}

// sections cuts at headings, and what is longer than a size once more.
func (c *cutter) sections(rules *v1alpha1.DocumentChunk) {
	start := 0
	for i := 0; i <= len(c.from.Headings) && !c.done; i++ {
		end := len(c.from.Text)
		if i < len(c.from.Headings) {
			end = c.from.Headings[i].At
		}
		section := span{start, end}
		start = end
		if rules.EffectiveSize() == 0 {
			c.emit(section)
			continue
		}
		c.pieces(section, rules)
	}
}

// pieces cuts a part of the text into chunks of a size.
func (c *cutter) pieces(part span, rules *v1alpha1.DocumentChunk) {
	text := c.from.Text[part.start:part.end]
	units := unitsOf(rules.By, text)
	size, overlap := rules.EffectiveSize(), rules.EffectiveOverlap()
	for start := 0; start < len(text) && !c.done; {
		end := units.forward(start, size)
		if end < len(text) && rules.By != v1alpha1.ChunkBySentences {
			end = boundary(text, units.forward(start, size-size/2), units.forward(start, size-size/4), end)
		}
		c.emit(span{part.start + start, part.start + end})
		if end == len(text) {
			return
		}
		next := end
		if overlap > 0 {
			next = wordStart(text, max(units.back(end, overlap), units.forward(start, max(1, size/4))), end)
		}
		start = next
	}
}

// boundary is where a chunk of at most some bytes ends best: after a paragraph, a line or a sentence in its last quarter, or a word in its
// last half.
func boundary(text string, half, quarter, most int) int {
	for _, ending := range []string{"\n\n", "\n", ". ", "? ", "! ", "。"} {
		if at := strings.LastIndex(text[quarter:most], ending); at >= 0 {
			return quarter + at + len(ending)
		}
	}
	if text[most] == ' ' || text[most] == '\t' {
		return most
	}
	if at := strings.LastIndexAny(text[half:most], " \t"); at >= 0 {
		return half + at + 1
	}
	return most
}

// wordStart is the first begin of a word from a place on, or that place where there is none before the end.
func wordStart(text string, from, end int) int {
	if text[from-1] == ' ' || text[from-1] == '\n' {
		return from
	}
	if at := strings.IndexAny(text[from:end], " \n"); at >= 0 && from+at+1 < end {
		return from + at + 1
	}
	return from
}

// emit hands a chunk over, without the white space around it; one of nothing else is none.
func (c *cutter) emit(whole span) {
	text := c.from.Text[whole.start:whole.end]
	trimmed := strings.TrimLeft(text, " \t\n")
	at := span{start: whole.end - len(trimmed)}
	text = strings.TrimRight(trimmed, " \t\n")
	at.end = at.start + len(text)
	if text == "" || c.done {
		return
	}
	start := c.charactersTo(at.start)
	c.done = !c.yield(Chunk{
		ID: c.identify(text), Text: text, Headings: c.headingsAt(at.start), Start: start, End: start + utf8.RuneCountInString(text),
		FirstPage: c.page(at.start), LastPage: c.page(at.end - 1), Hidden: c.hidden(whole),
	})
}

// identify names a chunk by its document, its text, and how often the same text came before.
func (c *cutter) identify(text string) string {
	sum := sha256.New()
	_, _ = fmt.Fprintf(sum, "%d\n%s\n%s", len(c.path), c.path, text) // a hash takes all
	key := [sha256.Size]byte(sum.Sum(nil))
	_, _ = fmt.Fprintf(sum, "\n%d", c.seen[key])
	c.seen[key]++
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// charactersTo is how many characters stand before a byte. It is asked for places that overlap at most by a chunk.
func (c *cutter) charactersTo(at int) int {
	if at < c.counted {
		return c.characters - utf8.RuneCountInString(c.from.Text[at:c.counted])
	}
	c.characters += utf8.RuneCountInString(c.from.Text[c.counted:at])
	c.counted = at
	return c.characters
}

// headingsAt is the path of headings at a place, with one that stands there itself.
func (c *cutter) headingsAt(at int) []string {
	all := c.from.Headings
	path := []string{}
	for i := sort.Search(len(all), func(i int) bool { return all[i].At > at }) - 1; i >= 0; i = c.above[i] {
		path = append(path, all[i].Text)
	}
	slices.Reverse(path)
	return path
}

// page is the number of the page on which a byte stands.
func (c *cutter) page(at int) int {
	return sort.Search(len(c.from.Pages), func(page int) bool { return c.from.Pages[page] > at })
}

// hidden counts the characters of a span, or left out in it, that can't be seen.
func (c *cutter) hidden(at span) int {
	all := c.from.Hidden
	count := 0
	first := sort.Search(len(all), func(i int) bool { return all[i].End >= at.start })
	for _, part := range all[first:] {
		switch {
		case part.At >= at.end && !(part.At == at.end && at.end == len(c.from.Text)):
			return count
		case part.At == part.End:
			count += part.Characters
		default:
			count += utf8.RuneCountInString(c.from.Text[max(part.At, at.start):max(at.start, min(part.End, at.end))])
		}
	}
	return count
}
