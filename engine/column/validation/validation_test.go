package validation_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/validation"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = table.NewSchema(
	table.Field{Name: "text"}, table.Field{Name: "number", Type: table.Type{Kind: table.KindInt}},
	table.Field{Name: "document", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "name"}}}},
	table.Field{Name: "nothing"},
)

func record(text string) *table.Record {
	made := table.NewRecord(schema, 0, 0)
	made.Cells = []any{text, int64(7), []any{"Emma"}, nil}
	return made
}

func generator(t *testing.T, text string) *validation.Generator {
	t.Helper()
	var spec v1alpha1.Validation
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	checkers, workers := validation.NewCheckers(nil, nil), sandbox.NewWorkers()
	t.Cleanup(checkers.Close)
	t.Cleanup(workers.Close)
	made, err := validation.New(validation.Config{Name: "check", Spec: &spec, Schema: schema, Seed: 1, Checkers: checkers, Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestVerdicts(t *testing.T) {
	const source = `{targets: [text, number], starlark: {source: "def validate(row):\n  return %s"%s}}`
	const extra = `, schema: {type: object, properties: {score: {type: number}}}`
	for name, test := range map[string]struct{ spec, text, want string }{
		"valid code":       {"{targets: [text], code: {language: bash}}", "echo a", "[true  []]"},
		"invalid code":     {"{targets: [text], code: {language: bash}}", "if", "[false line 1, column 1: `if` must be followed by a statement list [[1 1 `if` must be followed by a statement list]]]"},
		"no value":         {"{targets: [nothing], code: {language: bash}}", "", "[<nil> there is no value [[<nil> <nil> there is no value]]]"},
		"two targets":      {"{targets: [nothing, text], code: {language: json}}", "{}", "[[<nil> there is no value [[<nil> <nil> there is no value]]] [true  []]]"},
		"a number as code": {"{targets: [number], code: {language: json}}", "", "[true  []]"},
		"a document":       {"{targets: [document], jsonSchema: {schema: {required: [name]}}}", "", "[true  []]"},
		"a text with a document": {"{targets: [text], jsonSchema: {schema: {properties: {a: {type: integer}}}}}", `{"a": "x", "b": 1}`,
			"[false at a: must be integer, but is string [[<nil> <nil> at a: must be integer, but is string]]]"},
		"a text without one": {"{targets: [text], jsonSchema: {schema: {}}}", `{"a"`, "[false it is not valid JSON: it ends too early [[<nil> <nil> it is not valid JSON: it ends too early]]]"},
		"a template":         {"{targets: [number], expression: {expr: '{{ number > 6 }}'}}", "", "[true ]"},
		"a template that is not true": {"{targets: [number], expression: {expr: '{{ number > 7 }}'}}", "",
			"[false this is not true: {{ number > 7 }}]"},
		"a message":           {"{targets: [number], expression: {expr: '{{ number > 7 }}', message: '{{ number }} is small'}}", "", "[false 7 is small]"},
		"code that is true":   {fmt.Sprintf(source, "row['number'] == 7", ""), "", "[true ]"},
		"code that can't say": {fmt.Sprintf(source, "None", ""), "", "[<nil> ]"},
		"code with a dict":    {fmt.Sprintf(source, "{'is_valid': False, 'error_messages': row['text'], 'score': 2}", extra), "why", "[false why 2]"},
		"code that says less": {fmt.Sprintf(source, "True", extra), "", "[true  <nil>]"},
	} {
		t.Run(name, func(t *testing.T) {
			value, err := generator(t, test.spec).Generate(t.Context(), record(test.text))
			if got := fmt.Sprint(value); err != nil || got != test.want {
				t.Errorf("got %s, %v; want %s", got, err, test.want)
			}
		})
	}
}

func TestRowsThatAreNotValidFailWhereTheyAreNotKept(t *testing.T) {
	for spec, want := range map[string]string{
		"{targets: [number, text], onInvalid: Drop, code: {language: json}}":                              `column "check" found column "text" not valid: line 1, column 1`,
		"{targets: [number], onInvalid: Drop, expression: {expr: '{{ number > 7 }}', message: 'a\n\nb'}}": `column "check" found the row not valid: a b`,
		`{targets: [text], onInvalid: Drop, starlark: {source: "def validate(row): return False"}}`:       `column "check" found the row not valid`,
		"{targets: [nothing], onInvalid: Drop, code: {language: json}}":                                   "",
		`{targets: [text], onInvalid: Drop, starlark: {source: "def validate(row): return None"}}`:        "",
	} {
		_, err := generator(t, spec).Generate(t.Context(), record("x"))
		failed := failure.Of(err)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", spec, err)
		case want != "" && (err == nil || failed.Reason != v1alpha1.ReasonValidationFailed || failed.Consequence != failure.DropRow ||
			!strings.Contains(failed.Message, want)):
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func TestWhatCodeDoesWrongEndsTheRun(t *testing.T) {
	for body, want := range map[string]string{
		"row['none']":     `failed at source:2:`,
		"3":               "must be True, False, None, or a dict with is_valid, but is a int",
		"{}":              `has no key "is_valid"`,
		"{'is_valid': 1}": "must be True, False, None",
		"{'is_valid': True, 'error_messages': 3}": "error_messages must be a text, but is a int",
	} {
		spec := fmt.Sprintf(`{targets: [text], starlark: {source: "def validate(row):\n  return %s"}}`, body)
		_, err := generator(t, spec).Generate(t.Context(), record("x"))
		if failed := failure.Of(err); err == nil || failed.Reason != v1alpha1.ReasonCustomCodeError || failed.Consequence != failure.EndRun ||
			!strings.Contains(failed.Message, want) || !strings.Contains(failed.Message, `column "check"`) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestACancelledVerdictIsNone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, spec := range []string{
		"{targets: [text], code: {language: json}}", `{targets: [text], starlark: {source: "def validate(row): return True"}}`,
	} {
		if _, err := generator(t, spec).Generate(ctx, record("x")); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}
