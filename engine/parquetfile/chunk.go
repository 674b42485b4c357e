package parquetfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"sync"

	"github.com/parquet-go/parquet-go/encoding/rle"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// A page ends with the row that fills it: with so many bytes of values, or so many levels. A row is in one page whole, and a page whose
// last value is large is hardly larger than that.
const (
	bytesPerPage  = 256 << 10
	levelsPerPage = 20_000
)

// lengthBytes is how many bytes say how long a text is.
const lengthBytes = 4

// maxDictionary is how large a dictionary may become, in bytes, before the values of the next pages stand in them as they are.
const maxDictionary = 1 << 20

// maxKept bounds the memory that is kept for the next file.
const maxKept = 4 * bytesPerPage

// chunk is a leaf column while it is written: the page that values are added to, and the pages before it. Values are encoded as they are
// added.
type chunk struct {
	leaf *leafNode
	// values are those of the page that are not null, and definitions and repetitions the levels of all.
	values                   []byte
	definitions, repetitions []byte
	bounds                   bounds
	// booleans is how many values are in the bits of the values.
	booleans int
	// rows is how many begin in the page.
	rows int
	// dictionary is nil where values stand in pages as they are.
	dictionary *dictionary

	pages   bytes.Buffer
	thrift  *thrift.Encoder
	body    []byte
	scratch []byte
	// all are the bounds of the chunk, and rowsBefore is how many rows begin before the page.
	all        bounds
	rowsBefore int64
	written
}

// written is what a file says of a chunk behind its pages.
type written struct {
	metadata columnMetaData
	// hasIndex says that each page has bounds.
	hasIndex bool
	index    format.ColumnIndex
	offsets  format.OffsetIndex
}

// chunks keeps the memory of chunks for the next file.
var chunks = sync.Pool{New: func() any {
	c := &chunk{}
	c.thrift = thrift.NewEncoder(new(thrift.CompactProtocol).NewWriter(&c.pages))
	return c
}}

// newChunk returns a chunk without values. Its owner releases it.
func newChunk(leaf *leafNode, hasDictionary bool) *chunk {
	c := chunks.Get().(*chunk)
	pages, encoder := c.pages, c.thrift
	pages.Reset()
	*c = chunk{
		leaf: leaf, values: c.values[:0], definitions: c.definitions[:0], repetitions: c.repetitions[:0], body: c.body[:0],
		scratch: c.scratch[:0], pages: pages, thrift: encoder,
		written: written{hasIndex: true, metadata: columnMetaData{
			Type: leaf.physical, PathInSchema: leaf.path, Codec: format.Zstd, Encoding: []format.Encoding{format.Plain, format.RLE},
		}},
	}
	if leaf.repetition > 0 {
		c.metadata.SizeStatistics.RepetitionLevelHistogram = make([]int64, leaf.repetition+1)
	}
	c.metadata.SizeStatistics.DefinitionLevelHistogram = make([]int64, leaf.definition+1)
	if hasDictionary {
		c.dictionary = &dictionary{numbers: map[string]int32{}}
		c.metadata.Encoding = append(c.metadata.Encoding, format.RLEDictionary)
	}
	return c
}

func (c *chunk) release() {
	if cap(c.values) <= maxKept && cap(c.body) <= maxKept && c.pages.Cap() <= maxKept {
		chunks.Put(c)
	}
}

// level adds the levels of a value, or of what is null or empty in its place.
func (c *chunk) level(repetition, definition int) {
	c.definitions = append(c.definitions, byte(definition))
	if c.leaf.repetition > 0 {
		c.repetitions = append(c.repetitions, byte(repetition))
	}
}

// The functions below add values, whose levels are added apart.

func (c *chunk) int64(value int64) {
	c.values = binary.LittleEndian.AppendUint64(c.values, uint64(value))
	c.bounds.takeInt(value)
}

func (c *chunk) int32(value int32) {
	c.values = binary.LittleEndian.AppendUint32(c.values, uint32(value))
	c.bounds.takeInt(int64(value))
}

func (c *chunk) double(value float64) {
	c.values = binary.LittleEndian.AppendUint64(c.values, math.Float64bits(value))
	c.bounds.takeFloat(value)
}

func (c *chunk) boolean(value bool) {
	bit := c.booleans % 8
	if bit == 0 {
		c.values = append(c.values, 0)
	}
	number := int64(0)
	if value {
		number = 1
		c.values[len(c.values)-1] |= 1 << bit
	}
	c.booleans++
	c.bounds.takeInt(number)
}

// fixed adds the big-endian bytes of a signed number, of which all values have as many.
func (c *chunk) fixed(value []byte) {
	c.values = append(c.values, value...)
	flipped := bytes.Clone(value)
	flipped[0] ^= signBit
	takeText(&c.bounds, flipped)
}

