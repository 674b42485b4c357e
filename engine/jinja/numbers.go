package jinja

import "math/big"

// normalize returns an int64 where the integer fits.
func normalize(integer *big.Int) Value {
	if integer.IsInt64() {
		return integer.Int64()
	}
	return integer
}

// asBig returns an int or bool as a big integer.
func asBig(value Value) (*big.Int, bool) {
	switch v := Unwritten(value).(type) {
	case int64:
		return big.NewInt(v), true
	case *big.Int:
		return v, true
	case bool:
		if v {
			return big.NewInt(1), true
		}
		return new(big.Int), true
	}
	return nil, false
}

// asSmall returns an int or bool as an int64, where it fits.
func asSmall(value Value) (int64, bool) {
	switch v := Unwritten(value).(type) {
	case int64:
		return v, true
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	}
	return 0, false
}

// asFloat returns any number as a float.
func asFloat(value Value) (float64, bool) {
	value = Unwritten(value)
	if v, ok := value.(float64); ok {
		return v, true
	}
	if v, ok := asSmall(value); ok {
		return float64(v), true
	}
	if v, ok := value.(*big.Int); ok {
		float, _ := new(big.Float).SetInt(v).Float64()
		return float, true
	}
	return 0, false
}

func isNumber(value Value) bool {
	_, ok := asFloat(value)
	return ok
}
