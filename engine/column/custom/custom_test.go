package custom_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/column/custom"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/sandbox"
	"seedloom.dev/seedloom/engine/structured"
	"seedloom.dev/seedloom/engine/table"
)

// fields has a column of every kind, and the column "out" that the code makes.
var fields = []table.Field{
	{Name: "title"},
	{Name: "year", Type: table.Type{Kind: table.KindInt}},
	{Name: "price", Type: table.Type{Kind: table.KindFloat}},
	{Name: "sold", Type: table.Type{Kind: table.KindBool}},
	{Name: "at", Type: table.Type{Kind: table.KindTimestamp}},
	{Name: "tags", Type: table.Type{Kind: table.KindList, Element: &table.Type{}}},
	{Name: "place", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "city"}, {Name: "zip", Type: table.Type{Kind: table.KindInt}}}}},
	{Name: "out"},
}

var allNames = []string{"title", "year", "price", "sold", "at", "tags", "place"}

// batch returns records of which the second one is empty.
func batch() []*table.Record {
	schema := table.NewSchema(fields...)
	full, empty, third := table.NewRecord(schema, 70, 0), table.NewRecord(schema, 71, 0), table.NewRecord(schema, 72, 0)
	at := time.Date(2026, time.January, 31, 12, 0, 0, 0, time.UTC)
	full.Cells = []any{"Emma", int64(1815), 7.5, true, at, []any{"a", nil}, []any{"Bath", int64(7)}, nil}
	third.Cells[0] = "Ulysses"
	return []*table.Record{full, empty, third}
}

