package table_test

import (
	"math"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

func TestRecordsAsJSON(t *testing.T) {
	text := table.Type{}
	fields := []table.Field{
		{Name: "z", Type: text}, {Name: "a", Type: table.Type{Kind: table.KindInt}}, {Name: "nan", Type: table.Type{Kind: table.KindFloat}},
		{Name: "at", Type: table.Type{Kind: table.KindTimestamp}}, {Name: "none", Type: text}, {Name: "list", Type: table.Type{Kind: table.KindList, Element: &text}},
		{Name: "pair", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "y"}, {Name: "b", Type: table.Type{Kind: table.KindBool}}}}},
	}
	cells := []any{"<é>\n", int64(1) << 60, math.NaN(), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), nil, []any{"p", nil}, []any{"q", true}}
	got, err := table.AppendRecordJSON(nil, fields, cells)
	want := `{"z":"\u003cé\u003e\n","a":1152921504606846976,"nan":null,"at":"2026-01-02T03:04:05","none":null,` +
		`"list":["p",null],"pair":{"y":"q","b":true}}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
	if _, err := table.AppendRecordJSON(nil, fields, cells[:1]); err == nil {
		t.Error("a record with too few cells is no error")
	}
}
