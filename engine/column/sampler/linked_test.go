package sampler_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/sampler"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/table"
)

// world is a table of a column "other" and of those that are drawn together, each with its sampler.
type world struct {
	t          testing.TB
	schema     *table.Schema
	generators []*sampler.Linked
}

func newWorld(t testing.TB, constraints string, columns ...string) *world {
	t.Helper()
	fields := []table.Field{{Name: "other"}}
	var members []sampler.Member
	for i, text := range columns {
		spec := parse(t, text)
		kind, err := sampler.TypeOf(spec)
		if err != nil {
			t.Fatal(err)
		}
		name := string(rune('a' + i))
		fields = append(fields, table.Field{Name: name, Type: kind})
		members = append(members, sampler.Member{Name: name, Spec: spec})
	}
	var parsed []v1alpha1.Constraint
	if err := yaml.UnmarshalStrict([]byte(constraints), &parsed); err != nil {
		t.Fatal(err)
	}
	var restrictions []sampler.Restriction
	for i, constraint := range parsed {
		restrictions = append(restrictions, sampler.Restriction{Path: fmt.Sprintf("spec.constraints[%d]", i), Constraint: constraint})
	}
	w := &world{t: t, schema: table.NewSchema(fields...)}
	var err error
	w.generators, err = sampler.Link(members, restrictions, sampler.Dataset{Seed: 5, Schema: w.schema, Records: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// row draws all columns of a row, one after the other, as an executor does.
func (w *world) row(row int, other any) ([]any, error) {
	record := table.NewRecord(w.schema, table.RowIndex(row), 0)
	record.Cells[0] = other
	for i, generator := range w.generators {
		value, err := generator.Generate(context.Background(), record)
		if err != nil {
			return nil, err
		}
		record.Cells[i+1] = value
	}
	return record.Cells[1:], nil
}

func (w *world) mustRow(row int, other any) []any {
	w.t.Helper()
	cells, err := w.row(row, other)
	if err != nil {
		w.t.Fatalf("row %d: %v", row, err)
	}
	return cells
}

const unitInterval = `{type: Uniform, uniform: {low: 0, high: 1}}`

// checkDistribution holds numbers against a distribution function by Kolmogorov and Smirnov: 2.2 deviations have a chance of one in 8000.
func checkDistribution(t *testing.T, what string, numbers []float64, distribution func(x float64) float64) {
	t.Helper()
	slices.Sort(numbers)
	widest, count := 0.0, float64(len(numbers))
	for i, number := range numbers {
		expected := distribution(number)
		widest = max(widest, expected-float64(i)/count, float64(i+1)/count-expected)
	}
	if statistic := widest * math.Sqrt(count); !(statistic < 2.2) {
		t.Errorf("%s: %g deviations from its distribution", what, statistic)
	}
}

// Columns that a constraint links have the joint distribution under the condition that it holds: neither of them is drawn to fit the other.
func TestLinkedColumnsHaveTheirJointDistribution(t *testing.T) {
	const rows = 20_000
	w := newWorld(t, `[{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, otherColumn: c}]`,
		unitInterval, unitInterval, unitInterval)
	columns := make([][]float64, 3)
	for row := range rows {
		cells := w.mustRow(row, nil)
		for i, cell := range cells {
			columns[i] = append(columns[i], cell.(float64))
		}
		if !(columns[0][row] < columns[1][row] && columns[1][row] < columns[2][row]) {
			t.Fatalf("row %d: %v", row, cells)
		}
	}
	// The least, the middle and the largest of three numbers.
	checkDistribution(t, "a", columns[0], func(x float64) float64 { return 1 - math.Pow(1-x, 3) })
	checkDistribution(t, "b", columns[1], func(x float64) float64 { return x * x * (3 - 2*x) })
	checkDistribution(t, "c", columns[2], func(x float64) float64 { return x * x * x })
}

// A column that is bounded by values alone is the truncated distribution, whatever else it is compared with.
func TestBoundsTruncate(t *testing.T) {
	const rows = 20_000
	w := newWorld(t, `[{column: a, operator: GreaterThan, value: 1}, {column: a, operator: LessThanOrEqual, value: 2}]`,
		`{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`)
	var numbers []float64
	for row := range rows {
		numbers = append(numbers, w.mustRow(row, nil)[0].(float64))
	}
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	checkDistribution(t, "a", numbers, func(x float64) float64 { return (normal(x) - normal(1)) / (normal(2) - normal(1)) })
}

// A column that reads another one is drawn with it, so that what follows from the other doesn't shift.
func TestAColumnIsRedrawnWithWhatItReads(t *testing.T) {
	w := newWorld(t, `[{column: b, operator: LessThan, value: "2026-01-03"}]`,
		`{type: DateTime, dateTime: {start: "2026-01-01", end: "2026-01-11"}}`, `{type: TimeDelta, timeDelta: {from: a, min: 0, max: 2}}`)
	counts := map[string]int{}
	for row := range 30_000 {
		cells := w.mustRow(row, nil)
		counts[cells[0].(time.Time).Format("02 ")+cells[1].(time.Time).Format("02")]++
	}
	// Of the twenty pairs, three meet the constraint, and each is as likely as the others.
	for _, pair := range []string{"01 01", "01 02", "02 02"} {
		if count := counts[pair]; count < 9_600 || count > 10_400 {
			t.Errorf("%d of 30000 rows have %s, in %v", count, pair, counts)
		}
	}
	if len(counts) != 3 {
		t.Errorf("pairs %v", counts)
	}
}

// What may be compared: numbers, moments and texts, with values, sampled columns and others; a null is compared with nothing.
func TestWhatConstraintsCompare(t *testing.T) {
	week := `{type: DateTime, dateTime: {start: "2026-01-01", end: "2026-01-08"}}`
	letters := `{type: Category, category: {values: [a, b, ä, z]}}`
	for name, c := range map[string]struct {
		constraints string
		columns     []string
		other       any
		check       func(cells []any) bool
	}{
		"counts and a fraction": {`[{column: a, operator: GreaterThan, value: 2.5}]`, []string{`{type: Poisson, poisson: {mean: 2}}`}, nil,
			func(cells []any) bool { return cells[0].(int64) >= 3 }},
		"equal counts": {`[{column: a, operator: Equal, otherColumn: b}]`,
			[]string{`{type: Poisson, poisson: {mean: 2}}`, `{type: Poisson, poisson: {mean: 3}}`}, nil,
			func(cells []any) bool { return cells[0] == cells[1] }},
		"other places": {`[{column: a, operator: NotEqual, otherColumn: b}]`, []string{letters, letters}, nil,
			func(cells []any) bool { return cells[0] != cells[1] }},
		"texts by their code points": {`[{column: a, operator: GreaterThan, value: b}]`, []string{letters}, nil,
			func(cells []any) bool { return cells[0] == "ä" || cells[0] == "z" }},
		"a day": {`[{column: a, operator: GreaterThanOrEqual, value: "2026-01-07"}]`, []string{week}, nil,
			func(cells []any) bool { return cells[0].(time.Time).Day() == 7 }},
		"a date of the seed": {`[{column: a, operator: LessThan, otherColumn: other}]`, []string{week}, table.DateOf(time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)),
			func(cells []any) bool { return cells[0].(time.Time).Day() == 1 }},
		"a date as a text": {`[{column: a, operator: LessThan, otherColumn: other}]`, []string{week}, "2026-01-02",
			func(cells []any) bool { return cells[0].(time.Time).Day() == 1 }},
		"nothing": {`[{column: a, operator: LessThan, otherColumn: other}]`, []string{week}, nil,
			func(cells []any) bool { return cells[0] != nil }},
		"a number of the seed": {`[{column: a, operator: GreaterThan, otherColumn: other}]`, []string{unitInterval}, table.Decimal{},
			func(cells []any) bool { return cells[0].(float64) > 0.9 }},
		"conditional parameters": {`[{column: a, operator: LessThan, otherColumn: b}]`, []string{`{type: Uniform, uniform: {low: 0, high: 1}}`,
			`{type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: "{{ a > 0.5 }}", parameters: {low: 5, high: 6}}]}`}, nil,
			func(cells []any) bool {
				a, b := cells[0].(float64), cells[1].(float64)
				return a < b && (a > 0.5) == (b >= 5)
			}},
	} {
		if _, isDecimal := c.other.(table.Decimal); isDecimal {
			c.other, _ = table.ParseDecimal("0.9")
		}
		w := newWorld(t, c.constraints, c.columns...)
		for row := range 300 {
			if cells := w.mustRow(row, c.other); !c.check(cells) {
				t.Errorf("%s: row %d has %v", name, row, cells)
				break
			}
		}
	}
	_, err := newWorld(t, `[{column: a, operator: LessThan, otherColumn: other}]`, unitInterval).row(0, "much")
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConversionFailed ||
		err.Error() != `spec.constraints[0], "a" < "other": "much" can't be compared with numbers` {
		t.Errorf("%v", err)
	}
}

// A row is the same whichever rows were drawn before it, as in another shard or a run that goes on; another attempt is another row.
func TestLinkedRowsDependOnNoOthers(t *testing.T) {
	const constraints = `[{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: GreaterThan, value: 0.9}]`
	first, second := newWorld(t, constraints, unitInterval, unitInterval), newWorld(t, constraints, unitInterval, unitInterval)
	var rows [][]any
	for row := range 100 {
		rows = append(rows, first.mustRow(row, nil))
	}
	for row, cells := range slices.Backward(rows) {
		if again := second.mustRow(row, nil); !slices.Equal(cells, again) {
			t.Fatalf("row %d: %v, then %v", row, cells, again)
		}
	}
	record := table.NewRecord(first.schema, 0, 1)
	if value, err := first.generators[0].Generate(t.Context(), record); err != nil || value == rows[0][0] {
		t.Errorf("another attempt has drawn %v, %v", value, err)
	}
}

// A record that meets the constraints at once has the values that it has without them.
func TestConstraintsThatHoldChangeNothing(t *testing.T) {
	w := newWorld(t, `[{column: a, operator: LessThan, value: 2}]`, unitInterval)
	s, err := sampler.New("a", parse(t, unitInterval), sampler.Dataset{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	for row := range 20 {
		want, _ := s.Generate(t.Context(), table.NewRecord(w.schema, table.RowIndex(row), 0))
		if got := w.mustRow(row, nil)[0]; got != want {
			t.Errorf("row %d: %v, want %v", row, got, want)
		}
	}
}

// What nothing meets costs the row, and the message has the constraint and how often it is met.
func TestWhatIsHopelessEndsWithItsNumbers(t *testing.T) {
	for constraints, want := range map[string]string{
		`[{column: a, operator: GreaterThan, value: 30}]`:                                                     `columns "a", "b": 10000 draws for the row, and none meets all constraints; spec.constraints[0], "a" > 30 is met by 0 % of them: `,
		`[{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, value: -9}]`:       `spec.constraints[1], "b" < -9 is met by 0 % of them`,
		`[{column: a, operator: GreaterThan, value: 1}, {column: a, operator: LessThan, otherColumn: other}]`: `spec.constraints[1], "a" < "other" is met by 0 % of them`,
	} {
		w := newWorld(t, constraints, `{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`, `{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`)
		_, err := w.row(0, -50.0)
		failed := failure.Of(err)
		if failed == nil || failed.Reason != v1alpha1.ReasonConstraintsNotMet || failed.Consequence != failure.DropRow ||
			!strings.Contains(failed.Message, want) {
			t.Errorf("%s: %v", constraints, err)
		}
	}
}

// A run that is to end doesn't wait for a draw that is hopeless.
func TestDrawingEndsWithItsContext(t *testing.T) {
	w := newWorld(t, `[{column: a, operator: GreaterThan, value: 30}]`, `{type: Gaussian, gaussian: {mean: 0, stddev: 1}}`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := w.generators[0].Generate(ctx, table.NewRecord(w.schema, 0, 0))
	if err == nil || failure.Of(err).Reason == v1alpha1.ReasonConstraintsNotMet {
		t.Errorf("%v", err)
	}
}

func BenchmarkLinkedSamplers(b *testing.B) {
	w := newWorld(b, `[{column: a, operator: LessThan, otherColumn: b}]`, unitInterval, unitInterval)
	record := table.NewRecord(w.schema, 0, 0)
	b.ReportAllocs()
	for b.Loop() {
		record.Row++
		for _, generator := range w.generators {
			_, _ = generator.Generate(context.Background(), record)
		}
	}
}
