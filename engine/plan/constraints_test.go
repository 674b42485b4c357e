package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

// constrained is a spec with columns and constraints.
func constrained(columns, constraints string) string {
	return `{numRecords: 10, output: {persistentVolumeClaim: {claimName: c}}, columns: [` + columns + `], constraints: [` + constraints + `]}`
}

const (
	unitColumn  = `{name: a, sampler: {type: Uniform, uniform: {low: 0, high: 10}}}`
	otherColumn = `{name: b, sampler: {type: Uniform, uniform: {low: 0, high: 10}}}`
	thirdColumn = `{name: c, sampler: {type: Uniform, uniform: {low: 0, high: 10}}}`
	countColumn = `{name: m, sampler: {type: Binomial, binomial: {trials: 5, probability: 0.5}}}`
	gradeColumn = `{name: grade, sampler: {type: Category, category: {values: [b, d, f], weights: [1, 1, 0]}}}`
	dayColumn   = `{name: day, sampler: {type: DateTime, dateTime: {start: "2026-01-01", end: "2026-02-01"}}}`
	laterColumn = `{name: later, sampler: {type: TimeDelta, timeDelta: {from: day, min: 1, max: 5}}}`
	rowColumn   = `{name: row, sampler: {type: Sequence, sequence: {start: 100}}}`
	textColumn  = `{name: text, expression: {expr: "{{ a }}"}}`
)

