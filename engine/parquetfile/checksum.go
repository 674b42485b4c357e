package parquetfile

import (
	"bufio"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/parquet-go/parquet-go/encoding/thrift"
)

// pageHeader is what is wanted of the header of a page. The checksum, where there is one, is that of the page as it lies in the file.
type pageHeader struct {
	CompressedSize int32              `thrift:"3,required"`
	Checksum       thrift.Null[int32] `thrift:"4,optional"`
	DataPage       *pageValues        `thrift:"5,optional"`
	DataPageV2     *pageValues        `thrift:"8,optional"`
}

type pageValues struct {
	Count int32 `thrift:"1,required"`
}

// values is how many levels a page has, and whether it has values at all: a dictionary has none.
func (h *pageHeader) values() (count int64, isData bool) {
	switch {
	case h.DataPage != nil:
		return int64(h.DataPage.Count), true
	case h.DataPageV2 != nil:
		return int64(h.DataPageV2.Count), true
	}
	return 0, false
}

// pageChecksums verifies the pages of a leaf column in a row group, each before it is decoded: the reading library looks at no checksum.
// Where a writer wrote none, no more of the column is looked at than its first page.
type pageChecksums struct {
	pages *bufio.Reader
	group int
	// page is how many were verified, and verified how many levels they have; decoded is how many of them were decoded.
	page              int
	verified, decoded int64
	ended             bool
}

func newPageChecksums(from io.ReaderAt, group int, column *metadata.ColumnChunkMetaData) *pageChecksums {
	start := column.DataPageOffset()
	if dictionary := column.DictionaryPageOffset(); column.HasDictionaryPage() && dictionary > 0 && dictionary < start {
		start = dictionary
	}
	section := io.NewSectionReader(from, start, column.TotalCompressedSize())
	return &pageChecksums{pages: bufio.NewReaderSize(section, readBuffer), group: group}
}

// before returns what verifies the pages that a read decodes.
func (p *pageChecksums) before(read readLevels) readLevels {
	return func(definition, repetition []int16) (int64, error) {
		for !p.ended && p.verified <= p.decoded {
			if err := p.next(); err != nil {
				return 0, err
			}
		}
		levels, err := read(definition, repetition)
		p.decoded += levels
		return levels, err
	}
}

// next verifies the next page. A header that can't be read is left to the library, which says more.
func (p *pageChecksums) next() error {
	var header pageHeader
	if thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(p.pages)).Decode(&header) != nil || header.CompressedSize < 0 {
		p.ended = true
		return nil
	}
	p.page++
	values, isData := header.values()
	p.verified += values
	if !header.Checksum.Valid {
		_, err := p.pages.Discard(int(header.CompressedSize))
		p.ended = isData || err != nil
		return nil
	}
	sum, err := p.sum(int(header.CompressedSize))
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("page %d of the column in row group %d is cut off; copy or download the file again", p.page, p.group+1)
	}
	if err != nil {
		return err
	}
	if sum != uint32(header.Checksum.V) {
		return fmt.Errorf("page %d of the column in row group %d is damaged: its checksum is %08x, and the file says %08x; copy or download "+
			"the file again", p.page, p.group+1, sum, uint32(header.Checksum.V))
	}
	return nil
}

// sum reads bytes, and returns their checksum.
func (p *pageChecksums) sum(left int) (sum uint32, err error) {
	for left > 0 {
		part, err := p.pages.Peek(min(left, readBuffer))
		if err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, crc32.IEEETable, part)
		left -= len(part)
		if _, err := p.pages.Discard(len(part)); err != nil {
			return 0, err
		}
	}
	return sum, nil
}
