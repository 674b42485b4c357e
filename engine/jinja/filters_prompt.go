package jinja

import (
	"math"
	"regexp"
	"strings"
	"unicode"
)

// The filters here are those of prompts: Jinja2 has none of them.

// What bounds the work of a pattern: its length, and how often it is found.
const (
	maxPattern = 1000
	maxMatches = 100_000
)

// pattern compiles the pattern of a filter, whose first parameter it is and whose last ones are the flags.
func (e *evaluation) pattern(source string, p *parameters) (*regexp.Regexp, error) {
	flags := ""
	if p.boolean("ignorecase", false) {
		flags += "i"
	}
	if p.boolean("multiline", false) {
		flags += "m"
	}
	if len(source) > maxPattern {
		return nil, fail(KindValue, "the pattern has %d bytes; the most is %d", len(source), maxPattern)
	}
	if err := e.step(len(source)); err != nil {
		return nil, err
	}
	if flags != "" {
		source = "(?" + flags + ")" + source
	}
	compiled, err := regexp.Compile(source)
	if err != nil {
		return nil, fail(KindValue, "the pattern is no regular expression of RE2, which has no look-around and no references back: %v", err)
	}
	return compiled, nil
}

// searched prints a value that a pattern is looked for in, and counts the work.
func (e *evaluation) searched(value Value, pattern *regexp.Regexp) (string, error) {
	text, err := e.print(value)
	if err != nil {
		return "", err
	}
	return text, e.step(len(text) / 64 * (1 + len(pattern.String())/16))
}

var groupReference = regexp.MustCompile(`\\(?:g<(\w+)>|(\d{1,2})|(.))`)

// expansion is a replacement in Python's form (\1, \g<name>) in that of Go.
func expansion(replacement string) string {
	escaped := strings.ReplaceAll(replacement, "$", "$$")
	return groupReference.ReplaceAllStringFunc(escaped, func(found string) string {
		parts := groupReference.FindStringSubmatch(found)
		switch {
		case parts[1] != "":
			return "${" + parts[1] + "}"
		case parts[2] != "":
			return "${" + parts[2] + "}"
		case parts[3] == "n":
			return "\n"
		case parts[3] == "t":
			return "\t"
		}
		return parts[3]
	})
}

func filterRegexReplace(e *evaluation, value Value, p *parameters) (Value, error) {
	source, replacement := Str(p.required("pattern")), expansion(Str(p.value("replacement", "")))
	compiled, err := e.pattern(source, p)
	if err != nil {
		return nil, err
	}
	text, err := e.searched(value, compiled)
	if err != nil {
		return nil, err
	}
	found := compiled.FindAllStringSubmatchIndex(text, maxMatches+1)
	if len(found) > maxMatches {
		return nil, fail(KindLimit, "the pattern is found more than %d times", maxMatches)
	}
	var result []byte
	last := 0
	for _, match := range found {
		before := len(result)
		result = append(result, text[last:match[0]]...)
		result = compiled.ExpandString(result, replacement, text, match)
		last = match[1]
		if err := e.allocate(len(result) - before + 16*len(match)); err != nil {
			return nil, err
		}
	}
	return e.text(string(result) + text[last:])
}

// match is what a pattern has found: its one group, a list of its groups, or all of it where it has none.
func match(found []string) Value {
	switch len(found) {
	case 1:
		return found[0]
	case 2:
		return found[1]
	}
	groups := &List{}
	for _, group := range found[1:] {
		groups.Items = append(groups.Items, group)
	}
	return groups
}

func filterRegexSearch(e *evaluation, value Value, p *parameters) (Value, error) {
	compiled, err := e.pattern(Str(p.required("pattern")), p)
	if err != nil {
		return nil, err
	}
	text, err := e.searched(value, compiled)
	if err != nil {
		return nil, err
	}
	found := compiled.FindStringSubmatch(text)
	if found == nil {
		return nil, nil
	}
	return match(found), e.allocate(len(text))
}

