package plan_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
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

func TestMembersThatAFormOrAConditionNeverFindsAreFoundBeforeTheRun(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"a condition of skip": {`prompt: "EXPRESSION"}`, `prompt: "{{ ticket.subject }}"}
  skip: {when: "{{ verdict.realism.scor > 1 }}"}`, `spec.columns[2].skip.when: verdict.realism has no member "scor"; did you mean "score"?`},
		"a form": {"columns:", `processors: [{name: p, schemaTransform: {template: {m: [{content: "{{ ticket.subjct }}"}]}}}]
columns:`, `spec.processors[0].schemaTransform.template.m[0].content: ticket has no member "subjct"`},
		"a form's condition": {"columns:", `processors: [{name: p, schemaTransform: {when: "{{ nope }}", template: {m: "{{ text }}"}}}]
columns:`, `spec.processors[0].schemaTransform.when: no column is called "nope"`},
		"a form's schema": {"columns:", `processors: [{name: p, schemaTransform: {schema: {type: array}, template: {m: "{{ text }}"}}}]
columns:`, `spec.processors[0].schemaTransform.schema: must describe an object`},
		"a dropped column that is not kept": {"columns:\n- name: ticket", `run: {preserveDroppedColumns: false}
processors:
- {name: few, starlark: {stage: AfterGeneration, source: "def process(rows):\n    return rows"}}
- {name: p, schemaTransform: {template: {m: "{{ ticket.subject }}"}}}
columns:
- name: ticket
  drop: true`, `spec.processors[1].schemaTransform.template.m: reads "ticket", a dropped column that is not kept`},
		"both of type and schema": {"- name: ticket", `- {name: e, expression: {expr: "{{ text }}", type: str, schema: {type: string}}}
- name: ticket`, `spec.columns[0].expression.type: can't be set beside schema`},
		"a wrong schema": {"- name: ticket", `- {name: e, expression: {expr: "{{ text }}", schema: {type: string, pattern: "("}}}
- name: ticket`, `spec.columns[0].expression.schema.pattern`},
		"a list has no member": {"- name: ticket", `- {name: e, expression: {expr: "{{ ['a'] }}", schema: {type: array, items: {type: string}}}}
- {name: f, expression: {expr: "{{ e.x }}"}}
- name: ticket`, `spec.columns[1].expression.expr: e is a list`},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(documented, test.from, test.to, 1)
			var spec v1alpha1.DatasetGenerationSpec
			if err := yaml.Unmarshal([]byte(strings.Replace(text, "EXPRESSION", "{{ ticket.subject }}", 1)), &spec); err != nil {
				t.Fatal(err)
			}
			violations := plan.Validate(&spec)
			if text == documented || len(violations) != 1 || !strings.Contains(violations[0].String(), test.want) {
				t.Errorf("got %v, want %s", violations, test.want)
			}
		})
	}
}

func TestMembersThatAParquetSeedLacksAreFoundBeforeTheRun(t *testing.T) {
	fields := []table.Field{{Name: "meta", Type: table.Type{Kind: table.KindStruct, Fields: []table.Field{{Name: "colour"}}}}}
	for format, want := range map[string]string{"parquet": `meta has no member "color"; did you mean "colour"?`, "jsonl": ""} {
		text := strings.Replace(documented, "columns:", "seed: {configMap: {name: s, key: a."+format+"}}\ncolumns:", 1)
		var spec v1alpha1.DatasetGenerationSpec
		if err := yaml.Unmarshal([]byte(strings.Replace(text, "EXPRESSION", "{{ meta.color }}", 1)), &spec); err != nil {
			t.Fatal(err)
		}
		_, err := plan.Compile(&spec, fields)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %s", format, err, want)
		}
	}
}