// addText adds a text, or binary data.
func addText[T string | []byte](c *chunk, value T) {
	c.metadata.SizeStatistics.UnencodedByteArrayDataBytes += int64(len(value))
	if c.dictionary != nil && !c.dictionary.full {
		c.dictionary.page = append(c.dictionary.page, number(c.dictionary, value))
		return
	}
	c.values = binary.LittleEndian.AppendUint32(c.values, uint32(len(value)))
	c.values = append(c.values, value...)
	takeText(&c.bounds, value)
}

// endRow ends a row, and with it the page where that is full.
func (c *chunk) endRow() error {
	c.rows++
	if len(c.values) < bytesPerPage && len(c.definitions) < levelsPerPage && !c.dictionary.overflows() {
		return nil
	}
	return c.endPage()
}

// room is for how many values of a size the page has room, of so many that are left.
func (c *chunk) room(left, size int) int {
	return min(left, (bytesPerPage-len(c.values)+size-1)/size, levelsPerPage-len(c.definitions))
}

// presentRows adds the levels of rows none of which is null, and whose values were added.
func (c *chunk) presentRows(rows int) error {
	for range rows {
		c.definitions = append(c.definitions, byte(c.leaf.definition))
	}
	c.rows += rows - 1
	return c.endRow()
}

// endPage encodes the page, if there is anything in it.
func (c *chunk) endPage() error {
	if len(c.definitions) == 0 {
		return nil
	}
	values, encoding := c.values, format.Plain
	if c.dictionary != nil && !c.dictionary.full {
		var err error
		if c.scratch, err = new(rle.DictionaryEncoding).EncodeInt32(c.scratch, c.dictionary.page); err != nil {
			return err
		}
		c.dictionary.bounds(&c.bounds)
		values, encoding = c.scratch, format.RLEDictionary
	}
	header := format.PageHeader{Type: format.DataPageV2}
	header.DataPageHeaderV2.Valid = true
	data := &header.DataPageHeaderV2.V
	data.Encoding = encoding
	data.NumValues, data.NumRows, data.NumNulls = int32(len(c.definitions)), int32(c.rows), int32(c.countLevels())
	body, err := c.encodeLevels(data)
	if err != nil {
		return err
	}
	if err := c.writePage(&header, body, values); err != nil {
		return err
	}
	c.indexPage(&header)
	c.rowsBefore += int64(c.rows)
	c.values, c.definitions, c.repetitions, c.bounds, c.booleans, c.rows = c.values[:0], c.definitions[:0], c.repetitions[:0], bounds{}, 0, 0
	if c.dictionary != nil {
		c.dictionary.endPage()
	}
	return nil
}

// countLevels counts the levels of the page, and returns how many of them are of no value.
func (c *chunk) countLevels() int {
	definitions := c.metadata.SizeStatistics.DefinitionLevelHistogram
	before := definitions[c.leaf.definition]
	for _, level := range c.definitions {
		definitions[level]++
	}
	for _, level := range c.repetitions {
		c.metadata.SizeStatistics.RepetitionLevelHistogram[level]++
	}
	return len(c.definitions) - int(definitions[c.leaf.definition]-before)
}

// encodeLevels returns the encoded levels of the page, and notes how long they are.
func (c *chunk) encodeLevels(header *format.DataPageHeaderV2) (body []byte, err error) {
	body = c.body[:0]
	if c.leaf.repetition > 0 {
		if body, err = c.leaf.repetitions.EncodeLevels(body, c.repetitions); err != nil {
			return nil, err
		}
		header.RepetitionLevelsByteLength = int32(len(body))
	}
	// The encoder overwrites what it is given, so it gets what is behind the levels before.
	before := len(body)
	encoded, err := c.leaf.definitions.EncodeLevels(body[before:], c.definitions)
	header.DefinitionLevelsByteLength = int32(len(encoded))
	return append(body, encoded...), err
}

// writePage writes the header and the body of a page, which begins with levels that aren't compressed.
func (c *chunk) writePage(header *format.PageHeader, levels, values []byte) error {
	if int64(len(levels))+int64(len(values)) > math.MaxInt32 {
		return fmt.Errorf("the %d MiB of a row are more than a page of a Parquet file can have", len(values)>>20)
	}
	body, isCompressed, err := compressPage(levels, values, header.Type == format.DataPageV2)
	if err != nil {
		return err
	}
	c.body = body
	header.DataPageHeaderV2.V.IsCompressed = thrift.New(isCompressed)
	header.UncompressedPageSize, header.CompressedPageSize = int32(len(levels)+len(values)), int32(len(c.body))
	header.CRC = int32(crc32.ChecksumIEEE(c.body))
	before := c.pages.Len()
	if err := c.thrift.Encode(header); err != nil {
		return err
	}
	ofHeader := int64(c.pages.Len() - before)
	c.pages.Write(c.body)
	c.metadata.TotalUncompressedSize += ofHeader + int64(header.UncompressedPageSize)
	c.metadata.TotalCompressedSize += ofHeader + int64(header.CompressedPageSize)
	c.noteEncoding(header)
	return nil
}

