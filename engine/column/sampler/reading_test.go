package sampler_test

import (
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/random"
	"seedloom.dev/seedloom/engine/table"
)

// drawBeside draws for rows whose column "other" has some values, one after the other.
func drawBeside(t *testing.T, text string, rows int, others ...any) ([]any, error) {
	t.Helper()
	schema := table.NewSchema(table.Field{Name: "other"}, table.Field{Name: "c"})
	s, err := sampler.New("c", parse(t, text), sampler.Dataset{Seed: 1, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	var values []any
	for row := range rows {
		record := table.NewRecord(schema, table.RowIndex(row), 0)
		record.Cells[0] = others[row%len(others)]
		value, err := s.Generate(t.Context(), record)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func TestSubcategoriesBelongToTheirCategory(t *testing.T) {
	values, err := drawBeside(t, `{type: Subcategory, subcategory: {category: other, values: [
		{of: books, values: [novel, poem]}, {of: "1", values: [one], weights: [2]}, {of: "2.0", values: [two, never], weights: [1, 0]}]}}`,
		4000, "books", int64(1), 2.0)
	if err != nil {
		t.Fatal(err)
	}
	novels := 0
	for row, value := range values {
		right := [][]any{{"novel", "poem"}, {"one"}, {"two"}}[row%3]
		if value != right[0] && value != right[len(right)-1] {
			t.Fatalf("row %d got %v", row, value)
		}
		if value == "novel" {
			novels++
		}
	}
	if books := 4000 / 3; novels < books*45/100 || novels > books*55/100 {
		t.Errorf("%d of about %d books are novels", novels, books)
	}
	_, err = drawBeside(t, `{type: Subcategory, subcategory: {category: other, values: [{of: books, values: [novel]}]}}`, 1, "cars")
	if err == nil || !strings.Contains(err.Error(), `subcategory.values has no list of "cars", which column "other" has`) {
		t.Errorf("a value without a list: %v", err)
	}
	numbers, err := drawBeside(t,
		`{type: Subcategory, subcategory: {category: other, values: [{of: a, values: [1]}, {of: b, values: [2.5]}]}}`, 2, "a", "b")
	if err != nil || numbers[0] != 1.0 || numbers[1] != 2.5 {
		t.Errorf("the values of all lists have one type: %v, %v", numbers, err)
	}
}

// The value of the other column is what a template would print of it: of a seed, what its file says.
func TestSubcategoriesGoByWhatIsPrinted(t *testing.T) {
	values, err := drawBeside(t, `{type: Subcategory, subcategory: {category: other, values: [
		{of: "True", values: [right]}, {of: "", values: [nothing]}, {of: "2026-01-31T12:00:00", values: [then]}]}}`,
		3, true, nil, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	if err != nil || values[0] != "right" || values[1] != "nothing" || values[2] != "then" {
		t.Errorf("%v, %v", values, err)
	}
	schema := table.NewSchema(table.Field{Name: "other", Type: table.Type{Kind: table.KindInt}})
	record := table.NewRecord(schema, 0, 0)
	record.Cells[0], record.Texts = int64(7), []string{"007"}
	const text = `{type: Subcategory, subcategory: {category: other, values: [{of: "007", values: [agent]}]}}`
	s, err := sampler.New("c", parse(t, text), sampler.Dataset{Seed: 1, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	if value, err := s.Generate(t.Context(), record); value != "agent" {
		t.Errorf("%v, %v", value, err)
	}
}

func TestMomentsAreAtADistance(t *testing.T) {
	friday := time.Date(2026, 11, 27, 15, 30, 0, 0, time.UTC)
	for text, allowed := range map[string][]string{
		`{min: 0, max: 2}`:                        {"2026-11-27T15:30", "2026-11-28T15:30"},
		`{min: -2, max: 0}`:                       {"2026-11-25T15:30", "2026-11-26T15:30"},
		`{min: 1, max: 3, unit: Hour}`:            {"2026-11-27T16:30", "2026-11-27T17:30"},
		`{min: 30, max: 31, unit: Minute}`:        {"2026-11-27T16:00"},
		`{min: 60, max: 61, unit: Second}`:        {"2026-11-27T15:31"},
		`{min: 0, max: 3, unit: BusinessDay}`:     {"2026-11-27T15:30", "2026-11-30T15:30", "2026-12-01T15:30"},
		`{min: 5, max: 7, unit: BusinessDay}`:     {"2026-12-04T15:30", "2026-12-07T15:30"},
		`{min: -6, max: -4, unit: BusinessDay}`:   {"2026-11-19T15:30", "2026-11-20T15:30"},
		`{min: 260, max: 261, unit: BusinessDay}`: {"2027-11-26T15:30"},
	} {
		parameters := strings.Replace(text, "{", "{from: other, ", 1)
		for _, other := range []any{friday, "2026-11-27T15:30"} {
			values, err := drawBeside(t, "{type: TimeDelta, timeDelta: "+parameters+"}", 200, other)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			for _, value := range values {
				seen[value.(time.Time).Format("2006-01-02T15:04")] = true
			}
			for _, moment := range allowed {
				delete(seen, moment)
			}
			if len(seen) > 0 {
				t.Errorf("%s from %v: %v", text, other, seen)
			}
		}
	}
}

func TestWeekendsAreNoBusinessDays(t *testing.T) {
	saturday := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]int{
		`{from: other, min: 0, max: 1, unit: BusinessDay}`:   30,
		`{from: other, min: 1, max: 2, unit: BusinessDay}`:   1,
		`{from: other, min: -1, max: 0, unit: BusinessDay}`:  26,
		`{from: other, min: -5, max: -4, unit: BusinessDay}`: 20,
	} {
		values, err := drawBeside(t, "{type: TimeDelta, timeDelta: "+text+"}", 1, saturday)
		if err != nil || values[0].(time.Time).Day() != want {
			t.Errorf("%s: %v, %v, want the %dth", text, values, err, want)
		}
	}
}

func TestWhatIsNoMomentIsSaid(t *testing.T) {
	const text = `{type: TimeDelta, timeDelta: {from: other, min: 0, max: 1}}`
	if values, err := drawBeside(t, text, 1, nil); err != nil || values[0] != nil {
		t.Errorf("the distance from null is %v, %v", values, err)
	}
	if _, err := drawBeside(t, text, 1, "soon"); err == nil || !strings.Contains(err.Error(), `column "other": "soon" is not a date`) {
		t.Errorf("a text that is no date: %v", err)
	}
}

// What a sampler reads must be able to have what it expects.
func TestMisfits(t *testing.T) {
	others := map[string]string{
		"genre":   `{type: Category, category: {values: [books, toys, 3]}}`,
		"rounded": `{type: Category, category: {values: ["1.6", "2.2"]}, convertTo: int}`,
		"items":   `{type: Poisson, poisson: {mean: 2}}`,
		"ordered": `{type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}}`,
	}
	for text, want := range map[string]string{
		`{type: Subcategory, subcategory: {category: genre, values: [{of: books, values: [a]}, {of: toys, values: [b]}, {of: "3", values: [c]}]}}`: "",
		`{type: Subcategory, subcategory: {category: genre, values: [{of: books, values: [a]}, {of: cars, values: [b]}]}}`:                         "subcategory.values[1].of subcategory.values subcategory.values",
		`{type: Subcategory, subcategory: {category: rounded, values: [{of: "2", values: [a]}]}}`:                                                  "",
		`{type: Subcategory, subcategory: {category: seeded, values: [{of: x, values: [a]}]}}`:                                                     "",
		`{type: TimeDelta, timeDelta: {from: ordered, min: 0, max: 1}}`:                                                                            "",
		`{type: TimeDelta, timeDelta: {from: items, min: 0, max: 1}}`:                                                                              "timeDelta.from",
	} {
		var fields []string
		for _, misfit := range sampler.Misfits(parse(t, text), func(column string) *v1alpha1.Sampler {
			if other, known := others[column]; known {
				return parse(t, other)
			}
			return nil
		}) {
			fields = append(fields, misfit.Field)
		}
		if got := strings.Join(fields, " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

// A stream is that of the record, so that what a sampler reads doesn't change what it draws.
func TestReadingDrawsFromTheRecordsStream(t *testing.T) {
	const text = `{type: TimeDelta, timeDelta: {from: other, min: 0, max: 1000000, unit: Second}}`
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	values, err := drawBeside(t, text, 3, at)
	if err != nil {
		t.Fatal(err)
	}
	for row, value := range values {
		stream := random.NewKey(1, "c").Of(table.NewRecord(table.NewSchema(), table.RowIndex(row), 0))
		if want := at.Add(time.Duration(stream.Below(1_000_000)) * time.Second); !value.(time.Time).Equal(want) {
			t.Errorf("row %d: %v, want %v", row, value, want)
		}
	}
}