// What can't be checked by the form of the document alone is found before the run, each with its field.
func TestConstraintsThatCantBeMet(t *testing.T) {
	for constraints, want := range map[string]string{
		`{column: a, operator: LessThan, value: 5}`:                                                                         "",
		`{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, otherColumn: c}`:                  "",
		`{column: later, operator: GreaterThan, otherColumn: day}, {column: day, operator: GreaterThan, value: 2026-01-15}`: "",
		`{column: grade, operator: GreaterThan, value: c}`:                                                                  "",
		`{column: m, operator: Equal, value: 3}, {column: row, operator: GreaterThan, otherColumn: m}`:                      "",
		`{column: a, operator: Below, value: 5}`:                                                                            `spec.constraints[0].operator: must be one of LessThan, LessThanOrEqual, GreaterThan, GreaterThanOrEqual, Equal, NotEqual, but is "Below"`,
		`{column: a, operator: LessThan}`:                                                                                   `spec.constraints[0]: exactly one of value and otherColumn must be set`,
		`{column: a, operator: LessThan, value: 5, otherColumn: b}`:                                                         `spec.constraints[0]: exactly one of value and otherColumn must be set`,
		`{column: gradd, operator: LessThan, value: x}`:                                                                     `spec.constraints[0].column: no column with a sampler is called "gradd"; did you mean "grade"?`,
		`{column: a, operator: LessThan, otherColumn: z9}`:                                                                  `spec.constraints[0].otherColumn: no column is called "z9"; there are "a", "b", "c", "m", "grade", "day", "later", "row" and 1 more`,
		`{column: a, operator: LessThan, otherColumn: a}`:                                                                   `spec.constraints[0].otherColumn: must be another column`,
		`{column: text, operator: LessThan, value: x}`:                                                                      `spec.constraints[0].column: column "text" is not drawn: a constraint is one of a column with a sampler, which may have "text" as otherColumn`,
		`{column: a, operator: LessThan, value: x}`:                                                                         `spec.constraints[0].value: is a text, but the column has numbers`,
		`{column: grade, operator: LessThan, value: 5}`:                                                                     `spec.constraints[0].value: is a number, but the column has texts`,
		`{column: day, operator: LessThan, value: soon}`:                                                                    `spec.constraints[0].value: "soon" is not a date; write 2026-01-31 or 2026-01-31T12:00:00Z`,
		`{column: day, operator: LessThan, value: true}`:                                                                    `spec.constraints[0].value: must be a number or a text; put quotes around dates, true and false`,
		`{column: a, operator: LessThan, otherColumn: day}`:                                                                 `spec.constraints[0].otherColumn: column "a" has numbers, and "day" has moments`,
		`{column: row, operator: LessThan, value: 105}`:                                                                     `spec.constraints[0]: the values of column "row" follow from the row, so that no other ones can be drawn`,
		`{column: a, operator: GreaterThanOrEqual, value: 10}`:                                                              `spec.constraints[0]: can never be met: "a" would have to be at least 10 (spec.constraints[0]) and at most 9.999999999999998 (its sampler)`,
		`{column: a, operator: GreaterThan, value: 6}, {column: a, operator: LessThan, value: 4}`:                           `spec.constraints[1]: can never be met: "a" would have to be above 6 (spec.constraints[0]) and below 4 (spec.constraints[1])`,
		`{column: a, operator: Equal, value: 5}`:                                                                            `spec.constraints[0]: is never met: "a" is drawn from a continuum, in which a single value has no chance; round it with decimalPlaces, or bound it from both sides`,
		`{column: a, operator: LessThanOrEqual, value: 0}`:                                                                  `spec.constraints[0]: can never be met: "a" would have to be at least 0 (its sampler) and at most 0 (spec.constraints[0])`,
		`{column: m, operator: GreaterThan, value: 3}, {column: m, operator: LessThan, value: 4}`:                           `spec.constraints[1]: can never be met: "m" would have to be at least 4 (spec.constraints[0]) and at most 3 (spec.constraints[1])`,
		`{column: m, operator: Equal, value: 2.5}`:                                                                          `spec.constraints[0]: can never be met: "m" would have to be at least 3 (spec.constraints[0]) and at most 2 (spec.constraints[0])`,
		`{column: m, operator: NotEqual, value: 0}, {column: m, operator: LessThan, value: 1}`:                              `spec.constraints[1]: can never be met: "m" would have to be at least 0 (its sampler) and at most 0 (spec.constraints[1]), and not 0`,
		`{column: grade, operator: Equal, value: c}`:                                                                        `spec.constraints[0]: can never be met: no value that "grade" can have is at least "c" and at most "c"`,
		`{column: grade, operator: GreaterThan, value: d}`:                                                                  `spec.constraints[0]: can never be met: "grade" would have to be above "d" (spec.constraints[0]) and at most "d" (its sampler)`,
		`{column: day, operator: GreaterThan, value: 2026-01-31}`:                                                           `spec.constraints[0]: can never be met: "day" would have to be above 2026-01-31 (spec.constraints[0]) and at most 2026-01-31 (its sampler)`,
		`{column: later, operator: GreaterThan, value: "2026-02-04"}`:                                                       `spec.constraints[0]: can never be met: "later" would have to be above 2026-02-04 (spec.constraints[0]) and at most 2026-02-04 (its sampler)`,
		`{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, otherColumn: a}`:                  `spec.constraints[1]: can never be met: the constraints before it make "a" the lower one of the two, or an equal one`,
		`{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, otherColumn: c}, {column: c, operator: LessThanOrEqual, otherColumn: a}`: `spec.constraints[2]: can never be met: the constraints before it make "a" the lower one of the two, or an equal one`,
		`{column: a, operator: Equal, otherColumn: b}`:         `spec.constraints[0]: is never met: two values of which one is drawn from a continuum are never equal; round it with decimalPlaces`,
		`{column: m, operator: GreaterThan, otherColumn: row}`: `spec.constraints[0]: can never be met: "row" would have to be at least 100 (its sampler) and at most 4 (spec.constraints[0], for "m")`,
		`{column: a, operator: LessThan, otherColumn: b}, {column: b, operator: LessThan, otherColumn: c}, {column: a, operator: GreaterThan, value: 7}, {column: c, operator: LessThan, value: 6}`: `spec.constraints[1]: can never be met: "b" would have to be above 7 (spec.constraints[0], for "a") and below 6 (spec.constraints[1], for "c")`,
		`{column: m, operator: LessThan, otherColumn: text}`: `spec.constraints[0].otherColumn: column "m" has numbers, and "text" has texts`,
	} {
		columns := strings.Join([]string{unitColumn, otherColumn, thirdColumn, countColumn, gradeColumn, dayColumn, laterColumn, rowColumn, textColumn}, ", ")
		_, err := plan.Compile(parse(t, constrained(columns, constraints)), nil)
		var lines []string
		var invalid *plan.InvalidError
		if errors.As(err, &invalid) {
			for _, violation := range invalid.Violations {
				lines = append(lines, violation.String())
			}
		}
		if difference := cmp.Diff(want, strings.Join(lines, "\n")); difference != "" {
			t.Errorf("%s: %s", constraints, difference)
		}
	}
}

