package process

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/jinja"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = table.NewSchema(
	table.Field{Name: "name"},
	table.Field{Name: "born", Type: table.Type{Kind: table.KindTimestamp}},
	table.Field{Name: "place", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "city"}, {Name: "zip", Type: table.Type{Kind: table.KindInt}}}}},
	table.Field{Name: "marks", Type: table.Type{Kind: table.KindList, Element: &table.Type{Kind: table.KindFloat}}},
)

func batch(rows int) *Batch {
	made := &Batch{Stage: v1alpha1.ProcessorPostBatch, RowGroup: 4, Columns: []int{0, 1, 2, 3}}
	for row := range rows {
		record := table.NewRecord(schema, table.RowIndex(40+row), 1)
		record.Cells = []any{fmt.Sprint("name-", row), time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC), []any{"Ulm", int64(89073)}, []any{1.5, nil}}
		made.Records = append(made.Records, record)
	}
	return made
}

// function is a processor of a test.
type function func(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error)

func (f function) process(ctx context.Context, batch *Batch) ([]*table.Record, *Form, error) {
	return f(ctx, batch)
}

func setOf(processor processor) *Set {
	return &Set{timeout: time.Minute, entries: []entry{{name: "p", stage: v1alpha1.ProcessorPostBatch, processor: processor}}}
}

func starlarkSet(t *testing.T, body string) *Set {
	t.Helper()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	source := "def process(rows):\n    " + strings.ReplaceAll(body, "\n", "\n    ")
	made, err := newProgram(&v1alpha1.StarlarkProcessor{Source: source}, schema, workers)
	if err != nil {
		t.Fatal(err)
	}
	made.limits.Steps = 100_000
	return setOf(made)
}

func TestValuesOfEveryTypePassThroughCode(t *testing.T) {
	given := batch(3)
	result, err := starlarkSet(t, `return [dict(r, name=r["place"]["city"] + r["name"]) for r in rows]`).Run(t.Context(), slog.Default(),
		given)
	if err != nil {
		t.Fatal(err)
	}
	for i, record := range result.Records {
		want := *given.Records[i]
		want.Cells = append([]any{fmt.Sprint("Ulmname-", i)}, want.Cells[1:]...)
		if difference := cmp.Diff(&want, record, cmp.Comparer(func(a, b *table.Schema) bool { return a == b })); difference != "" {
			t.Error(difference)
		}
		if given.Records[i].Cells[0] != fmt.Sprint("name-", i) {
			t.Error("the records that were given have changed")
		}
	}
}

func TestWhatProcessorsDoWrongIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		set  *Set
		want string
	}{
		"panic":         {setOf(function(func(context.Context, *Batch) ([]*table.Record, *Form, error) { panic("oh no") })), "it panicked: oh no"},
		"steps":         {starlarkSet(t, "for i in range(1000000):\n    pass\nreturn rows"), "needed more than 100000 steps for 3 rows"},
		"wrong type":    {starlarkSet(t, `return [dict(r, born="soon") for r in rows]`), `row 40: column "born": the value is a text that is not a timestamp`},
		"too fine":      {starlarkSet(t, `return [dict(r, born="2026-01-31T12:00:00.123456789") for r in rows]`), `column "born": "2026-01-31T12:00:00.123456789" has more than`},
		"wrong field":   {starlarkSet(t, `return [dict(r, place={"town": "Ulm"}) for r in rows]`), `column "place"`},
		"wrong item":    {starlarkSet(t, `return [dict(r, marks=["good"]) for r in rows]`), `column "marks": item 0: the value is a string`},
		"no such thing": {starlarkSet(t, `return [r["nothing"] for r in rows]`), `failed at source:2:14: key "nothing" not in dict`},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			_, err := test.set.Run(t.Context(), slog.New(slog.NewTextHandler(&log, nil)), batch(3))
			var failed *Error
			if !errors.As(err, &failed) || failed.Processor != "p" || failed.Stage != v1alpha1.ProcessorPostBatch || failed.RowGroup != 4 ||
				failed.First != 40 || failed.Last != 42 || failed.Policy != v1alpha1.ProcessorFailRun {
				t.Fatalf("got %#v", failed)
			}
			if err.Reason != v1alpha1.ReasonProcessorFailed || err.Consequence != failure.EndRun || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %s: %v, want %q", err.Reason, err, test.want)
			}
			if name == "panic" && !strings.Contains(log.String(), "process_test.go") {
				t.Errorf("the log has no stack: %s", log.String())
			}
		})
	}
}

func TestAProcessorThatTakesTooLongIsStopped(t *testing.T) {
	set := starlarkSet(t, "for i in range(1000000000):\n    pass\nreturn rows")
	set.entries[0].processor.(*program).limits.Steps = 1 << 60
	set.timeout = time.Millisecond
	_, err := set.Run(t.Context(), slog.Default(), batch(1))
	if err == nil || err.Reason != v1alpha1.ReasonProcessorFailed || !strings.Contains(err.Error(), "it took longer than 1ms") {
		t.Errorf("got %v", err)
	}
	set.timeout = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	if _, err := set.Run(ctx, slog.Default(), batch(1)); err == nil || err.Reason != v1alpha1.ReasonInterrupted {
		t.Errorf("got %v", err)
	}
}

