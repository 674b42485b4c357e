package jinja

import (
	"math"
	"math/big"
	"strings"
)

func unsupported(operator string, left, right Value) error {
	for _, value := range []Value{left, right} {
		if undefined, ok := value.(Undefined); ok {
			return fail(KindUndefined, "%s", undefined.Message)
		}
	}
	return fail(KindType, "unsupported operand types for %s: '%s' and '%s'", operator, typeName(left), typeName(right))
}

func negate(operator string, value Value) (Value, error) {
	if negated, isDecimal := decimalArithmetic("-", int64(0), value); isDecimal && operator == "-" {
		return negated, nil
	}
	value = Unwritten(value)
	if float, ok := value.(float64); ok {
		if operator == "-" {
			return -float, nil
		}
		return float, nil
	}
	integer, ok := asBig(value)
	if !ok {
		if undefined, missing := value.(Undefined); missing {
			return nil, fail(KindUndefined, "%s", undefined.Message)
		}
		return nil, fail(KindType, "bad operand type for unary %s: '%s'", operator, typeName(value))
	}
	if operator == "-" {
		return normalize(new(big.Int).Neg(integer)), nil
	}
	return normalize(integer), nil
}

func (e *evaluation) arithmetic(operator string, left, right Value) (Value, error) {
	if result, exact := decimalArithmetic(operator, left, right); exact {
		return result, nil
	}
	left, right = Unwritten(left), Unwritten(right)
	switch operator {
	case "+":
		if value, done, err := e.concatenateValues(left, right); done {
			return value, err
		}
	case "*":
		if value, done, err := e.repeat(left, right); done {
			return value, err
		}
	case "%":
		if format, ok := left.(string); ok {
			return e.percentFormat(format, right)
		}
	}
	if !isNumber(left) || !isNumber(right) {
		return nil, unsupported(operator, left, right)
	}
	_, leftFloat := left.(float64)
	_, rightFloat := right.(float64)
	if leftFloat || rightFloat || operator == "/" {
		return floatArithmetic(operator, left, right)
	}
	return e.integerArithmetic(operator, left, right)
}

func floatArithmetic(operator string, left, right Value) (Value, error) {
	a, _ := asFloat(left)
	b, _ := asFloat(right)
	if b == 0 && (operator == "/" || operator == "//" || operator == "%") {
		return nil, fail(KindZeroDivision, "division by zero")
	}
	switch operator {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		return a / b, nil
	case "//":
		return math.Floor(a / b), nil
	case "%":
		rest := math.Mod(a, b)
		if rest != 0 && (rest < 0) != (b < 0) {
			rest += b
		}
		return rest, nil
	}
	if a == 0 && b < 0 {
		return nil, fail(KindZeroDivision, "0.0 cannot be raised to a negative power")
	}
	if a < 0 && b != math.Trunc(b) {
		return nil, fail(KindValue, "a negative number cannot be raised to a fractional power")
	}
	result := math.Pow(a, b)
	if math.IsInf(result, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
		return nil, fail(KindValue, "the result of ** is too large")
	}
	return result, nil
}

func (e *evaluation) integerArithmetic(operator string, left, right Value) (Value, error) {
	if a, ok := asSmall(left); ok {
		if b, ok := asSmall(right); ok {
			if value, done := smallArithmetic(operator, a, b); done {
				return value, nil
			}
		}
	}
	a, _ := asBig(left)
	b, _ := asBig(right)
	result := new(big.Int)
	switch operator {
	case "+":
		result.Add(a, b)
	case "-":
		result.Sub(a, b)
	case "*":
		if a.BitLen()+b.BitLen() > maxBigBits {
			return nil, fail(KindLimit, "the integer has more than %d bits", maxBigBits)
		}
		result.Mul(a, b)
	case "//", "%":
		if b.Sign() == 0 {
			return nil, fail(KindZeroDivision, "integer division or modulo by zero")
		}
		quotient, rest := new(big.Int).QuoRem(a, b, new(big.Int))
		if rest.Sign() != 0 && rest.Sign() != b.Sign() {
			quotient.Sub(quotient, big.NewInt(1))
			rest.Add(rest, b)
		}
		result = quotient
		if operator == "%" {
			result = rest
		}
	case "**":
		if b.Sign() < 0 {
			return floatArithmetic(operator, left, right)
		}
		if a.BitLen() > 1 && (!b.IsInt64() || int64(a.BitLen())*b.Int64() > maxBigBits || b.Int64() > maxBigBits) {
			return nil, fail(KindLimit, "the integer has more than %d bits", maxBigBits)
		}
		result.Exp(a, b, nil)
	}
	if err := e.allocate(result.BitLen() / 8); err != nil {
		return nil, err
	}
	return normalize(result), nil
}

