package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

func names(schema *table.Schema) []string {
	var names []string
	for _, field := range schema.Fields() {
		names = append(names, field.Name)
	}
	return names
}

// edited is the valid spec with one text replaced by another.
func edited(t *testing.T, from, to string) string {
	t.Helper()
	text := strings.Replace(valid, from, to, 1)
	if text == valid {
		t.Fatalf("%q does not occur", from)
	}
	return text
}

const traced = `{name: review, llmText: {trace: AllMessages, extractReasoning: true, model:`

func TestDroppedColumnsAreInTheSchemaButNotInTheOutput(t *testing.T) {
	text := strings.Replace(edited(t, `{name: review, llmText: {model:`, `{drop: true, `+traced[1:]),
		"{name: rank,", "{name: rank, drop: false,", 1)
	compiled, err := plan.Compile(parse(t, text), seedFields)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]string{"title", "year", "headline", "stars", "rank"}, names(compiled.Output)); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]string{"review", "review__trace", "review__reasoning_content"}, names(compiled.Dropped)); difference != "" {
		t.Error(difference)
	}
	if compiled.Schema.Len() != 8 {
		t.Errorf("the schema has %v", names(compiled.Schema))
	}
}

func TestADatasetWithoutColumnsIsRefused(t *testing.T) {
	text := `
numRecords: 1
columns: [{name: a, drop: true, sampler: {type: UUID}}, {name: b, drop: true, sampler: {type: UUID}}]
output: {persistentVolumeClaim: {claimName: c}}
`
	violations := plan.Validate(parse(t, text))
	if len(violations) != 1 || violations[0].Field != "spec.columns" || !strings.Contains(violations[0].Message, "all columns are dropped") {
		t.Errorf("got %v", violations)
	}
	if violations := plan.Validate(parse(t, strings.Replace(text, "drop: true", "drop: false", 1))); len(violations) > 0 {
		t.Errorf("one is kept: %v", violations)
	}
}

func TestSideEffectColumnsStandAfterTheirColumnAndCanBeRead(t *testing.T) {
	text := strings.Replace(edited(t, `{name: review, llmText: {model:`, traced), "{{ review | upper }}", "{{ review__reasoning_content }}", 1)
	compiled, err := plan.Compile(parse(t, text), seedFields)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]string{"title", "year", "headline", "stars", "review", "review__trace", "review__reasoning_content", "rank"}, names(compiled.Schema)); difference != "" {
		t.Error(difference)
	}
	want := "list<struct<role: string, content: string, reasoning_content: string, " +
		"tool_calls: list<struct<id: string, name: string, arguments: string>>, tool_call_id: string>>"
	if kind := compiled.Schema.Fields()[5].Type.String(); kind != want {
		t.Errorf("the trace is a %s", kind)
	}
	review, headline := compiled.Column(4), compiled.Column(2)
	if !slices.Equal(review.SideEffects, []int{5, 6}) || !slices.Equal(review.Dependents, []int{2}) || !slices.Equal(headline.Requires, []int{6}) {
		t.Errorf("got %+v and %+v", review, headline)
	}
	if order := compiled.Columns; order[1] != review || order[2] != headline {
		t.Error("the column that reads a side effect comes before that which makes it")
	}
}

func TestNamesOfSideEffectColumnsAreTaken(t *testing.T) {
	text := strings.Replace(edited(t, `{name: review, llmText: {model:`, traced), "{name: rank,", "{name: review__trace,", 1)
	_, err := plan.Compile(parse(t, text), append(slices.Clone(seedFields), table.Field{Name: "review__reasoning_content"}))
	for _, want := range []string{
		`spec.columns[2].llmText.trace: adds a column "review__trace", but spec.columns[3] is called so`,
		`spec.columns[2].llmText.extractReasoning: adds a column "review__reasoning_content", but the seed`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to say %s", err, want)
		}
	}
	_, err = plan.Compile(parse(t, strings.Replace(edited(t, `{name: review, llmText: {model:`, traced),
		"{{ review | upper }}", "{{ review__trce }}", 1)), seedFields)
	if err == nil || !strings.Contains(err.Error(), `did you mean "review__trace"?`) {
		t.Errorf("got %v", err)
	}
}
