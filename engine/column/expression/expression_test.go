package expression_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/expression"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

func record(row table.RowIndex) *table.Record {
	schema := table.NewSchema(
		table.Field{Name: "title"},
		table.Field{Name: "year", Type: table.Type{Kind: table.KindInt}},
		table.Field{Name: "nothing"},
		table.Field{Name: "at", Type: table.Type{Kind: table.KindTimestamp}},
		table.Field{Name: "place", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "city"}}}},
		table.Field{Name: "tags", Type: table.Type{Kind: table.KindList, Element: &table.Type{}}},
	)
	made := table.NewRecord(schema, row, 0)
	made.Cells = []any{"Emma", int64(1815), nil, time.Date(2026, time.January, 31, 0, 0, 0, 0, time.UTC), []any{"Bath"}, []any{"a", "b"}}
	return made
}

// types are those that the plan has for the names.
var types = map[v1alpha1.ValueType]table.Type{
	v1alpha1.ValueTypeInt: {Kind: table.KindInt}, v1alpha1.ValueTypeFloat: {Kind: table.KindFloat}, v1alpha1.ValueTypeBool: {Kind: table.KindBool},
	v1alpha1.ValueTypeDate: {Kind: table.KindDate}, v1alpha1.ValueTypeTime: {Kind: table.KindTime},
	v1alpha1.ValueTypeTimestamp: {Kind: table.KindTimestamp}, v1alpha1.ValueTypeDecimal: table.AnyDecimal(),
}

func generate(t *testing.T, kind v1alpha1.ValueType, template string, row *table.Record) (any, error) {
	t.Helper()
	generator, err := expression.New("out", &v1alpha1.Expression{Expr: template, Type: kind}, types[kind], 42)
	if err != nil {
		t.Fatal(err)
	}
	return generator.Generate(t.Context(), row)
}

func TestValues(t *testing.T) {
	for name, test := range map[string]struct {
		kind     v1alpha1.ValueType
		template string
		want     any
	}{
		"text is the default":       {"", "{{ title | upper }} ({{ year }})", "EMMA (1815)"},
		"text keeps its spaces":     {v1alpha1.ValueTypeStr, " {{ title }} ", " Emma "},
		"null stays null":           {v1alpha1.ValueTypeStr, "{{ nothing }}", nil},
		"null with space around it": {v1alpha1.ValueTypeStr, "\n  {{ nothing }} ", nil},
		"null of a type":            {v1alpha1.ValueTypeInt, "{{ nothing }}", nil},
		"null prints as nothing":    {v1alpha1.ValueTypeStr, "a{{ nothing }}{{ nothing | upper }}b", "ab"},
		"the constant is None":      {v1alpha1.ValueTypeStr, "{{ none }}", "None"},
		"a member of null is null":  {v1alpha1.ValueTypeStr, "{{ nothing.city }}", nil},
		"date":                      {v1alpha1.ValueTypeDate, "{{ at[:10] }}", table.DateOf(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))},
		"time":                      {v1alpha1.ValueTypeTime, "12:30:00.5", table.TimeOfDay(45000500 * time.Millisecond)},
		"timestamp":                 {v1alpha1.ValueTypeTimestamp, "{{ at }}", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)},
		"timestamp with a zone":     {v1alpha1.ValueTypeTimestamp, "2026-01-31T02:00:00+02:00", time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)},
		"null can be replaced":      {v1alpha1.ValueTypeStr, "{{ nothing or 'none' }}", "none"},
		"a moment is its ISO form":  {v1alpha1.ValueTypeStr, "{{ at }}", "2026-01-31T00:00:00"},
		"a struct has fields":       {v1alpha1.ValueTypeStr, "{{ place.city }}", "Bath"},
		"a list has items":          {v1alpha1.ValueTypeStr, "{{ tags | join('+') }}", "a+b"},
		"int":                       {v1alpha1.ValueTypeInt, "{{ year + 1 }}", int64(1816)},
		"int with spaces":           {v1alpha1.ValueTypeInt, "\n {{ year }} ", int64(1815)},
		"a whole float is an int":   {v1alpha1.ValueTypeInt, "{{ year / 5 }}", int64(363)},
		"the largest int":           {v1alpha1.ValueTypeInt, "9223372036854775807", int64(1<<63 - 1)},
		"float":                     {v1alpha1.ValueTypeFloat, "{{ year / 2 }}", 907.5},
		"an int is a float":         {v1alpha1.ValueTypeFloat, "{{ year }}", 1815.0},
		"bool":                      {v1alpha1.ValueTypeBool, "{{ year > 1800 }}", true},
		"bool, false":               {v1alpha1.ValueTypeBool, "{{ year > 1900 }}", false},
		"bool by a word":            {v1alpha1.ValueTypeBool, "Yes", true},
		"bool by a number":          {v1alpha1.ValueTypeBool, "0", false},
		"a decimal that looks long": {v1alpha1.ValueTypeInt, "1e3", int64(1000)},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := generate(t, test.kind, test.template, record(0))
			if err != nil || value != test.want {
				t.Errorf("got %#v, %v, want %#v", value, err, test.want)
			}
		})
	}
}

