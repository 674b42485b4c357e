package plan_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/engine/plan"
)

const judged = `
numRecords: 5
providers: [{name: local, type: OpenAI, endpoint: "http://vllm:8000/v1"}]
models: [{alias: writer, provider: local, model: m}]
columns:
- {name: script, llmCode: {model: writer, prompt: x, language: bash}}
- {name: text, llmText: {model: writer, prompt: x}}
- {name: other, expression: {expr: "{{ script }}"}}
- {name: check, validation: VALIDATION}
output: {persistentVolumeClaim: {claimName: c}}
`

func TestEveryViolationOfAValidationIsReported(t *testing.T) {
	for validation, want := range map[string][]string{
		"{targets: [script], code: {language: bash}}":                                                      nil,
		"{targets: [script], onInvalid: Keep, code: {language: bash}}":                                     nil,
		"{targets: [script, other], expression: {expr: '{{ script == other }}', message: '{{ script }}'}}": nil,
		"{targets: [], code: {language: bash}}": {
			"spec.columns[3].validation.targets Required: name at least one column to judge"},
		"{targets: [skript, script, script], code: {language: cobol}}": {
			"spec.columns[3].validation.targets[2] InvalidValue: names \"script\" a second time",
			"spec.columns[3].validation.code.language InvalidValue: must be one of bash, go, html, javascript, json, python, regex, sql:mysql, sql:postgres, " +
				"sql:sqlite, typescript, yaml, but is \"cobol\": what no parser here is true to, such as other dialects of SQL, is judged by a server",
			"spec.columns[3].validation.targets[0] UnknownReference: no column is called \"skript\""},
		"{targets: [script], code: {language: go}}": {
			"spec.columns[3].validation.targets[0] InvalidValue: column \"script\" is written in bash, but is judged as go"},
		"{targets: [script], onInvalid: Correct, code: {language: bash}, correction: {maxAttempts: 3, onExhausted: Drop}}": nil,
		"{targets: [script], code: {language: bash}, correction: {maxAttempts: 3}}": {
			"spec.columns[3].validation.correction InvalidValue: is possible with onInvalid: Correct only"},
		"{targets: [script], onInvalid: Correct, code: {language: bash}, correction: {maxAttempts: 0}}": {
			"spec.columns[3].validation.correction.maxAttempts InvalidValue: must be between 1 and 20, but is 0"},
		"{targets: [other], onInvalid: Correct, code: {language: bash}}": {
			"spec.columns[3].validation.onInvalid InvalidValue: Correct needs a target that a model writes"},
		"{targets: [script, text], onInvalid: Correct, expression: {expr: '{{ script == text }}'}}": {
			"spec.columns[3].validation.onInvalid InvalidValue: Correct needs exactly one target that a model writes where rows are judged"},
		"{targets: [script, other], onInvalid: Correct, expression: {expr: '{{ script }}'}}": {
			"spec.columns[0] Cycle: columns depend on each other in a circle: script → other → script"},
		"{targets: [other], code: {language: python, python: {check: Syntax}}}": nil,
		"{targets: [other], code: {language: python, python: {check: Syntax, select: [F8, bad rule]}}}": {
			"spec.columns[3].validation.code.python.select InvalidValue: is possible with check: Rules only",
			"spec.columns[3].validation.code.python.select[1] InvalidValue: must be the name of a rule"},
		"{targets: [other], code: {language: go, python: {check: Some}}}": {
			"spec.columns[3].validation.code.python InvalidValue: is possible with language: python only",
			"spec.columns[3].validation.code.python.check InvalidValue: must be one of Rules, Syntax, but is \"Some\""},
		"{targets: [script], onInvalid: Correct, remote: {endpoint: 'http://checker:8000/validate', batchSize: 5}}": nil,
		"{targets: [script], onInvalid: Drop, remote: {endpoint: 'http://a:secret@checker', batchSize: 0, schema: {type: string}}}": {
			"spec.columns[3].validation.remote.endpoint InvalidValue: must not hold a user or a password",
			"spec.columns[3].validation.onInvalid InvalidValue: Drop is not possible for remote",
			"spec.columns[3].validation.remote.batchSize InvalidValue: must be between 1 and 1000, but is 0",
			"spec.columns[3].validation.remote.schema InvalidValue: must describe an object"},
		"{targets: [check], code: {language: go}}": {"spec.columns[3] Cycle: "},
		"{targets: [script], onInvalid: Mend}": {
			"spec.columns[3].validation.onInvalid InvalidValue: must be one of",
			"spec.columns[3].validation InvalidUnion: exactly one of code, jsonSchema"},
		"{targets: [script], code: {language: bash}, jsonSchema: {schema: {type: objekt}}}": {
			"spec.columns[3].validation InvalidUnion: exactly one of",
			"spec.columns[3].validation.jsonSchema.schema.type InvalidSchema: value must be one of",
			"spec.columns[3].validation.jsonSchema.schema.type InvalidSchema: must be array"},
		"{targets: [script], expression: {expr: '{{ nobody }}', message: '{% if %}'}}": {
			"spec.columns[3].validation.expression.message TemplateSyntax: ",
			"spec.columns[3].validation.expression.expr UnknownReference: "},
		"{targets: [script], starlark: {source: 'def check(row): pass'}}": {
			"spec.columns[3].validation.starlark.source StarlarkSyntax: "},
		"{targets: [script], starlark: {source: 'def validate(row): return True', schema: {type: array, items: {type: string}}}}": {
			"spec.columns[3].validation.starlark.schema InvalidValue: must describe an object"},
		"{targets: [script], starlark: {source: 'def validate(row): return True', schema: {properties: {is_valid: {type: boolean}}, type: object}}}": {
			"spec.columns[3].validation.starlark.schema.properties.is_valid InvalidValue: is there without being described"},
	} {
		t.Run(validation, func(t *testing.T) {
			found := plan.Validate(parse(t, strings.Replace(judged, "VALIDATION", validation, 1)))
			for i, violation := range found {
				text := violation.Field + " " + violation.Reason + ": " + violation.Message
				if i >= len(want) || !strings.HasPrefix(text, want[i]) {
					t.Errorf("%d: %s", i, text)
				}
			}
			if len(found) < len(want) {
				t.Errorf("found %d of %d", len(found), len(want))
			}
		})
	}
}

