package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"seedloom.dev/seedloom/engine/table"
)

// maxDepth bounds the nesting of objects and lists.
const maxDepth = 32

var errTooDeep = fmt.Errorf("values are nested more than %d deep", maxDepth)

// jsonReader reads records of JSON: those of one array, or one value after the other.
type jsonReader struct {
	decoder *jsontext.Decoder
	count   *lineCounter
	array   bool
	begun   bool
	records int64
	// base is where what the decoder has read begins in the file, and begin where the text does.
	base, begin int64
}

// lineCounter notes where lines begin in what was read last, so that a problem can be told with its line.
type lineCounter struct {
	from io.Reader
	// offset is how much was read, lines how many lines end before tail, which is the end of it.
	offset, lines int64
	tail          []byte
	// longest is where the present record must end.
	longest int64
}

// tailSize is how much is kept to count lines in: more than the decoder reads ahead.
const tailSize = 256 << 10

// Read reads on, and refuses to where a record gets too long.
func (c *lineCounter) Read(to []byte) (int, error) {
	if c.offset > c.longest {
		return 0, fmt.Errorf("a record has more than %d MiB", maxRecord>>20)
	}
	count, err := c.from.Read(to[:min(len(to), 64<<10)])
	c.offset += int64(count)
	c.tail = append(c.tail, to[:count]...)
	if excess := len(c.tail) - tailSize; excess > tailSize {
		c.lines += int64(bytes.Count(c.tail[:excess], []byte{'\n'}))
		c.tail = append(c.tail[:0], c.tail[excess:]...)
	}
	return count, err
}

// readTo sees to it that what stands before an offset is at hand, where there is so much.
func (c *lineCounter) readTo(offset int64) {
	for c.offset < offset {
		more := make([]byte, offset-c.offset)
		count, err := c.from.Read(more)
		c.offset += int64(count)
		c.tail = append(c.tail, more[:count]...)
		if err != nil {
			return
		}
	}
}

// line is the line of an offset.
func (c *lineCounter) line(offset int64) int64 {
	within := offset - (c.offset - int64(len(c.tail)))
	if within < 0 {
		return c.lines + 1
	}
	return c.lines + 1 + int64(bytes.Count(c.tail[:min(within, int64(len(c.tail)))], []byte{'\n'}))
}

// pass passes over bytes in which so many lines end.
func (c *lineCounter) pass(lines int) {
	c.lines += int64(bytes.Count(c.tail, []byte{'\n'}) + lines)
	c.offset, c.tail = 0, c.tail[:0]
}

func newJSONReader(from io.Reader, array bool) *jsonReader {
	count := &lineCounter{from: from, longest: maxRecord}
	return &jsonReader{decoder: jsontext.NewDecoder(count), count: count, array: array}
}

// read observes the next record, which must be an object, and says where it begins and ends; io.EOF at the end.
func (r *jsonReader) read(into *jsonShape) (start, end int64, err error) {
	if r.array && !r.begun {
		if err := r.open(); err != nil {
			return 0, 0, err
		}
	}
	r.count.longest = r.decoder.InputOffset() + maxRecord
	kind := r.decoder.PeekKind()
	if r.array && kind == ']' {
		return 0, 0, r.closed()
	}
	if kind != '{' {
		return 0, 0, r.notAnObject(kind)
	}
	before := r.decoder.InputOffset()
	if err := into.observe(r.decoder, 0); err != nil {
		return 0, 0, r.describe(err)
	}
	r.records++
	return r.base + before, r.end(), nil
}

// end is where the record that was read last ends.
func (r *jsonReader) end() int64 { return r.base + r.decoder.InputOffset() }

// pass passes over records up to a position, where so many more lines have ended than in what was read.
func (r *jsonReader) pass(records int, position int64, lines int) {
	r.records += int64(records)
	r.base = position
	r.count.pass(lines)
	r.decoder.Reset(r.count)
}

func (r *jsonReader) open() error {
	r.begun = true
	if kind := r.decoder.PeekKind(); kind == 0 {
		return r.notAnObject(kind)
	} else if kind != '[' {
		return errors.New("it must be an array of objects; for one object a line, set spec.seed.format to JSONL")
	}
	_, err := r.decoder.ReadToken()
	return err
}

// closed reads the end of the array, after which nothing may follow.
func (r *jsonReader) closed() error {
	if _, err := r.decoder.ReadToken(); err != nil {
		return r.describe(err)
	}
	if _, err := r.decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the array; for one object a line, set spec.seed.format to JSONL")
	}
	return io.EOF
}

// notAnObject says what stands where a record should.
func (r *jsonReader) notAnObject(kind jsontext.Kind) error {
	if kind == '[' && !r.array {
		return fmt.Errorf("record %d is an array; for one array of objects, set spec.seed.format to JSON", r.records+1)
	}
	_, err := r.decoder.ReadToken()
	switch {
	case errors.Is(err, io.EOF) && !r.array:
		return io.EOF
	case err != nil:
		return r.describe(err)
	}
	return fmt.Errorf("line %d: record %d is not an object", r.count.line(r.decoder.InputOffset()), r.records+1)
}

