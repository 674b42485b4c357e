package seed

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"math/big"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// Rows of Parquet are kept in the spool as the bytes of their cells, one after the other. Each begins with one of these.
const (
	tagNull = iota
	tagValue
	// tagSeen stands for a long text or bytes that stand in the spool already: their offset and length follow.
	tagSeen
)

const (
	// longText is from how many bytes on a text is looked for among those that came before.
	longText = 48
	// maxSeen bounds the texts that are looked for, in bytes.
	maxSeen = 8 << 20
)

// encoder writes rows into the spool.
type encoder struct {
	to     *spool
	buffer []byte
	seen   map[string]int64
	kept   int
	// looked and found count the texts that were looked for, and those that had come before.
	looked, found int
}

// looks says whether it is still worth while to look for texts that have come before.
func (e *encoder) looks() bool { return e.looked < 1<<14 || e.found*8 > e.looked }

// row appends a row, and returns where it begins and ends.
func (e *encoder) row(fields []table.Field, cells []any) (start, end int64, err error) {
	for i := range fields {
		e.cell(&fields[i].Type, cells[i])
	}
	return e.end()
}

// end ends a row, and returns where it begins and ends.
func (e *encoder) end() (start, end int64, err error) {
	start = e.to.size
	_, err = e.to.Write(e.buffer)
	e.buffer = e.buffer[:0]
	return start, e.to.size, err
}

func (e *encoder) int(value int64) {
	e.buffer = append(e.buffer, tagValue)
	e.buffer = binary.AppendVarint(e.buffer, value)
}

func (e *encoder) float(value float64) {
	e.buffer = append(e.buffer, tagValue)
	e.buffer = binary.LittleEndian.AppendUint64(e.buffer, math.Float64bits(value))
}

func (e *encoder) cell(kind *table.Type, cell any) {
	if cell == nil {
		e.buffer = append(e.buffer, tagNull)
		return
	}
	switch typed := cell.(type) {
	case string:
		encodeText(e, typed)
		return
	case []byte:
		encodeText(e, typed)
		return
	case int64:
		e.int(typed)
		return
	case float64:
		e.float(typed)
		return
	}
	e.buffer = append(e.buffer, tagValue)
	switch typed := cell.(type) {
	case bool:
		e.buffer = append(e.buffer, 0)
		if typed {
			e.buffer[len(e.buffer)-1] = 1
		}
	case table.Date:
		e.buffer = binary.AppendVarint(e.buffer, int64(typed))
	case table.TimeOfDay:
		e.buffer = binary.AppendVarint(e.buffer, int64(typed))
	case time.Time:
		e.buffer = binary.AppendVarint(e.buffer, typed.Unix())
		e.buffer = binary.AppendUvarint(e.buffer, uint64(typed.Nanosecond()))
	case table.Decimal:
		e.buffer = binary.AppendVarint(e.buffer, int64(typed.Unscaled.Sign()))
		appendText(e, typed.Unscaled.Bytes())
	case []any:
		e.items(kind, typed)
	}
}

func (e *encoder) items(kind *table.Type, items []any) {
	e.buffer = binary.AppendUvarint(e.buffer, uint64(len(items)))
	for i, item := range items {
		if kind.Kind == table.KindStruct {
			e.cell(&kind.Fields[i].Type, item)
		} else {
			e.cell(kind.Element, item)
		}
	}
}

func appendText[T string | []byte](e *encoder, text T) {
	e.buffer = binary.AppendUvarint(e.buffer, uint64(len(text)))
	e.buffer = append(e.buffer, text...)
}

// encodeText appends a text, or where it stands already: texts that come again and again take no room.
func encodeText[T string | []byte](e *encoder, text T) {
	if len(text) < longText || !e.looks() {
		e.buffer = append(e.buffer, tagValue)
		appendText(e, text)
		return
	}
	e.looked++
	if offset, known := e.seen[string(text)]; known {
		e.found++
		e.to.repeats = true
		e.buffer = append(e.buffer, tagSeen)
		e.buffer = binary.AppendUvarint(e.buffer, uint64(offset))
		e.buffer = binary.AppendUvarint(e.buffer, uint64(len(text)))
		return
	}
	e.buffer = append(e.buffer, tagValue)
	appendText(e, text)
	if e.kept+len(text) > maxSeen {
		e.seen, e.kept = nil, 0
	}
	if e.seen == nil {
		e.seen = map[string]int64{}
	}
	e.seen[string(text)] = e.to.size + int64(len(e.buffer)-len(text))
	e.kept += len(text)
}

