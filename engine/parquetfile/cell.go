package parquetfile

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/parquet-go/parquet-go"

	"seedloom.dev/seedloom/engine/table"
)

// leafValue returns a cell as a Parquet value. A cell of another type than its column's is a defect of the code that wrote the cell.
func leafValue(kind *table.Type, cell any) (parquet.Value, error) {
	switch typed := cell.(type) {
	case int64:
		if kind.Kind == table.KindInt {
			return parquet.Int64Value(typed), nil
		}
	case float64:
		if kind.Kind == table.KindFloat {
			return parquet.DoubleValue(typed), nil
		}
	case bool:
		if kind.Kind == table.KindBool {
			return parquet.BooleanValue(typed), nil
		}
	case string:
		if kind.Kind == table.KindString {
			return parquet.ValueOf(cell), nil // which does not copy the text
		}
	case time.Time:
		if kind.Kind == table.KindTimestamp {
			return timestampValue(kind, typed)
		}
	case []byte:
		if kind.Kind == table.KindBinary {
			return parquet.ByteArrayValue(typed), nil
		}
	case table.Date:
		if kind.Kind == table.KindDate {
			return parquet.Int32Value(int32(typed)), nil
		}
	case table.TimeOfDay:
		if kind.Kind == table.KindTime && kind.Nanoseconds {
			return parquet.Int64Value(int64(typed)), nil
		}
		if kind.Kind == table.KindTime {
			return parquet.Int64Value(int64(typed) / 1000), nil
		}
	case table.Decimal:
		if kind.Kind == table.KindDecimal {
			return decimalValue(kind, typed)
		}
	}
	return parquet.Value{}, fmt.Errorf("a %T can't be written as %s", cell, kind)
}

// Timestamps of nanoseconds reach from 1677 to 2262.
var (
	firstNanosecond = time.Unix(0, math.MinInt64)
	lastNanosecond  = time.Unix(0, math.MaxInt64)
)

func timestampValue(kind *table.Type, moment time.Time) (parquet.Value, error) {
	if !kind.Nanoseconds {
		return parquet.Int64Value(moment.UnixMicro()), nil
	}
	if moment.Before(firstNanosecond) || moment.After(lastNanosecond) {
		return parquet.Value{}, fmt.Errorf("%s can't be written as %s, which ends in 2262", table.FormatTimestamp(moment), kind)
	}
	return parquet.Int64Value(moment.UnixNano()), nil
}

// decimalBytes is how many bytes hold every number of so many digits, with its sign.
func decimalBytes(precision int32) int {
	largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return (largest.BitLen() + 8) / 8
}

func decimalValue(kind *table.Type, number table.Decimal) (parquet.Value, error) {
	exact, isExact := number.Rescaled(kind.Scale)
	if !isExact || exact.Precision() > kind.Precision {
		return parquet.Value{}, fmt.Errorf("%s can't be written as %s", number, kind)
	}
	data := make([]byte, decimalBytes(kind.Precision))
	unscaled := exact.Unscaled
	if unscaled.Sign() < 0 { // two's complement
		unscaled = new(big.Int).Add(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return parquet.FixedLenByteArrayValue(unscaled.FillBytes(data)), nil
}
