package seed

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

const (
	// maxRecord bounds one record, which is read into memory.
	maxRecord = 32 << 20
	// readSize is how much is read at once.
	readSize = 1 << 20
)

// csvReader reads records of comma-separated text by the rules of Python's csv module: a line ends with LF, CR or CRLF, a quote opens a
// quoted cell only where the cell begins, and what follows its closing quote belongs to the cell too. A quote that is never closed is an
// error.
type csvReader struct {
	from      io.Reader
	delimiter byte
	data      []byte
	// at is where the next record begins in data, base where data begins in the file.
	at   int
	base int64
	last bool // nothing follows data
	line int  // of the next record, from 1
	// next are, for LF, CR and the quote, where they come next in data; len(data) where they don't.
	next  [3]int
	cells [][]byte
	// starts says of each cell where it begins in data; -1 where it stands in the buffer.
	starts []int
	// buffer holds the cells that differ from what the file has.
	buffer []byte
}

var marks = [3]byte{'\n', '\r', '"'}

const (
	markLF = iota
	markCR
	markQuote
)

func newCSVReader(from io.Reader, delimiter byte) *csvReader {
	return &csvReader{from: from, delimiter: delimiter, line: 1}
}

// reset begins anew with data that are all there is.
func (r *csvReader) reset(data []byte) {
	r.data, r.at, r.base, r.last, r.line, r.next = data, 0, 0, true, 1, [3]int{-1, -1, -1}
}

// csvRecord is a record: its cells belong to the reader until the next is read.
type csvRecord struct {
	cells      [][]byte
	start, end int64
	line       int
}

// read returns the next record that is not a blank line; io.EOF at the end.
func (r *csvReader) read() (csvRecord, error) {
	for {
		record, whole, err := r.readWhole()
		if err != nil || whole {
			return record, err
		}
		if err := r.fill(); err != nil {
			return csvRecord{}, err
		}
	}
}

// readWhole does so as long as what was read already has the whole record.
func (r *csvReader) readWhole() (record csvRecord, whole bool, err error) {
	for {
		if r.at == len(r.data) && r.last {
			return csvRecord{}, false, io.EOF
		}
		line, start := r.line, r.at
		end, next, whole, err := r.record()
		if err != nil || !whole {
			return csvRecord{}, false, err
		}
		r.at = next
		if end == start {
			continue // a blank line
		}
		if !utf8.Valid(r.data[start:end]) {
			return csvRecord{}, false, invalidUTF8(r.data[start:end], line)
		}
		return csvRecord{cells: r.cells, start: r.base + int64(start), end: r.base + int64(end), line: line}, true, nil
	}
}

// fill reads more, and drops what was read already.
func (r *csvReader) fill() error {
	kept := copy(r.data, r.data[r.at:])
	r.base += int64(r.at)
	r.data, r.at = r.data[:kept], 0
	if kept > maxRecord {
		return fmt.Errorf("line %d begins a record of more than %d MiB; if it is a quote that opens a cell and is never closed, close it",
			r.line, maxRecord>>20)
	}
	if cap(r.data)-kept < readSize {
		grown := make([]byte, kept, 2*cap(r.data)+readSize)
		copy(grown, r.data)
		r.data = grown
	}
	count, err := io.ReadFull(r.from, r.data[kept:kept+readSize])
	r.data = r.data[:kept+count]
	r.next = [3]int{-1, -1, -1}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.last, err = true, nil
	}
	return err
}

// find returns where a mark comes next.
func (r *csvReader) find(mark int) int {
	if r.next[mark] < r.at {
		r.next[mark] = len(r.data)
		if offset := bytes.IndexByte(r.data[r.at:], marks[mark]); offset >= 0 {
			r.next[mark] = r.at + offset
		}
	}
	return r.next[mark]
}

// record takes the record at r.at apart. It ends at end, and the next begins at next; it is not whole where more must be read first.
func (r *csvReader) record() (end, next int, whole bool, err error) {
	end = min(r.find(markLF), r.find(markCR))
	if r.find(markQuote) < end {
		return r.quoted()
	}
	next, whole = r.lineEnd(end)
	if !whole {
		return 0, 0, false, nil
	}
	r.line++
	r.cells, r.starts = r.cells[:0], r.starts[:0]
	for at := r.at; ; {
		length := bytes.IndexByte(r.data[at:end], r.delimiter)
		if length < 0 {
			r.add(r.data[at:end], at)
			return end, next, true, nil
		}
		r.add(r.data[at:at+length], at)
		at += length + 1
	}
}

// add adds a cell to the record that is read, and where it begins in data.
func (r *csvReader) add(cell []byte, start int) {
	r.cells, r.starts = append(r.cells, cell), append(r.starts, start)
}