// smallArithmetic works without allocation where nothing overflows.
func smallArithmetic(operator string, a, b int64) (Value, bool) {
	switch operator {
	case "+":
		if sum := a + b; (sum > a) == (b > 0) {
			return sum, true
		}
	case "-":
		if difference := a - b; (difference < a) == (b > 0) {
			return difference, true
		}
	case "*":
		const half = 1 << 31
		if a > -half && a < half && b > -half && b < half {
			return a * b, true
		}
	}
	return nil, false
}

// concatenateValues adds strings, lists and tuples.
func (e *evaluation) concatenateValues(left, right Value) (Value, bool, error) {
	switch a := left.(type) {
	case string:
		if b, ok := right.(string); ok {
			if err := e.allocate(len(a) + len(b)); err != nil {
				return nil, true, err
			}
			return a + b, true, nil
		}
	case *List:
		if b, ok := right.(*List); ok {
			if err := e.allocate(itemBytes * (len(a.Items) + len(b.Items))); err != nil {
				return nil, true, err
			}
			return &List{Items: append(append([]Value(nil), a.Items...), b.Items...)}, true, nil
		}
	case Tuple:
		if b, ok := right.(Tuple); ok {
			if err := e.allocate(itemBytes * (len(a) + len(b))); err != nil {
				return nil, true, err
			}
			return append(append(Tuple(nil), a...), b...), true, nil
		}
	}
	return nil, false, nil
}

// repeat multiplies a string, list or tuple.
func (e *evaluation) repeat(left, right Value) (Value, bool, error) {
	count, ok := asSmall(right)
	sequence := left
	if !ok {
		if count, ok = asSmall(left); !ok {
			return nil, false, nil
		}
		sequence = right
	}
	count = max(count, 0)
	var size int
	switch v := sequence.(type) {
	case string:
		size = len(v)
	case *List:
		size = itemBytes * len(v.Items)
	case Tuple:
		size = itemBytes * len(v)
	default:
		return nil, false, nil
	}
	if size > 0 && count > int64(e.limits.MemoryBytes/size) {
		return nil, true, e.allocate(e.limits.MemoryBytes + 1)
	}
	if size == 0 {
		count = min(count, 1)
	}
	if err := e.allocate(size * int(count)); err != nil {
		return nil, true, err
	}
	repeated := func(items []Value) []Value {
		var result []Value
		for range count {
			result = append(result, items...)
		}
		return result
	}
	switch v := sequence.(type) {
	case string:
		return strings.Repeat(v, int(count)), true, nil
	case *List:
		return &List{Items: repeated(v.Items)}, true, nil
	}
	return Tuple(repeated(sequence.(Tuple))), true, nil
}

func (e *evaluation) compareBy(operator string, left, right Value) (bool, error) {
	switch operator {
	case "==":
		return e.equal(left, right, 0)
	case "!=":
		same, err := e.equal(left, right, 0)
		return !same, err
	case "in":
		return e.contains(right, left)
	case "not in":
		found, err := e.contains(right, left)
		return !found, err
	}
	order, err := e.compare(left, right, 0)
	if err != nil {
		return false, err
	}
	if order == unordered {
		return false, nil
	}
	switch operator {
	case "<":
		return order < 0, nil
	case "<=":
		return order <= 0, nil
	case ">":
		return order > 0, nil
	}
	return order >= 0, nil
}

// equal is Python's ==: numbers compare by value whatever their type.
func (e *evaluation) equal(left, right Value, depth int) (bool, error) {
	if err := e.step(1); err != nil {
		return false, err
	}
	if depth > maxPrintDepth {
		return false, fail(KindLimit, "values are nested too deeply to be compared")
	}
	if isNumber(left) && isNumber(right) {
		order, err := e.compare(left, right, depth)
		return order == 0, err
	}
	left, right = Unwritten(left), Unwritten(right)
	switch a := left.(type) {
	case nil:
		return right == nil, nil
	case string:
		b, ok := right.(string)
		return ok && a == b, nil
	case *List:
		if b, ok := right.(*List); ok {
			return e.equalItems(a.Items, b.Items, depth)
		}
	case Tuple:
		if b, ok := right.(Tuple); ok {
			return e.equalItems(a, b, depth)
		}
	case *Dict:
		b, ok := right.(*Dict)
		if !ok {
			return false, nil
		}
		return e.equalEntries(a, b, depth)
	case *Range:
		b, ok := right.(*Range)
		return ok && *a == *b, nil
	case Undefined:
		if err := e.useUndefined(a); err != nil {
			return false, err
		}
		_, ok := right.(Undefined)
		return ok, nil
	}
	if undefined, ok := right.(Undefined); ok {
		return false, e.useUndefined(undefined)
	}
	return false, nil
}