// describe says in which line reading has stopped, and why.
func (r *jsonReader) describe(err error) error {
	offset := r.decoder.InputOffset()
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		offset = syntactic.ByteOffset
	}
	where := fmt.Sprintf("line %d (record %d)", r.count.line(offset), r.records+1)
	rest := r.upcoming(offset)
	switch {
	case errors.Is(err, errTooDeep):
		return fmt.Errorf("%s: %w", where, err)
	case errors.Is(err, jsontext.ErrDuplicateName):
		return fmt.Errorf("%s: the key %q comes twice in one object; rename one", where, syntactic.JSONPointer.LastToken())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%s: it ends in the middle of a value; it may be cut off", where)
	case strings.HasPrefix(rest, "NaN"), strings.HasPrefix(rest, "Infinity"), strings.HasPrefix(rest, "-Infinity"),
		strings.HasPrefix(rest, "nan"):
		word := strings.FieldsFunc(rest, func(char rune) bool { return strings.ContainsRune(",]} \t\r\n", char) })[0]
		return fmt.Errorf("%s: %s is not JSON, though Python's json module writes it; write null instead (pandas: to_json, simplejson: "+
			"ignore_nan=True)", where, word)
	case syntactic != nil && strings.Contains(err.Error(), "surrogate"):
		return fmt.Errorf("%s: a text has half of a character, such as \\ud800 without the \\udc00 that belongs to it, "+
			"which is no text in UTF-8; remove it where the file is written (Python: text.encode(\"utf-8\", \"replace\"))", where)
	case syntactic != nil && strings.Contains(err.Error(), "UTF-8"):
		return fmt.Errorf("%s: it is not text in UTF-8; if it is in Latin-1 or Windows-1252, convert the file: iconv -f WINDOWS-1252 -t UTF-8",
			where)
	case syntactic != nil && rest != "":
		return fmt.Errorf("%s: %w", where, syntactic.Err)
	case syntactic != nil:
		inText := *syntactic
		inText.ByteOffset += r.base - r.begin
		return fmt.Errorf("%s: %w", where, &inText)
	}
	return fmt.Errorf("%s: %w", where, err)
}

// maxUpcoming is how much is looked at of what can't be read.
const maxUpcoming = 40

// upcoming is the text from an offset on, unless that was long ago.
func (r *jsonReader) upcoming(offset int64) string {
	r.count.readTo(offset + maxUpcoming)
	within := offset - (r.count.offset - int64(len(r.count.tail)))
	if within < 0 || within >= int64(len(r.count.tail)) {
		return ""
	}
	rest := r.count.tail[within:]
	return strings.TrimLeft(string(rest[:min(len(rest), maxUpcoming)]), " \t\r\n,:[")
}

// jsonDecoder decodes records of JSON, each of which was read before.
type jsonDecoder struct {
	fields []table.Field
	// from are the columns, by their names in the record: of several with the same name one, and again has the next one of each, or -1.
	from  map[string]int
	again []int
	// names are those of the columns in the record.
	names   []string
	decoder jsontext.Decoder
	// shape has the keys of the records that were decoded, and members those of the columns; nil until there was one.
	shape   jsonShape
	members []*jsonShape
}

// between are the characters that may stand before a record.
const between = " \t\r\n,"

func (d *jsonDecoder) decode(record []byte, cells []any) ([]string, error) {
	d.decoder.Reset(bytes.NewBuffer(bytes.TrimLeft(record, between)), jsontext.AllowDuplicateNames(true))
	cells = cells[:len(d.fields)]
	clear(cells)
	return nil, d.each(func(position int, value jsontext.Value) (err error) {
		cells[position], err = jsonCell(&d.fields[position].Type, value)
		return err
	})
}

// each hands out the values of the record that the decoder has, with the positions of their columns. They belong to the decoder.
func (d *jsonDecoder) each(take func(position int, value jsontext.Value) error) error {
	return jsonMembers(&d.decoder, d.from, func(position int, value jsontext.Value) error {
		for ; position >= 0; position = d.again[position] {
			if err := take(position, value); err != nil {
				return fmt.Errorf("column %q: %w", d.fields[position].Name, err)
			}
		}
		return nil
	})
}

// errTwice is of a record that was read before, when its keys were all different.
var errTwice = errors.New("a key comes twice")

// decodeInto implements columnDecoder.
func (d *jsonDecoder) decodeInto(record []byte, columns []columnBuilder) error {
	record = bytes.TrimLeft(record, between)
	if plain := (plainJSON{data: record}); plain.blanks() == '{' && plain.object(&d.shape, 0) {
		return d.plainInto(record, columns)
	}
	d.decoder.Reset(bytes.NewBuffer(record), jsontext.AllowDuplicateNames(true))
	count := columns[0].length() + 1
	err := d.each(func(position int, value jsontext.Value) error {
		end := int(d.decoder.InputOffset()) // the value is the decoder's, but these bytes stay
		return columns[position].addJSON(record[end-len(value) : end])
	})
	if err != nil {
		return err
	}
	for i := range columns {
		switch length := columns[i].length(); {
		case length < count:
			columns[i].add(nil)
		case length > count:
			return errTwice
		}
	}
	return nil
}

