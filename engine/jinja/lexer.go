package jinja

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd           tokenKind = iota
	tokenText                    // text between tags
	tokenBlockBegin              // {%
	tokenBlockEnd                // %}
	tokenVariableBegin           // {{
	tokenVariableEnd             // }}
	tokenName
	tokenInteger
	tokenFloat
	tokenString
	tokenOperator
)

type token struct {
	kind tokenKind
	text string
	line int
}

// maxSourceBytes bounds templates; the API admits less.
const maxSourceBytes = 1 << 20

// operators, longest first.
var operators = []string{"//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=",
	".", ":", "|", ",", ";"}

type lexer struct {
	source string
	at     int
	line   int
	tokens []token
	// trimNext is set by a tag that ends with "-": white space that follows is left out.
	trimNext bool
}

func syntaxError(line int, format string, arguments ...any) error {
	return &SyntaxError{Line: line, Message: fmt.Sprintf(format, arguments...)}
}

// tokenize splits a template. As in Jinja, one newline at its end is left out.
func tokenize(source string) ([]token, error) {
	if len(source) > maxSourceBytes {
		return nil, syntaxError(1, "the template has %d bytes; at most %d are possible", len(source), maxSourceBytes)
	}
	source = strings.ReplaceAll(source, "\r\n", "\n")
	source = strings.TrimSuffix(source, "\n")
	l := &lexer{source: source, line: 1}
	for l.at < len(l.source) {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return append(l.tokens, token{kind: tokenEnd, line: l.line}), nil
}

// next reads text up to the next tag, and that tag.
func (l *lexer) next() error {
	rest := l.source[l.at:]
	begin := -1
	for i := 0; i+1 < len(rest); i++ {
		if rest[i] == '{' && (rest[i+1] == '{' || rest[i+1] == '%' || rest[i+1] == '#') {
			begin = i
			break
		}
	}
	if begin < 0 {
		l.text(rest, false)
		l.advance(len(rest))
		return nil
	}
	kind := rest[begin+1]
	trimBefore := begin+2 < len(rest) && rest[begin+2] == '-'
	l.text(rest[:begin], trimBefore)
	l.advance(begin + 2)
	if l.at < len(l.source) && (l.source[l.at] == '-' || (l.source[l.at] == '+' && kind != '{')) {
		l.advance(1)
	}
	switch kind {
	case '#':
		return l.comment()
	case '%':
		if done, err := l.raw(); done || err != nil {
			return err
		}
		return l.tag(tokenBlockBegin, tokenBlockEnd, "%}")
	}
	return l.tag(tokenVariableBegin, tokenVariableEnd, "}}")
}

func (l *lexer) text(text string, trimEnd bool) {
	if l.trimNext {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		l.trimNext = false
	}
	if trimEnd {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	if text != "" {
		l.tokens = append(l.tokens, token{kind: tokenText, text: text, line: l.line})
	}
}

func (l *lexer) advance(n int) {
	l.line += strings.Count(l.source[l.at:l.at+n], "\n")
	l.at += n
}

func (l *lexer) comment() error {
	end := strings.Index(l.source[l.at:], "#}")
	if end < 0 {
		return syntaxError(l.line, "the comment is not closed: '#}' is missing")
	}
	l.trimNext = end > 0 && l.source[l.at+end-1] == '-'
	l.advance(end + 2)
	return nil
}

// raw reads {% raw %} … {% endraw %} when that is what stands here.
func (l *lexer) raw() (bool, error) {
	head, ok := matchBlock(l.source[l.at:], "raw")
	if !ok {
		return false, nil
	}
	line := l.line
	trimStart := strings.HasSuffix(l.source[l.at:l.at+head], "-%}")
	l.advance(head)
	for i := l.at; ; i++ {
		next := strings.Index(l.source[i:], "{%")
		if next < 0 {
			return false, syntaxError(line, "the raw block is not closed: '{%% endraw %%}' is missing")
		}
		i += next
		tail := i + 2
		trimEnd := false
		if tail < len(l.source) && (l.source[tail] == '-' || l.source[tail] == '+') {
			trimEnd = l.source[tail] == '-'
			tail++
		}
		size, ok := matchBlock(l.source[tail:], "endraw")
		if !ok {
			continue
		}
		l.trimNext = trimStart
		l.text(l.source[l.at:i], trimEnd)
		l.trimNext = strings.HasSuffix(l.source[tail:tail+size], "-%}")
		l.advance(tail + size - l.at)
		return true, nil
	}
}

// matchBlock says how long "  name -%}" at the start of text is.
func matchBlock(text, name string) (int, bool) {
	rest := strings.TrimLeftFunc(text, unicode.IsSpace)
	if !strings.HasPrefix(rest, name) {
		return 0, false
	}
	rest = strings.TrimLeftFunc(rest[len(name):], unicode.IsSpace)
	if strings.HasPrefix(rest, "-") || strings.HasPrefix(rest, "+") {
		rest = rest[1:]
	}
	if !strings.HasPrefix(rest, "%}") {
		return 0, false
	}
	return len(text) - len(rest) + 2, true
}

func (l *lexer) tag(begin, end tokenKind, closing string) error {
	opened := l.line
	l.tokens = append(l.tokens, token{kind: begin, line: l.line})
	var brackets []byte
	for {
		l.skipSpace()
		rest := l.source[l.at:]
		if rest == "" {
			return syntaxError(opened, "the tag is not closed: '%s' is missing", closing)
		}
		if len(brackets) == 0 && l.closeTag(end, closing) {
			return nil
		}
		read, err := lexExpressionToken(rest, l.line)
		if err != nil {
			return err
		}
		if read.token.kind == tokenOperator {
			if brackets, err = nest(brackets, read.token); err != nil {
				return err
			}
		}
		l.tokens = append(l.tokens, read.token)
		l.advance(read.size)
	}
}

func (l *lexer) skipSpace() {
	for l.at < len(l.source) {
		r, size := utf8.DecodeRuneInString(l.source[l.at:])
		if !unicode.IsSpace(r) {
			return
		}
		l.advance(size)
	}
}

// closeTag reads the end of a tag, if it is there.
func (l *lexer) closeTag(end tokenKind, closing string) bool {
	rest := l.source[l.at:]
	size := len(closing)
	if !strings.HasPrefix(rest, closing) {
		if rest[0] != '-' && rest[0] != '+' || !strings.HasPrefix(rest[1:], closing) {
			return false
		}
		size++
		l.trimNext = rest[0] == '-'
	}
	l.tokens = append(l.tokens, token{kind: end, line: l.line})
	l.advance(size)
	return true
}

// nest returns the brackets that are open after an operator.
func nest(open []byte, operator token) ([]byte, error) {
	opening := byte(0)
	switch operator.text {
	case "(", "[", "{":
		return append(open, operator.text[0]), nil
	case ")":
		opening = '('
	case "]":
		opening = '['
	case "}":
		opening = '{'
	default:
		return open, nil
	}
	if len(open) == 0 || open[len(open)-1] != opening {
		return nil, syntaxError(operator.line, "unexpected '%s'", operator.text)
	}
	return open[:len(open)-1], nil
}

type lexed struct {
	token token
	size  int
}

func lexExpressionToken(text string, line int) (lexed, error) {
	first, _ := utf8.DecodeRuneInString(text)
	switch {
	case first == '"' || first == '\'':
		value, size, err := lexString(text, line)
		return lexed{token{tokenString, value, line}, size}, err
	case first >= '0' && first <= '9':
		kind, value, size := lexNumber(text)
		return lexed{token{kind, value, line}, size}, nil
	case first == '_' || unicode.IsLetter(first):
		size := strings.IndexFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if size < 0 {
			size = len(text)
		}
		return lexed{token{tokenName, text[:size], line}, size}, nil
	}
	for _, operator := range operators {
		if strings.HasPrefix(text, operator) {
			return lexed{token{tokenOperator, operator, line}, len(operator)}, nil
		}
	}
	return lexed{}, syntaxError(line, "unexpected character %q", first)
}

// digitsEnd is where digits end that begin at from. A single underscore may stand before each.
func digitsEnd(text string, from int, valid string) int {
	isDigit := func(at int) bool { return at < len(text) && strings.IndexByte(valid, text[at]) >= 0 }
	for isDigit(from) || from < len(text) && text[from] == '_' && isDigit(from+1) {
		from++
	}
	return from
}

// prefixedEnd is where an integer with a prefix, such as 0xff, ends; 0 where the text begins with none.
func prefixedEnd(text string) int {
	if len(text) <= 2 || text[0] != '0' {
		return 0
	}
	for prefix, valid := range map[string]string{"0x": "0123456789abcdefABCDEF", "0o": "01234567", "0b": "01"} {
		if strings.EqualFold(text[:2], prefix) {
			if end := digitsEnd(text, 2, valid); end > 2 {
				return end
			}
		}
	}
	return 0
}

func lexNumber(text string) (tokenKind, string, int) {
	clean := func(size int) string { return strings.ReplaceAll(text[:size], "_", "") }
	if end := prefixedEnd(text); end > 0 {
		return tokenInteger, clean(end), end
	}
	const decimal = "0123456789"
	end := digitsEnd(text, 0, decimal)
	kind := tokenInteger
	if end+1 < len(text) && text[end] == '.' && strings.IndexByte(decimal, text[end+1]) >= 0 {
		end = digitsEnd(text, end+1, decimal)
		kind = tokenFloat
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		exponent := end + 1
		if exponent < len(text) && (text[exponent] == '+' || text[exponent] == '-') {
			exponent++
		}
		if after := digitsEnd(text, exponent, decimal); after > exponent {
			end = after
			kind = tokenFloat
		}
	}
	return kind, clean(end), end
}

func lexString(text string, line int) (string, int, error) {
	quote := text[0]
	var value strings.Builder
	for i := 1; i < len(text); {
		c := text[i]
		switch {
		case c == quote:
			return value.String(), i + 1, nil
		case c != '\\':
			value.WriteByte(c)
			i++
		case i+1 < len(text):
			read, size := unescape(text[i:])
			value.WriteString(read)
			i += size
		default:
			i++
		}
	}
	return "", 0, syntaxError(line, "the string is not closed: %c is missing", quote)
}

// unescape reads one escape of Python's string literals.
func unescape(text string) (string, int) {
	simple := map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v",
		'0': "\x00", '\n': ""}
	if value, found := simple[text[1]]; found {
		return value, 2
	}
	for letter, size := range map[byte]int{'x': 2, 'u': 4, 'U': 8} {
		if text[1] == letter && len(text) >= 2+size {
			if code, err := strconv.ParseUint(text[2:2+size], 16, 32); err == nil && utf8.ValidRune(rune(code)) {
				return string(rune(code)), 2 + size
			}
		}
	}
	return text[:2], 2
}
