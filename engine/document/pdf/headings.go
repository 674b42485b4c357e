package pdf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
)

// markHeadings says of the lines of a document which are headings: by its structure, else by its outline, else by the size of their font.
// Entries of the outline that no line has the words of are put down with their page.
func markHeadings(sheets []sheet, outline []bookmark, into *Document) {
	for segment := range segments(sheets) {
		if segment.level > 0 {
			return
		}
	}
	if len(outline) == 0 {
		markBySize(sheets)
		return
	}
	for _, entry := range outline {
		if !markByWords(&sheets[entry.page], &entry) {
			page := &into.Pages[entry.page]
			page.Bookmarks = append(page.Bookmarks, Heading{Level: entry.level, Title: entry.title})
		}
	}
}

// segments goes through those of all pages.
func segments(sheets []sheet) func(yield func(*segment) bool) {
	return func(yield func(*segment) bool) {
		for i := range sheets {
			for _, line := range sheets[i].lines {
				for at := range line {
					if !yield(&line[at]) {
						return
					}
				}
			}
		}
	}
}

// What a line may have that is a heading by its size, how much larger than the text it is, and how many levels there are.
const (
	longestHeading = 200
	muchLarger     = 1.15
	mostSizes      = 4
)

// markBySize takes lines in a font that is larger than that of the text.
func markBySize(sheets []sheet) {
	chars := map[float64]int{}
	for segment := range segments(sheets) {
		chars[rounded(segment.size)] += segment.chars
	}
	body := 0.0
	for size, count := range chars {
		if count > chars[body] || count == chars[body] && size > body {
			body = size
		}
	}
	var sizes []float64
	for size := range chars {
		if size > muchLarger*body {
			sizes = append(sizes, size)
		}
	}
	slices.SortFunc(sizes, func(a, b float64) int { return cmp.Compare(b, a) })
	for i := range sheets {
		for _, line := range sheets[i].lines {
			level := slices.Index(sizes, rounded(line[0].size)) + 1
			if text := line.whole(); level > 0 && text.chars <= longestHeading && strings.ContainsFunc(text.visible(), unicode.IsLetter) {
				line[0].level = min(level, mostSizes)
			}
		}
	}
}

func rounded(size float64) float64 { return math.Round(2*size) / 2 }

// markByWords takes the line that has the words of an entry of the outline; of several, the one nearest to where it leads. An entry may go
// on in the next lines.
func markByWords(page *sheet, entry *bookmark) bool {
	title := wordsOnly(entry.title)
	best, count := -1, 0
	for i := range page.lines {
		lines := matching(page.lines[i:], title)
		if lines > 0 && (best < 0 || entry.height > 0 && distance(page, i, entry) < distance(page, best, entry)) {
			best, count = i, lines
		}
	}
	for i := range count {
		page.lines[best+i][0].level = entry.level
	}
	return best >= 0
}

func distance(page *sheet, line int, entry *bookmark) float64 {
	return math.Abs(page.lines[line][0].box.top - entry.height)
}

// mostLines is how many lines a heading may have.
const mostLines = 4

// matching is how many of the first lines have the words of a title; 0 where they have others, or are headings already.
func matching(lines []line, title string) int {
	words := ""
	for i, line := range lines[:min(len(lines), mostLines)] {
		if line[0].level > 0 {
			return 0
		}
		words += wordsOnly(line.whole().visible())
		switch {
		case words == "":
			return 0
		case words == title, words == strings.TrimLeft(title, "0123456789"), strings.TrimLeft(words, "0123456789") == title:
			return i + 1
		case !strings.HasPrefix(title, words):
			return 0
		}
	}
	return 0
}

// wordsOnly is a text without spaces and marks, in small letters.
func wordsOnly(text string) string {
	return strings.Map(func(char rune) rune {
		if unicode.IsLetter(char) || unicode.IsDigit(char) {
			return unicode.ToLower(char)
		}
		return -1
	}, text)
}
