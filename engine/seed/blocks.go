package seed

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"seedloom.dev/seedloom/engine/table"
)

const (
	// maxWrong is after how many blocks in a row whose first line break was not the end of a record no more are parsed ahead.
	maxWrong = 4
	// maxParsed bounds how many blocks wait, be there ever so many cores: each takes some MiB.
	maxParsed = 8
)

// blocksAhead has the blocks of a CSV that come next parsed while those before them are, each as if its first line break were the end of a
// record. Whether it was shows when reading comes to it: then the block is passed over with what it came to, and else it is read as if
// nobody had parsed it. It stands between a text and its reader, to whose goroutine it belongs.
type blocksAhead struct {
	scan *csvScan
	from io.Reader
	// blocks come in their order; nil while none are parsed ahead.
	blocks chan *csvBlock
	quit   chan struct{}
	work   sync.WaitGroup
	// err is what reading has ended with; it is read when blocks was closed.
	err error
	// current is the block that the reader was given last, unless reading has come to its first record.
	current *csvBlock
	// wrong counts blocks in a row whose first line break was not the end of a record, and inVain says that there were too many.
	wrong  int
	inVain atomic.Bool
}

// csvBlock is a block of text, and what it came to.
type csvBlock struct {
	data []byte
	// last says that nothing follows, err is why.
	last bool
	err  error
	// first is where the record after the first line break begins; 0 where there is none.
	first int
	// parsed is closed when the rest is there; nil where the block is not parsed.
	parsed chan struct{}
	// usable says that the records can be used as they are, if one begins at first: up to next, where so many lines have ended.
	usable      bool
	next, lines int
	records     []csvPlace
	shapes      []textShape
}

// csvPlace is where a record is in a block.
type csvPlace struct{ start, end int32 }

// Read has the reader get the next block, in full but for the last.
func (a *blocksAhead) Read(to []byte) (int, error) {
	a.current = nil
	if a.blocks == nil {
		if count := a.affordable(); count > 0 && !a.inVain.Load() && a.err == nil && len(to) == readSize {
			a.start(count)
		}
	}
	if a.blocks != nil {
		if block, more := <-a.blocks; more {
			a.current = block
			return copy(to, block.data), block.err
		}
		a.blocks = nil
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.from.Read(to)
}

// affordable is how many blocks surely hold nothing but rows that are wanted, by those that were read.
func (a *blocksAhead) affordable() int {
	limits, read := &a.scan.limits, &a.scan.dataset.index
	switch {
	case limits.offset > 0 || read.count == 0:
		return 0
	case limits.count < 0:
		return 1 << 20
	}
	part := &read.parts[len(read.parts)-1]
	if read.count == part.first {
		return 0
	}
	each := (part.end - part.starts[0]) / (read.count - part.first)
	return int((limits.count - read.count) * each / readSize * 9 / 10)
}

// start has blocks read and parsed.
func (a *blocksAhead) start(count int) {
	blocks, quit := make(chan *csvBlock, min(runtime.GOMAXPROCS(0), maxParsed)), make(chan struct{})
	a.blocks, a.quit = blocks, quit
	a.work.Go(func() {
		defer close(blocks)
		for range count {
			block := &csvBlock{data: make([]byte, readSize)}
			length, err := io.ReadFull(a.from, block.data)
			block.data = block.data[:length]
			if err != nil {
				if errors.Is(err, io.ErrUnexpectedEOF) {
					err = io.EOF
				}
				a.err, block.err, block.last = err, err, errors.Is(err, io.EOF)
			}
			if block.first = bytes.IndexByte(block.data, '\n') + 1; block.first > 0 && !a.inVain.Load() {
				block.parsed = make(chan struct{})
				a.work.Go(func() { block.parse(a.scan) })
			}
			select {
			case blocks <- block:
			case <-quit:
				return
			}
			if err != nil {
				return
			}
		}
	})
}

// stop returns when nothing is read or parsed any more.
func (a *blocksAhead) stop() {
	if a.quit != nil {
		close(a.quit)
		a.work.Wait()
	}
}

// parse takes the records after the first line break apart.
func (b *csvBlock) parse(scan *csvScan) {
	defer close(b.parsed)
	reader := csvReader{delimiter: scan.delimiter, next: [3]int{-1, -1, -1}, data: b.data, at: b.first, last: b.last, line: 1}
	b.shapes = make([]textShape, len(scan.columns))
	for {
		record, whole, err := reader.readWhole()
		if err == nil && !whole || errors.Is(err, io.EOF) {
			break
		}
		if err != nil || len(record.cells) != len(scan.names) || observeAll(b.shapes, scan.columns, record) != nil {
			return // it is told once the line is known
		}
		b.records = append(b.records, csvPlace{int32(record.start), int32(record.end)})
	}
	b.next, b.lines, b.usable = reader.at, reader.line-1, true
}

// pass passes over the records of a block that was parsed, if the next record is the first of them.
func (a *blocksAhead) pass(reader *csvReader) {
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
		a.wrong++
		a.inVain.Store(a.wrong >= maxWrong)
		return
	}
	if block.parsed == nil {
		return
	}
	<-block.parsed
	a.wrong = 0
	scan := a.scan
	tooMany := scan.limits.count >= 0 && scan.dataset.index.count+int64(len(block.records)) > scan.limits.count
	if !block.usable || tooMany || !scan.merge(block.shapes) {
		return
	}
	base := reader.base + int64(begin)
	for _, record := range block.records {
		scan.dataset.index.add(base+int64(record.start), base+int64(record.end))
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
