package seed

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
)

const (
	// maxWrong is after how many blocks in a row whose first line break was not the end of a record no more are parsed ahead.
	maxWrong = 4
	// maxParsed bounds how many blocks wait, be there ever so many cores: each takes some MiB.
	maxParsed = 8
)

// blocksAhead has the blocks of a text that come next parsed while those before them are, each as if its first line break were the end of a
// record. Whether it was shows when reading comes to it: then the block is passed over with what it came to, and else it is read as if
// nobody had parsed it. It stands between a text and its reader, to whose goroutine it belongs.
type blocksAhead struct {
	scan *scan
	from io.Reader
	// size is that of a block; none is parsed ahead where it is 0.
	size int
	// parse takes the records after the first line break of a block apart, in a goroutine of its own.
	parse func(block *textBlock)
	// blocks come in their order; nil while none are parsed ahead.
	blocks chan *textBlock
	quit   chan struct{}
	work   sync.WaitGroup
	// err is what reading has ended with; it is read when blocks was closed.
	err error
	// wrong counts blocks in a row whose first line break was not the end of a record, and inVain says that there were too many.
	wrong  int
	inVain atomic.Bool
}

// textBlock is a block of text, and what it came to.
type textBlock struct {
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
	records     []recordPlace
	// merge takes into account what the records have in common. It returns false, and takes nothing into account, where they are better
	// read one after the other.
	merge func() bool
}

// recordPlace is where a record is in a block.
type recordPlace struct{ start, end int32 }

// following returns the next block; nil while none are parsed ahead.
func (a *blocksAhead) following() *textBlock {
	if a.blocks == nil && a.size > 0 {
		if count := a.affordable(); count > 0 && !a.inVain.Load() && a.err == nil {
			a.start(count)
		}
	}
	if a.blocks != nil {
		if block, more := <-a.blocks; more {
			return block
		}
		a.blocks = nil
	}
	return nil
}

// read reads on where no blocks are parsed ahead.
func (a *blocksAhead) read(to []byte) (int, error) {
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
	return int((limits.count - read.count) * each / int64(a.size) * 9 / 10)
}

// start has blocks read and parsed.
func (a *blocksAhead) start(count int) {
	blocks, quit := make(chan *textBlock, min(runtime.GOMAXPROCS(0), maxParsed)), make(chan struct{})
	a.blocks, a.quit = blocks, quit
	a.work.Go(func() {
		defer close(blocks)
		for range count {
			block := &textBlock{data: make([]byte, a.size)}
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
				a.work.Go(func() {
					defer close(block.parsed)
					a.parse(block)
				})
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

// wasWrong notes that the first line break of a block was not the end of a record.
func (a *blocksAhead) wasWrong() {
	a.wrong++
	a.inVain.Store(a.wrong >= maxWrong)
}

// take takes the records of a block into account of which the first begins where reading has come to. It returns false where they are to
// be read one after the other.
func (a *blocksAhead) take(block *textBlock) bool {
	if block.parsed == nil {
		return false
	}
	<-block.parsed
	a.wrong = 0
	tooMany := a.scan.limits.count >= 0 && a.scan.dataset.index.count+int64(len(block.records)) > a.scan.limits.count
	return block.usable && !tooMany && block.merge()
}