func (e *evaluation) equalItems(left, right []Value, depth int) (bool, error) {
	if len(left) != len(right) {
		return false, nil
	}
	for i := range left {
		if equal, err := e.equal(left[i], right[i], depth+1); err != nil || !equal {
			return false, err
		}
	}
	return true, nil
}

// equalEntries compares whatever the order of the keys.
func (e *evaluation) equalEntries(left, right *Dict, depth int) (bool, error) {
	if left.Len() != right.Len() {
		return false, nil
	}
	for i, key := range left.keys {
		other, found := right.Get(key)
		if !found {
			return false, nil
		}
		if equal, err := e.equal(left.values[i], other, depth+1); err != nil || !equal {
			return false, err
		}
	}
	return true, nil
}

// unordered is the result of comparing with NaN.
const unordered = 2

// compare is Python's ordering; values of different kinds have none.
func (e *evaluation) compare(left, right Value, depth int) (int, error) {
	if err := e.step(1); err != nil {
		return 0, err
	}
	if depth > maxPrintDepth {
		return 0, fail(KindLimit, "values are nested too deeply to be compared")
	}
	if isNumber(left) && isNumber(right) {
		return compareNumbers(left, right), nil
	}
	switch a := left.(type) {
	case string:
		if b, ok := right.(string); ok {
			return strings.Compare(a, b), nil
		}
	case *List:
		if b, ok := right.(*List); ok {
			return e.compareItems(a.Items, b.Items, depth)
		}
	case Tuple:
		if b, ok := right.(Tuple); ok {
			return e.compareItems(a, b, depth)
		}
	}
	return 0, unsupported("ordering", left, right)
}

// compareItems orders by the first items that differ, and then by length.
func (e *evaluation) compareItems(left, right []Value, depth int) (int, error) {
	for i := 0; i < len(left) && i < len(right); i++ {
		same, err := e.equal(left[i], right[i], depth+1)
		if err != nil {
			return 0, err
		}
		if !same {
			return e.compare(left[i], right[i], depth+1)
		}
	}
	return len(left) - len(right), nil
}

func compareNumbers(left, right Value) int {
	if difference, exact := decimalArithmetic("-", left, right); exact {
		return difference.(Written).unscaled.Sign()
	}
	left, right = Unwritten(left), Unwritten(right)
	a, leftFloat := left.(float64)
	b, rightFloat := right.(float64)
	switch {
	case (leftFloat && math.IsNaN(a)) || (rightFloat && math.IsNaN(b)):
		return unordered
	case leftFloat && math.IsInf(a, 0), rightFloat && math.IsInf(b, 0):
		a, _ = asFloat(left)
		b, _ = asFloat(right)
		if a < b {
			return -1
		} else if a > b {
			return 1
		}
		return 0
	case !leftFloat && !rightFloat:
		x, _ := asBig(left)
		y, _ := asBig(right)
		return x.Cmp(y)
	}
	exact := func(value Value) *big.Float {
		if float, ok := value.(float64); ok {
			return big.NewFloat(float)
		}
		integer, _ := asBig(value)
		return new(big.Float).SetPrec(maxBigBits).SetInt(integer)
	}
	return exact(left).Cmp(exact(right))
}

func (e *evaluation) contains(container, item Value) (bool, error) {
	switch c := container.(type) {
	case string:
		text, ok := item.(string)
		if !ok {
			return false, fail(KindType, "'in <string>' requires string as left operand, not %s", typeName(item))
		}
		return strings.Contains(c, text), e.step(len(c) / 1024)
	case *Dict:
		if _, err := hashKey(item); err != nil {
			return false, err
		}
		_, found := c.Get(item)
		return found, nil
	}
	items, err := e.items(container)
	if err != nil {
		return false, err
	}
	for _, candidate := range items {
		if same, err := e.equal(candidate, item, 0); err != nil || same {
			return same, err
		}
	}
	return false, nil
}
