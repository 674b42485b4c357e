package sandbox

import (
	"go.starlark.net/starlark"

	"seedloom.dev/seedloom/engine/table"
)

// exact returns values that Starlark has no type for: dates, times and decimals with a fraction as their texts, so that no digit is lost,
// whole decimals as ints, and binary data as bytes.
func exact(value any) starlark.Value {
	switch typed := value.(type) {
	case table.Date:
		return starlark.String(typed.String())
	case table.TimeOfDay:
		return starlark.String(typed.String())
	case table.Decimal:
		if typed.Scale == 0 {
			return starlark.MakeBigInt(typed.Unscaled)
		}
		return starlark.String(typed.Plain())
	case []byte:
		return starlark.Bytes(typed)
	}
	return starlark.None
}

// fromExact turns what exact has returned into a cell again; it is not known where the column has another type.
func fromExact(kind table.Type, value starlark.Value) (cell any, known bool, err error) {
	if data, isBytes := value.(starlark.Bytes); isBytes && kind.Kind == table.KindBinary {
		return []byte(data), true, nil
	}
	text, isText := starlark.AsString(value)
	if _, isInt := value.(starlark.Int); isInt {
		text, isText = value.String(), kind.Kind == table.KindDecimal
	}
	if !isText {
		return nil, false, nil
	}
	switch kind.Kind {
	case table.KindDate, table.KindTime, table.KindDecimal:
		cell, err = table.Parse(kind, text)
		return cell, true, err
	}
	return nil, false, nil
}
