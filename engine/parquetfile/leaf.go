package parquetfile

import (
	"fmt"
	"math"
	"math/big"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"seedloom.dev/seedloom/engine/table"
)

type leafRead = func(parquet.Value) (any, error)

// leafReader returns how the values of a leaf are read.
func leafReader(node parquet.Node) (table.Kind, leafRead, error) {
	if logical := node.Type().LogicalType(); logical != nil && logical.Value != nil {
		switch kind := logical.Value.(type) {
		case *format.TimestampType:
			unit := kind.Unit.Value.Duration()
			return table.KindTimestamp, func(value parquet.Value) (any, error) { return sinceEpoch(value.Int64(), unit), nil }, nil
		case *format.DateType:
			return table.KindTimestamp, func(value parquet.Value) (any, error) {
				return time.Unix(int64(value.Int32())*86400, 0).UTC(), nil
			}, nil
		case *format.TimeType:
			unit := kind.Unit.Value.Duration()
			return table.KindString, func(value parquet.Value) (any, error) {
				return time.Time{}.Add(time.Duration(integer(value)) * unit).Format("15:04:05.999999"), nil
			}, nil
		case *format.DecimalType:
			return table.KindFloat, decimalReader(kind.Scale), nil
		case *format.UUIDType:
			return table.KindString, readUUID, nil
		case *format.IntType:
			return table.KindInt, intReader(kind.IsSigned), nil
		}
	}
	switch node.Type().Kind() {
	case parquet.Boolean:
		return table.KindBool, func(value parquet.Value) (any, error) { return value.Boolean(), nil }, nil
	case parquet.Int32, parquet.Int64:
		return table.KindInt, intReader(true), nil
	case parquet.Int96:
		return table.KindTimestamp, readInt96, nil
	case parquet.Float:
		return table.KindFloat, func(value parquet.Value) (any, error) { return float64(value.Float()), nil }, nil
	case parquet.Double:
		return table.KindFloat, func(value parquet.Value) (any, error) { return value.Double(), nil }, nil
	case parquet.ByteArray:
		return table.KindString, readText, nil
	}
	return 0, nil, fmt.Errorf("the type %s is not supported; supported are booleans, integers, floats, decimals, strings, dates, times, timestamps, "+
		"UUIDs, and lists and structs of them", node.Type())
}

func sinceEpoch(count int64, unit time.Duration) time.Time {
	perSecond := int64(time.Second / unit)
	// Rounded towards the past, so that the rest is never negative.
	seconds := count / perSecond
	rest := count % perSecond
	if rest < 0 {
		seconds, rest = seconds-1, rest+perSecond
	}
	return time.Unix(seconds, rest*int64(unit)).UTC().Truncate(time.Microsecond)
}

func integer(value parquet.Value) int64 {
	if value.Kind() == parquet.Int32 {
		return int64(value.Int32())
	}
	return value.Int64()
}

func intReader(signed bool) leafRead {
	return func(value parquet.Value) (any, error) {
		switch {
		case signed:
			return integer(value), nil
		case value.Kind() == parquet.Int32:
			return int64(value.Uint32()), nil
		case value.Uint64() > math.MaxInt64:
			return nil, fmt.Errorf("the number %d is larger than the largest that is supported, %d", value.Uint64(), int64(math.MaxInt64))
		}
		return int64(value.Uint64()), nil
	}
}

func decimalReader(scale int32) leafRead {
	divisor := new(big.Float).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil))
	return func(value parquet.Value) (any, error) {
		unscaled := new(big.Int)
		switch value.Kind() {
		case parquet.Int32, parquet.Int64:
			unscaled.SetInt64(integer(value))
		default:
			data := value.ByteArray()
			unscaled.SetBytes(data)
			if len(data) > 0 && data[0]&0x80 != 0 {
				unscaled.Sub(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
			}
		}
		number, _ := new(big.Float).Quo(new(big.Float).SetInt(unscaled), divisor).Float64()
		return number, nil
	}
}

func readUUID(value parquet.Value) (any, error) {
	id, err := uuid.FromBytes(value.ByteArray())
	if err != nil {
		return nil, err
	}
	return id.String(), nil
}

// readInt96 reads the timestamps of old writers: nanoseconds of the day, then the Julian day.
func readInt96(value parquet.Value) (any, error) {
	raw := value.Int96()
	nanoseconds := int64(uint64(raw[1])<<32 | uint64(raw[0]))
	const julianDayOfEpoch = 2440588
	return time.Unix((int64(raw[2])-julianDayOfEpoch)*86400, nanoseconds).UTC().Truncate(time.Microsecond), nil
}

func readText(value parquet.Value) (any, error) {
	data := value.ByteArray()
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("%d bytes are not text in UTF-8; binary columns are not supported", len(data))
	}
	return string(data), nil
}

// leafValue returns a cell as a Parquet value. A cell of another type than its column's is a defect of who made it.
func leafValue(kind table.Kind, cell any) (parquet.Value, error) {
	switch typed := cell.(type) {
	case int64:
		if kind == table.KindInt {
			return parquet.Int64Value(typed), nil
		}
	case float64:
		if kind == table.KindFloat {
			return parquet.DoubleValue(typed), nil
		}
	case bool:
		if kind == table.KindBool {
			return parquet.BooleanValue(typed), nil
		}
	case string:
		if kind == table.KindString {
			return parquet.ValueOf(typed), nil // which does not copy the text
		}
	case time.Time:
		if kind == table.KindTimestamp {
			return parquet.Int64Value(typed.UnixMicro()), nil
		}
	}
	return parquet.Value{}, fmt.Errorf("a %T can't be written as %s", cell, kind)
}
