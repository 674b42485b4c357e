package parquetfile

import (
	"errors"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"

	"seedloom.dev/seedloom/engine/table"
)

// valuesPerRead is how many values of a leaf column are decoded at once.
const valuesPerRead = 1024

var (
	errShort  = errors.New("the Parquet file is damaged: the column has fewer values than the file has rows")
	errUneven = errors.New("the Parquet file is damaged: the columns of a list or a struct have different lengths")
)

// readLevels decodes the next values of a leaf column with their levels, at least one.
type readLevels func(definition, repetition []int16) (levels int64, err error)

// leaf reads the values of a leaf column in a row group one after the other. Its values belong to the library until the next are read.
type leaf struct {
	maximum  int16 // the definition level of a value
	repeated bool
	// left is how many levels the column says to have that were not read yet.
	left   int64
	levels struct{ definition, repetition []int16 }
	// read decodes the next values.
	read readLevels
	// at is the next level, count how many are there; value is the next value.
	at, count, value int

	booleans []bool
	int32s   []int32
	int64s   []int64
	int96s   []parquet.Int96
	floats   []float32
	doubles  []float64
	texts    []parquet.ByteArray
	fixed    []parquet.FixedLenByteArray
}

func newLeaf(chunk file.ColumnChunkReader, levels int64) *leaf {
	l := &leaf{maximum: chunk.Descriptor().MaxDefinitionLevel(), repeated: chunk.Descriptor().MaxRepetitionLevel() > 0, left: levels}
	l.levels.definition, l.levels.repetition = make([]int16, valuesPerRead), make([]int16, valuesPerRead)
	switch typed := chunk.(type) {
	case *file.BooleanColumnChunkReader:
		l.read = reading(chunk, &l.booleans, typed.ReadBatchInPage)
	case *file.Int32ColumnChunkReader:
		l.read = reading(chunk, &l.int32s, typed.ReadBatchInPage)
	case *file.Int64ColumnChunkReader:
		l.read = reading(chunk, &l.int64s, typed.ReadBatchInPage)
	case *file.Int96ColumnChunkReader:
		l.read = reading(chunk, &l.int96s, typed.ReadBatchInPage)
	case *file.Float32ColumnChunkReader:
		l.read = reading(chunk, &l.floats, typed.ReadBatchInPage)
	case *file.Float64ColumnChunkReader:
		l.read = reading(chunk, &l.doubles, typed.ReadBatchInPage)
	case *file.ByteArrayColumnChunkReader:
		l.read = reading(chunk, &l.texts, typed.ReadBatchInPage)
	case *file.FixedLenByteArrayColumnChunkReader:
		l.read = reading(chunk, &l.fixed, typed.ReadBatchInPage)
	}
	return l
}

// maxEmptyPages bounds how many pages without any value are passed over, which some writers make.
const maxEmptyPages = 1 << 16

// reading decodes into a buffer that it makes first, at most up to the end of a page: what is decoded belongs to the page.
func reading[V any](chunk file.ColumnChunkReader, buffer *[]V, batch func(int64, []V, []int16, []int16) (int64, int, error)) readLevels {
	*buffer = make([]V, valuesPerRead)
	return func(definition, repetition []int16) (int64, error) {
		for range maxEmptyPages {
			if !chunk.HasNext() { // which it also says of an empty page
				if err := chunk.Err(); err != nil {
					return 0, err
				}
				continue
			}
			levels, _, err := batch(valuesPerRead, *buffer, definition, repetition)
			if err != nil || levels > 0 {
				return levels, err
			}
		}
		return 0, errShort
	}
}

// fill sees to it that there is a level to read; at the end of the column there is none.
func (l *leaf) fill() (there bool, err error) {
	if l.at < l.count {
		return true, nil
	}
	if l.left <= 0 {
		return false, nil
	}
	levels, err := l.read(l.levels.definition, l.levels.repetition)
	if err != nil {
		return false, err
	}
	l.at, l.count, l.value, l.left = 0, int(levels), 0, l.left-levels
	return true, nil
}

// definition is the definition level of the next value.
func (l *leaf) definition() (int16, error) {
	there, err := l.fill()
	if err == nil && !there {
		err = errShort
	}
	if err != nil || l.maximum == 0 {
		return 0, err
	}
	return l.levels.definition[l.at], nil
}

// repetition is the repetition level of the next value; 0 at the end of the column, where a row ends too.
func (l *leaf) repetition() (int16, error) {
	if !l.repeated {
		return 0, nil
	}
	there, err := l.fill()
	if err != nil || !there {
		return 0, err
	}
	return l.levels.repetition[l.at], nil
}

// skip passes over a level that has no value.
func (l *leaf) skip() { l.at++ }

// assemble makes the next value of a node from the values of its leaf columns.
func (n *readNode) assemble(leaves []*leaf) (any, error) {
	first := leaves[n.first]
	level, err := first.definition()
	if err != nil {
		return nil, err
	}
	switch {
	case level < n.present:
		return nil, n.skip(leaves)
	case n.kind.Kind == table.KindList:
		if level < n.filled {
			return []any{}, n.skip(leaves)
		}
		return n.list(leaves)
	case n.kind.Kind == table.KindStruct:
		members := make([]any, len(n.children))
		for i, child := range n.children {
			if members[i], err = child.assemble(leaves); err != nil {
				return nil, err
			}
		}
		return members, nil
	}
	first.at++
	value := first.value
	first.value++
	return n.read(first, value)
}

// hand makes the next value of the node of a column, without a box where it is of a plain type.
func (n *readNode) hand(leaves []*leaf, to Cells) error {
	if n.plain == nil {
		cell, err := n.assemble(leaves)
		if err != nil {
			return err
		}
		return to.Cell(cell)
	}
	from := leaves[n.first]
	level, err := from.definition()
	if err != nil {
		return err
	}
	from.at++
	if level < n.present {
		return to.Cell(nil)
	}
	from.value++
	return n.plain(from, from.value-1, to)
}

// skip passes over what stands in each leaf column for a value that is null, or a list that is empty.
func (n *readNode) skip(leaves []*leaf) error {
	for _, one := range leaves[n.first:n.last] {
		level, err := one.definition()
		if err != nil {
			return err
		}
		if one.maximum > 0 && level == one.maximum {
			return errUneven
		}
		one.skip()
	}
	return nil
}

func (n *readNode) list(leaves []*leaf) (any, error) {
	items := []any{}
	for {
		item, err := n.children[0].assemble(leaves)
		if err != nil {
			return nil, err
		}
		items = append(items, item)
		more := 0
		for _, one := range leaves[n.first:n.last] {
			level, err := one.repetition()
			if err != nil {
				return nil, err
			}
			if level == n.repeat {
				more++
			}
		}
		if more == 0 {
			return items, nil
		}
		if more < n.last-n.first {
			return nil, errUneven
		}
	}
}
