package parquetfile

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
	parquetgo "github.com/parquet-go/parquet-go"
)

// otherReader reads, with the library that writes our files, the one encoding that the reading library lacks: DELTA_BYTE_ARRAY of values of
// a fixed length, in which writers of the second page version put decimals and UUIDs.
type otherReader struct{ file *parquetgo.File }

func openOther(from io.ReaderAt, size int64) (*otherReader, error) {
	file, err := parquetgo.OpenFile(from, size, parquetgo.SkipPageIndex(true), parquetgo.SkipBloomFilters(true),
		parquetgo.ReadBufferSize(readBuffer))
	if err != nil {
		return nil, err
	}
	return &otherReader{file}, nil
}

func (o *otherReader) leaf(group, column int, of *schema.Column, description *metadata.ColumnChunkMetaData) (*leaf, error) {
	if codec := description.Compression(); codec == compress.Codecs.Lz4Raw || codec == compress.Codecs.Lz4 {
		return nil, fmt.Errorf("values of a fixed length in the encoding DELTA_BYTE_ARRAY with the codec %s can't be read; write the file "+
			"with another codec", codec)
	}
	if description.TotalUncompressedSize() > maxPage {
		return nil, fmt.Errorf("its %d MiB in the encoding DELTA_BYTE_ARRAY are more than %d MiB; write smaller row groups",
			description.TotalUncompressedSize()>>20, maxPage>>20)
	}
	l := &leaf{maximum: of.MaxDefinitionLevel(), repeated: of.MaxRepetitionLevel() > 0, left: description.NumValues()}
	l.levels.definition, l.levels.repetition = make([]int16, valuesPerRead), make([]int16, valuesPerRead)
	l.fixed = make([]parquet.FixedLenByteArray, valuesPerRead)
	values := &otherValues{
		pages: o.file.RowGroups()[group].ColumnChunks()[column].Pages(), buffer: make([]parquetgo.Value, valuesPerRead),
	}
	l.read = func(definition, repetition []int16) (int64, error) {
		for range maxEmptyPages {
			read, err := values.next()
			if err != nil {
				return 0, err
			}
			if len(read) > 0 {
				l.keep(read, definition, repetition)
				return int64(len(read)), nil
			}
		}
		return 0, errShort
	}
	return l, nil
}

// keep takes over values and their levels.
func (l *leaf) keep(values []parquetgo.Value, definition, repetition []int16) {
	present := 0
	for i, value := range values {
		definition[i], repetition[i] = int16(value.DefinitionLevel()), int16(value.RepetitionLevel())
		if definition[i] == l.maximum {
			l.fixed[present] = value.ByteArray()
			present++
		}
	}
}

// otherValues reads the values of a column, page after page.
type otherValues struct {
	pages parquetgo.Pages
	// page has the values of the page that is read; it is nil where the next page is to be opened.
	page   parquetgo.ValueReader
	buffer []parquetgo.Value
}

// next returns the next values, which are valid until the next call. There are none where a page holds none any more.
func (o *otherValues) next() ([]parquetgo.Value, error) {
	if o.page == nil {
		page, err := o.pages.ReadPage()
		if err != nil {
			return nil, errors.Join(errShort, err)
		}
		o.page = page.Values()
	}
	count, err := o.page.ReadValues(o.buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if err != nil {
		o.page = nil
	}
	return o.buffer[:count], nil
}
