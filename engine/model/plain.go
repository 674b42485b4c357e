package model

import "bytes"

const (
	// plainDepth is how deep documents may be that are read in one pass, and plainMembers how many members their objects may have.
	plainDepth   = 16
	plainMembers = 32
	// plainDigits is how long whole numbers may be.
	plainDigits = 15
)

// plainReader reads a document of a server in one pass, as encoding/json would, where it is as plain as nearly all are. Whatever is not,
// be it wrong or only unusual, makes it fail: then the document is read again, by decode.
type plainReader struct {
	data   []byte
	at     int
	depth  int
	failed bool
}

func (r *plainReader) fail() bool {
	r.failed = true
	return false
}

// peek is the next byte that is no white space; 0 at the end.
func (r *plainReader) peek() byte {
	for ; r.at < len(r.data); r.at++ {
		if char := r.data[r.at]; char != ' ' && char != '\n' && char != '\t' && char != '\r' {
			return char
		}
	}
	return 0
}

// next takes a byte that must be the next one.
func (r *plainReader) next(char byte) bool {
	if r.failed || r.peek() != char {
		return r.fail()
	}
	r.at++
	return true
}

// word takes a word such as null, where it comes next.
func (r *plainReader) word(word string) bool {
	r.peek()
	if r.failed || !bytes.HasPrefix(r.data[r.at:], []byte(word)) {
		return false
	}
	r.at += len(word)
	return true
}

// list reads a list, each of whose items is read by item.
func (r *plainReader) list(item func()) {
	r.items('[', ']', item)
}

// object reads an object. The value of each member, but for a null, is read by member, which is called with its name.
func (r *plainReader) object(member func(name []byte)) {
	var seen [plainMembers][]byte
	count := 0
	r.items('{', '}', func() {
		name := r.name()
		for _, other := range seen[:count] {
			if bytes.Equal(other, name) {
				r.fail() // what two members of one name come to depends on their types
			}
		}
		if count == len(seen) || r.failed || !r.next(':') {
			r.fail()
			return
		}
		seen[count] = name
		count++
		if !r.word("null") {
			member(name)
		}
	})
}

// items reads what stands between two brackets, separated by commas.
func (r *plainReader) items(begin, end byte, item func()) {
	if r.depth++; r.depth > plainDepth || !r.next(begin) {
		r.fail()
		return
	}
	defer func() { r.depth-- }()
	if r.peek() == end {
		r.at++
		return
	}
	for !r.failed {
		item()
		if r.failed || r.peek() != ',' {
			break
		}
		r.at++
	}
	r.next(end)
}

// name reads the name of a member. encoding/json takes names in capitals for the same as others.
func (r *plainReader) name() []byte {
	literal := r.literal()
	if r.failed {
		return nil
	}
	name := literal[1 : len(literal)-1]
	for _, char := range name {
		if (char < 'a' || char > 'z') && (char < '0' || char > '9') && char != '_' {
			r.fail()
		}
	}
	return name
}

// literal reads a text as it stands there, with its quotation marks.
func (r *plainReader) literal() []byte {
	if !r.next('"') {
		return nil
	}
	start := r.at - 1
	for r.at < len(r.data) {
		char := r.data[r.at]
		r.at++
		switch {
		case char == '"':
			return r.data[start:r.at]
		case char == '\\':
			r.at++
		case char < ' ':
			r.fail()
			return nil
		}
	}
	r.fail()
	return nil
}

// text reads a text.
func (r *plainReader) text(into *string) {
	if literal := r.literal(); !r.failed && readText(literal, into) != nil {
		r.fail()
	}
}

// whole reads a whole number.
func (r *plainReader) whole() (number int64) {
	r.peek()
	start := r.at
	for ; r.at < len(r.data) && r.data[r.at] >= '0' && r.data[r.at] <= '9'; r.at++ {
		if r.at-start >= plainDigits {
			r.fail()
			return 0
		}
		number = 10*number + int64(r.data[r.at]-'0')
	}
	digits := r.at - start
	if digits == 0 || digits > 1 && r.data[start] == '0' || r.at < len(r.data) && bytes.IndexByte([]byte(".eE"), r.data[r.at]) >= 0 {
		r.fail()
	}
	return number
}

// skip reads what nobody needs: no numbers but whole ones.
func (r *plainReader) skip() {
	switch char := r.peek(); {
	case r.failed:
	case char == '"':
		r.skipText()
	case char == '{':
		r.object(func([]byte) { r.skip() })
	case char == '[':
		r.list(r.skip)
	case char >= '0' && char <= '9':
		r.whole()
	case !r.word("true") && !r.word("false") && !r.word("null"):
		r.fail()
	}
}

func (r *plainReader) skipText() {
	var unescaped string
	if literal := r.literal(); bytes.IndexByte(literal, '\\') >= 0 && readText(literal, &unescaped) != nil {
		r.fail()
	}
}

// end says whether the document was read to its end.
func (r *plainReader) end() bool { return !r.failed && r.peek() == 0 && r.at == len(r.data) }