func TestTheTypeOfAVerdictFollowsItsValidator(t *testing.T) {
	verdict := "struct<is_valid: bool, error_messages: string, messages: list<struct<line: int64, column: int64, message: string>>>"
	for validation, want := range map[string]string{
		"{targets: [script], code: {language: bash}}":                   verdict,
		"{targets: [script, other], code: {language: bash}}":            "struct<script: " + verdict + ", other: " + verdict + ">",
		"{targets: [script, other], expression: {expr: '{{ other }}'}}": "struct<is_valid: bool, error_messages: string>",
		"{targets: [script], starlark: {source: 'def validate(row): return True', schema: {type: object, properties: {size: {type: integer}}}}}": "struct<is_valid: bool, error_messages: string, size: int64>",
	} {
		compiled, err := plan.Compile(parse(t, strings.Replace(judged, "VALIDATION", validation, 1)), nil)
		if err != nil {
			t.Fatal(err)
		}
		index, _ := compiled.Schema.Index("check")
		if difference := cmp.Diff(want, compiled.Schema.Fields()[index].Type.String()); difference != "" {
			t.Errorf("%s: %s", validation, difference)
		}
	}
}

func TestADefaultOfAValidationThatIsWrittenOutChangesNoHash(t *testing.T) {
	hash := func(validation string) string {
		return plan.ConfigHash(parse(t, strings.Replace(judged, "VALIDATION", validation, 1)))
	}
	corrected := hash("{targets: [script], onInvalid: Correct, code: {language: bash}}")
	if hash("{targets: [script], onInvalid: Correct, code: {language: bash}, correction: {maxAttempts: 2, onExhausted: Keep}}") != corrected {
		t.Error("the defaults of corrections change the hash")
	}
	remote := hash("{targets: [script], remote: {endpoint: 'http://checker'}}")
	if hash("{targets: [script], remote: {endpoint: 'http://checker', batchSize: 50, maxRetries: 9, timeoutSeconds: 4}}") != remote {
		t.Error("how rows are sent changes the hash")
	}
	plain := hash("{targets: [script], code: {language: bash}}")
	if hash("{targets: [script], onInvalid: Keep, code: {language: bash}}") != plain {
		t.Error("the default changes the hash")
	}
	if hash("{targets: [script], onInvalid: Drop, code: {language: bash}}") == plain {
		t.Error("what becomes of rows does not change the hash")
	}
}
