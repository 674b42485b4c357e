package seed

import (
	"math/big"
	"strconv"
	"strings"

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
		s.number(token.String())
	case '[':
		s.lists = true
		if s.element == nil {
			s.element = &jsonShape{}
		}
		for decoder.PeekKind() != ']' {
			if err := s.element.observe(decoder, depth+1); err != nil {
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
	s.objects = true
	if s.members == nil {
		s.members = map[string]*jsonShape{}
	}
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

// add takes a key into account that no object had before, and returns the shape of its values.
func (s *jsonShape) add(name string, depth int) *jsonShape {
	member := &jsonShape{}
	if len(s.names) < maxColumns {
		s.members[name] = member
		s.names = append(s.names, name)
	} else {
		s.odd = true
	}
	s.odd = s.odd || name == "" && depth > 0
	return member
}

func (s *jsonShape) number(text string) {
	if strings.ContainsAny(text, ".eE") || strings.HasPrefix(text, "-0") {
		s.fractions = true
		if _, err := strconv.ParseFloat(text, 64); err != nil {
			s.odd = true
		}
		return
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		s.integers = true
	} else {
		s.large = true
	}
	s.digits = max(s.digits, int32(len(strings.TrimPrefix(text, "-"))))
	s.inexact = s.inexact || !exactAsFloat(text)
}

// exactAsFloat says whether a float holds every digit of an integer.
func exactAsFloat(text string) bool {
	if len(text) < 16 {
		return true
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