func TestWhatDropsARow(t *testing.T) {
	for name, test := range map[string]struct {
		kind     v1alpha1.ValueType
		template string
		reason   string
	}{
		"nothing":                     {v1alpha1.ValueTypeStr, "{% if year < 0 %}x{% endif %}", v1alpha1.ReasonTemplateError},
		"spaces":                      {v1alpha1.ValueTypeStr, " \n ", v1alpha1.ReasonTemplateError},
		"a name that is not there":    {v1alpha1.ValueTypeStr, "{{ author }}", v1alpha1.ReasonTemplateError},
		"a division by zero":          {v1alpha1.ValueTypeStr, "{{ year / 0 }}", v1alpha1.ReasonTemplateError},
		"null in arithmetic":          {v1alpha1.ValueTypeInt, "{{ nothing + 1 }}", v1alpha1.ReasonTemplateError},
		"none for an int":             {v1alpha1.ValueTypeInt, "{{ none }}", v1alpha1.ReasonConversionFailed},
		"an if without an else":       {v1alpha1.ValueTypeStr, "{{ title if year < 0 }}", v1alpha1.ReasonTemplateError},
		"no day of the calendar":      {v1alpha1.ValueTypeDate, "2026-02-30", v1alpha1.ReasonConversionFailed},
		"a decimal with ten places":   {v1alpha1.ValueTypeDecimal, "0.1234567891", v1alpha1.ReasonConversionFailed},
		"nanoseconds of a timestamp":  {v1alpha1.ValueTypeTimestamp, "2026-01-31T12:30:00.123456789", v1alpha1.ReasonConversionFailed},
		"nanoseconds of a time":       {v1alpha1.ValueTypeTime, "12:30:00.123456789", v1alpha1.ReasonConversionFailed},
		"a text for a timestamp":      {v1alpha1.ValueTypeTimestamp, "{{ title }}", v1alpha1.ReasonConversionFailed},
		"text for an int":             {v1alpha1.ValueTypeInt, "{{ title }}", v1alpha1.ReasonConversionFailed},
		"a fraction for an int":       {v1alpha1.ValueTypeInt, "{{ year / 2 }}", v1alpha1.ReasonConversionFailed},
		"an int beyond 64 bits":       {v1alpha1.ValueTypeInt, "9223372036854775808", v1alpha1.ReasonConversionFailed},
		"a float that is not exact":   {v1alpha1.ValueTypeInt, "9007199254740993.0", v1alpha1.ReasonConversionFailed},
		"infinite for an int":         {v1alpha1.ValueTypeInt, "inf", v1alpha1.ReasonConversionFailed},
		"text for a float":            {v1alpha1.ValueTypeFloat, "{{ title }}", v1alpha1.ReasonConversionFailed},
		"not a number":                {v1alpha1.ValueTypeFloat, "nan", v1alpha1.ReasonConversionFailed},
		"infinite":                    {v1alpha1.ValueTypeFloat, "1e999", v1alpha1.ReasonConversionFailed},
		"text for a bool":             {v1alpha1.ValueTypeBool, "{{ title }}", v1alpha1.ReasonConversionFailed},
		"a number that is not a bool": {v1alpha1.ValueTypeBool, "2", v1alpha1.ReasonConversionFailed},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := generate(t, test.kind, test.template, record(0))
			var failed *failure.Error
			if !errors.As(err, &failed) || failed.Reason != test.reason || failed.Consequence != failure.DropRow {
				t.Fatalf("got %#v, %v", value, err)
			}
			if !strings.Contains(err.Error(), `column "out"`) || strings.Contains(err.Error(), "Emma") {
				t.Errorf("the message must name the column and no values, but is %q", err)
			}
		})
	}
}