// plainInto adds the cells of a record that was read at a glance.
func (d *jsonDecoder) plainInto(record []byte, columns []columnBuilder) error {
	if d.members == nil {
		d.members = make([]*jsonShape, len(columns))
	}
	for i := range columns {
		member := d.members[i]
		if member == nil {
			member = d.shape.members[d.names[i]]
			d.members[i] = member
		}
		if member == nil || member.seenIn != d.shape.seen {
			columns[i].add(nil)
			continue
		}
		if err := columns[i].addJSON(record[member.start:member.end]); err != nil {
			return fmt.Errorf("column %q: %w", d.fields[i].Name, err)
		}
	}
	return nil
}

// addJSON adds a cell by a value, of which it may keep a part.
func (b *columnBuilder) addJSON(value jsontext.Value) error {
	kind := value.Kind()
	switch {
	case b.Texts != nil && kind == '"':
		text, err := jsonName(value)
		b.Texts = append(b.Texts, text)
		return err
	case b.Texts != nil && kind != 'n':
		b.Texts = append(b.Texts, value)
		return nil
	case b.Ints != nil && kind == '0':
		if number, err := strconv.ParseInt(string(value), 10, 64); err == nil {
			b.Ints = append(b.Ints, number)
			return nil
		}
	case b.Floats != nil && kind == '0':
		number, err := strconv.ParseFloat(string(value), 64)
		b.Floats = append(b.Floats, number)
		return err
	}
	cell, err := jsonCell(b.kind, value)
	if err == nil {
		b.add(cell)
	}
	return err
}

func (d *jsonDecoder) split(data []byte) (int, error) {
	trimmed := bytes.TrimLeft(data, between)
	d.decoder.Reset(bytes.NewBuffer(trimmed))
	err := d.decoder.SkipValue()
	return len(data) - len(trimmed) + int(d.decoder.InputOffset()), err
}

// jsonCells decodes an object into the cells of some fields; from are their names in the object.
func jsonCells(decoder *jsontext.Decoder, cells []any, fields []table.Field, from map[string]int) error {
	return jsonMembers(decoder, from, func(position int, value jsontext.Value) (err error) {
		if cells[position], err = jsonCell(&fields[position].Type, value); err != nil {
			return fmt.Errorf("column %q: %w", fields[position].Name, err)
		}
		return nil
	})
}

// jsonMembers hands out the values of an object that have a name in from, with what that stands for. They belong to the decoder.
func jsonMembers(decoder *jsontext.Decoder, from map[string]int, take func(position int, value jsontext.Value) error) error {
	if _, err := decoder.ReadToken(); err != nil {
		return err
	}
	for decoder.PeekKind() == '"' {
		key, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		name, err := jsonName(key)
		if err != nil {
			return err
		}
		position, wanted := from[string(name)]
		if !wanted {
			if err := decoder.SkipValue(); err != nil {
				return err
			}
			continue
		}
		value, err := decoder.ReadValue()
		if err != nil {
			return err
		}
		if err := take(position, value); err != nil {
			return err
		}
	}
	return nil
}

// jsonName returns the text of a key, which belongs to the decoder; most have nothing to unquote.
func jsonName(key jsontext.Value) ([]byte, error) {
	if bytes.IndexByte(key, '\\') < 0 {
		return key[1 : len(key)-1], nil
	}
	return jsontext.AppendUnquote(nil, key)
}

// jsonText returns the text of a value that is one.
func jsonText(value jsontext.Value) (string, error) {
	text, err := jsonName(value)
	return string(text), err
}

// jsonCell turns a value into a cell of a type.
func jsonCell(kind *table.Type, value jsontext.Value) (any, error) {
	switch {
	case value.Kind() == 'n':
		return nil, nil
	case kind.Kind == table.KindList:
		return jsonList(kind, value)
	case kind.Kind == table.KindStruct:
		from := make(map[string]int, len(kind.Fields))
		for i, field := range kind.Fields {
			from[field.Name] = i
		}
		cells := make([]any, len(kind.Fields))
		return cells, jsonCells(jsontext.NewDecoder(bytes.NewBuffer(value)), cells, kind.Fields, from)
	case value.Kind() == '"':
		text, err := jsonText(value)
		if err != nil || kind.Kind == table.KindString {
			return text, err
		}
		return table.Parse(*kind, text)
	case kind.Kind == table.KindString:
		return string(value), nil
	case kind.Kind == table.KindFloat && value.Kind() == '0':
		return strconv.ParseFloat(string(value), 64)
	}
	return table.Parse(*kind, string(value))
}

func jsonList(kind *table.Type, value jsontext.Value) (any, error) {
	items := []any{}
	decoder := jsontext.NewDecoder(bytes.NewReader(value))
	if _, err := decoder.ReadToken(); err != nil {
		return nil, err
	}
	for decoder.PeekKind() != ']' {
		item, err := decoder.ReadValue()
		if err != nil {
			return nil, err
		}
		cell, err := jsonCell(kind.Element, item)
		if err != nil {
			return nil, err
		}
		items = append(items, cell)
	}
	return items, nil
}
