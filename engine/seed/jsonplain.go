package seed

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// plainJSON reads JSON as most programs write it, at a glance: each method returns false where it does not know what stands there, which
// may be JSON nevertheless. The decoder knows, and says what is wrong with it.
type plainJSON struct {
	data []byte
	at   int
}

// blanks passes over blanks and line breaks, and returns what stands behind them; 0 at the end.
func (p *plainJSON) blanks() byte {
	for p.at < len(p.data) {
		if char := p.data[p.at]; char > ' ' || char != ' ' && char != '\n' && char != '\r' && char != '\t' {
			return char
		}
		p.at++
	}
	return 0
}

// object passes over an object, and has the shape observe it, and note where its values are.
func (p *plainJSON) object(into *jsonShape, depth int) bool {
	p.at++
	into.beginObject()
	if p.blanks() == '}' {
		p.at++
		return true
	}
	for following := 0; ; {
		p.blanks()
		member, isPlain := p.member(into, following, depth)
		if !isPlain || p.blanks() != ':' {
			return false
		}
		p.at++
		p.blanks()
		member.start = p.at
		if !p.value(member, depth+1) {
			return false
		}
		member.end, following = p.at, member.position+1
		if more, isPlain := p.more('}'); !more || !isPlain {
			return isPlain
		}
	}
}

// more passes over what stands behind a value: a comma, or the end of the object or list.
func (p *plainJSON) more(end byte) (more, isPlain bool) {
	char := p.blanks()
	p.at++
	return char != end, char == end || char == ','
}

// member passes over a key, and returns the shape of its values.
func (p *plainJSON) member(into *jsonShape, following, depth int) (member *jsonShape, isPlain bool) {
	if member = p.expected(into, following); member == nil {
		key, isPlain := p.key()
		if !isPlain {
			return nil, false
		}
		if member = into.plainMember(key, depth); member == nil {
			return nil, false
		}
	}
	return member, into.isNew(member)
}

// expected passes over a key if it is the one that came at a position among those of all objects.
func (p *plainJSON) expected(into *jsonShape, position int) *jsonShape {
	if position >= len(into.inOrder) || !into.inOrder[position].isPlain {
		return nil
	}
	name, start := into.names[position], p.at+1
	end := start + len(name)
	if end >= len(p.data) || p.data[p.at] != '"' || p.data[end] != '"' || string(p.data[start:end]) != name {
		return nil
	}
	p.at = end + 1
	return into.inOrder[position]
}

// key passes over a key without escapes, and returns it.
func (p *plainJSON) key() (key []byte, isPlain bool) {
	start := p.at + 1
	if p.at >= len(p.data) || p.data[p.at] != '"' || !p.text() {
		return nil, false
	}
	key = p.data[start : p.at-1]
	return key, bytes.IndexByte(key, '\\') < 0
}

// value passes over a value, and has the shape observe it.
func (p *plainJSON) value(into *jsonShape, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch char := p.blanks(); char {
	case '"':
		into.texts = true
		return p.text()
	case '{':
		return p.object(into, depth)
	case '[':
		return p.list(into, depth)
	case 'n':
		return p.word("null")
	case 't', 'f':
		into.bools = true
		return p.word("true") || p.word("false")
	}
	start := p.at
	if !p.number() {
		return false
	}
	into.number(p.data[start:p.at])
	return true
}

func (p *plainJSON) list(into *jsonShape, depth int) bool {
	p.at++
	element := into.ofElements()
	if p.blanks() == ']' {
		p.at++
		return true
	}
	for p.value(element, depth+1) {
		if more, isPlain := p.more(']'); !more || !isPlain {
			return isPlain
		}
	}
	return false
}

func (p *plainJSON) word(word string) bool {
	if end := p.at + len(word); end <= len(p.data) && string(p.data[p.at:end]) == word {
		p.at = end
		return true
	}
	return false
}

// number passes over a number behind which something stands: else it may be a part of one.
func (p *plainJSON) number() bool {
	at := p.at
	if at < len(p.data) && p.data[at] == '-' {
		at++
	}
	first := at
	if at = p.digits(at); at == first || p.data[first] == '0' && at > first+1 {
		return false
	}
	if at < len(p.data) && p.data[at] == '.' {
		fraction := at + 1
		if at = p.digits(fraction); at == fraction {
			return false
		}
	}
	if at < len(p.data) && (p.data[at] == 'e' || p.data[at] == 'E') {
		if at++; at < len(p.data) && (p.data[at] == '+' || p.data[at] == '-') {
			at++
		}
		exponent := at
		if at = p.digits(at); at == exponent {
			return false
		}
	}
	p.at = at
	return at < len(p.data)
}

// digits returns where digits end.
func (p *plainJSON) digits(at int) int {
	for at < len(p.data) && p.data[at]-'0' <= 9 {
		at++
	}
	return at
}

// text passes over a text, the opening quote of which is next.
func (p *plainJSON) text() bool {
	p.at++
	start, isASCII := p.at, true
	for {
		p.toSpecial()
		if p.at >= len(p.data) {
			return false
		}
		switch char := p.data[p.at]; {
		case char == '"':
			p.at++
			return isASCII || utf8.Valid(p.data[start:p.at])
		case char == '\\':
			if !p.escape() {
				return false
			}
		case char >= utf8.RuneSelf:
			isASCII = false
			p.at++
		default: // a control character
			return false
		}
	}
}

// Each byte of a word is one of these.
const (
	eachByte  = 0x0101010101010101
	eachHigh  = 0x80 * eachByte
	eachBlank = ' ' * eachByte
	eachQuote = '"' * eachByte
	eachSlash = '\\' * eachByte
)

// toSpecial goes on to the next byte of a text that does not stand for itself in ASCII, eight at once.
func (p *plainJSON) toSpecial() {
	for ; p.at+8 <= len(p.data); p.at += 8 {
		word := binary.LittleEndian.Uint64(p.data[p.at:])
		quotes, slashes := word^eachQuote, word^eachSlash
		// The lowest of these bits is right; those above it may be set by what is borrowed.
		special := (word | (word-eachBlank)&^word | (quotes-eachByte)&^quotes | (slashes-eachByte)&^slashes) & eachHigh
		if special != 0 {
			p.at += bits.TrailingZeros64(special) / 8
			return
		}
	}
	for ; p.at < len(p.data); p.at++ {
		if char := p.data[p.at]; char < ' ' || char == '"' || char == '\\' || char >= utf8.RuneSelf {
			return
		}
	}
}

// escape passes over an escape, or two that stand for one character.
func (p *plainJSON) escape() bool {
	if p.at+1 >= len(p.data) {
		return false
	}
	switch p.data[p.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		p.at += 2
		return true
	case 'u':
		unit, isUnit := p.unit()
		if !isUnit || unit < 0xd800 || unit > 0xdfff {
			return isUnit
		}
		low, isUnit := p.unit()
		return isUnit && unit < 0xdc00 && low >= 0xdc00 && low <= 0xdfff
	}
	return false
}

// unit passes over an escape that is a unit of UTF-16.
func (p *plainJSON) unit() (unit rune, isUnit bool) {
	if p.at+6 > len(p.data) || p.data[p.at] != '\\' || p.data[p.at+1] != 'u' {
		return 0, false
	}
	for _, char := range p.data[p.at+2 : p.at+6] {
		switch {
		case char >= '0' && char <= '9':
			char -= '0'
		case char|0x20 >= 'a' && char|0x20 <= 'f':
			char = char | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | rune(char)
	}
	p.at += 6
	return unit, true
}
