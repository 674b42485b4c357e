package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const validProcessors = `
processors:
- name: pick
  starlark: {stage: PreBatch, source: "def process(rows):\n    return rows\n"}
- name: chat
  schemaTransform: {template: {messages: [{content: "{{ review }} {{ title }} {{ range(2) | list }}"}]}}
- name: few
  dropColumns: {columnNames: [title, "re*w", "r*k", "*none*"]}
`

func TestEveryViolationOfProcessorsIsReported(t *testing.T) {
	text := valid + `
processors:
- name: Bad
  failurePolicy: Never
  dropColumns: {columnNames: [revew, "x*"]}
- name: pick
  starlark: {stage: Later, source: "def generate(rows):\n    return nothing\n"}
- name: pick
  schemaTransform: {template: {a: ["{{ stars }}", "{{ star }}"], b: 1}}
- name: both
  schemaTransform: {template: {a: "{{"}}
  dropColumns: {columnNames: []}
- name: none
`
	_, err := plan.Compile(parse(t, text), seedFields)
	found := strings.Split(err.Error(), "; spec.")
	for _, want := range []string{
		`processors[0].name: "Bad" can't name a folder`, `processors[0].failurePolicy: must be FailRun or FailRowGroup, but is "Never"`,
		`processors[0].dropColumns.columnNames[0]: no column is called "revew"; did you mean "review"?`,
		`processors[1].starlark.stage: must be PreBatch, PostBatch or AfterGeneration, but is "Later"`,
		`processors[1].starlark.source: source:2:12: undefined: nothing`, `processors[2].name: spec.processors[1] is called "pick" too`,
		`processors[2].schemaTransform.template.a[1]: no column is called "star"; did you mean "stars"?`,
		`processors[3].schemaTransform.template.a: is not a valid template`, `processors[3].dropColumns.columnNames: the names`,
		`processors[3]: exactly one of dropColumns, schemaTransform, form, starlark must be set, but dropColumns and schemaTransform are`,
		`processors[4]: exactly one of dropColumns, schemaTransform, form, starlark must be set, but none is`,
	} {
		if !slices.ContainsFunc(found, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q is missing in\n%s", want, strings.Join(found, "\n"))
		}
	}
}

func TestProcessorsDropColumnsByNameAndPattern(t *testing.T) {
	compiled, err := plan.Compile(parse(t, valid+validProcessors), seedFields)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]string{"year", "headline", "stars"}, names(compiled.Output)); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]string{"title", "review", "rank"}, names(compiled.Dropped)); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]string{"*none*"}, compiled.UnmatchedPatterns()); difference != "" {
		t.Error(difference)
	}
	all := strings.Replace(valid+validProcessors, `"*none*"`, `"*"`, 1)
	if _, err := plan.Compile(parse(t, all), seedFields); err == nil ||
		!strings.Contains(err.Error(), "spec.processors: all columns are dropped") {
		t.Errorf("got %v", err)
	}
}

func TestTheHashKnowsProcessorsButNotWhatTheirFailureLeadsTo(t *testing.T) {
	without, with := parse(t, valid), parse(t, valid+validProcessors)
	if plan.ConfigHash(without) == plan.ConfigHash(with) {
		t.Error("processors do not change the hash")
	}
	before := plan.ConfigHash(with)
	with.Processors[0].FailurePolicy = v1alpha1.ProcessorFailRun
	if plan.ConfigHash(with) != before {
		t.Error("a default that is written out changes the hash")
	}
	with.Processors[0], with.Processors[1] = with.Processors[1], with.Processors[0]
	if plan.ConfigHash(with) == before {
		t.Error("the order of the processors does not change the hash")
	}
}
