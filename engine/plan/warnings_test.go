package plan_test

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const withoutWarnings = `
numRecords: 10
providers: [{name: p, type: OpenAI, endpoint: "http://localhost:1/v1"}]
models: [{alias: m, provider: p, model: x}]
columns:
- {name: topic, sampler: {type: Category, category: {values: [a, b]}}}
- {name: aside, drop: true, expression: {expr: "{{ topic }}!"}}
- {name: text, llmText: {model: m, prompt: "About {{ topic }}, {{ aside }}"}}
completionPolicy: {minRecords: 10}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestWhatIsOddIsWarnedOf(t *testing.T) {
	for name, test := range map[string]struct{ from, to, field, message string }{
		"nothing":                           {},
		"a name in single braces":           {"About {{ topic }}", "About {topic}", "spec.columns[2].llmText.prompt", "{{ topic }}"},
		"single braces of another language": {"About {{ topic }}, {{ aside }}", "{{ topic }} {{ aside }} {'a': {b}}", "", ""},
		"a prompt that reads nothing":       {"About {{ topic }}, {{ aside }}", "About cats", "spec.columns[2].llmText.prompt", "the same for all 10 records"},
		"a prompt that draws":               {"About {{ topic }}, {{ aside }}", "{{ aside }} {{ [1, 2] | random }}", "", ""},
		"a model that no column uses":       {"models: [", "models: [{alias: other, provider: p, model: y}, ", "spec.models[0]", `"other"`},
		"a provider that no model uses":     {"providers: [", "providers: [{name: q, type: OpenAI, endpoint: \"http://localhost:2/v1\"}, ", "spec.providers[0]", `"q"`},
		"a dropped column that is not read": {", {{ aside }}", "", "spec.columns[1]", `"aside" is dropped`},
		"more records than there are":       {"minRecords: 10", "minRecords: 11", "spec.completionPolicy.minRecords", "11 of 10"},
		"a processor over all rows": {"output:", `run: {rowGroupSize: 5}
processors:
- name: p
  starlark: {stage: AfterGeneration, source: "def process(rows):\n  seen = {}\n  return [r for r in rows if not seen.get(r['topic'])]"}
output:`, "spec.processors[0].starlark.source", "source:3:34: seen knows the rows of one row group, but the code is called for each of 2 row groups"},
		"a processor over one row group": {"output:", `processors:
- name: p
  starlark: {stage: AfterGeneration, source: "def process(rows):\n  return sorted(rows)"}
output:`, "", ""},
		"a percentage of the records": {"minRecords: 10", "minRecords: 100%", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var spec v1alpha1.DatasetGenerationSpec
			if err := yaml.UnmarshalStrict([]byte(strings.Replace(withoutWarnings, test.from, test.to, 1)), &spec); err != nil {
				t.Fatal(err)
			}
			if violations := plan.Validate(&spec); len(violations) > 0 {
				t.Fatalf("the spec is invalid: %v", violations)
			}
			warnings := plan.Warnings(&spec)
			if test.field == "" {
				// A prompt that leaves out the reference to the dropped column leaves it unread, which is another case.
				warnings = slices.DeleteFunc(warnings, func(one plan.Warning) bool { return one.Field == "spec.columns[1]" })
				if len(warnings) > 0 {
					t.Errorf("warned of %v", warnings)
				}
				return
			}
			if !slices.ContainsFunc(warnings, func(one plan.Warning) bool {
				return one.Field == test.field && strings.Contains(one.Message, test.message)
			}) {
				t.Errorf("got %v, want %s: …%s…", warnings, test.field, test.message)
			}
		})
	}
}
