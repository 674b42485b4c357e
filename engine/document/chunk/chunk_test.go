package chunk_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/document"
	"seedloom.dev/seedloom/engine/document/chunk"
)

func rules(by v1alpha1.ChunkUnit, size, overlap int32) *v1alpha1.DocumentChunk {
	return &v1alpha1.DocumentChunk{By: by, Size: new(size), Overlap: new(overlap)}
}

func cut(from *document.Document, by *v1alpha1.DocumentChunk) []chunk.Chunk {
	var all []chunk.Chunk
	chunk.Cut("a.md", from, by, func(one chunk.Chunk) bool {
		all = append(all, one)
		return true
	})
	return all
}

func texts(chunks []chunk.Chunk) []string {
	var all []string
	for _, one := range chunks {
		all = append(all, one.Text)
	}
	return all
}

func TestTextsAreCut(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		by   *v1alpha1.DocumentChunk
		want []string
	}{
		"not at all":           {" one two\n", nil, []string{"one two"}},
		"characters":           {"abcdefgh", rules("Characters", 3, 0), []string{"abc", "def", "gh"}},
		"characters of a text": {"ääöü", rules("Characters", 2, 0), []string{"ää", "öü"}},
		"at words":             {"one two three four", rules("Characters", 9, 0), []string{"one two", "three", "four"}},
		"at sentences":         {"One. Two two two. Three", rules("Characters", 20, 0), []string{"One. Two two two.", "Three"}},
		"at paragraphs":        {"One two three.\n\nFour. Five six", rules("Characters", 20, 0), []string{"One two three.", "Four. Five six"}},
		"with overlap":         {"one two three four five", rules("Characters", 14, 6), []string{"one two three", "three four", "four five"}},
		"one letter each":      {"a b", rules("Characters", 1, 0), []string{"a", "b"}},
		"sentences":            {"One. Two! Three? Four.", rules("Sentences", 2, 0), []string{"One. Two!", "Three? Four."}},
		"sentences overlap":    {"One. Two! Three? Four.", rules("Sentences", 2, 1), []string{"One. Two!", "Two! Three?", "Three? Four."}},
		"tokens":               {"one two three four five", rules("Tokens", 2, 0), []string{"one two", "three four", "five"}},
		"tokens overlap":       {"one two three four five", rules("Tokens", 3, 1), []string{"one two three", "three four five"}},
		"tokens of emojis":     {"🦄🦄🦄", rules("Tokens", 1, 0), []string{"🦄", "🦄", "🦄"}},
	} {
		t.Run(name, func(t *testing.T) {
			if found := texts(cut(&document.Document{Text: test.text}, test.by)); !slices.Equal(found, test.want) {
				t.Errorf("got %q, want %q", found, test.want)
			}
		})
	}
}

func TestAChunkKnowsItsPlace(t *testing.T) {
	text := "intro\n# A\nfirst\n## B\nsecond\n# C\nthïrd"
	at := func(part string) int { return strings.Index(text, part) }
	from := &document.Document{
		Text:     text,
		Headings: []document.Heading{{At: at("# A"), Level: 1, Text: "A"}, {At: at("## B"), Level: 2, Text: "B"}, {At: at("# C"), Level: 1, Text: "C"}},
		Pages:    []int{0, at("second"), at("thïrd")},
		Hidden:   []document.Hidden{{At: at("first"), End: at("first"), Characters: 7}, {At: at("# C") - 1, End: at("# C") - 1, Characters: 2}},
	}
	var found []string
	for _, one := range cut(from, &v1alpha1.DocumentChunk{By: v1alpha1.ChunkByHeadings}) {
		found = append(found, fmt.Sprintf("%q %s p%d-%d %d-%d h%d", one.Text, one.Headings, one.FirstPage, one.LastPage, one.Start, one.End,
			one.Hidden))
	}
	want := []string{
		`"intro" [] p1-1 0-5 h0`, `"# A\nfirst" [A] p1-1 6-15 h7`, `"## B\nsecond" [A B] p1-2 16-27 h2`, `"# C\nthïrd" [C] p2-3 28-37 h0`,
	}
	if !slices.Equal(found, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(found, "\n"), strings.Join(want, "\n"))
	}
	overlapping := cut(from, rules("Characters", 10, 5))
	if last := overlapping[len(overlapping)-1]; !slices.Equal(last.Headings, []string{"C"}) || last.End != utf8.RuneCountInString(text) {
		t.Errorf("got %+v", last)
	}
}

func TestIDsStayWhereTextIsAdded(t *testing.T) {
	by := &v1alpha1.DocumentChunk{By: v1alpha1.ChunkByHeadings}
	before := cut(&document.Document{Text: "# A\nsame\n", Headings: []document.Heading{{At: 0, Level: 1, Text: "A"}}}, by)
	after := cut(&document.Document{
		Text:     "# New\n# A\nsame\n# A\nsame",
		Headings: []document.Heading{{At: 0, Level: 1, Text: "New"}, {At: 6, Level: 1, Text: "A"}, {At: 15, Level: 1, Text: "A"}},
	}, by)
	if len(after) != 3 || before[0].ID != after[1].ID || after[1].ID == after[2].ID || len(before[0].ID) != 32 {
		t.Errorf("got %+v and %+v", before, after)
	}
	var other []chunk.Chunk
	chunk.Cut("b.md", &document.Document{Text: "# A\nsame"}, nil, func(one chunk.Chunk) bool { other = append(other, one); return true })
	if other[0].ID == before[0].ID {
		t.Error("the same text has the same id in another document")
	}
}

// Whatever a text is, its chunks are parts of it of the size that was asked for, and all of its words are in them.
func FuzzCut(f *testing.F) {
	f.Add("One two. Three\n\nfour 🦄 fünf", 0, 5, 2)
	f.Add(strings.Repeat("a", 100), 1, 7, 3)
	f.Add("   \n\n a", 2, 1, 0)
	units := []v1alpha1.ChunkUnit{v1alpha1.ChunkByCharacters, v1alpha1.ChunkByTokens, v1alpha1.ChunkBySentences}
	f.Fuzz(func(t *testing.T, text string, unit, size, overlap int) {
		if size < 1 || size > 1000 || overlap < 0 || 2*overlap > size || !utf8.ValidString(text) || len(text) > 1<<14 {
			return
		}
		by := units[uint(unit)%3]
		runes := []rune(text)
		last := 0
		for _, one := range cut(&document.Document{Text: text}, rules(by, int32(size), int32(overlap))) {
			if string(runes[one.Start:one.End]) != one.Text || by == v1alpha1.ChunkByCharacters && one.End-one.Start > size {
				t.Fatalf("%+v is no chunk of %q", one, text)
			}
			if one.Start > last && strings.Trim(string(runes[last:one.Start]), " \t\n") != "" {
				t.Fatalf("%q is in no chunk", string(runes[last:one.Start]))
			}
			last = one.End
		}
		if strings.Trim(string(runes[last:]), " \t\n") != "" {
			t.Fatalf("%q is in no chunk", string(runes[last:]))
		}
	})
}