// How many rows follow from a seed is not known before it is there, and so not where a sequence ends.
func TestASequenceOfRowsThatFollowFromASeedHasNoKnownEnd(t *testing.T) {
	for column, want := range map[string]string{
		`{name: row, sampler: {type: Sequence, sequence: {start: 1}}}`:                       "",
		`{name: row, sampler: {type: Sequence, sequence: {start: 4, gaps: 3}}}`:              "",
		`{name: row, sampler: {type: Sequence, sequence: {start: 9, step: -1}}}`:             "",
		`{name: row, sampler: {type: Sequence, sequence: {start: -1, step: -1}}}`:            "spec.constraints[0]",
		`{name: row, sampler: {type: Sequence, sequence: {start: 0, step: -2, gaps: 1000}}}`: "spec.constraints[0]",
	} {
		spec := parse(t, constrained(countColumn+", "+column,
			`{column: m, operator: LessThan, otherColumn: row}, {column: m, operator: GreaterThan, value: 3}`))
		spec.NumRecords = 0
		spec.Seed = &v1alpha1.Seed{DatasetRef: &v1alpha1.DatasetSeed{Name: "customers"}}
		var fields []string
		for _, violation := range plan.Validate(spec) {
			fields = append(fields, violation.Field)
		}
		if difference := cmp.Diff(want, strings.Join(fields, "\n")); difference != "" {
			t.Errorf("%s: %s", column, difference)
		}
	}
}

// Where all draws are the mean, they are rounded and converted as others are.
func TestConstraintsOfNumbersWithoutSpread(t *testing.T) {
	const columns = `{name: fixed, sampler: {type: Gaussian, gaussian: {mean: 2.6, stddev: 0}, convertTo: int}},
		{name: near, sampler: {type: Gaussian, gaussian: {mean: 2.64, stddev: 0, decimalPlaces: 1}}},
		{name: exact, sampler: {type: Gaussian, gaussian: {mean: 2.64, stddev: 0}}}`
	for constraints, want := range map[string]int{
		`{column: fixed, operator: Equal, value: 3}, {column: near, operator: Equal, value: 2.6}, {column: exact, operator: Equal, value: 2.64}`: 0,
		`{column: fixed, operator: LessThan, value: 3}`: 1,
		`{column: near, operator: Equal, value: 2.64}`:  1,
		`{column: exact, operator: LessThan, value: 2}`: 1,
	} {
		if violations := plan.Validate(parse(t, constrained(columns, constraints))); len(violations) != want {
			t.Errorf("%s: %v", constraints, violations)
		}
	}
}

