package people

import (
	"strings"

	"seedloom.dev/seedloom/engine/random"
)

// pattern is a text with places for characters that are drawn: # is a digit, % one from 1 to 9, ? a letter of the locale, [..] one of some
// characters, of which a-b is a range, and @ a text that is given.
type pattern []part

// part is a text as it is, or the characters of which one is drawn; given says that it is the text which is given.
type part struct {
	text, oneOf string
	given       bool
}

func parsePattern(source, letters string) pattern {
	var parsed pattern
	for source != "" {
		at := strings.IndexAny(source, "#%?[@")
		if at < 0 {
			return append(parsed, part{text: source})
		}
		if at > 0 {
			parsed = append(parsed, part{text: source[:at]})
		}
		sign := source[at]
		source = source[at+1:]
		switch sign {
		case '#':
			parsed = append(parsed, part{oneOf: "0123456789"})
		case '%':
			parsed = append(parsed, part{oneOf: "123456789"})
		case '?':
			parsed = append(parsed, part{oneOf: letters})
		case '@':
			parsed = append(parsed, part{given: true})
		case '[':
			set, rest, _ := strings.Cut(source, "]")
			parsed, source = append(parsed, part{oneOf: expandRanges(set)}), rest
		}
	}
	return parsed
}

// expandRanges writes 2-5 as 2345.
func expandRanges(set string) string {
	var all strings.Builder
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			for char := set[i]; char <= set[i+2]; char++ {
				all.WriteByte(char)
			}
			i += 2
			continue
		}
		all.WriteByte(set[i])
	}
	return all.String()
}

// draw appends a text of the pattern.
func (p pattern) draw(text []byte, stream *random.Stream, given string) []byte {
	for _, part := range p {
		switch {
		case part.given:
			text = append(text, given...)
		case part.oneOf != "":
			text = append(text, part.oneOf[stream.Below(uint64(len(part.oneOf)))])
		default:
			text = append(text, part.text...)
		}
	}
	return text
}

func parsePatterns(sources []string, letters string) []pattern {
	parsed := make([]pattern, len(sources))
	for i, source := range sources {
		parsed[i] = parsePattern(source, letters)
	}
	return parsed
}

// drawOne appends a text of one of some patterns; nothing where there is none.
func drawOne(patterns []pattern, text []byte, stream *random.Stream, given string) []byte {
	if len(patterns) == 0 {
		return text
	}
	return patterns[stream.Below(uint64(len(patterns)))].draw(text, stream, given)
}

// form is a text with places for parts by their names, such as {street} {number}.
type form struct {
	// before has what stands before each part; after what follows the last one.
	before, names []string
	after         string
}

func parseForm(source string) form {
	var parsed form
	for {
		text, rest, found := strings.Cut(source, "{")
		if !found {
			parsed.after = text
			return parsed
		}
		name, rest, _ := strings.Cut(rest, "}")
		parsed.before, parsed.names, source = append(parsed.before, text), append(parsed.names, name), rest
	}
}

// write appends the form with its parts. A part that is empty takes along what stands between it and the part before it, or, as the first
// one, what stands before the next.
func (f form) write(text []byte, partOf func(name string) string) []byte {
	begun := false
	for i, name := range f.names {
		value := partOf(name)
		if value == "" {
			continue
		}
		if begun || i == 0 {
			text = append(text, f.before[i]...)
		}
		text, begun = append(text, value...), true
	}
	return append(text, f.after...)
}
