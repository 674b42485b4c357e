package structured

import (
	"regexp"
	"strings"
)

var (
	thoughtStart = regexp.MustCompile(`^\s*<(?i:think|thinking)>`)
	thoughtEnd   = regexp.MustCompile(`</(?i:think|thinking)>`)
	thoughtBegin = regexp.MustCompile(`<(?i:think|thinking)>`)
)

// SplitReasoning parts what a model has thought from what it has answered, where the server has left both in one text: blocks in <think>
// tags at its beginning, of which the first tag may be missing. Both are without white space around them. A thought that does not end
// leaves an empty answer.
func SplitReasoning(text string) (reasoning, answer string) {
	reasoning, answer, _ = splitReasoning(text)
	return reasoning, answer
}

// splitReasoning also says whether a tag marks the beginning of the thought.
func splitReasoning(text string) (reasoning, answer string, marked bool) {
	if strings.IndexByte(text, '<') < 0 { // as nearly all answers
		return "", strings.TrimSpace(text), false
	}
	var thoughts []string
	for {
		start := thoughtStart.FindStringIndex(text)
		if start == nil {
			break
		}
		marked = true
		end := thoughtEnd.FindStringIndex(text)
		if end == nil {
			thoughts = append(thoughts, strings.TrimSpace(text[start[1]:]))
			text = ""
			break
		}
		thoughts = append(thoughts, strings.TrimSpace(text[start[1]:max(start[1], end[0])]))
		text = text[end[1]:]
	}
	if !marked && !thoughtBegin.MatchString(text) {
		// Templates of chats that begin the thought for the model leave only its end in the answer, at the beginning or end of a line;
		// within a line it is a word of the answer.
		if ends := thoughtEnd.FindAllStringIndex(text, 2); len(ends) == 1 && atLineEdge(text, ends[0]) {
			thoughts = append(thoughts, strings.TrimSpace(text[:ends[0][0]]))
			text = text[ends[0][1]:]
		}
	}
	return strings.TrimSpace(strings.Join(thoughts, "\n\n")), strings.TrimSpace(text), marked
}

// atLineEdge says whether a part of a text begins or ends a line.
func atLineEdge(text string, part []int) bool {
	before := strings.TrimRight(text[:part[0]], " \t")
	after := strings.TrimLeft(text[part[1]:], " \t")
	return before == "" || after == "" || strings.HasSuffix(before, "\n") || after[0] == '\n' || after[0] == '\r'
}