func generator(t testing.TB, kind table.Kind, source string, requires ...string) *custom.Generator {
	t.Helper()
	made, err := custom.New("out", &v1alpha1.Custom{RequiredColumns: requires, Starlark: &v1alpha1.Starlark{Source: source}}, table.Type{Kind: kind}, newWorkers(t))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// each returns a program that computes the value of every row by an expression in which r is the row.
func each(expression string) string {
	return "def generate(rows):\n    return [{'_row': r['_row'], 'out': " + expression + "} for r in rows]\n"
}

func TestCheckFindsWhatCanBeKnown(t *testing.T) {
	for name, test := range map[string]struct {
		source string
		// wants are parts of the problems, in their order.
		wants []string
	}{
		"right":                 {each("1"), nil},
		"constants, sets":       {"limit = 3\nnames = set([1])\n" + each("limit"), nil},
		"a syntax error":        {"def generate(rows):\n    return [\n", []string{"source:3:1: "}},
		"unknown names, all":    {"def generate(rows):\n    return one\n\ndef other():\n    return two\n", []string{"source:2:12: undefined: one", "source:5:12: undefined: two"}},
		"a load":                {"load('x.star', 'y')\n" + each("1"), []string{"source:1:1: load is not available"}},
		"no function":           {"x = 1\n", []string{"must define a function generate(rows)"}},
		"a variable":            {"generate = 1\n", []string{"must define a function generate(rows)"}},
		"no parameter":          {"def generate():\n    return []\n", []string{"source:1:1: generate must have exactly one parameter"}},
		"two parameters":        {"def generate(rows, more):\n    return []\n", []string{"exactly one parameter"}},
		"any parameters":        {"def generate(*rows):\n    return []\n", []string{"exactly one parameter"}},
		"a while loop":          {"def generate(rows):\n    while True:\n        pass\n", []string{"source:2:5: "}},
		"no clock, no files":    {"def generate(rows):\n    return [datetime.now(), open('/etc/passwd')]\n", []string{"undefined: datetime", "undefined: open"}},
		"the time of day":       {"def generate(rows):\n    return [time.now()]\n", []string{"source:2:18: time.now is not available"}},
		"a function in a block": {"if True:\n    def generate(rows):\n        return []\n", []string{"source:1:1: "}},
	} {
		t.Run(name, func(t *testing.T) {
			found := sandbox.Check(test.source, custom.EntryPoint)
			if len(found) != len(test.wants) {
				t.Fatalf("found %q, want %d problems", found, len(test.wants))
			}
			for i, want := range test.wants {
				if !strings.Contains(found[i], want) {
					t.Errorf("found %q, want a part %q", found[i], want)
				}
			}
		})
	}
	var many strings.Builder
	many.WriteString("def generate(rows):\n")
	for i := range 40 {
		fmt.Fprintf(&many, "    return nowhere%d\n", i)
	}
	if found := sandbox.Check(many.String(), custom.EntryPoint); len(found) != 17 || found[16] != "and 24 more" {
		t.Errorf("found %d problems, the last %q", len(found), found[len(found)-1])
	}
}

func TestNewRefusesWhatDoesNotCompile(t *testing.T) {
	_, err := custom.New("out", &v1alpha1.Custom{Starlark: &v1alpha1.Starlark{Source: "x"}}, table.Type{}, newWorkers(t))
	if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonConfigInvalid || failed.Consequence != failure.EndRun {
		t.Errorf("got %v", err)
	}
}

func TestRowsHaveTheRequiredColumns(t *testing.T) {
	records := batch()
	values, err := generator(t, table.KindString, each("repr(r)"), allNames...).GenerateBatch(t.Context(), records, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []column.BatchValue{
		{Source: 0, Value: `{"_row": 0, "title": "Emma", "year": 1815, "price": 7.5, "sold": True, "at": "2026-01-31T12:00:00", ` +
			`"tags": ["a", None], "place": {"city": "Bath", "zip": 7}}`},
		{Source: 1, Value: `{"_row": 1, "title": None, "year": None, "price": None, "sold": None, "at": None, "tags": None, "place": None}`},
		{Source: 2, Value: `{"_row": 2, "title": "Ulysses", "year": None, "price": None, "sold": None, "at": None, "tags": None, "place": None}`},
	}
	if difference := cmp.Diff(want, values); difference != "" {
		t.Error(difference)
	}
	values, err = generator(t, table.KindString, each("repr(r)")).GenerateBatch(t.Context(), records[:1], false)
	if err != nil || values[0].Value != `{"_row": 0}` {
		t.Errorf("without required columns got %v, %v", values, err)
	}
	if difference := cmp.Diff(batch()[0].Cells, records[0].Cells); difference != "" {
		t.Errorf("the cells have changed: %s", difference)
	}
}

func TestTheCodeCannotChangeTheRecords(t *testing.T) {
	records := batch()
	source := "def generate(rows):\n    for r in rows:\n        r['tags'] = r['title']\n        r['out'] = 'x'\n    return rows\n"
	if _, err := generator(t, table.KindString, source, "tags", "title").GenerateBatch(t.Context(), records, false); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(batch()[0].Cells, records[0].Cells); difference != "" {
		t.Error(difference)
	}
}

func TestValuesHaveTheTypeOfTheColumn(t *testing.T) {
	for name, test := range map[string]struct {
		kind       table.Kind
		expression string
		want       any
		// problem is a part of the message when the value is refused.
		problem string
	}{
		"str":                {kind: table.KindString, expression: "'é'", want: "é"},
		"int":                {kind: table.KindInt, expression: "-9223372036854775808", want: int64(math.MinInt64)},
		"float":              {kind: table.KindFloat, expression: "2.5", want: 2.5},
		"int for float":      {kind: table.KindFloat, expression: "2", want: 2.0},
		"bool":               {kind: table.KindBool, expression: "1 < 2", want: true},
		"null":               {kind: table.KindInt, expression: "None", want: nil},
		"int for str":        {kind: table.KindString, expression: "1", problem: "item 0: the value is a int, but the column has the type string"},
		"float for int":      {kind: table.KindInt, expression: "1.0", problem: "the value is a float, but the column has the type int64"},
		"bool for int":       {kind: table.KindInt, expression: "True", problem: "the value is a bool"},
		"str for bool":       {kind: table.KindBool, expression: "'true'", problem: "the value is a string"},
		"list":               {kind: table.KindString, expression: "[1]", problem: "the value is a list"},
		"int beyond 64 bits": {kind: table.KindInt, expression: "1 << 63", problem: "does not fit into 64 bits"},
		"not a number":       {kind: table.KindFloat, expression: "float('nan')", problem: "not a finite number"},
		"infinite":           {kind: table.KindFloat, expression: "float('-inf')", problem: "not a finite number"},
		"half a letter":      {kind: table.KindString, expression: "'é'[:1]", problem: "not valid UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			values, err := generator(t, test.kind, each(test.expression)).GenerateBatch(t.Context(), batch()[:1], false)
			if test.problem != "" {
				wantFailure(t, err, test.problem)
				return
			}
			if err != nil || len(values) != 1 || values[0].Value != test.want {
				t.Errorf("got %#v, %v", values, err)
			}
		})
	}
}

func TestASchemaGivesListsAndStructs(t *testing.T) {
	const document = `{"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "integer", "minimum": 0}}}}`
	schema, problems := structured.Compile([]byte(document))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for expression, test := range map[string]struct {
		want    any
		problem string
	}{
		"{'tags': [1, 2]}": {[]any{[]any{int64(1), int64(2)}}, ""},
		"{}":               {[]any{nil}, ""},
		"None":             {nil, ""},
		"{'tags': (1, 2)}": {[]any{[]any{int64(1), int64(2)}}, ""},
		"{'tags': [-1]}":   {nil, "does not match the schema"},
		"[1]":              {nil, "does not match the schema"},
		"generate":         {nil, "cannot encode function as JSON"},
	} {
		spec := &v1alpha1.Custom{Starlark: &v1alpha1.Starlark{Source: each(expression)}, Schema: &apiextensionsv1.JSON{Raw: []byte(document)}}
		made, err := custom.New("out", spec, schema.Type(), newWorkers(t))
		if err != nil {
			t.Fatal(err)
		}
		values, err := made.GenerateBatch(t.Context(), batch()[:1], false)
		if test.problem != "" {
			wantFailure(t, err, test.problem)
			continue
		}
		if err != nil || len(values) != 1 || !cmp.Equal(values[0].Value, test.want) {
			t.Errorf("%s: got %#v, %v", expression, values, err)
		}
	}
}

func TestDatesTimesAndDecimalsAreReturnedAsTexts(t *testing.T) {
	for expression, test := range map[string]struct {
		kind table.Type
		want any
	}{
		"'2026-01-31'":                {table.Type{Kind: table.KindDate}, table.DateOf(time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC))},
		"'12:30:00'":                  {table.Type{Kind: table.KindTime}, table.TimeOfDay(45000 * time.Second)},
		"'2026-01-31T12:00:00'":       {table.Type{Kind: table.KindTimestamp}, time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)},
		"'2026-01-31T12:00:00+02:00'": {table.Type{Kind: table.KindTimestamp}, time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)},
		"time.from_timestamp(60)":     {table.Type{Kind: table.KindTimestamp}, time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC)},
	} {
		made, err := custom.New("out", &v1alpha1.Custom{Starlark: &v1alpha1.Starlark{Source: each(expression)}}, test.kind, newWorkers(t))
		if err != nil {
			t.Fatal(err)
		}
		values, err := made.GenerateBatch(t.Context(), batch()[:1], false)
		if err != nil || len(values) != 1 || values[0].Value != test.want {
			t.Errorf("%s: got %#v, %v", expression, values, err)
		}
	}
}