func TestRandomDrawsAreAFunctionOfTheRow(t *testing.T) {
	const template = "{{ range(100000) | random }}"
	seen := map[any]bool{}
	for row := range table.RowIndex(20) {
		first, err := generate(t, "", template, record(row))
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := generate(t, "", template, record(row)); again != first {
			t.Errorf("row %d: drew %v and then %v", row, first, again)
		}
		seen[first] = true
	}
	retried := record(0)
	retried.Attempt = 1
	if value, err := generate(t, "", template, retried); err != nil || seen[value] {
		t.Errorf("a fresh attempt drew %v again (%v)", value, err)
	}
	if len(seen) < 19 {
		t.Errorf("20 rows drew only %d different values", len(seen))
	}
}

func TestACancelledRenderingIsNoFailureOfTheTemplate(t *testing.T) {
	generator, err := expression.New("out", &v1alpha1.Expression{Expr: "{% for i in range(100000) %}{{ i }}{% endfor %}"}, table.Type{}, 42)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := generator.Generate(ctx, record(0)); !errors.Is(err, context.Canceled) ||
		failure.Of(err).Reason != v1alpha1.ReasonInterrupted {
		t.Errorf("got %v", err)
	}
}

func TestNewRefusesWhatDoesNotParse(t *testing.T) {
	_, err := expression.New("out", &v1alpha1.Expression{Expr: "{{ title"}, table.Type{}, 42)
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid || failed.Consequence != failure.EndRun {
		t.Errorf("got %v", err)
	}
}

func TestASchemaGivesListsAndStructs(t *testing.T) {
	const tags, place = `{"type": "array", "items": {"type": "string"}}`,
		`{"type": "object", "properties": {"city": {"type": "string"}, "year": {"type": "integer"}}, "required": ["city"]}`
	for name, test := range map[string]struct {
		schema, template string
		want             any
		problem          string
	}{
		"a list as it is":         {tags, "{{ tags }}", []any{"a", "b"}, ""},
		"a part of a list":        {tags, "{{ tags[:1] + ['c'] }}", []any{"a", "c"}, ""},
		"JSON":                    {tags, `["{{ title }}", {{ tags | first | tojson }}]`, []any{"Emma", "a"}, ""},
		"JSON of a filter":        {tags, "{{ tags | tojson }}", []any{"a", "b"}, ""},
		"null":                    {tags, "{{ nothing }}", nil, ""},
		"a struct":                {place, "{{ {'city': place.city, 'year': year + 1} }}", []any{"Bath", int64(1816)}, ""},
		"a null within it":        {place, "{{ {'city': place.city, 'year': nothing} }}", []any{"Bath", nil}, ""},
		"a text":                  {`{"type": "string", "maxLength": 4}`, "{{ title }}", "Emma", ""},
		"a text that is a number": {`{"type": "string"}`, "{{ year ~ '' }}", "1815", ""},
		"a number in a text":      {`{"type": "integer"}`, "{{ year ~ '' }}", int64(1815), ""},
		"another type":            {tags, "{{ year }}", nil, "does not match its schema"},
		"a rule of the schema":    {`{"type": "string", "maxLength": 3}`, "{{ title }}", nil, "does not match its schema"},
		"no JSON":                 {tags, "{{ title }}", nil, "not JSON"},
		"nothing":                 {tags, "{{ tags if year < 0 }}", nil, "rendered to nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			schema, problems := structured.Compile([]byte(test.schema))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			spec := &v1alpha1.Expression{Expr: test.template, Schema: &apiextensionsv1.JSON{Raw: []byte(test.schema)}}
			generator, err := expression.New("out", spec, schema.Type(), 42)
			if err != nil {
				t.Fatal(err)
			}
			value, err := generator.Generate(t.Context(), record(0))
			if difference := cmp.Diff(test.want, value); difference != "" || (err != nil) != (test.problem != "") ||
				err != nil && !strings.Contains(err.Error(), test.problem) {
				t.Errorf("got %#v, %v", value, err)
			}
		})
	}
}

func TestADecimalKeepsItsDigits(t *testing.T) {
	value, err := generate(t, v1alpha1.ValueTypeDecimal, "12345678901234567890.120", record(0))
	if number, isDecimal := value.(table.Decimal); err != nil || !isDecimal || number.Plain() != "12345678901234567890.120" {
		t.Errorf("got %v, %v", value, err)
	}
}
