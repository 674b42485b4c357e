package parquetfile

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/uuid"

	"seedloom.dev/seedloom/engine/table"
)

// leafRead turns a value of a leaf column, by its number among those that were decoded, into a cell.
type leafRead func(from *leaf, value int) (any, error)

// leafType returns the type of a leaf's values, and how they are read.
func leafType(node *schema.PrimitiveNode) (table.Type, leafRead, error) {
	if kind, read := annotated(node); read != nil {
		return kind, read, nil
	}
	switch node.PhysicalType() {
	case parquet.Types.Boolean:
		return table.Type{Kind: table.KindBool}, func(from *leaf, value int) (any, error) { return from.booleans[value], nil }, nil
	case parquet.Types.Int32, parquet.Types.Int64:
		return table.Type{Kind: table.KindInt}, readInt, nil
	case parquet.Types.Int96:
		return table.Type{Kind: table.KindTimestamp, Nanoseconds: true, Local: true}, readInt96, nil
	case parquet.Types.Float:
		return table.Type{Kind: table.KindFloat}, func(from *leaf, value int) (any, error) { return float64(from.floats[value]), nil }, nil
	case parquet.Types.Double:
		return table.Type{Kind: table.KindFloat}, func(from *leaf, value int) (any, error) { return from.doubles[value], nil }, nil
	case parquet.Types.ByteArray, parquet.Types.FixedLenByteArray:
		return table.Type{Kind: table.KindBinary}, func(from *leaf, value int) (any, error) {
			return append([]byte{}, from.bytes(value)...), nil
		}, nil
	}
	return table.Type{}, nil, fmt.Errorf("its physical type %s is not known", node.PhysicalType())
}

// leafHand hands out a value of a leaf column, by its number among those that were decoded.
type leafHand func(from *leaf, value int, to Cells) error

// plainType returns how the values of a leaf of a type are handed out without a box; nil where they are not.
func plainType(node *schema.PrimitiveNode, kind *table.Type) leafHand {
	physical := node.PhysicalType()
	switch {
	case kind.Kind == table.KindInt && isUnsigned(node):
		return nil
	case kind.Kind == table.KindInt:
		return func(from *leaf, value int, to Cells) error { return to.Int(from.integer(value)) }
	case kind.Kind == table.KindFloat && physical == parquet.Types.Double:
		return func(from *leaf, value int, to Cells) error { return to.Float(from.doubles[value]) }
	case kind.Kind == table.KindFloat && physical == parquet.Types.Float:
		return func(from *leaf, value int, to Cells) error { return to.Float(float64(from.floats[value])) }
	}
	switch node.LogicalType().(type) {
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		return func(from *leaf, value int, to Cells) error {
			text := from.bytes(value)
			if err := checkText(text); err != nil {
				return err
			}
			return to.Text(text)
		}
	}
	return nil
}

func isUnsigned(node *schema.PrimitiveNode) bool {
	kind, isInt := node.LogicalType().(schema.IntLogicalType)
	return isInt && !kind.IsSigned()
}

