package parquetfile

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// cell adds a cell that is not null, whose levels are added apart. One of another type than its column's is a defect of the code that wrote
// the cell.
func (c *chunk) cell(kind *table.Type, cell any) error {
	switch typed := cell.(type) {
	case int64:
		if kind.Kind == table.KindInt {
			c.int64(typed)
			return nil
		}
	case float64:
		if kind.Kind == table.KindFloat {
			c.double(typed)
			return nil
		}
	case bool:
		if kind.Kind == table.KindBool {
			c.boolean(typed)
			return nil
		}
	case string:
		if kind.Kind == table.KindString {
			addText(c, typed)
			return nil
		}
	case []byte:
		if kind.Kind == table.KindBinary {
			addText(c, typed)
			return nil
		}
	default:
		return c.exact(kind, cell)
	}
	return mismatch(kind, cell)
}

// exact adds a cell of one of the kinds that are rarer.
func (c *chunk) exact(kind *table.Type, cell any) error {
	switch typed := cell.(type) {
	case time.Time:
		if kind.Kind == table.KindTimestamp {
			return c.moment(kind, typed)
		}
	case table.Date:
		if kind.Kind == table.KindDate {
			c.int32(int32(typed))
			return nil
		}
	case table.TimeOfDay:
		if kind.Kind == table.KindTime {
			c.int64(int64(typed) / int64(precisionOf(kind)))
			return nil
		}
	case table.Decimal:
		if kind.Kind == table.KindDecimal {
			return c.decimal(kind, typed)
		}
	}
	return mismatch(kind, cell)
}

func mismatch(kind *table.Type, cell any) error {
	return fmt.Errorf("a %T can't be written as %s", cell, kind)
}

// precisionOf is that of times.
func precisionOf(kind *table.Type) time.Duration {
	if kind.Nanoseconds {
		return time.Nanosecond
	}
	return time.Microsecond
}

// Timestamps of nanoseconds reach from 1677 to 2262.
var (
	firstNanosecond = time.Unix(0, math.MinInt64)
	lastNanosecond  = time.Unix(0, math.MaxInt64)
)

func (c *chunk) moment(kind *table.Type, moment time.Time) error {
	if !kind.Nanoseconds {
		c.int64(moment.UnixMicro())
		return nil
	}
	if moment.Before(firstNanosecond) || moment.After(lastNanosecond) {
		return fmt.Errorf("%s can't be written as %s, which ends in 2262", table.FormatTimestamp(moment), kind)
	}
	c.int64(moment.UnixNano())
	return nil
}

// decimalBytes is how many bytes hold every number of so many digits, with its sign.
func decimalBytes(precision int32) int {
	largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(precision)), nil)
	return (largest.BitLen() + 8) / 8
}

func (c *chunk) decimal(kind *table.Type, number table.Decimal) error {
	exact, isExact := number.Rescaled(kind.Scale)
	if !isExact || exact.Precision() > kind.Precision {
		return fmt.Errorf("%s can't be written as %s", number, kind)
	}
	data := make([]byte, decimalBytes(kind.Precision))
	unscaled := exact.Unscaled
	if unscaled.Sign() < 0 { // two's complement
		unscaled = new(big.Int).Add(unscaled, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	c.fixed(unscaled.FillBytes(data))
	return nil
}