// cellDecoder reads cells from bytes; at fetches texts that stand elsewhere.
type cellDecoder struct {
	data []byte
	at   io.ReaderAt
	err  error
}

var errSpool = errors.New("what was kept of the seed is damaged; run it again")

func (d *cellDecoder) cell(kind *table.Type) any {
	switch d.byte() {
	case tagNull:
		return nil
	case tagSeen:
		offset, length := d.unsigned(), d.unsigned()
		if d.err != nil || length > maxSeen {
			d.err = errSpool
			return nil
		}
		text := make([]byte, length)
		if _, err := d.at.ReadAt(text, int64(offset)); err != nil && !errors.Is(err, io.EOF) {
			d.err = err
		}
		return asText(kind, text)
	}
	switch kind.Kind {
	case table.KindInt:
		return d.signed()
	case table.KindFloat:
		return d.float()
	case table.KindBool:
		return d.byte() == 1
	case table.KindDate:
		return table.Date(d.signed())
	case table.KindTime:
		return table.TimeOfDay(d.signed())
	case table.KindTimestamp:
		seconds := d.signed()
		return time.Unix(seconds, int64(d.unsigned())).UTC()
	case table.KindDecimal:
		sign := d.signed()
		unscaled := new(big.Int).SetBytes(d.take(int(d.unsigned())))
		if sign < 0 {
			unscaled.Neg(unscaled)
		}
		return table.Decimal{Unscaled: unscaled, Scale: kind.Scale}
	case table.KindList, table.KindStruct:
		return d.items(kind)
	}
	return asText(kind, d.take(int(d.unsigned())))
}

func asText(kind *table.Type, data []byte) any {
	if kind.Kind == table.KindBinary {
		return append([]byte{}, data...)
	}
	return string(data)
}

func (d *cellDecoder) items(kind *table.Type) any {
	items := make([]any, min(d.unsigned(), uint64(len(d.data))))
	for i := range items {
		if kind.Kind == table.KindStruct {
			items[i] = d.cell(&kind.Fields[i].Type)
		} else {
			items[i] = d.cell(kind.Element)
		}
	}
	return items
}

func (d *cellDecoder) take(count int) []byte {
	if count < 0 || count > len(d.data) {
		d.err = errSpool
		return make([]byte, 8)
	}
	taken := d.data[:count]
	d.data = d.data[count:]
	return taken
}

func (d *cellDecoder) byte() byte { return d.take(1)[0] }

func (d *cellDecoder) float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(d.take(8)))
}

func (d *cellDecoder) signed() int64 {
	number, length := binary.Varint(d.data)
	if length <= 0 {
		d.err = errSpool
		return 0
	}
	d.data = d.data[length:]
	return number
}

func (d *cellDecoder) unsigned() uint64 {
	number, length := binary.Uvarint(d.data)
	if length <= 0 {
		d.err = errSpool
		return 0
	}
	d.data = d.data[length:]
	return number
}

// spoolDecoder decodes rows as the spool holds them.
type spoolDecoder struct {
	at     *spool
	fields []table.Field
}

func (s *spoolDecoder) decode(record []byte, cells []any) ([]string, error) {
	decoder := cellDecoder{data: record, at: s.at}
	for i := range s.fields {
		cells[i] = decoder.cell(&s.fields[i].Type)
	}
	return nil, decoder.err
}

// spoolColumns decodes rows each of which has all of its texts, column by column too.
type spoolColumns struct{ spoolDecoder }

// decodeInto implements columnDecoder.
func (s *spoolColumns) decodeInto(record []byte, columns []columnBuilder) error {
	decoder := cellDecoder{data: record, at: s.at}
	for i := range columns {
		decoder.into(&columns[i])
	}
	return decoder.err
}

// into adds the next cell to a column.
func (d *cellDecoder) into(column *columnBuilder) {
	if len(d.data) == 0 || d.data[0] != tagValue {
		column.add(d.cell(column.kind))
		return
	}
	switch {
	case column.Texts != nil:
		d.data = d.data[1:]
		column.Texts = append(column.Texts, d.take(int(d.unsigned())))
	case column.Ints != nil:
		d.data = d.data[1:]
		column.Ints = append(column.Ints, d.signed())
	case column.Floats != nil:
		d.data = d.data[1:]
		column.Floats = append(column.Floats, d.float())
	default:
		column.add(d.cell(column.kind))
	}
}

func (s *spoolDecoder) split(data []byte) (int, error) {
	decoder := cellDecoder{data: data, at: s.at}
	for i := range s.fields {
		decoder.cell(&s.fields[i].Type)
	}
	return len(data) - len(decoder.data), decoder.err
}
