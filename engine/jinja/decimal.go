package jinja

import (
	"encoding/json"
	"math/big"
	"strings"
)

// NewDecimal returns the number unscaled · 10^-scale, which prints as a text. Adding, subtracting and multiplying keeps all of its digits;
// beside a float, and where it is divided, it is a float.
func NewDecimal(text string, unscaled *big.Int, scale int32) Value {
	if scale == 0 {
		return Written{text: text, value: normalize(unscaled), unscaled: unscaled}
	}
	nearest, _ := new(big.Rat).SetFrac(unscaled, powerOfTen(scale)).Float64()
	return Written{text: text, value: nearest, unscaled: unscaled, scale: scale}
}

func powerOfTen(exponent int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// MarshalJSON writes a decimal with all of its digits, and anything else as what it stands for.
func (w Written) MarshalJSON() ([]byte, error) {
	if w.unscaled != nil {
		return []byte(plainDecimal(w.unscaled, w.scale)), nil
	}
	return json.Marshal(w.value)
}

// plainDecimal prints a decimal without an exponent.
func plainDecimal(unscaled *big.Int, scale int32) string {
	digits := new(big.Int).Abs(unscaled).String()
	if missing := int(scale) + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	if scale > 0 {
		point := len(digits) - int(scale)
		digits = digits[:point] + "." + digits[point:]
	}
	if unscaled.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// asDecimal returns a decimal or an int as a decimal.
func asDecimal(value Value) (unscaled *big.Int, scale int32, exact bool) {
	if written, isWritten := value.(Written); isWritten {
		if written.unscaled != nil {
			return written.unscaled, written.scale, true
		}
		value = written.value
	}
	integer, isInteger := asBig(value)
	return integer, 0, isInteger
}

// decimalArithmetic adds, subtracts and multiplies exactly where one of the operands is a decimal with a fraction, and the other an int or
// a decimal.
func decimalArithmetic(operator string, left, right Value) (Value, bool) {
	a, scaleA, exactA := asDecimal(left)
	b, scaleB, exactB := asDecimal(right)
	if !exactA || !exactB || scaleA+scaleB == 0 || a.BitLen()+b.BitLen() > maxBigBits {
		return nil, false
	}
	scale := max(scaleA, scaleB)
	result := new(big.Int)
	switch operator {
	case "+", "-":
		a, b = new(big.Int).Mul(a, powerOfTen(scale-scaleA)), new(big.Int).Mul(b, powerOfTen(scale-scaleB))
		if operator == "-" {
			b.Neg(b)
		}
		result.Add(a, b)
	case "*":
		scale = scaleA + scaleB
		result.Mul(a, b)
	default:
		return nil, false
	}
	return NewDecimal(plainDecimal(result, scale), result, scale), true
}