func TestNoProcessorIsCalledWithoutRows(t *testing.T) {
	set := setOf(function(func(context.Context, *Batch) ([]*table.Record, *Form, error) { return nil, nil, errors.New("called") }))
	if result, err := set.Run(t.Context(), slog.Default(), batch(0)); err != nil || len(result.Records) != 0 {
		t.Errorf("got %v, %v", result, err)
	}
}

func TestTemplatesHaveTheTypesOfTheirShape(t *testing.T) {
	text := `{"z": "{{ name }}", "a": {"n": 1, "f": 1.5, "b": true, "none": null}, "mixed": [1, 2.5], "nothing": [],
		"turns": [{"role": "user"}, {"role": "x", "tools": ["{{ born }}"], "n": null}, {"n": 3}]}`
	template, problems := ParseTemplate([]byte(text))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var types []string
	for _, field := range template.Schema().Fields() {
		types = append(types, field.Name+" "+field.Type.String())
	}
	want := []string{"z string", "a struct<n: int64, f: double, b: bool, none: string>", "mixed list<double>", "nothing list<string>",
		"turns list<struct<role: string, tools: list<string>, n: int64>>"}
	if difference := cmp.Diff(want, types); difference != "" {
		t.Error(difference)
	}
	cells, err := template.Render(t.Context(), batch(1).Records[0], jinja.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]any{"name-0", []any{int64(1), 1.5, true, nil}, []any{1.0, 2.5}, []any{},
		[]any{[]any{"user", nil, nil}, []any{"x", []any{"2020-01-02T03:04:05.000006"}, nil}, []any{nil, nil, int64(3)}}}, cells); difference != "" {
		t.Error(difference)
	}
}

func TestATextThatIsAPathKeepsItsValue(t *testing.T) {
	for text, want := range map[string]struct {
		kind  string
		value any
	}{
		`{"x": "{{ place }}"}`:                        {"struct<city: string, zip: int64>", []any{"Ulm", int64(89073)}},
		`{"x": "{{ place.zip }}"}`:                    {"int64", int64(89073)},
		`{"x": "{{ marks }}"}`:                        {"list<double>", []any{1.5, nil}},
		`{"x": "{{ marks[0] }}"}`:                     {"double", 1.5},
		`{"x": "{{ marks[7] }}"}`:                     {"double", nil},
		`{"x": "{{ name }}"}`:                         {"string", "name-0"},
		`{"x": "{{ none }}"}`:                         {"string", nil},
		`{"x": "{{ marks | list }}"}`:                 {"string", "[1.5,null]"},
		`{"x": "{{ place.city if place.zip == 1 }}"}`: {"string", nil},
		`{"x": "{{ place.zip }}!"}`:                   {"string", "89073!"},
		`{"x": ["{{ place.zip }}", "{{ name }}"]}`:    {"list<string>", []any{"89073", "name-0"}},
		`{"x": ["{{ place.zip }}", 1.5]}`:             {"list<double>", []any{89073.0, 1.5}},
		`{"x": [{"c": "{{ place }}"}, {"c": null}]}`:  {"list<struct<c: struct<city: string, zip: int64>>>", []any{[]any{[]any{"Ulm", int64(89073)}}, []any{nil}}},
	} {
		template, problems := parseTypedTemplate([]byte(text), schema)
		if len(problems) > 0 {
			t.Errorf("%s: %v", text, problems)
			continue
		}
		cells, err := template.Render(t.Context(), batch(1).Records[0], jinja.Options{Undefined: jinja.UndefinedStrict})
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if kind := template.Schema().Fields()[0].Type.String(); kind != want.kind || cmp.Diff(want.value, cells[0]) != "" {
			t.Errorf("%s: got %s %v, want %s %v", text, kind, cells[0], want.kind, want.value)
		}
	}
}

func TestEverythingThatIsWrongWithATemplateIsTold(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`:                        {"must be an object"},
		`"x"`:                       {"must be an object"},
		`{}`:                        {"an object without members"},
		`{"a": 1`:                   {"is not valid JSON"},
		`{"a": 1} 2`:                {"something follows"},
		`{"a": 1, "a": 2}`:          {"a stands here more than once"},
		`{"": 1}`:                   {"a member needs a name"},
		`{"a": {}}`:                 {"a an object without members"},
		`{"a": [1, "x", {"b": 2}]}`: {"a[1] is a string", "a[2] is a struct<b: int64>"},
		`{"a": "{{", "b": ["{% if %}"], "c": "{{x}}"}`:               {"a is not a valid template", "b[0] is not a valid template"},
		strings.Repeat(`{"a": `, 40) + "1" + strings.Repeat("}", 40): {"levels deep"},
	} {
		_, problems := ParseTemplate([]byte(text))
		var told []string
		for _, problem := range problems {
			told = append(told, strings.TrimSpace(problem.Path+" "+problem.Message))
		}
		if len(told) != len(want) {
			t.Errorf("%s: got %q, want %q", text, told, want)
			continue
		}
		for i := range want {
			if !strings.Contains(told[i], want[i]) {
				t.Errorf("%s: got %q, want %q", text, told[i], want[i])
			}
		}
	}
}
