package plan_test

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const exportSpec = `
numRecords: 1
providers: [{name: p, type: OpenAI, endpoint: "http://x/v1"}]
models: [{alias: m, provider: p, model: m}]
columns:
- {name: split, expression: {expr: "train"}}
- {name: hidden, drop: true, expression: {expr: "x"}}
- {name: answer, llmText: {model: m, prompt: "{{ split }}", trace: AllMessages}}
processors:
PROCESSORS
output:
  persistentVolumeClaim: {claimName: c}
  exports:
EXPORTS
`

// violationsOf are the fields that are wrong, each with the beginning of what is said of it.
func violationsOf(t *testing.T, processors, exports string) []string {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	text := strings.NewReplacer("PROCESSORS", processors, "EXPORTS", exports).Replace(exportSpec)
	if err := yaml.UnmarshalStrict([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, violation := range plan.Validate(&spec) {
		found = append(found, violation.String())
	}
	return found
}

func TestExportsAreValidated(t *testing.T) {
	form := `- {name: chat, form: {chat: {user: "{{ split }}", assistant: "{{ answer }}"}}}`
	for exports, want := range map[string]string{
		"  - {name: a, format: JSONL, of: chat}":                   "",
		"  - {name: a, format: JSONL, splitBy: split}":             "",
		"  - {name: a, format: CSV, csv: {dialect: Spreadsheet}}":  "",
		"  - {name: a, format: Arrow, compression: Zstd}":          "",
		"  - {name: A, format: CSV}":                               `spec.output.exports[0].name: "A" can't name a folder`,
		"  - {name: a, format: CSV}\n  - {name: a, format: JSONL}": `spec.output.exports[1].name: spec.output.exports[0] is called "a" too`,
		"  - {name: a, format: XLSX}":                              `spec.output.exports[0].format: must be JSONL, CSV or Arrow`,
		"  - {name: a}":                                            `spec.output.exports[0].format: JSONL, CSV or Arrow is needed`,
		"  - {name: a, format: Arrow, compression: Gzip}":          `spec.output.exports[0].compression: files of Arrow are compressed inside`,
		"  - {name: a, format: CSV, compression: Brotli}":          `spec.output.exports[0].compression: must be None, Gzip or Zstd`,
		"  - {name: a, format: JSONL, csv: {}}":                    `spec.output.exports[0].csv: is for the format CSV`,
		"  - {name: a, format: CSV, csv: {dialect: Lotus}}":        `spec.output.exports[0].csv.dialect: must be RFC4180 or Spreadsheet`,
		"  - {name: a, format: CSV, maxFileBytes: 10}":             `spec.output.exports[0].maxFileBytes: must be from 65536`,
		"  - {name: a, format: CSV, of: chart}":                    `spec.output.exports[0].of: no processor makes a form that is called "chart"; did you mean "chat"`,
		"  - {name: a, format: CSV, splitBy: splits}":              `spec.output.exports[0].splitBy: what is written has no column "splits"`,
		"  - {name: a, format: CSV, splitBy: hidden}":              `spec.output.exports[0].splitBy: what is written has no column "hidden"`,
		"  - {name: a, format: CSV, of: chat, splitBy: split}":     "",
		"  - {name: a, format: CSV, of: chat, splitBy: hidden}":    `spec.output.exports[0].splitBy: what is written has no column "hidden"`,
	} {
		found := violationsOf(t, form, exports)
		if want == "" && len(found) > 0 || want != "" && !slices.ContainsFunc(found, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("%s: got %v, want %q", exports, found, want)
		}
	}
}

func TestFormsOfTrainersAreValidated(t *testing.T) {
	for form, want := range map[string]string{
		`toolCalling: {trace: answer__trace}`:                                             "",
		`chat: {user: "{{ split }}", assistant: "{{ answers }}"}`:                         `form.chat.assistant: no column is called "answers"; did you mean "answer"`,
		`chat: {user: "{{ split }}"}`:                                                     `form.chat.assistant: a template is needed`,
		`chat: {user: "{{ split", assistant: "x"}`:                                        `form.chat.user: is not a valid template`,
		`toolCalling: {trace: answer}`:                                                    `form.toolCalling.trace: "answer" is no column with the messages`,
		`when: "{{ x }}", embedding: {anchor: a, positive: b}`:                            `form.when: no column is called "x"`,
		`preference: {prompt: a, chosen: b, rejected: c, style: Standard, system: s}`:     `form.preference.system: is for the style Conversational`,
		`preference: {prompt: a, chosen: b, rejected: c, style: Fancy}`:                   `form.preference.style: must be Conversational or Standard`,
		`alpaca: {instruction: a, output: b}, chat: {user: a, assistant: b}`:              `form: exactly one of chat, shareGPT`,
		`unpairedPreference: {prompt: a, completion: b, label: "{{ answer.score > 3 }}"}`: "",
	} {
		found := violationsOf(t, "- {name: f, form: {"+form+"}}", "  - {name: a, format: JSONL, of: f}")
		has := func(text string) bool { return strings.HasPrefix(text, "spec.processors[0]."+want) }
		if want == "" && len(found) > 0 || want != "" && !slices.ContainsFunc(found, has) {
			t.Errorf("%s: got %v, want %q", form, found, want)
		}
	}
}
