package structured

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kinds are the kinds of JSON that are looked for.
type kinds struct{ object, array, scalar bool }

func (k kinds) has(opening byte) bool { return opening == '{' && k.object || opening == '[' && k.array }

// String names them for people.
func (k kinds) String() string {
	var names []string
	if k.object {
		names = append(names, "an object")
	}
	if k.array {
		names = append(names, "an array")
	}
	if k.scalar {
		names = append(names, "a value")
	}
	return strings.Join(names, " or ")
}

// candidate is a document that may be the answer, or why one could not be read.
type candidate struct {
	document any
	problem  *AnswerError
}

// candidates yields what may be the document of an answer. The whole answer comes first: what is JSON as it stands needs no reading between
// the lines. Then come the fenced blocks, those that call themselves JSON before others, and what stands in the text; of several the last
// one first, since models think aloud before they answer.
func candidates(answer string, wanted kinds) iter.Seq[candidate] {
	return func(yield func(candidate) bool) {
		reader := reader{wanted: wanted, repairable: maxRepairBytes}
		if document, err := parse(answer); err == nil {
			if text, isText := document.(string); isText && !wanted.scalar {
				// Servers and models encode documents twice.
				answer = trim(text)
			} else if wanted.matches(document) && !yield(candidate{document: document}) {
				return
			}
		}
		reasoning, rest, marked := splitReasoning(answer)
		if rest == "" {
			yield(candidate{problem: &AnswerError{Message: "the answer is a thought that does not end", Truncated: true}})
			return
		}
		if !reader.within(rest, yield) {
			return
		}
		if reasoning != "" && !marked {
			// What looked like the end of a thought may stand in a text of the document.
			reader.within(answer, yield)
		}
	}
}

// reader reads the candidates of one answer.
type reader struct {
	wanted kinds
	// repairable is how many bytes may still be repaired.
	repairable int
}

// within yields the candidates in a text; it returns false when no more are wanted.
func (r *reader) within(text string, yield func(candidate) bool) bool {
	blocks := Fences(text)
	for _, json := range []bool{true, false} {
		for _, block := range slices.Backward(blocks) {
			if isJSON(block.Language) != json {
				continue
			}
			more, cut := r.inSegment(block.Content, yield)
			if !more {
				return false
			}
			if cut {
				// The blocks before it are drafts. That it ends too early may be the fault of a fence in one of its texts.
				more, _ = r.inSegment(text, yield)
				return more
			}
		}
	}
	more, _ := r.inSegment(text, yield)
	return more
}

func isJSON(language string) bool {
	return slices.Contains([]string{"json", "jsonc", "json5", "jsonl"}, strings.ToLower(language))
}

// inSegment yields the candidates in a block or a text, which may have other words around them. more says that more of them are wanted, cut
// that the last one does not end.
func (r *reader) inSegment(text string, yield func(candidate) bool) (more, cut bool) {
	text = trim(text)
	if text == "" {
		return true, false
	}
	if document, err := parse(text); err == nil {
		if inner, isText := document.(string); isText && !r.wanted.scalar {
			text = trim(inner)
		} else if r.wanted.matches(document) {
			return yield(candidate{document: document}), false
		}
	}
	found, cut := spans(text)
	if cut {
		// What stands before it, or in it, is no answer either.
		return yield(candidate{problem: &AnswerError{Message: "the JSON in the answer ends before it is complete", Truncated: true}}), true
	}
	for _, span := range slices.Backward(found) {
		next := candidate{problem: answerError("%s is wanted, but the answer has other JSON only", r.wanted)}
		if r.wanted.has(span[0]) {
			next = r.read(span)
		}
		if !yield(next) {
			return false, false
		}
	}
	return true, false
}

// read parses a text, or else repairs it.
func (r *reader) read(text string) candidate {
	document, err := parse(text)
	if err == nil {
		return candidate{document: document}
	}
	prepared := prepare(text)
	if document, err := parse(prepared); err == nil {
		return candidate{document: document}
	}
	if r.repairable -= len(prepared); r.repairable < 0 {
		return candidate{problem: answerError("the JSON in the answer is not valid, and too long to be repaired: %v", err)}
	}
	if repaired, ok := repair(prepared); ok {
		if document, err := parse(repaired); err == nil {
			return candidate{document: document}
		}
	}
	return candidate{problem: answerError("the JSON in the answer is not valid: %v", err)}
}

