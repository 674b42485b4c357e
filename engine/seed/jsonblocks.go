package seed

import (
	"bytes"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonAhead has the blocks of JSON Lines parsed ahead.
type jsonAhead struct {
	blocksAhead
	scan *jsonScan
	// current is the block that is read, of which the reader was given so much. It stops before the first record that was parsed until
	// that was tried.
	current *textBlock
	given   int
	tried   bool
}

func newJSONAhead(scan *jsonScan, from io.Reader, size int) *jsonAhead {
	ahead := &jsonAhead{scan: scan}
	ahead.blocksAhead = blocksAhead{scan: &scan.scan, from: from, size: size, parse: parseJSON(scan)}
	return ahead
}

// Read reads on.
func (a *jsonAhead) Read(to []byte) (int, error) {
	for {
		if a.current == nil {
			if a.current = a.following(); a.current == nil {
				return a.read(to)
			}
			a.given, a.tried = 0, a.current.first == 0
		}
		until := len(a.current.data)
		if !a.tried && a.given < a.current.first {
			until = a.current.first
		} else if !a.tried {
			a.tried = true // in the middle of a record
			a.wasWrong()
		}
		if count := copy(to, a.current.data[a.given:until]); count > 0 {
			a.given += count
			return count, nil
		}
		err := a.current.err
		if a.current = nil; err != nil {
			return 0, err
		}
	}
}

// parseJSON takes the whole lines of a block apart, up to the first record that can't be read: that is told once its line is known.
func parseJSON(scan *jsonScan) func(b *textBlock) {
	return func(b *textBlock) {
		shape, isClean := b.objects(b.data[:bytes.LastIndexByte(b.data, '\n')+1])
		if !isClean {
			shape, _ = b.objects(b.data[:b.next])
		}
		b.lines, b.usable = bytes.Count(b.data[b.first:b.next], []byte{'\n'}), true
		b.merge = func() bool {
			scan.shape.merge(shape)
			return true
		}
	}
}

// objects finds objects in a part of the block, and what they have in common. It is not clean where that has something of the next one too.
func (b *textBlock) objects(data []byte) (shape *jsonShape, isClean bool) {
	shape, b.next, b.records = &jsonShape{}, b.first, b.records[:0]
	plain := plainJSON{data: data, at: b.first}
	var decoder jsontext.Decoder
	for plain.blanks() == '{' {
		start := plain.at
		if !plain.object(shape, 0) {
			decoder.Reset(bytes.NewBuffer(data[start:]))
			if shape.observe(&decoder, 0) != nil {
				return shape, false
			}
			plain.at = start + int(decoder.InputOffset())
		}
		b.records = append(b.records, recordPlace{int32(b.next), int32(plain.at)})
		b.next = plain.at
	}
	return shape, true
}

// pass passes over the records of a block that was parsed, if the next record is the first of them.
func (a *jsonAhead) pass(reader *jsonReader) {
	block := a.current
	if block == nil || a.tried || a.given > block.first {
		return
	}
	rest := block.data[a.given:block.first]
	if !isBlank(reader.decoder.UnreadBuffer()) || !isBlank(rest) {
		return
	}
	a.tried = true
	if !a.take(block) || len(block.records) == 0 {
		return
	}
	start, base := reader.end(), reader.base+reader.count.offset-int64(a.given)
	for _, record := range block.records {
		a.scan.dataset.index.add(start, base+int64(record.end))
		start = base + int64(record.end)
	}
	reader.pass(len(block.records), base+int64(block.next), bytes.Count(rest, []byte{'\n'})+block.lines)
	a.given = block.next
}

func isBlank(text []byte) bool {
	for _, char := range text {
		if char != ' ' && char != '\n' && char != '\r' && char != '\t' {
			return false
		}
	}
	return true
}