// noteEncoding counts a page by its type and its encoding.
func (c *chunk) noteEncoding(header *format.PageHeader) {
	stats := format.PageEncodingStats{PageType: header.Type, Encoding: header.DataPageHeaderV2.V.Encoding, Count: 1}
	for i := range c.metadata.EncodingStats {
		if other := &c.metadata.EncodingStats[i]; other.PageType == stats.PageType && other.Encoding == stats.Encoding {
			other.Count++
			return
		}
	}
	c.metadata.EncodingStats = append(c.metadata.EncodingStats, stats)
}

// indexPage notes in the indexes where the page that was written begins, and what its bounds are.
func (c *chunk) indexPage(header *format.PageHeader) {
	data := &header.DataPageHeaderV2.V
	size := int64(c.pages.Len())
	start := int64(0)
	if pages := c.offsets.PageLocations; len(pages) > 0 {
		start = pages[len(pages)-1].Offset + int64(pages[len(pages)-1].CompressedPageSize)
	}
	c.offsets.PageLocations = append(c.offsets.PageLocations, format.PageLocation{
		Offset: start, CompressedPageSize: int32(size - start), FirstRowIndex: c.rowsBefore,
	})
	c.metadata.NumValues += int64(data.NumValues)
	c.metadata.Statistics.NullCount += int64(data.NumNulls)
	isNull := data.NumNulls == data.NumValues
	least, greatest := []byte{}, []byte{}
	if c.bounds.set {
		bounds := c.bounds.statistics(c.leaf.physical)
		least, greatest = bounds.MinValue, bounds.MaxValue
	}
	c.hasIndex = c.hasIndex && greatest != nil && (isNull || c.bounds.set)
	c.index.NullPages = append(c.index.NullPages, isNull)
	c.index.NullCounts = append(c.index.NullCounts, int64(data.NumNulls))
	c.index.MinValues, c.index.MaxValues = append(c.index.MinValues, least), append(c.index.MaxValues, greatest)
	c.all.merge(&c.bounds)
}

// finish writes all pages into the file, behind what is there.
func (c *chunk) finish(file *bytes.Buffer) error {
	if err := c.endPage(); err != nil {
		return err
	}
	data := c.pages.Len()
	if c.dictionary != nil {
		c.metadata.DictionaryPageOffset = int64(file.Len())
		header := format.PageHeader{Type: format.DictionaryPage}
		header.DictionaryPageHeader.Valid = true
		header.DictionaryPageHeader.V = format.DictionaryPageHeader{NumValues: int32(len(c.dictionary.entries)), Encoding: format.Plain}
		if err := c.writePage(&header, c.body[:0], c.dictionary.plain()); err != nil {
			return err
		}
	}
	written := c.pages.Bytes()
	file.Write(written[data:])
	c.metadata.DataPageOffset = int64(file.Len())
	file.Write(written[:data])
	for i := range c.offsets.PageLocations {
		c.offsets.PageLocations[i].Offset += c.metadata.DataPageOffset
	}
	if c.all.set {
		nulls := c.metadata.Statistics.NullCount
		c.metadata.Statistics = c.all.statistics(c.leaf.physical)
		c.metadata.Statistics.NullCount = nulls
	}
	return nil
}

// dictionary numbers the texts of a chunk.
type dictionary struct {
	numbers map[string]int32
	entries []string
	// size is that of the entries, and full says that the values of pages stand in them as they are from now on.
	size int
	full bool
	// page are the numbers of the values of the page.
	page []int32
	// recent are entries that came last, by their length and first byte: a look at one costs less than one into the map.
	recent [64]struct {
		text   string
		number int32
		known  bool
	}
}

// number returns that of a text, which is a new entry where it isn't there yet.
func number[T string | []byte](d *dictionary, value T) int32 {
	slot := &d.recent[0]
	if len(value) > 0 {
		slot = &d.recent[(int(value[0])^len(value)<<3)%len(d.recent)]
	}
	if !slot.known || slot.text != string(value) {
		found, isThere := d.numbers[string(value)]
		if !isThere {
			text := string(value)
			found = int32(len(d.entries))
			d.numbers[text], d.entries, d.size = found, append(d.entries, text), d.size+len(text)
		}
		slot.text, slot.number, slot.known = d.entries[found], found, true
	}
	return slot.number
}

// bounds takes the values of the page.
func (d *dictionary) bounds(into *bounds) {
	seen := make([]bool, len(d.entries))
	for _, number := range d.page {
		seen[number] = true
	}
	for number, isSeen := range seen {
		if isSeen {
			takeText(into, d.entries[number])
		}
	}
}

// overflows says that the page has made the dictionary too large. A nil one never is.
func (d *dictionary) overflows() bool { return d != nil && !d.full && d.size > maxDictionary }

func (d *dictionary) endPage() {
	d.page, d.full = d.page[:0], d.size > maxDictionary
}

// plain are the entries as they stand in the dictionary's page.
func (d *dictionary) plain() (values []byte) {
	for _, entry := range d.entries {
		values = append(binary.LittleEndian.AppendUint32(values, uint32(len(entry))), entry...)
	}
	return values
}