// spans returns the parts of a text that look like objects and arrays, outermost ones only. cut says that the last one does not end.
func spans(text string) (found []string, cut bool) {
	for i := 0; i < len(text); {
		if text[i] != '{' && text[i] != '[' || !beginsDocument(text[i:]) {
			i++
			continue
		}
		end, closed := closing(text[i:])
		if !closed {
			return found, true
		}
		found = append(found, text[i:i+end])
		i += end
	}
	return found, false
}

var (
	objectStart = regexp.MustCompile(`^\{[\s\pZ]*(?:$|["'}“]|//|/\*|[\pL_$][\pL\pN_$-]*\s*:)`)
	arrayStart  = regexp.MustCompile(`^\[[\s\pZ]*(?:$|["'{\[\]“]|//|/\*|[-+.]?\d|(?:true|false|null|True|False|None|NaN)\b)`)
)

// beginsDocument tells JSON from a bracket in prose.
func beginsDocument(text string) bool {
	// The expressions look at a few characters only; they are kept from running on through white space without end.
	head := text[:min(len(text), 256)]
	return objectStart.MatchString(head) || arrayStart.MatchString(head)
}

// closing returns where the bracket that the text begins with is closed. Strings and comments may have brackets.
func closing(text string) (end int, closed bool) {
	var open []byte
	previous := byte(0) // the last one that is no white space
	for i := 0; i < len(text); {
		char, size := utf8.DecodeRuneInString(text[i:])
		length, isOpaque := opaque(text, i, char, previous)
		switch {
		case isOpaque && length == 0:
			return 0, false
		case isOpaque:
			size = length
		case char == '{', char == '[':
			open = append(open, byte(char))
		case char == '}', char == ']':
			open = closeBracket(open, char)
			if len(open) == 0 {
				return i + size, true
			}
		}
		if !unicode.IsSpace(char) {
			previous = text[i]
		}
		i += size
	}
	return 0, false
}

// opaque returns the length of a string or a comment, whose brackets count for nothing, if one begins at i; 0 when it does not end.
func opaque(text string, i int, char rune, previous byte) (length int, isOpaque bool) {
	switch {
	case char == '"', char == '\'' && strings.IndexByte("{[,:", previous) >= 0, char == '“':
		return quoted(text[i:], char, utf8.RuneLen(char)), true
	case strings.HasPrefix(text[i:], "/*"):
		if end := strings.Index(text[i:], "*/"); end >= 0 {
			return end + 2, true
		}
		return 0, true
	case isLineComment(text, i):
		return max(0, strings.IndexByte(text[i:], '\n')), true
	}
	return 0, false
}

// closeBracket returns what is still open after a closing bracket. One of the other kind closes what was left open in between.
func closeBracket(open []byte, closing rune) []byte {
	opening := byte('{')
	if closing == ']' {
		opening = '['
	}
	if !slices.Contains(open, opening) {
		return open
	}
	for open[len(open)-1] != opening {
		open = open[:len(open)-1]
	}
	return open[:len(open)-1]
}

// isLineComment tells a comment from an address without quotes.
func isLineComment(text string, i int) bool {
	if text[i] != '#' && !strings.HasPrefix(text[i:], "//") {
		return false
	}
	return i > 0 && strings.IndexByte(" \t\r\n,{}[]\"", text[i-1]) >= 0
}

// quoted returns the length of the string that a text begins with, or 0 when it does not end.
func quoted(text string, quote rune, size int) int {
	for i := size; i < len(text); {
		char, width := utf8.DecodeRuneInString(text[i:])
		switch {
		case char == '\\':
			_, escaped := utf8.DecodeRuneInString(text[i+width:])
			i += width + escaped
			continue
		case quote == '\'' && char == '\'':
			// An apostrophe is followed by a letter, the end of a string by what follows a string.
			rest := strings.TrimLeftFunc(text[i+width:], unicode.IsSpace)
			if rest == "" || strings.IndexByte(",:}]", rest[0]) >= 0 {
				return i + width
			}
		case char == quote && quote != '“', quote == '“' && (char == '”' || char == '"'):
			return i + width
		}
		i += width
	}
	return 0
}
