package seed

import (
	"strconv"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// columnDecoder decodes records column by column too.
type columnDecoder interface {
	rowDecoder
	// decodeInto adds the cells of a record to the columns. Texts may be parts of the record.
	decodeInto(record []byte, columns []columnBuilder) error
}

// columnBuilder collects the cells of a column by their kind, without a box for each as long as none of them is null.
type columnBuilder struct {
	table.Column
	kind *table.Type
	// rows is how many cells there will be.
	rows int
}

// newBuilders returns those of columns with so many rows.
func newBuilders(fields []table.Field, rows int) []columnBuilder {
	builders := make([]columnBuilder, len(fields))
	for i := range fields {
		builder := &builders[i]
		builder.kind, builder.rows = &fields[i].Type, rows
		switch fields[i].Type.Kind {
		case table.KindInt:
			builder.Ints = make([]int64, 0, rows)
		case table.KindFloat:
			builder.Floats = make([]float64, 0, rows)
		case table.KindString:
			builder.Texts = make([][]byte, 0, rows)
		case table.KindTimestamp:
			builder.Moments = make([]time.Time, 0, rows)
		default:
			builder.Values = make([]any, 0, rows)
		}
	}
	return builders
}

// parse adds a cell by its text, which it may keep; an empty one is null.
func (b *columnBuilder) parse(text []byte) error {
	switch {
	case len(text) == 0:
		b.add(nil)
		return nil
	case b.Texts != nil:
		b.Texts = append(b.Texts, text)
		return nil
	case b.Ints != nil:
		if number, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			b.Ints = append(b.Ints, number)
			return nil
		}
	case b.Floats != nil:
		if number, isFloat := table.ParseFloat(string(text)); isFloat {
			b.Floats = append(b.Floats, number)
			return nil
		}
	}
	value, err := table.Parse(*b.kind, string(text))
	if err != nil {
		return err
	}
	b.add(value)
	return nil
}

// add adds a cell that is in a box. One without a value only a column of boxes can have.
func (b *columnBuilder) add(value any) {
	if moment, isMoment := value.(time.Time); isMoment && b.Moments != nil {
		b.Moments = append(b.Moments, moment)
		return
	}
	if b.Values == nil {
		b.box()
	}
	b.Values = append(b.Values, value)
}

// length is how many cells were added.
func (b *columnBuilder) length() int {
	return max(len(b.Ints), len(b.Floats), len(b.Texts), len(b.Moments), len(b.Values))
}

// box puts each cell that was added into a box.
func (b *columnBuilder) box() {
	values := make([]any, b.length(), b.rows)
	for i := range values {
		values[i] = b.Value(i)
	}
	b.Column = table.Column{Values: values}
}
