package seed

import (
	"bytes"
	"math/big"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"seedloom.dev/seedloom/engine/table"
)

// jsonShape gathers what the values at one place of all records have in common. Its zero value has seen none.
type jsonShape struct {
	bools, texts, lists, objects bool
	// integers fit into 64 bits, large ones don't; inexact ones would lose digits as floats.
	integers, large, fractions, inexact bool
	digits                              int32 // of the longest integer
	element                             *jsonShape
	members                             map[string]*jsonShape
	names                               []string
	// inOrder are the members in the order of their names; position is that of a member there.
	inOrder  []*jsonShape
	position int
	// isPlain says of a member that its name stands for itself in JSON.
	isPlain bool
	// seen counts the objects that were read at a glance, and seenIn says of a member in which of them it was last.
	seen, seenIn int
	// start and end are where the value of a member is in the object that was read at a glance last.
	start, end int
	// odd says that a key or a number can't be kept in a column, so that the value is kept as text.
	odd bool
}

// observe reads the next value of a decoder.
func (s *jsonShape) observe(decoder *jsontext.Decoder, depth int) error {
	if depth > maxDepth {
		return errTooDeep
	}
	token, err := decoder.ReadToken()
	if err != nil {
		return err
	}
	switch token.Kind() {
	case 't', 'f':
		s.bools = true
	case '"':
		s.texts = true
	case '0':
		s.number([]byte(token.String()))
	case '[':
		element := s.ofElements()
		for decoder.PeekKind() != ']' {
			if err := element.observe(decoder, depth+1); err != nil {
				return err
			}
		}
		_, err = decoder.ReadToken()
		return err
	case '{':
		return s.object(decoder, depth)
	}
	return nil
}

func (s *jsonShape) object(decoder *jsontext.Decoder, depth int) error {
	s.beginObject()
	for decoder.PeekKind() != '}' {
		key, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		name, err := jsonName(key)
		if err != nil {
			return err
		}
		member, known := s.members[string(name)]
		if !known {
			member = s.add(string(name), depth)
		}
		if err := member.observe(decoder, depth+1); err != nil {
			return err
		}
	}
	_, err := decoder.ReadToken()
	return err
}

// ofElements notes a list, and returns the shape of its elements.
func (s *jsonShape) ofElements() *jsonShape {
	s.lists = true
	if s.element == nil {
		s.element = &jsonShape{}
	}
	return s.element
}

// beginObject notes an object.
func (s *jsonShape) beginObject() {
	s.objects = true
	s.seen++
	if s.members == nil {
		s.members = map[string]*jsonShape{}
	}
}

// isNew notes a member of the present object, and says whether it had none of that name before.
func (s *jsonShape) isNew(member *jsonShape) bool {
	before := member.seenIn
	member.seenIn = s.seen
	return before != s.seen
}

// plainMember is the shape of the values with a key that stands for itself in JSON; nil where it is one key too many.
func (s *jsonShape) plainMember(key []byte, depth int) *jsonShape {
	member, known := s.members[string(key)]
	if !known {
		if len(s.names) == maxColumns {
			return nil
		}
		member = s.add(string(key), depth)
	}
	member.isPlain = true
	return member
}

// add takes a key into account that no object had before, and returns the shape of its values.
func (s *jsonShape) add(name string, depth int) *jsonShape {
	member := &jsonShape{}
	s.keep(name, member)
	s.odd = s.odd || name == "" && depth > 0
	return member
}

// keep has the values with a name be of a shape, unless that is one too many.
func (s *jsonShape) keep(name string, member *jsonShape) {
	if len(s.names) == maxColumns {
		s.odd = true
		return
	}
	member.position = len(s.names)
	s.members[name] = member
	s.names, s.inOrder = append(s.names, name), append(s.inOrder, member)
}

