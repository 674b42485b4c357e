package rollout

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// A file comes from elsewhere. These bound what its bytes can become in memory.
const (
	// maxDepth is how deep objects and lists may be nested.
	maxDepth = 64
	// maxMembers is how many members an object may have, and maxElements how many values a list.
	maxMembers, maxElements = 10_000, 100_000
	// maxNames is how many names of one kind, such as types of entries, are listed of a session; those after them are not.
	maxNames = 100
)

// object is an object of JSON, whose values are read when they are asked for. Of equal names the last counts.
type object map[string]jsontext.Value

func newDecoder(value []byte) *jsontext.Decoder {
	// Halves of characters, as programs leave them that cut texts, become U+FFFD.
	return jsontext.NewDecoder(bytes.NewBuffer(value), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}

// parse reads bytes that hold one object, and nothing beside it.
func parse(data []byte) (object, error) {
	if nestedDeeper(data, maxDepth) {
		return nil, problem("its values are nested more than %d deep", maxDepth)
	}
	decoder := newDecoder(data)
	value, err := decoder.ReadValue()
	if err == nil {
		value = value.Clone()
		if _, end := decoder.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return nil, problem("it is not JSON: %v", withoutOffset(err))
	}
	return asObject(value)
}

// withoutOffset is what is wrong with JSON, without places that nobody can look up.
func withoutOffset(err error) error {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) && syntactic.Err != nil {
		err = syntactic.Err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("it ends in the middle of a value")
	}
	return err
}

// nestedDeeper says whether objects and lists are nested deeper than a limit, before any of them is read.
func nestedDeeper(data []byte, limit int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch char := data[i]; {
		case quoted && char == '\\':
			i++
		case char == '"':
			quoted = !quoted
		case quoted:
		case char == '{' || char == '[':
			if depth++; depth > limit {
				return true
			}
		case char == '}' || char == ']':
			depth--
		}
	}
	return false
}

// asObject reads a value that must be an object.
func asObject(value jsontext.Value) (object, error) {
	if !isObject(value) {
		return nil, problem("it has %s where an object should be", kindOf(value))
	}
	decoder := newDecoder(value)
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	result := object{}
	for decoder.PeekKind() == '"' {
		key, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		name := key.String()
		member, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		if result[name] = member.Clone(); len(result) > maxMembers {
			return nil, problem("an object has more than %d members", maxMembers)
		}
	}
	return result, nil
}

// asList reads a value that must be a list.
func asList(value jsontext.Value) ([]jsontext.Value, error) {
	if !isList(value) {
		return nil, problem("it has %s where a list should be", kindOf(value))
	}
	decoder := newDecoder(value)
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	var elements []jsontext.Value
	for decoder.PeekKind() != ']' {
		element, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		if elements = append(elements, element.Clone()); len(elements) > maxElements {
			return nil, problem("a list has more than %d values", maxElements)
		}
	}
	return elements, nil
}

func isObject(value jsontext.Value) bool { return value.Kind() == '{' }
func isList(value jsontext.Value) bool   { return value.Kind() == '[' }
func isText(value jsontext.Value) bool   { return value.Kind() == '"' }

// isNull says whether a value is null, or is not there.
func isNull(value jsontext.Value) bool { return len(value) == 0 || value.Kind() == 'n' }

// kindOf says in words what a value is.
func kindOf(value jsontext.Value) string {
	if len(value) == 0 {
		return "nothing"
	}
	switch value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "a truth value"
}

// plain is what a value says as text: a text itself, anything else as JSON has it.
func plain(value jsontext.Value) string {
	if isNull(value) {
		return ""
	}
	if !isText(value) {
		return compact(value)
	}
	token, err := newDecoder(value).ReadToken()
	if err != nil {
		return compact(value)
	}
	return token.String()
}

// compact is a value without space between its parts.
func compact(value jsontext.Value) string {
	written := value.Clone()
	if err := written.Compact(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return string(value)
	}
	return string(written)
}

// text is a member as text; nil where it is null or missing.
func (o object) text(name string) *string {
	if isNull(o[name]) {
		return nil
	}
	text := plain(o[name])
	return &text
}

// said is a member as text; empty where it is null or missing.
func (o object) said(name string) string { return plain(o[name]) }

// required is a member that must be a text which is not empty; of says what it belongs to.
func (o object) required(name, of string) (string, error) {
	if text := o.said(name); isText(o[name]) && text != "" {
		return text, nil
	}
	return "", problem("%s has %s as %s, which must be a text that is not empty", of, kindOf(o[name]), name)
}

// isTrue says whether a member is true, or another value that counts as true.
func (o object) isTrue(name string) bool {
	switch value := o[name]; value.Kind() {
	case 't':
		return true
	case '"':
		return o.said(name) != ""
	case '0':
		return string(value) != "0"
	case '{', '[':
		return compact(value) != "{}" && compact(value) != "[]"
	}
	return false
}

// eachLine reads a file of one object a line. A last line that was cut off in mid-writing is passed over.
func (f *file) eachLine(take func(number int, line object) error) (count int, err error) {
	number := 0
	for line := range bytes.Lines(f.data) {
		number++
		isWhole := bytes.HasSuffix(line, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		one, err := parse(line)
		if err != nil && !isWhole && count > 0 && !jsontext.Value(line).IsValid(jsontext.AllowDuplicateNames(true)) {
			break
		}
		if err == nil {
			err = take(number, one)
		}
		if err != nil {
			return count, problem("line %d: %v", number, err)
		}
		count++
	}
	return count, nil
}

// meta are members of an object that is written, in their order.
type meta []metaMember

type metaMember struct {
	name  string
	value any
}

func (m *meta) add(name string, value any) { *m = append(*m, metaMember{name, value}) }

// addText adds a text, where there is one.
func (m *meta) addText(name string, text *string) {
	if text != nil && *text != "" {
		m.add(name, *text)
	}
}

// addAll adds texts, where there are any.
func (m *meta) addAll(name string, texts []string) {
	if len(texts) > 0 {
		m.add(name, texts)
	}
}

// addValue adds a value as it is in the file.
func (m *meta) addValue(name string, value jsontext.Value) {
	m.add(name, json.RawMessage(compact(value)))
}

func (m meta) encode() (string, error) {
	var to bytes.Buffer
	encoder := json.NewEncoder(&to)
	encoder.SetEscapeHTML(false)
	to.WriteByte('{')
	for i, member := range m {
		if i > 0 {
			to.WriteByte(',')
		}
		for part, value := range []any{member.name, member.value} {
			if part > 0 {
				to.WriteByte(':')
			}
			if err := encoder.Encode(value); err != nil {
				return "", err
			}
			to.Truncate(to.Len() - 1) // the end of the line
		}
	}
	to.WriteByte('}')
	return to.String(), nil
}

// added is a list of names with another one, unless it is empty or there already, or the list is full. Every line of a file may ask for it.
func added(set []string, text string) []string {
	if text == "" || len(set) >= maxNames || slices.Contains(set, text) {
		return set
	}
	return append(set, text)
}

// sorted are texts in their order, as an empty list where there are none.
func sorted(set []string) []string {
	slices.Sort(set)
	return listed(set)
}

// listed are texts, as an empty list where there are none.
func listed(set []string) []string {
	if set == nil {
		return []string{}
	}
	return set
}