func TestDigitsThatTheColumnDoesNotHoldAreNotCut(t *testing.T) {
	for expression, kind := range map[string]table.Kind{
		"'12:30:00.1234567'":              table.KindTime,
		"'2026-01-31T12:00:00.123456789'": table.KindTimestamp,
		"time.from_timestamp(60, 1)":      table.KindTimestamp,
		"'1.0123456789'":                  table.KindDecimal,
	} {
		made, err := custom.New("out", &v1alpha1.Custom{Starlark: &v1alpha1.Starlark{Source: each(expression)}},
			table.Type{Kind: kind, Precision: 38, Scale: 9}, newWorkers(t))
		if err != nil {
			t.Fatal(err)
		}
		if values, err := made.GenerateBatch(t.Context(), batch()[:1], false); err == nil {
			t.Errorf("%s: got %#v", expression, values[0].Value)
		}
	}
}

// wantFailure checks that an error ends the run and says where to look.
func wantFailure(t *testing.T, err error, part string) {
	t.Helper()
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonCustomCodeError || failed.Consequence != failure.EndRun {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{part, `column "out"`, "starlark.source"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want a part %q", err, want)
		}
	}
}

func TestMistakesOfTheCode(t *testing.T) {
	for name, test := range map[string]struct{ body, problem string }{
		"no list":               {"return 3", "must return a list of dicts, but returned a int"},
		"nothing":               {"pass", "must return a list of dicts, but returned a NoneType"},
		"no dicts":              {"return [1]", "item 0 is a int"},
		"no row number":         {"return [{'out': 'x'}]", `item 0: has no key "_row"`},
		"no value":              {"return [{'_row': 0, 'Out': 'x'}]", `item 0 has no key "out"`},
		"a row that is not one": {"return [{'_row': 3, 'out': 'x'}]", "_row must be the _row of one of the 3 rows, but is 3"},
		"a negative row":        {"return [{'_row': -1, 'out': 'x'}]", "but is -1"},
		"a row that is a text":  {"return [{'_row': '0', 'out': 'x'}]", `but is "0"`},
		"too few":               {"return [{'_row': i, 'out': 'x'} for i in (0, 2)]", "0 values for row 1, and 2 values for 3 rows"},
		"too many":              {"return [{'_row': i, 'out': 'x'} for i in (0, 1, 1, 2)]", "2 values for row 1, and 4 values for 3 rows"},
		"an error":              {"return 1 // 0", "failed at source:2:14: floored division by zero"},
		"an error in a function that is built in": {"return int('x')", "failed at source:2:15: int: invalid literal"},
		"fail":                       {"fail('no luck')", "failed at source:2:9: fail: no luck"},
		"a name that is not there":   {"return [r['year'] for r in rows]", `key "year" not in dict`},
		"recursion":                  {"return generate(rows)", "called recursively"},
		"a very long message":        {"fail('x' * 1000000)", "fail: xxx"},
		"a message that is no text":  {"fail('é'[:1])", "fail: "},
		"a change while it iterates": {"[rows.append(r) for r in rows]", "cannot append to list during iteration"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := generator(t, table.KindString, "def generate(rows):\n    "+test.body+"\n").GenerateBatch(t.Context(), batch(), false)
			wantFailure(t, err, test.problem)
			if len(err.Error()) > 600 || strings.ToValidUTF8(err.Error(), "") != err.Error() {
				t.Errorf("a message of %d bytes is not fit for a status", len(err.Error()))
			}
		})
	}
}