// Columns that are drawn together stand one after the other, also where the spec has them far apart, and wait for the same columns.
func TestLinkedColumnsBelongTogether(t *testing.T) {
	spec := parse(t, constrained(`{name: a, sampler: {type: DateTime, dateTime: {start: "2026-01-01", end: "2026-02-01"}}},
		{name: more, allowResize: true, custom: {strategy: Batch, type: int, requiredColumns: [a],
			starlark: {source: "def generate(rows):\n    return []\n"}}},
		{name: between, sampler: {type: TimeDelta, timeDelta: {from: a, min: 1, max: 5}}},
		{name: b, sampler: {type: TimeDelta, timeDelta: {from: between, min: 1, max: 5}}},
		{name: c, sampler: {type: TimeDelta, timeDelta: {from: seeded, min: 1, max: 5}}},
		{name: free, sampler: {type: UUID}}`,
		`{column: b, operator: GreaterThan, otherColumn: a}, {column: c, operator: GreaterThan, otherColumn: b},
		{column: free, operator: NotEqual, value: x}`))
	spec.Seed = parse(t, valid).Seed
	compiled, err := plan.Compile(spec, []table.Field{{Name: "seeded", Type: table.Type{Kind: table.KindDate}}})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, column := range compiled.Columns {
		order = append(order, column.Name)
	}
	if difference := cmp.Diff("a between b c more free", strings.Join(order, " ")); difference != "" {
		t.Error(difference)
	}
	if len(compiled.Links) != 2 || len(compiled.Links[0].Columns) != 4 || len(compiled.Links[0].Constraints) != 2 ||
		len(compiled.Links[1].Columns) != 1 {
		t.Fatalf("%+v", compiled.Links)
	}
	for _, column := range compiled.Links[0].Columns {
		if column.Requires[0] != 0 {
			t.Errorf("%s doesn't wait for the column of the seed", column.Name)
		}
	}
}

// A column between linked ones that is not drawn can't follow when these are drawn again.
func TestWhatIsBetweenLinkedColumnsIsDrawn(t *testing.T) {
	_, err := plan.Compile(parse(t, constrained(unitColumn+`, {name: twice, expression: {expr: "{{ a * 2 }}", type: float}},
		{name: b, sampler: {type: Uniform, uniform: {low: 0, high: 1}, conditional: [{when: "{{ twice > 1 }}", parameters: {low: 1, high: 2}}]}}`,
		`{column: a, operator: LessThan, otherColumn: b}`)), nil)
	if err == nil || !strings.Contains(err.Error(), `spec.constraints[0]: links columns that are drawn together until it holds, `+
		`but the column "twice", which is not drawn`) {
		t.Errorf("%v", err)
	}
	_, err = plan.Compile(parse(t, constrained(unitColumn+`, {name: twice, expression: {expr: "{{ a * 2 }}", type: float}}`,
		`{column: a, operator: LessThan, otherColumn: twice}`)), nil)
	if err == nil || !strings.Contains(err.Error(), `columns depend on each other in a circle: a → twice → a`) {
		t.Errorf("%v", err)
	}
}

