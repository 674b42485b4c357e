// Package constraint holds what constraints between columns mean: how values compare, and which sets of constraints can never be met. It
// draws nothing, and knows columns only by what their values can be.
package constraint

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/table"
)

// Form is what values are compared as.
type Form int

// The forms. Values of None can't be compared.
const (
	None    Form = iota
	Numbers      // int64 or float64
	Texts        // string
	Moments      // time.Time
)

// String returns the form for people.
func (f Form) String() string {
	return [...]string{"no values that can be compared", "numbers", "texts", "moments"}[f]
}

// FormOf is the form of a column's values.
func FormOf(kind table.Kind) Form {
	switch kind {
	case table.KindInt, table.KindFloat, table.KindDecimal:
		return Numbers
	case table.KindString:
		return Texts
	case table.KindTimestamp, table.KindDate:
		return Moments
	}
	return None
}

// operators are those of the API, in its order, each with how people read it.
var operators = []struct {
	name  v1alpha1.ConstraintOperator
	words string
	holds func(order int) bool
}{
	{v1alpha1.ConstraintLessThan, "<", func(order int) bool { return order < 0 }},
	{v1alpha1.ConstraintLessThanOrEqual, "<=", func(order int) bool { return order <= 0 }},
	{v1alpha1.ConstraintGreaterThan, ">", func(order int) bool { return order > 0 }},
	{v1alpha1.ConstraintGreaterThanOrEqual, ">=", func(order int) bool { return order >= 0 }},
	{v1alpha1.ConstraintEqual, "=", func(order int) bool { return order == 0 }},
	{v1alpha1.ConstraintNotEqual, "!=", func(order int) bool { return order != 0 }},
}

// Symbol is the sign of an operator; empty where there is no such operator.
func Symbol(operator v1alpha1.ConstraintOperator) string {
	for _, known := range operators {
		if known.name == operator {
			return known.words
		}
	}
	return ""
}

// Operators lists the operators for people.
func Operators() string {
	names := make([]string, len(operators))
	for i, known := range operators {
		names[i] = string(known.name)
	}
	return strings.Join(names, ", ")
}

// Test returns what says of the order of two values whether an operator, which is one of the API's, holds.
func Test(operator v1alpha1.ConstraintOperator) func(order int) bool {
	for _, known := range operators {
		if known.name == operator {
			return known.holds
		}
	}
	return func(int) bool { return false }
}

// Read is the value of a cell in a form. A text is read as a moment, in UTC where it has no zone.
func Read(form Form, cell any) (any, error) {
	switch value := cell.(type) {
	case int64, float64:
		if form == Numbers {
			return value, nil
		}
	case table.Decimal:
		if form == Numbers {
			return value.Float64(), nil
		}
	case string:
		switch form {
		case Texts:
			return value, nil
		case Moments:
			return table.ParseMoment(value, time.UTC)
		}
	case time.Time:
		if form == Moments {
			return value, nil
		}
	case table.Date:
		if form == Moments {
			return time.Unix(int64(value)*86400, 0).UTC(), nil
		}
	}
	return nil, fmt.Errorf("%.60q can't be compared with %s", fmt.Sprint(cell), form)
}

// Compare is the order of two values of one form: negative where the first is the lower one.
func Compare(a, b any) int {
	switch left := a.(type) {
	case int64:
		if right, both := b.(int64); both {
			return cmp.Compare(left, right)
		}
		return compareMixed(left, b.(float64))
	case float64:
		if right, both := b.(float64); both {
			return cmp.Compare(left, right)
		}
		return -compareMixed(b.(int64), left)
	case time.Time:
		return left.Compare(b.(time.Time))
	}
	return strings.Compare(a.(string), b.(string))
}

// compareMixed compares without rounding the int.
func compareMixed(integer int64, float float64) int {
	const exact = 1 << 53
	if integer > -exact && integer < exact {
		return cmp.Compare(float64(integer), float)
	}
	return new(big.Float).SetInt64(integer).Cmp(big.NewFloat(float))
}

// Text is a value for people.
func Text(value any) string {
	switch typed := value.(type) {
	case time.Time:
		return strings.TrimSuffix(table.FormatTimestamp(typed), "T00:00:00")
	case string:
		return strconv.Quote(typed)
	}
	return fmt.Sprint(value)
}

// Value reads the value of a constraint in a form.
func Value(raw []byte, form Form) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, errors.New("is not valid JSON")
	}
	switch typed := value.(type) {
	case json.Number:
		if form != Numbers {
			return nil, fmt.Errorf("is a number, but the column has %s", form)
		}
		if integer, err := typed.Int64(); err == nil {
			return integer, nil
		}
		float, err := typed.Float64()
		if err != nil || math.IsInf(float, 0) {
			return nil, errors.New("is outside the range of a 64-bit number")
		}
		return float, nil
	case string:
		if form == Numbers {
			return nil, errors.New("is a text, but the column has numbers")
		}
		return Read(form, typed)
	}
	return nil, errors.New("must be a number or a text; put quotes around dates, true and false")
}