// merge takes into account what values have in common that come later: the shape is that of all of them.
func (s *jsonShape) merge(later *jsonShape) {
	s.bools, s.texts, s.lists, s.objects = s.bools || later.bools, s.texts || later.texts, s.lists || later.lists, s.objects || later.objects
	s.integers, s.large, s.fractions = s.integers || later.integers, s.large || later.large, s.fractions || later.fractions
	s.inexact, s.odd, s.digits = s.inexact || later.inexact, s.odd || later.odd, max(s.digits, later.digits)
	switch {
	case s.element == nil:
		s.element = later.element
	case later.element != nil:
		s.element.merge(later.element)
	}
	if s.members == nil {
		s.members = later.members
		s.names, s.inOrder = later.names, later.inOrder
		return
	}
	for i, name := range later.names {
		if member, known := s.members[name]; known {
			member.merge(later.inOrder[i])
		} else {
			s.keep(name, later.inOrder[i])
		}
	}
}

// plainDigits is how many characters a number has at most that surely is within the bounds of its type, and loses no digit as a float.
const plainDigits = 15

func (s *jsonShape) number(text []byte) {
	if bytes.ContainsAny(text, ".eE") || bytes.HasPrefix(text, []byte("-0")) {
		s.fractions = true
		if len(text) > plainDigits || bytes.ContainsAny(text, "eE") {
			_, err := strconv.ParseFloat(string(text), 64)
			s.odd = s.odd || err != nil
		}
		return
	}
	s.digits = max(s.digits, int32(len(bytes.TrimPrefix(text, []byte{'-'}))))
	if len(text) <= plainDigits {
		s.integers = true
		return
	}
	if _, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		s.integers = true
	} else {
		s.large = true
	}
	s.inexact = s.inexact || !exactAsFloat(string(text))
}

// maxFloatDigits is how many characters the longest integer has that is a float.
const maxFloatDigits = len("-") + 309

// exactAsFloat says whether a float holds every digit of an integer.
func exactAsFloat(text string) bool {
	if len(text) < 16 {
		return true
	}
	if len(text) > maxFloatDigits {
		return false
	}
	if number, err := strconv.ParseInt(text, 10, 64); err == nil {
		float := float64(number)
		return float < 1<<63 && int64(float) == number
	}
	number, isNumber := new(big.Int).SetString(text, 10)
	if !isNumber {
		return false
	}
	_, accuracy := new(big.Float).SetInt(number).Float64()
	return accuracy == big.Exact
}

// kind is the type that holds all values. What no other type holds is text: texts as they are, anything else as it is written in JSON.
func (s *jsonShape) kind() table.Type {
	numbers := s.integers || s.large || s.fractions
	different := 0
	for _, seen := range []bool{s.bools, s.texts, numbers, s.lists, s.objects} {
		if seen {
			different++
		}
	}
	switch {
	case different != 1 || s.odd || s.texts:
		return table.Type{Kind: table.KindString, Mixed: s.lists || s.objects}
	case s.bools:
		return table.Type{Kind: table.KindBool}
	case numbers:
		return s.numberKind()
	case s.lists:
		element := s.element.kind()
		return table.Type{Kind: table.KindList, Element: &element}
	}
	return s.structKind()
}

// maxPrecision is the largest of decimals that every reader knows.
const maxPrecision = 38

func (s *jsonShape) numberKind() table.Type {
	switch {
	case s.fractions && !s.inexact:
		return table.Type{Kind: table.KindFloat}
	case s.fractions || s.large && s.digits > maxPrecision:
		return table.Type{Kind: table.KindString}
	case s.large:
		return table.Type{Kind: table.KindDecimal, Precision: max(s.digits, 19)}
	}
	return table.Type{Kind: table.KindInt}
}

func (s *jsonShape) structKind() table.Type {
	if len(s.names) == 0 {
		return table.Type{Kind: table.KindString, Mixed: true} // Parquet has no struct without members
	}
	result := table.Type{Kind: table.KindStruct}
	for _, name := range s.names {
		result.Fields = append(result.Fields, table.Field{Name: name, Type: s.members[name].kind()})
	}
	return result
}
