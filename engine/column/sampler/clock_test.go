package sampler_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/table"
)

// A moment is written as its format says, in its zone.
func TestMomentsAreWrittenAsTheirFormatSays(t *testing.T) {
	for text, want := range map[string]string{
		`start: "2026-07-01T12:00:00Z", end: "2026-07-01T12:00:01Z", unit: Second}, format: ISO, timeZone: Europe/Berlin`:                   "2026-07-01T14:00:00+02:00",
		`start: "2026-07-01T12:00:00Z", end: "2026-07-01T12:00:01Z", unit: Second}, format: ISO`:                                            "2026-07-01T12:00:00Z",
		`start: "2026-07-01T12:00:00", end: "2026-07-01T12:00:01", unit: Second}, format: ISO, timeZone: America/New_York`:                  "2026-07-01T12:00:00-04:00",
		`start: "2026-01-31", end: "2026-02-01"}, format: "%d.%m.%Y"`:                                                                       "31.01.2026",
		`start: "2026-01-31T23:59", end: "2026-02-01", unit: Minute}, format: "%A, %-d %b %y, %I:%M %p (%z, %%)", timeZone: Asia/Kathmandu`: "Saturday, 31 Jan 26, 11:59 PM (+0545, %)",
		`start: "2026-01-31T23:59", end: "2026-02-01", unit: Hour}, format: "%F %T", timeZone: Asia/Kathmandu`:                              "2026-01-31 23:00:00",
		`start: "2026-01-31", end: "2026-02-01", unit: Month}, format: "%Y-%m", timeZone: Pacific/Auckland`:                                 "2026-01",
	} {
		kind, values := draws(t, "{type: DateTime, dateTime: {"+text+"}", 1)
		if kind != table.KindString || values[0] != want {
			t.Errorf("%s: %v of kind %s, want %s", text, values[0], kind, want)
		}
	}
	_, values := draws(t, `{type: DateTime, dateTime: {start: "2026-07-01", end: "2026-07-02"}, timeZone: Europe/Berlin}`, 1)
	if want := time.Date(2026, 6, 30, 22, 0, 0, 0, time.UTC); values[0] != want {
		t.Errorf("the start of a day in Berlin is %v, not %v", want, values[0])
	}
}

// A distance is counted on the clocks of the zone: a day may have 23 hours, and a weekend begins where it is Saturday.
func TestDistancesAreCountedInTheirZone(t *testing.T) {
	for text, want := range map[string]string{
		`{from: other, min: 1, max: 2}, timeZone: Europe/Berlin, format: ISO`:                                 "2026-03-29T12:00:00+02:00",
		`{from: other, min: 24, max: 25, unit: Hour}, timeZone: Europe/Berlin, format: ISO`:                   "2026-03-29T13:00:00+02:00",
		`{from: other, min: 0, max: 1, unit: BusinessDay}, timeZone: America/Los_Angeles, format: "%a %H:%M"`: "Mon 04:00",
		`{from: other, min: 0, max: 1, unit: BusinessDay}, format: "%a %H:%M"`:                                "Mon 11:00",
	} {
		values, err := drawBeside(t, "{type: TimeDelta, timeDelta: "+text+"}", 1, time.Date(2026, 3, 28, 11, 0, 0, 0, time.UTC))
		if err != nil || values[0] != want {
			t.Errorf("%s: %v, %v, want %s", text, values, err, want)
		}
	}
}

// A distance is counted from what another sampler has written, whatever its format is.
func TestDistancesFromFormattedMoments(t *testing.T) {
	schema := table.NewSchema(table.Field{Name: "from"}, table.Field{Name: "c"})
	from := parse(t, `{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}, format: "%d/%m/%y", timeZone: Asia/Tokyo}`)
	s, err := sampler.New("c",
		parse(t, `{type: TimeDelta, timeDelta: {from: from, min: 2, max: 3}, format: "%d/%m/%y", timeZone: Asia/Tokyo}`),
		sampler.Dataset{Schema: schema, SamplerOf: func(string) *v1alpha1.Sampler { return from }})
	if err != nil {
		t.Fatal(err)
	}
	record := table.NewRecord(schema, 0, 0)
	record.Cells[0] = "31/12/26"
	if value, err := s.Generate(t.Context(), record); err != nil || value != "02/01/27" {
		t.Errorf("%v, %v", value, err)
	}
}

