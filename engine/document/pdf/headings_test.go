package pdf

import "testing"

func TestEntriesOfTheOutlineAreFoundByTheirWords(t *testing.T) {
	for name, test := range map[string]struct {
		title string
		lines []string
		want  int // the line that is a heading; -1 for none
	}{
		"the same words":        {"Part One", []string{"* * *", "PART ONE", "text"}, 1},
		"numbered on the page":  {"Scope", []string{"text", "1. Scope"}, 1},
		"numbered in the entry": {"1. Scope", []string{"Scope", "text"}, 0},
		"in two lines":          {"A long title", []string{"A long", "title", "text"}, 0},
		"a number":              {"12", []string{"* * *", "12"}, 1},
		"a number of the page":  {"12", []string{"* * *", "text"}, -1},
		"no words":              {"***", []string{"* * *", "text"}, -1},
	} {
		page := &sheet{}
		for _, text := range test.lines {
			page.lines = append(page.lines, line{{runs: []run{{text: []byte(text)}}}})
		}
		found := markByWords(page, &bookmark{title: test.title, level: 2})
		first := -1
		for i, one := range page.lines {
			if one[0].level > 0 && first < 0 {
				first = i
			}
		}
		if first != test.want || found != (test.want >= 0) {
			t.Errorf("%s: line %d is a heading, found is %v", name, first, found)
		}
	}
}
