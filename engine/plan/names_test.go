package plan_test

import (
	"slices"
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

func TestNamesThatReadersOrTemplatesMixUpAreRefused(t *testing.T) {
	for name, test := range map[string]struct{ columns, want string }{
		"upper and lower case": {"[{name: id, sampler: {type: UUID}}, {name: ID, sampler: {type: UUID}}]",
			`spec.columns[1].name: spec.columns[0] is called "id", which differs in nothing but upper and lower case`},
		"a constant":                  {"[{name: none, sampler: {type: UUID}}]", `spec.columns[0].name: "none" is a word of the template language`},
		"a keyword":                   {"[{name: if, sampler: {type: UUID}}]", `spec.columns[0].name: "if" is a word of the template language`},
		"in another case than a word": {"[{name: IN, sampler: {type: UUID}}]", ""},
		"the seed, in another case": {"[{name: Title, sampler: {type: UUID}}]",
			`spec.columns[0].name: the seed has a column "title", which differs in nothing but`},
		"a side effect": {"[{name: a, llmText: {model: writer, prompt: '{{ title }}', trace: AllMessages}}, {name: A__Trace, sampler: {type: UUID}}]",
			`spec.columns[0].llmText.trace: adds a column "a__trace", but spec.columns[1] is called "A__Trace"`},
		"members of a form": {"[{name: a, sampler: {type: UUID}}]\nprocessors: [{name: p, schemaTransform: {template: {Text: '{{ a }}', text: b}}}]",
			`spec.processors[0].schemaTransform.template: the members "Text" and "text" differ in nothing but`},
	} {
		t.Run(name, func(t *testing.T) {
			text := valid[:strings.Index(valid, "columns:")] + "columns: " + test.columns + "\noutput: {persistentVolumeClaim: {claimName: c}}\n"
			_, err := plan.Compile(parse(t, text), []table.Field{{Name: "title"}})
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
	unique := parse(t, valid)
	isDuplicate := func(v plan.Violation) bool { return v.Reason == plan.ReasonDuplicateColumn }
	if violations := plan.Validate(unique); slices.ContainsFunc(violations, isDuplicate) {
		t.Errorf("got %v", violations)
	}
}
