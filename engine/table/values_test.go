package table_test

import (
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/table"
)

// The forms are those that Python's str prints of decimal.Decimal, datetime.date and datetime.time.
func TestValuesPrintAsInPython(t *testing.T) {
	for text, want := range map[string]string{
		"19.90": "19.90", "0": "0", "-0.5": "-0.5", "0.000001": "0.000001", "0.0000001": "1E-7", "-0.00000012": "-1.2E-7",
		"0.0000000": "0E-7", "12345678901234567890.12": "12345678901234567890.12", "007": "7", "1234567890123456789": "1234567890123456789",
	} {
		number, parses := table.ParseDecimal(text)
		if !parses || number.String() != want {
			t.Errorf("%s prints as %s, want %s", text, number, want)
		}
	}
	for _, text := range []string{"", "-", ".5", "5.", "1e5", "+1", "1_000", " 1", "0x1", "1.2.3", "--1"} {
		if number, parses := table.ParseDecimal(text); parses {
			t.Errorf("%q is read as %s", text, number)
		}
	}
	if got := table.DateOf(time.Date(1969, 12, 31, 1, 0, 0, 0, time.UTC)).String(); got != "1969-12-31" {
		t.Errorf("the day before the first is %s", got)
	}
	for nanoseconds, want := range map[table.TimeOfDay]string{
		0: "00:00:00", 86399999999000: "23:59:59.999999", 1000: "00:00:00.000001", 1: "00:00:00.000000001",
	} {
		if got := nanoseconds.String(); got != want {
			t.Errorf("%d ns print as %s, want %s", int64(nanoseconds), got, want)
		}
	}
}

func TestADecimalIsRescaledOnlyWithoutLoss(t *testing.T) {
	number, _ := table.ParseDecimal("1.50")
	if more, exact := number.Rescaled(4); !exact || more.String() != "1.5000" {
		t.Errorf("with four digits it is %s", more)
	}
	if _, exact := number.Rescaled(0); exact {
		t.Error("1.50 became a whole number")
	}
}

func TestNoDigitOfATimeIsLost(t *testing.T) {
	for _, kind := range []table.Type{{Kind: table.KindTime}, {Kind: table.KindTimestamp}, {Kind: table.KindTimestamp, Local: true}} {
		day := map[table.Kind]string{table.KindTimestamp: "2026-01-31T"}[kind.Kind]
		if cell, err := table.Parse(kind, day+"12:30:00.123456000"); err != nil {
			t.Errorf("%s: six digits: got %v, %v", kind, cell, err)
		}
		if cell, err := table.Parse(kind, day+"12:30:00.123456789"); err == nil || !strings.Contains(err.Error(), "six digits") {
			t.Errorf("%s: nine digits: got %v, %v", kind, cell, err)
		}
		kind.Nanoseconds = true
		if cell, err := table.Parse(kind, day+"12:30:00.123456789"); err != nil {
			t.Errorf("%s: nine digits: got %v, %v", kind, cell, err)
		}
	}
}