// A moment that isn't written as a whole can't be compared, or counted from.
func TestMomentsThatCantBeReadBack(t *testing.T) {
	const at = `{name: at, sampler: {type: DateTime, dateTime: {start: "2026-01-01", end: "2027-01-01"}, format: "%d.%m."}}`
	_, err := plan.Compile(parse(t, constrained(at+`, {name: later, sampler: {type: TimeDelta, timeDelta: {from: at, min: 0, max: 1}}}`,
		`{column: at, operator: LessThan, value: "2026-03-01"}`)), nil)
	for _, path := range []string{`spec.columns[1].sampler.timeDelta.from: `, `spec.constraints[0]: `} {
		if want := path + `column "at" is written as "%d.%m.", as in "05.06.", from which the moment can't be read back`; err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// How many rows there are shapes what each has where a column is to be balanced, and nowhere else.
func TestTheHashHoldsTheNumberOfBalancedRows(t *testing.T) {
	hash := func(rows int64, column string) string {
		spec := parse(t, constrained(column, ``))
		spec.NumRecords = rows
		return plan.ConfigHash(spec)
	}
	exact := `{name: a, sampler: {type: Category, category: {values: [x, z], balance: Exact}}}`
	random := `{name: a, sampler: {type: Category, category: {values: [x, z], balance: Random}}}`
	unbalanced := strings.Replace(random, ", balance: Random", "", 1)
	if hash(10, exact) == hash(20, exact) || hash(10, random) != hash(20, random) || hash(10, random) != hash(10, unbalanced) {
		t.Error("the number of rows is in the wrong hash")
	}
}

func TestTheHashHoldsConstraints(t *testing.T) {
	hashes := map[string]bool{}
	for _, constraints := range []string{``, `{column: a, operator: LessThan, value: 5}`, `{column: a, operator: LessThan, value: 6}`} {
		hashes[plan.ConfigHash(parse(t, constrained(unitColumn, constraints)))] = true
	}
	if len(hashes) != 3 {
		t.Errorf("only %d hashes", len(hashes))
	}
}

// What is hardly ever met is warned of before the run, with its numbers.
func TestRareRowsAreWarnedOf(t *testing.T) {
	const heights = `{name: a, sampler: {type: Gaussian, gaussian: {mean: 0, stddev: 1}}},
		{name: b, sampler: {type: Gaussian, gaussian: {mean: 0, stddev: 1}}}`
	for constraints, want := range map[string]string{
		`{column: a, operator: LessThan, otherColumn: b}`:                                                    ``,
		`{column: a, operator: GreaterThan, value: 4}`:                                                       `spec.constraints[0]: of 20000 draws of "a", only `,
		`{column: a, operator: GreaterThan, otherColumn: b}, {column: b, operator: GreaterThan, value: 2.8}`: `spec.constraints[0]: of 20000 draws of "a", "b", only `,
	} {
		var lines []string
		for _, warning := range plan.Warnings(parse(t, constrained(heights, constraints))) {
			lines = append(lines, warning.String())
		}
		if got := strings.Join(lines, "; "); want == "" && got != "" || !strings.HasPrefix(got, want) || strings.Count(got, "draws of") > 1 {
			t.Errorf("%s: %s", constraints, got)
		}
	}
}

// A Category may take the values of another one, and then is as if it had them.
func TestACategoryTakesTheValuesOfAnother(t *testing.T) {
	const from = `{name: from, sampler: {type: Category, category: {values: [Oslo, Turin], weights: [1, 3]}}}, `
	taken := parse(t, constrained(from+`{name: to, sampler: {type: Category, category: {valuesOf: from}}}`, ``))
	written := parse(t, constrained(from+`{name: to, sampler: {type: Category, category: {values: [Oslo, Turin], weights: [1, 3]}}}`, ``))
	compiled, err := plan.Compile(taken, nil)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(written.Columns[1].Sampler, compiled.Spec.Columns[1].Sampler, cmp.AllowUnexported(v1alpha1.Decimal{})); difference != "" {
		t.Error(difference)
	}
	if plan.ConfigHash(taken) != plan.ConfigHash(written) || plan.ConfigHash(taken) != plan.ConfigHash(compiled.Spec) {
		t.Error("the hashes differ")
	}
	if taken.Columns[1].Sampler.Category.ValuesOf != "from" {
		t.Error("the spec was changed")
	}
	for column, want := range map[string]string{
		`{type: UUID}`: `spec.columns[1].sampler.category.valuesOf: must be another column with a Category sampler that has values, or a column of the seed, and "other" is neither`,
		`{type: Category, category: {valuesOf: to}}`: `spec.columns[1].sampler.category.valuesOf: must be another column`,
	} {
		_, err := plan.Compile(parse(t, constrained(`{name: other, sampler: `+column+`},
			{name: to, sampler: {type: Category, category: {valuesOf: other}}}`, ``)), nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// What is known before the seed is read of a Category that takes the values of one of its columns.
func TestACategoryTakesTheValuesOfASeed(t *testing.T) {
	const head = "seed: {configMap: {name: c, key: s.csv}}, "
	seeded := func(head, columns, constraints string) *v1alpha1.DatasetGenerationSpec {
		return parse(t, strings.Replace(constrained(columns, constraints), "{", "{"+head, 1))
	}
	fields := []table.Field{
		{Name: "city", Type: table.Type{Kind: table.KindString}}, {Name: "points", Type: table.Type{Kind: table.KindFloat}},
		{Name: "tags", Type: table.Type{Kind: table.KindList, Element: &table.Type{Kind: table.KindString}}},
	}
	for name, test := range map[string]struct {
		columns, constraints, head string
		seedIsRead                 bool
		want                       string
	}{
		"a column of the seed":        {columns: `{name: x, sampler: {type: Category, category: {valuesOf: city, weighting: Frequency}}}`, head: head},
		"one that the seed has":       {columns: `{name: x, sampler: {type: Category, category: {valuesOf: points}}}`, head: head, seedIsRead: true},
		"constraints, which may hold": {columns: `{name: x, sampler: {type: Category, category: {valuesOf: points}}}`, constraints: `{column: x, operator: LessThan, value: 3}`, head: head},
		"lists of a Subcategory, which may be right": {columns: `{name: x, sampler: {type: Category, category: {valuesOf: city}}},
			{name: below, sampler: {type: Subcategory, subcategory: {category: x, values: [{of: a, values: [b]}]}}}`, head: head},
		"no seed":                  {columns: `{name: x, sampler: {type: Category, category: {valuesOf: city}}}`, want: `category.valuesOf: no column is called "city"`},
		"not in the seed":          {columns: `{name: x, sampler: {type: Category, category: {valuesOf: cty}}}`, head: head, seedIsRead: true, want: `no column is called "cty"; did you mean "city"?`},
		"a list":                   {columns: `{name: x, sampler: {type: Category, category: {valuesOf: tags}}}`, head: head, seedIsRead: true, want: `"tags" of the seed is of the type list<string>`},
		"weights beside":           {columns: `{name: x, sampler: {type: Category, category: {valuesOf: city, weights: [1]}}}`, head: head, want: "category.weights: belong to values that are written"},
		"unknown weighting":        {columns: `{name: x, sampler: {type: Category, category: {valuesOf: city, weighting: Often}}}`, head: head, want: `must be Equal or Frequency, but is "Often"`},
		"written values":           {columns: `{name: x, sampler: {type: Category, category: {values: [a], weighting: Frequency}}}`, head: head, want: "category.weighting: is for valuesOf a column of the seed"},
		"another Category":         {columns: `{name: w, sampler: {type: Category, category: {values: [a]}}}, {name: x, sampler: {type: Category, category: {valuesOf: w, weighting: Frequency}}}`, want: "category.weighting: is for valuesOf a column of the seed"},
		"conditional values":       {columns: `{name: x, sampler: {type: Category, category: {values: [a]}, conditional: [{when: "{{ city == 'b' }}", parameters: {valuesOf: city}}]}}`, head: head, want: "conditional[0].parameters.valuesOf: is not possible"},
		"the number of a row":      {columns: `{name: x, sampler: {type: Category, category: {valuesOf: n}}}`, head: "seed: {configMap: {name: c, key: s.csv}, rowsPerSeedRow: {count: 2, numberColumn: n}}, ", want: "can't be the numberColumn"},
		"further rows of the seed": {columns: `{name: x, sampler: {type: Category, category: {valuesOf: nr}}}`, head: "seed: {configMap: {name: c, key: s.csv}, sampleRows: [{name: nr, count: 2}]}, ", want: "can't be a column of spec.seed.sampleRows"},
		"rows of a seed row":       {columns: `{name: x, sampler: {type: UUID}}`, head: "seed: {configMap: {name: c, key: s.csv}, rowsPerSeedRow: {sampler: {type: Category, category: {valuesOf: city}, convertTo: int}}}, ", want: "sampler.category.valuesOf: is not possible here"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := seeded(test.head, test.columns, test.constraints)
			violations := plan.Validate(spec)
			var err error
			if test.seedIsRead {
				_, err = plan.Compile(spec, fields)
			} else if len(violations) > 0 {
				err = &plan.InvalidError{Violations: violations}
			}
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
	equal := seeded(head, `{name: x, sampler: {type: Category, category: {valuesOf: city, weighting: Equal}}}`, ``)
	plain := seeded(head, `{name: x, sampler: {type: Category, category: {valuesOf: city}}}`, ``)
	if plan.ConfigHash(equal) != plan.ConfigHash(plain) {
		t.Error("writing the default out changes the hash")
	}
	compiled, err := plan.Compile(seeded(head, `{name: x, sampler: {type: Category, category: {valuesOf: points}}}`, ``), fields)
	if err != nil || compiled.Schema.Fields()[3].Type.Kind != table.KindFloat {
		t.Error(err, "the type is not that of the seed's column")
	}
}