// lineEnd returns where the line after the one that ends at end begins.
func (r *csvReader) lineEnd(end int) (next int, known bool) {
	switch {
	case end == len(r.data):
		return end, r.last
	case r.data[end] == '\n':
		return end + 1, true
	case end+1 == len(r.data) && !r.last:
		return 0, false // a LF may follow the CR
	case end+1 < len(r.data) && r.data[end+1] == '\n':
		return end + 2, true
	}
	return end + 1, true
}

// quoted takes a record apart in which a quote stands.
func (r *csvReader) quoted() (end, next int, whole bool, err error) {
	r.cells, r.starts, r.buffer = r.cells[:0], r.starts[:0], r.buffer[:0]
	at, lines := r.at, 1
	for {
		stop, breaks, whole, err := r.cell(at)
		if err != nil || !whole {
			return 0, 0, whole, err
		}
		lines += breaks
		if stop < len(r.data) && r.data[stop] == r.delimiter {
			at = stop + 1
			continue
		}
		if next, whole = r.lineEnd(stop); !whole {
			return 0, 0, false, nil
		}
		r.line += lines
		return stop, next, true, nil
	}
}

// cell adds the cell that begins at a position, and returns where the delimiter, the end of the line, or that of the file stands after it.
func (r *csvReader) cell(at int) (stop, breaks int, whole bool, err error) {
	if at == len(r.data) || r.data[at] != '"' {
		stop = r.plain(at)
		r.add(r.data[at:stop], at)
		return stop, 0, stop < len(r.data) || r.last, nil
	}
	opened, first := at+1, len(r.buffer)
	for at++; ; at++ {
		length := bytes.IndexByte(r.data[at:], '"')
		if length < 0 && r.last {
			return 0, 0, true, fmt.Errorf("line %d opens a quoted cell that is never closed",
				r.line+breaks-bytes.Count(r.buffer[first:], []byte{'\n'}))
		}
		if length < 0 || at+length+1 == len(r.data) && !r.last {
			return 0, 0, false, nil
		}
		after := at + length + 1
		if at == opened && r.ends(after) { // most cells are what stands between two quotes
			r.add(r.data[at:after-1], at)
			return after, lineBreaks(r.data[at : after-1]), true, nil
		}
		r.buffer = append(r.buffer, r.data[at:at+length]...)
		at = after
		if at == len(r.data) || r.data[at] != '"' {
			break
		}
		r.buffer = append(r.buffer, '"')
	}
	breaks = lineBreaks(r.buffer[first:])
	// What follows the closing quote belongs to the cell.
	stop = r.plain(at)
	r.buffer = append(r.buffer, r.data[at:stop]...)
	r.add(r.buffer[first:len(r.buffer):len(r.buffer)], -1)
	return stop, breaks, stop < len(r.data) || r.last, nil
}

// ends says whether a cell ends before a position.
func (r *csvReader) ends(at int) bool {
	return at == len(r.data) || r.data[at] == r.delimiter || r.data[at] == '\n' || r.data[at] == '\r'
}

// plain returns where what is not quoted ends.
func (r *csvReader) plain(at int) int {
	if end := min(r.find(markLF), r.find(markCR)); at <= end {
		if length := bytes.IndexByte(r.data[at:end], r.delimiter); length >= 0 {
			return at + length
		}
		return end
	}
	for !r.ends(at) {
		at++
	}
	return at
}

// lineBreaks counts LF, CR and CRLF.
func lineBreaks(text []byte) int {
	count := bytes.Count(text, []byte{'\n'})
	if bytes.IndexByte(text, '\r') >= 0 {
		count += bytes.Count(text, []byte{'\r'}) - bytes.Count(text, []byte("\r\n"))
	}
	return count
}

// invalidUTF8 names the first byte that is not UTF-8, and what the text may be instead.
func invalidUTF8(text []byte, line int) error {
	at := 0
	for at < len(text) {
		char, size := utf8.DecodeRune(text[at:])
		if char == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line += lineBreaks(text[:at])
	return fmt.Errorf("line %d is not text in UTF-8 (byte 0x%02X); if it is in Latin-1 or Windows-1252, convert the file: iconv -f "+
		"WINDOWS-1252 -t UTF-8", line, text[at])
}

// delimiters are those that are looked for, in this order.
var delimiters = []byte{',', ';', '\t', '|'}

// sniffed is how many records are looked at to find the delimiter.
const sniffed = 20

// sniff returns the delimiter of a text of which only the beginning may be there: the first under which the header has several cells, and
// every record of the beginning as many. Else it is the comma.
func sniff(beginning []byte, whole bool) byte {
	for _, delimiter := range delimiters {
		reader := newCSVReader(bytes.NewReader(beginning), delimiter)
		width, records, even := 0, 0, true
		for records < sniffed && even {
			record, err := reader.read()
			cut := !whole && reader.at == len(reader.data) && reader.last
			if err != nil || cut && records > 0 {
				break
			}
			if records == 0 {
				width = len(record.cells)
			}
			even = len(record.cells) == width
			records++
		}
		if even && width > 1 {
			return delimiter
		}
	}
	return ','
}
