package sandbox

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// The values of a program cross the border of its process in this form: a tag, then the value. Lengths are unsigned varints.
const (
	tagNone byte = iota
	tagFalse
	tagTrue
	tagInt      // a signed varint
	tagBigInt   // its decimal digits
	tagFloat    // 8 bytes, big endian
	tagText     // a length, then the bytes
	tagBytes    // a length, then the bytes
	tagList     // a length, then the items
	tagTuple    // a length, then the items
	tagDict     // a length, then keys and values
	tagSet      // a length, then the items
	tagTime     // nanoseconds since 1970, as a signed varint
	tagDuration // nanoseconds, as a signed varint
	tagOther    // the name of a type whose values do not leave the process
	tagBroken   // no value: what was wrong with those before follows, and nothing else of them
)

// maxValueDepth bounds how deep values lie in values that cross: a list can hold itself.
const maxValueDepth = 64

// other stands for a value that does not leave its process, such as a function.
type other struct{ kind string }

// String returns the name of the type.
func (o other) String() string { return o.kind }

// Type returns the name of the type.
func (o other) Type() string { return o.kind }

// Freeze does nothing: there is nothing that could change.
func (o other) Freeze() {}

// Truth is true, as that of functions.
func (o other) Truth() starlark.Bool { return true }

// Hash refuses to be a key.
func (o other) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", o.kind) }

// encoder writes values, within limits.
type encoder struct {
	to *bufio.Writer
	// values and bytes count what was written; mostValues and most are their limits, where most is not zero.
	values, bytes    int
	mostValues, most int
}

var errTooMuch = errors.New("too much was returned")

func (e *encoder) raw(data []byte) error {
	if e.bytes += len(data); e.most > 0 && e.bytes > e.most {
		return errTooMuch
	}
	_, err := e.to.Write(data)
	return err
}

func (e *encoder) tagged(tag byte, length int) error {
	return e.raw(binary.AppendUvarint([]byte{tag}, uint64(length)))
}

func (e *encoder) text(tag byte, text string) error {
	if e.bytes += len(text); e.most > 0 && e.bytes > e.most {
		return errTooMuch
	}
	if err := e.tagged(tag, len(text)); err != nil {
		return err
	}
	_, err := e.to.WriteString(text)
	return err
}

func (e *encoder) number(tag byte, number int64) error {
	return e.raw(binary.AppendVarint([]byte{tag}, number))
}

// value writes a value. Its error is errTooMuch when the limits are reached; then nothing was written of the value that it was about.
func (e *encoder) value(value starlark.Value, depth int) error {
	if e.values++; e.most > 0 && e.values > e.mostValues {
		return errTooMuch
	}
	if depth > maxValueDepth {
		return fmt.Errorf("the values lie more than %d levels deep", maxValueDepth)
	}
	switch typed := value.(type) {
	case nil, starlark.NoneType:
		return e.raw([]byte{tagNone})
	case starlark.Bool:
		if typed {
			return e.raw([]byte{tagTrue})
		}
		return e.raw([]byte{tagFalse})
	case starlark.Int:
		if small, fits := typed.Int64(); fits {
			return e.number(tagInt, small)
		}
		if typed.BigInt().BitLen() > maxIntBits {
			return fmt.Errorf("an int has more than %d bits", maxIntBits)
		}
		return e.text(tagBigInt, typed.String())
	case starlark.Float:
		return e.raw(binary.BigEndian.AppendUint64([]byte{tagFloat}, math.Float64bits(float64(typed))))
	case starlark.String:
		return e.text(tagText, string(typed))
	case starlark.Bytes:
		return e.text(tagBytes, string(typed))
	case starlarktime.Time:
		return e.number(tagTime, time.Time(typed).UnixNano())
	case starlarktime.Duration:
		return e.number(tagDuration, int64(typed))
	case *starlark.Dict:
		return e.dict(typed, depth)
	case *starlark.List:
		return e.items(tagList, typed, typed.Len(), depth)
	case starlark.Tuple:
		return e.items(tagTuple, typed, typed.Len(), depth)
	case *starlark.Set:
		return e.items(tagSet, typed, typed.Len(), depth)
	}
	return e.text(tagOther, value.Type())
}

// maxIntBits bounds the ints that leave a process: the types of columns have 64.
const maxIntBits = 4096

// crossing is how many values and bytes cross at most: those of the columns, and the dicts and keys around them. What is returned is
// counted once more by its reader, who knows which are of columns.
func (l Limits) crossing() (values, bytes int) {
	values = 4*l.Values + 1024
	return values, l.Bytes + 16*values
}

