package table

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// AppendJSON appends a value of a type as JSON. The fields of structs keep their order, timestamps, dates and times are
// written as templates see them, decimals as numbers with all of their digits, binary data in base64, and what JSON has no number for (NaN
// and infinities) is null.
func AppendJSON(to []byte, kind Type, value any) ([]byte, error) {
	switch typed := value.(type) {
	case nil:
		return append(to, "null"...), nil
	case time.Time:
		value = FormatTimestamp(typed)
	case Date:
		value = typed.String()
	case TimeOfDay:
		value = typed.String()
	case Decimal:
		return append(to, typed.Plain()...), nil // a number of JSON, with all of its digits
	case string:
		if kind.HoldsDocument(typed) && json.Valid([]byte(typed)) {
			return append(to, typed...), nil
		}
	case float64:
		if math.IsNaN(typed) || math.IsInf(typed, 0) {
			return append(to, "null"...), nil
		}
	case []any:
		if kind.Kind == KindStruct {
			return AppendRecordJSON(to, kind.Fields, typed)
		}
		return appendList(to, kind, typed)
	}
	data, err := json.Marshal(value)
	return append(to, data...), err
}

func appendList(to []byte, kind Type, values []any) ([]byte, error) {
	var element Type
	if kind.Element != nil {
		element = *kind.Element
	}
	to = append(to, '[')
	for i, value := range values {
		if i > 0 {
			to = append(to, ',')
		}
		var err error
		if to, err = AppendJSON(to, element, value); err != nil {
			return to, err
		}
	}
	return append(to, ']'), nil
}

// AppendRecordJSON appends an object with a member for each field, in their order.
func AppendRecordJSON(to []byte, fields []Field, cells []any) ([]byte, error) {
	if len(cells) != len(fields) {
		return to, fmt.Errorf("%d cells for %d fields", len(cells), len(fields))
	}
	to = append(to, '{')
	for i, field := range fields {
		if i > 0 {
			to = append(to, ',')
		}
		name, err := json.Marshal(field.Name)
		if err != nil {
			return to, err
		}
		to = append(append(to, name...), ':')
		if to, err = AppendJSON(to, field.Type, cells[i]); err != nil {
			return to, err
		}
	}
	return append(to, '}'), nil
}
