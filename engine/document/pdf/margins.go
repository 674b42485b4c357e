package pdf

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
)

const (
	// marginLines is how many lines a header or a footer has at most.
	marginLines = 3
	// fewestPages is on how many pages a line must come again, and mostPages on which part of those with text: titles that change from left
	// pages to right ones come on half of them.
	fewestPages, mostPages = 3, 0.4
	// apart is how far, in sizes of its font, what is no header or footer is away from one.
	apart = 2
)

// margins are the lines at the edges of pages, by what they come again as.
type margins struct {
	// found counts the pages with each; pages are those with text.
	found map[string]int
	pages int
}

// dropMargins takes the headers and footers out of pages: lines at the top and at the bottom that come again on most pages at the same
// height, with the same text, or with numbers that go on with the pages. A page keeps them where nothing else is on it.
func dropMargins(sheets []sheet) {
	all := &margins{found: map[string]int{}}
	for number := range sheets {
		all.count(sheets[number].lines, number)
	}
	for number := range sheets {
		lines := sheets[number].lines
		dropped := append(all.of(lines, number, true), all.of(lines, number, false)...)
		slices.Sort(dropped)
		if dropped = slices.Compact(dropped); len(dropped) == len(lines) {
			continue
		}
		for _, at := range slices.Backward(dropped) {
			lines = slices.Delete(lines, at, at+1)
		}
		sheets[number].lines = lines
	}
}

// count takes a page into account.
func (m *margins) count(lines []line, page int) {
	if len(lines) == 0 {
		return
	}
	m.pages++
	for _, atTop := range []bool{true, false} {
		for _, at := range edge(lines, atTop) {
			for _, key := range marginKeys(&lines[at], page, atTop) {
				m.found[key]++
			}
		}
	}
}

// repeats says whether a line comes again on most pages.
func (m *margins) repeats(one *line, page int, atTop bool) bool {
	return slices.ContainsFunc(marginKeys(one, page, atTop), func(key string) bool {
		return m.found[key] >= fewestPages && float64(m.found[key]) >= mostPages*float64(m.pages)
	})
}

// edge are the places of the lines that stand highest or lowest on a page, from the edge inwards: one more than a margin may have.
func edge(lines []line, atTop bool) []int {
	var places []int
	for i := range lines {
		if lines[i][0].upright {
			places = append(places, i)
		}
	}
	slices.SortStableFunc(places, func(a, b int) int {
		higher := cmp.Compare(lines[b][0].box.bottom, lines[a][0].box.bottom)
		if atTop {
			return higher
		}
		return -higher
	})
	return places[:min(len(places), marginLines+1)]
}

// of are the places of the lines of a page's header or footer: those from the edge on that come again, as far as what follows stands apart.
func (m *margins) of(lines []line, page int, atTop bool) []int {
	places := edge(lines, atTop)
	count := 0
	for i := range places[:min(len(places), marginLines)] {
		if !m.repeats(&lines[places[i]], page, atTop) {
			break
		}
		if i+1 == len(places) || areApart(&lines[places[i]][0], &lines[places[i+1]][0]) {
			count = i + 1
		}
	}
	return places[:count]
}

func areApart(outer, inner *segment) bool {
	return math.Abs(outer.box.bottom-inner.box.bottom) >= apart*max(outer.size, inner.size)
}

var digits = regexp.MustCompile(`[0-9]{1,6}`)

// marginKeys are what a line may come again as: its text, and its text with one number that goes on with the pages. A line with hidden text
// comes again as none: it stays, so that what is hidden in it is counted.
func marginKeys(one *line, page int, atTop bool) []string {
	text := ""
	for i := range *one {
		if slices.ContainsFunc((*one)[i].runs, func(part run) bool { return part.hidden }) {
			return nil
		}
		text += (*one)[i].visible() + "\t"
	}
	if len(text) > 300 || text == "\t" {
		return nil
	}
	place := fmt.Sprintf("%t %.0f ", atTop, (*one)[0].box.bottom/2) // in two points
	keys := []string{place + text}
	for _, at := range digits.FindAllStringIndex(text, 4) {
		number, err := strconv.Atoi(text[at[0]:at[1]])
		if err == nil {
			keys = append(keys, fmt.Sprintf("%s%s\x00%d\x00%s", place, text[:at[0]], number-page, text[at[1]:]))
		}
	}
	return keys
}
