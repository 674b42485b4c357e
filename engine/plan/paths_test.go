package plan_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const documented = `
numRecords: 1
providers: [{name: p, type: OpenAI, endpoint: "http://localhost:1/v1"}]
models: [{alias: m, provider: p, model: x}]
output: {persistentVolumeClaim: {claimName: c}}
columns:
- name: ticket
  llmStructured:
    model: m
    prompt: a ticket
    schema:
      type: object
      required: [subject, lines]
      properties:
        subject: {type: string}
        lines: {type: array, items: {type: object, properties: {sku: {type: string}}}}
        free: {type: object, additionalProperties: {type: integer}}
- name: verdict
  llmJudge: {model: m, prompt: judge, scores: [{name: realism, description: d, options: {"1": a, "2": b}}]}
- name: text
  llmText: {model: m, prompt: "EXPRESSION"}
`

func TestMembersThatAColumnNeverHasAreFoundBeforeTheRun(t *testing.T) {
	for expression, want := range map[string]string{
		"{{ ticket.subject }}":   "",
		"{{ ticket.subjct }}":    `ticket has no member "subjct"; did you mean "subject"?`,
		"{{ ticket['subjct'] }}": `ticket has no member "subjct"`,
		"{{ ticket.lines[0].sku }} {{ ticket.free.anything.x }}":   "",
		"{{ ticket.lines[0].skuu }}":                               `ticket.lines[0] has no member "skuu"`,
		"{{ ticket.lines.sku }}":                                   `ticket.lines is a list`,
		"{% if ticket.x is defined %}{{ ticket.x }}{% endif %}":    "",
		"{{ ticket.x | default('none') }}":                         "",
		"{% for k, v in ticket.items() %}{{ k }}{% endfor %}":      "",
		"{{ ticket.items }}":                                       `ticket has no member "items"`,
		"{{ verdict.realism.score }} {{ ticket.subject.upper() }}": "",
		"{{ verdict.realsm.score }}":                               `did you mean "realism"?`,
		"{% set ticket = {'x': 1} %}{{ ticket.x }}":                "",
	} {
		var spec v1alpha1.DatasetGenerationSpec
		if err := yaml.Unmarshal([]byte(strings.Replace(documented, "EXPRESSION", expression, 1)), &spec); err != nil {
			t.Fatal(err)
		}
		violations := plan.Validate(&spec)
		switch {
		case want == "" && len(violations) > 0:
			t.Errorf("%s: got %v", expression, violations)
		case want != "" && (len(violations) != 1 || violations[0].Field != "spec.columns[2].llmText.prompt" ||
			!strings.Contains(violations[0].String(), want)):
			t.Errorf("%s: got %v, want %q", expression, violations, want)
		}
	}
}