func (e *encoder) dict(dict *starlark.Dict, depth int) error {
	if err := e.tagged(tagDict, dict.Len()); err != nil {
		return err
	}
	for _, item := range dict.Items() {
		if err := e.value(item[0], depth+1); err != nil {
			return err
		}
		if err := e.value(item[1], depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) items(tag byte, values starlark.Iterable, length, depth int) error {
	if err := e.tagged(tag, length); err != nil {
		return err
	}
	iterator := values.Iterate()
	defer iterator.Done()
	var item starlark.Value
	for iterator.Next(&item) {
		if err := e.value(item, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// decoder reads what an encoder has written. What it reads may come from a process that untrusted code has run in: lengths are believed
// only as far as bytes follow.
type decoder struct {
	from *bufio.Reader
	// left is how many bytes, and values how many values may still come.
	left, values int
}

// errBroken says that the values end, and what is wrong with them follows.
var errBroken = errors.New("the values are not whole")

var errWire = errors.New("what came from the process of the code is not in its form")

func (d *decoder) byte() (byte, error) {
	if d.left--; d.left < 0 {
		return 0, errWire
	}
	return d.from.ReadByte()
}

// ReadByte serves the readers of varints.
func (d *decoder) ReadByte() (byte, error) { return d.byte() }

func (d *decoder) length() (int, error) {
	length, err := binary.ReadUvarint(d)
	if err != nil {
		return 0, err
	}
	if length > uint64(d.left) {
		return 0, errWire
	}
	return int(length), nil
}

func (d *decoder) text() (string, error) {
	length, err := d.length()
	if err != nil {
		return "", err
	}
	d.left -= length
	data := make([]byte, length)
	_, err = io.ReadFull(d.from, data)
	return string(data), err
}

func (d *decoder) value(depth int) (starlark.Value, error) {
	tag, err := d.byte()
	if err != nil {
		return nil, err
	}
	if tag == tagBroken {
		return nil, errBroken
	}
	if d.values--; d.values < 0 || depth > maxValueDepth {
		return nil, errWire
	}
	switch tag {
	case tagNone:
		return starlark.None, nil
	case tagFalse, tagTrue:
		return starlark.Bool(tag == tagTrue), nil
	case tagInt, tagTime, tagDuration:
		return d.number(tag)
	case tagFloat:
		var bits uint64
		for range 8 {
			next, err := d.byte()
			if err != nil {
				return nil, err
			}
			bits = bits<<8 | uint64(next)
		}
		return starlark.Float(math.Float64frombits(bits)), nil
	case tagBigInt, tagText, tagBytes, tagOther:
		return d.fromText(tag)
	case tagList, tagTuple, tagSet:
		return d.items(tag, depth)
	case tagDict:
		return d.dict(depth)
	}
	return nil, errWire
}

func (d *decoder) number(tag byte) (starlark.Value, error) {
	number, err := binary.ReadVarint(d)
	switch tag {
	case tagTime:
		return starlarktime.Time(time.Unix(0, number).UTC()), err
	case tagDuration:
		return starlarktime.Duration(number), err
	}
	return starlark.MakeInt64(number), err
}

func (d *decoder) fromText(tag byte) (starlark.Value, error) {
	text, err := d.text()
	if err != nil {
		return nil, err
	}
	switch tag {
	case tagBigInt:
		number, read := new(big.Int).SetString(text, 10)
		if !read {
			return nil, errWire
		}
		return starlark.MakeBigInt(number), nil
	case tagBytes:
		return starlark.Bytes(text), nil
	case tagOther:
		return other{kind: text}, nil
	}
	return starlark.String(text), nil
}

func (d *decoder) items(tag byte, depth int) (starlark.Value, error) {
	length, err := d.length()
	if err != nil {
		return nil, err
	}
	var items []starlark.Value
	for range length {
		item, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	switch tag {
	case tagTuple:
		return starlark.Tuple(items), nil
	case tagSet:
		set := starlark.NewSet(len(items))
		for _, item := range items {
			if err := set.Insert(item); err != nil {
				return nil, err
			}
		}
		return set, nil
	}
	return starlark.NewList(items), nil
}

func (d *decoder) dict(depth int) (starlark.Value, error) {
	length, err := d.length()
	if err != nil {
		return nil, err
	}
	dict := starlark.NewDict(min(length, 1024))
	for range length {
		key, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		value, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := dict.SetKey(key, value); err != nil {
			return nil, err
		}
	}
	return dict, nil
}