func TestValuesComeBackInTheOrderOfTheirRows(t *testing.T) {
	backwards := "def generate(rows):\n    return [{'_row': i, 'out': str(i)} for i in (2, 0, 1)]\n"
	values, err := generator(t, table.KindString, backwards).GenerateBatch(t.Context(), batch(), false)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]column.BatchValue{{Source: 0, Value: "0"}, {Source: 1, Value: "1"}, {Source: 2, Value: "2"}}, values); difference != "" {
		t.Error(difference)
	}
}

func TestAResizeMayReturnAnyNumber(t *testing.T) {
	source := "def generate(rows):\n    return [{'_row': i, 'out': v} for i, v in ((2, 'a'), (0, 'b'), (2, 'c'))]\n"
	values, err := generator(t, table.KindString, source).GenerateBatch(t.Context(), batch(), true)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]column.BatchValue{{Source: 0, Value: "b"}, {Source: 2, Value: "a"}, {Source: 2, Value: "c"}}, values); difference != "" {
		t.Error(difference)
	}
	values, err = generator(t, table.KindString, "def generate(rows):\n    return []\n").GenerateBatch(t.Context(), batch(), true)
	if err != nil || len(values) != 0 {
		t.Errorf("got %v, %v", values, err)
	}
}

func TestBatchesDoNotShareState(t *testing.T) {
	source := "seen = []\ndef generate(rows):\n    return [{'_row': r['_row'], 'out': len(rows)} for r in rows]\n"
	made := generator(t, table.KindInt, source)
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			records := batch()[:1+i%3]
			values, err := made.GenerateBatch(t.Context(), records, false)
			if err != nil || len(values) != len(records) || values[0].Value != int64(len(records)) {
				t.Errorf("batch of %d: got %v, %v", len(records), values, err)
			}
		})
	}
	group.Wait()
}

func newWorkers(t testing.TB) *sandbox.Workers {
	t.Helper()
	workers := sandbox.NewWorkers()
	t.Cleanup(workers.Close)
	return workers
}