// annotated returns how a leaf with a logical type is read; nil where it has none that says more than its physical type.
func annotated(node *schema.PrimitiveNode) (table.Type, leafRead) {
	switch kind := node.LogicalType().(type) {
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		return table.Type{Kind: table.KindString}, readText
	case schema.NullLogicalType:
		return table.Type{Kind: table.KindString}, func(*leaf, int) (any, error) { return nil, nil }
	case schema.TimestampLogicalType:
		unit := unitOf(kind.TimeUnit())
		return table.Type{Kind: table.KindTimestamp, Nanoseconds: unit == time.Nanosecond, Local: !kind.IsAdjustedToUTC()}, timestampReader(unit)
	case schema.DateLogicalType:
		return table.Type{Kind: table.KindDate}, func(from *leaf, value int) (any, error) { return table.Date(from.int32s[value]), nil }
	case schema.TimeLogicalType:
		unit := unitOf(kind.TimeUnit())
		return table.Type{Kind: table.KindTime, Nanoseconds: unit == time.Nanosecond}, func(from *leaf, value int) (any, error) {
			return table.TimeOfDay(time.Duration(from.integer(value)) * unit), nil
		}
	case schema.DecimalLogicalType:
		return table.Type{Kind: table.KindDecimal, Precision: kind.Precision(), Scale: kind.Scale()}, decimalReader(kind.Scale())
	case schema.UUIDLogicalType:
		return table.Type{Kind: table.KindString}, readUUID
	case schema.Float16LogicalType:
		return table.Type{Kind: table.KindFloat}, func(from *leaf, value int) (any, error) {
			return float64(float16.FromLEBytes(from.fixed[value]).Float32()), nil
		}
	case schema.IntLogicalType:
		if !kind.IsSigned() && kind.BitWidth() == 64 {
			return table.Type{Kind: table.KindDecimal, Precision: 20}, readUnsigned // half of them are beyond an int64
		}
		if !kind.IsSigned() {
			return table.Type{Kind: table.KindInt}, func(from *leaf, value int) (any, error) { return int64(uint32(from.int32s[value])), nil }
		}
	}
	return table.Type{}, nil
}

func unitOf(unit schema.TimeUnitType) time.Duration {
	switch unit {
	case schema.TimeUnitMillis:
		return time.Millisecond
	case schema.TimeUnitMicros:
		return time.Microsecond
	}
	return time.Nanosecond
}

// integer is a value of one of the two physical types of integers.
func (l *leaf) integer(value int) int64 {
	if l.int32s != nil {
		return int64(l.int32s[value])
	}
	return l.int64s[value]
}

// bytes are a value of one of the two physical types of bytes, and belong to the library.
func (l *leaf) bytes(value int) []byte {
	if l.fixed != nil {
		return l.fixed[value]
	}
	return l.texts[value]
}

func timestampReader(unit time.Duration) leafRead {
	perSecond := int64(time.Second / unit)
	return func(from *leaf, value int) (any, error) {
		count := from.integer(value)
		// Rounded towards the past, so that the rest is never negative.
		seconds := count / perSecond
		rest := count % perSecond
		if rest < 0 {
			seconds, rest = seconds-1, rest+perSecond
		}
		return time.Unix(seconds, rest*int64(unit)).UTC(), nil
	}
}

func readInt(from *leaf, value int) (any, error) { return from.integer(value), nil }

func readUnsigned(from *leaf, value int) (any, error) {
	return table.Decimal{Unscaled: new(big.Int).SetUint64(uint64(from.int64s[value]))}, nil
}

func decimalReader(scale int32) leafRead {
	return func(from *leaf, value int) (any, error) {
		unscaled := new(big.Int)
		if from.int32s != nil || from.int64s != nil {
			return table.Decimal{Unscaled: unscaled.SetInt64(from.integer(value)), Scale: scale}, nil
		}
		data := from.bytes(value)
		unscaled.SetBytes(data)
		if len(data) > 0 && data[0]&0x80 != 0 {
			unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
		}
		return table.Decimal{Unscaled: unscaled, Scale: scale}, nil
	}
}

func readUUID(from *leaf, value int) (any, error) {
	id, err := uuid.FromBytes(from.bytes(value))
	if err != nil {
		return nil, err
	}
	return id.String(), nil
}

// readInt96 reads the timestamps of old writers: nanoseconds of the day, then the Julian day.
func readInt96(from *leaf, value int) (any, error) {
	raw := from.int96s[value]
	nanoseconds := int64(binary.LittleEndian.Uint64(raw[:8]))
	day := int32(binary.LittleEndian.Uint32(raw[8:]))
	const julianDayOfEpoch = 2440588
	return time.Unix((int64(day)-julianDayOfEpoch)*86400, nanoseconds).UTC(), nil
}

func readText(from *leaf, value int) (any, error) {
	text := from.bytes(value)
	return string(text), checkText(text)
}

func checkText(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("the file says that it is text, but its %d bytes are not UTF-8", len(text))
	}
	return nil
}
