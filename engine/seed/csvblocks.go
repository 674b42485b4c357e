package seed

import (
	"errors"
	"io"
	"slices"

	"seedloom.dev/seedloom/engine/table"
)

// csvAhead has the blocks of a CSV parsed ahead.
type csvAhead struct {
	blocksAhead
	scan *csvScan
	// current is the block that the reader was given last, unless reading has come to its first record.
	current *textBlock
}

func newCSVAhead(scan *csvScan, from io.Reader) *csvAhead {
	ahead := &csvAhead{scan: scan}
	ahead.blocksAhead = blocksAhead{scan: &scan.scan, from: from, size: readSize, parse: scan.parse}
	return ahead
}

// Read has the reader get the next block, in full but for the last.
func (a *csvAhead) Read(to []byte) (int, error) {
	a.current = nil
	if a.blocks != nil || len(to) == readSize {
		if block := a.following(); block != nil {
			a.current = block
			return copy(to, block.data), block.err
		}
	}
	return a.read(to)
}

// parse takes the records of a block apart.
func (s *csvScan) parse(b *textBlock) {
	reader := csvReader{delimiter: s.delimiter, next: [3]int{-1, -1, -1}, data: b.data, at: b.first, last: b.last, line: 1}
	shapes := make([]textShape, len(s.columns))
	for {
		record, whole, err := reader.readWhole()
		if err == nil && !whole || errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(record.cells) != len(s.names) || observeAll(shapes, s.columns, record) != nil {
			return // it is told once the line is known
		}
		b.records = append(b.records, recordPlace{int32(record.start), int32(record.end)})
	}
	b.next, b.lines, b.usable = reader.at, reader.line-1, true
	b.merge = func() bool { return s.merge(shapes) }
}

// pass passes over the records of a block that was parsed, if the next record is the first of them.
func (a *csvAhead) pass(reader *csvReader) {
	block := a.current
	if block == nil {
		return
	}
	begin := len(reader.data) - len(block.data)
	if reader.at < begin+block.first {
		return
	}
	a.current = nil
	if block.first == 0 || reader.at > begin+block.first {
		a.wasWrong()
		return
	}
	if !a.take(block) {
		return
	}
	base := reader.base + int64(begin)
	for _, record := range block.records {
		a.scan.dataset.index.add(base+int64(record.start), base+int64(record.end))
	}
	reader.at, reader.line = begin+block.next, reader.line+block.lines
}

// merge takes into account what later cells have in common. It returns false, and takes nothing into account, where one of them is not of
// the type that was asked for.
func (s *csvScan) merge(later []textShape) bool {
	shapes := slices.Clone(s.shapes)
	for i := range shapes {
		shapes[i].merge(&later[i])
		if asked := s.columns[i].asked; asked != nil && asked.Kind == table.KindTimestamp && shapes[i].notTimestamp {
			return false
		}
	}
	copy(s.shapes, shapes)
	return true
}