func filterRegexFindAll(e *evaluation, value Value, p *parameters) (Value, error) {
	compiled, err := e.pattern(Str(p.required("pattern")), p)
	if err != nil {
		return nil, err
	}
	text, err := e.searched(value, compiled)
	if err != nil {
		return nil, err
	}
	var items []Value
	all := compiled.FindAllStringSubmatch(text, maxMatches+1)
	if len(all) > maxMatches {
		return nil, fail(KindLimit, "the pattern is found more than %d times", maxMatches)
	}
	for _, found := range all {
		if err := e.allocate(len(found[0]) + 32*len(found)); err != nil {
			return nil, err
		}
		items = append(items, match(found))
	}
	return e.list(items)
}

// lettersOfToken is how many letters of a word a token has at least: tokenizers of models make fewer tokens of usual text.
const lettersOfToken = 4

// tokens counts the tokens of a text, up to a limit, and says at which byte the last word ends that is within it. Words cost a token for
// each four letters, and so do numbers; letters that stand for words, and other signs, one each; white space costs nothing.
func tokens(text string, limit int64) (count int64, end int) {
	letters := 0
	word := int64(0)
	for at, r := range text {
		isWord := unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
		isLetter := !isWord && (unicode.IsLetter(r) || unicode.IsDigit(r))
		switch {
		case isLetter:
			if letters%lettersOfToken == 0 {
				word++
			}
			letters++
		default:
			if count+word > limit {
				return count + word, end
			}
			count, word, letters, end = count+word, 0, 0, at
			if !unicode.IsSpace(r) {
				word = 1
			}
		}
	}
	if count+word <= limit {
		end = len(text)
	}
	return count + word, end
}

// filterTruncateTokens cuts a text at the end of a word so that it has at most so many tokens, by an estimate that needs no model.
func filterTruncateTokens(e *evaluation, value Value, p *parameters) (Value, error) {
	length, end := p.integer("length", 255), p.string("end", "...")
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if err := e.step(len(text) / 64); err != nil {
		return nil, err
	}
	if count, _ := tokens(text, length); count <= length {
		return text, nil
	}
	closing, _ := tokens(end, math.MaxInt64)
	if length < closing {
		return nil, fail(KindValue, "filter 'truncate_tokens': the length %d is below that of the end, %d", length, closing)
	}
	_, at := tokens(text, length-closing)
	return e.text(strings.TrimRightFunc(text[:at], unicode.IsSpace) + end)
}

// drawn returns the items of a value, so many of which are put in front in an order that is drawn.
func (e *evaluation) drawn(name string, value Value, count int64) (Value, error) {
	if e.options.Random == nil {
		return nil, fail(KindValue, "filter '%s' is not available here: the same row must always render the same", name)
	}
	items, err := e.items(value)
	if err != nil {
		return nil, err
	}
	shuffled := append([]Value(nil), items...)
	count = min(count, int64(len(shuffled)))
	if err := e.step(int(count)); err != nil {
		return nil, err
	}
	for i := range int(count) {
		other := i + e.options.Random(len(shuffled)-i)
		shuffled[i], shuffled[other] = shuffled[other], shuffled[i]
	}
	return e.list(shuffled[:count:count])
}

func filterShuffle(e *evaluation, value Value, _ *parameters) (Value, error) {
	return e.drawn("shuffle", value, math.MaxInt64)
}

func filterSample(e *evaluation, value Value, p *parameters) (Value, error) {
	count := p.integer("count", 1)
	if count < 0 {
		return nil, fail(KindValue, "filter 'sample': the count must not be negative, but is %d", count)
	}
	return e.drawn("sample", value, count)
}

// filterDedent takes the white space away that all lines begin with, as Python's textwrap.dedent does.
func filterDedent(e *evaluation, value Value, _ *parameters) (Value, error) {
	text, err := e.print(value)
	if err != nil {
		return nil, err
	}
	if err := e.allocate(len(text)); err != nil {
		return nil, err
	}
	lines := strings.Split(text, "\n")
	margin, known := "", false
	for i, line := range lines {
		content := strings.TrimLeft(line, " \t")
		if content == "" {
			lines[i] = ""
			continue
		}
		indention := line[:len(line)-len(content)]
		if !known {
			margin, known = indention, true
		}
		margin = commonPrefix(margin, indention)
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return e.text(strings.Join(lines, "\n"))
}

func commonPrefix(a, b string) string {
	end := 0
	for end < min(len(a), len(b)) && a[end] == b[end] {
		end++
	}
	return a[:end]
}