func TestFormatsAndZonesThatAreNone(t *testing.T) {
	const moment = `{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}, `
	for text, want := range map[string]string{
		moment + `format: "%Q"}`:                         `format "%Q" writes nothing of a moment: write ISO, or directives as in %Y-%m-%d`,
		moment + `format: "%Y %Q"}`:                      `format "%Q" is not a directive of strftime; a percent sign is written as %%`,
		moment + `format: "%Y%"}`:                        `format "%" is not a directive of strftime; a percent sign is written as %%`,
		moment + `format: "%999Y %d"}`:                   `format "%9" is not a directive of strftime; a percent sign is written as %%`,
		moment + `format: today}`:                        `format "today" writes nothing of a moment: write ISO, or directives as in %Y-%m-%d`,
		moment + `timeZone: Mars/Olympus}`:               `timeZone "Mars/Olympus" is not a time zone, such as Europe/Berlin or UTC`,
		moment + `timeZone: ../etc/passwd}`:              `timeZone "../etc/passwd" is not a time zone, such as Europe/Berlin or UTC`,
		moment + `timeZone: Local}`:                      `timeZone "Local" is not a time zone, such as Europe/Berlin or UTC`,
		`{type: UUID, format: ISO, timeZone: UTC}`:       `format is not possible for samplers of type UUID; timeZone is not possible for samplers of type UUID`,
		moment + `format: "%Y-%m-%d %%", timeZone: UTC}`: ``,
	} {
		var got []string
		for _, violation := range sampler.Validate(parse(t, text)) {
			got = append(got, violation.Field+" "+violation.Message)
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("got %s, want %s", text, want)
		}
	}
}

// Each value of a balanced category has its number of rows, in an order that tells nothing, for any number of rows.
func TestExactBalance(t *testing.T) {
	for text, want := range map[string]map[any]int{
		`{values: [a, b, c], balance: Exact}`:                       {"a": 334, "b": 333, "c": 333},
		`{values: [a, b, c], weights: [1, 1, 98], balance: Exact}`:  {"a": 10, "b": 10, "c": 980},
		`{values: [a, b, c], weights: [0, 1, 2], balance: Exact}`:   {"b": 333, "c": 667},
		`{values: [1, 2], weights: [0.123, 0.877], balance: Exact}`: {int64(1): 123, int64(2): 877},
	} {
		const rows = 1000
		schema := table.NewSchema(table.Field{Name: "c"})
		s, err := sampler.New("c", parse(t, "{type: Category, category: "+text+"}"), sampler.Dataset{Seed: 3, Schema: schema, Records: rows})
		if err != nil {
			t.Fatal(err)
		}
		counts, runs := map[any]int{}, 0
		var last any
		for row := range rows {
			value, err := s.Generate(t.Context(), table.NewRecord(schema, table.RowIndex(row), 0))
			again, _ := s.Generate(t.Context(), table.NewRecord(schema, table.RowIndex(row), 2))
			if err != nil || value != again {
				t.Fatalf("row %d: %v, then %v, %v", row, value, again, err)
			}
			counts[value]++
			if value != last {
				runs++
			}
			last = value
		}
		for value, count := range want {
			if counts[value] != count {
				t.Errorf("%s: %v, want %v", text, counts, want)
			}
		}
		if len(counts) != len(want) || runs < 20 {
			t.Errorf("%s: %v in %d runs", text, counts, runs)
		}
	}
	if s, err := sampler.New("c", parse(t, "{type: Category, category: {values: [a, b, c], balance: Exact}}"), sampler.Dataset{Records: 2}); err != nil {
		t.Error(err)
	} else if column := s.GenerateColumn(0, 2); column != nil {
		t.Error("rows at once have other values")
	}
	var fields []string
	for _, violation := range sampler.Validate(parse(t, `{type: Category, category: {values: [a], balance: Fair},
		conditional: [{when: x, parameters: {values: [b], balance: Exact}}]}`)) {
		fields = append(fields, violation.Field)
	}
	if got := strings.Join(fields, " "); got != "category.balance conditional[0].parameters.balance" {
		t.Errorf("violations of %s", got)
	}
}

// A sequence with gaps goes up from row to row, and leaves as many out as it says.
func TestSequencesWithGaps(t *testing.T) {
	_, values := draws(t, `{type: Sequence, sequence: {start: 100, step: 5, gaps: 3}}`, 1000)
	distances := map[int64]bool{}
	for i, value := range values {
		number := value.(int64)
		if (number-100)%5 != 0 || number < 100+int64(i)*20 || number >= 100+int64(i+1)*20 {
			t.Fatalf("row %d has %d", i, number)
		}
		if i > 0 {
			distances[number-values[i-1].(int64)] = true
		}
	}
	if len(distances) != 7 || distances[0] {
		t.Errorf("distances %v", distances)
	}
	_, down := draws(t, `{type: Sequence, sequence: {step: -1, gaps: 1}, convertTo: float}`, 10)
	if !slices.IsSortedFunc(down, func(a, b any) int { return int(b.(float64) - a.(float64)) }) {
		t.Errorf("%v", down)
	}
	violations := sampler.Validate(parse(t, `{type: Sequence, sequence: {gaps: 2000}}`))
	if len(violations) != 1 || violations[0].Field != "sequence.gaps" {
		t.Errorf("%v", violations)
	}
}
