package plan_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

const documentSpec = `
numRecords: 1
providers: [{name: p, type: OpenAI, endpoint: "http://x/v1"}]
models: [{alias: m, provider: p, model: m}]
columns:
- COLUMN
output: {persistentVolumeClaim: {claimName: c}}
`

func TestDocumentsThatCantWorkAreToldWithTheirFields(t *testing.T) {
	for name, test := range map[string]struct {
		column string
		want   []string // fields with their reasons
	}{
		"a good document":                      {`{name: a, llmStructured: {model: m, prompt: p, schema: {type: object, properties: {b: {type: string}}}}}`, nil},
		"no prompt with a reference is needed": {`{name: a, llmCode: {model: m, prompt: write, language: go}}`, nil},
		"no schema":                            {`{name: a, llmStructured: {model: m, prompt: p}}`, []string{"spec.columns[0].llmStructured.schema Required"}},
		"no object":                            {`{name: a, llmStructured: {model: m, prompt: p, schema: [1]}}`, []string{"spec.columns[0].llmStructured.schema InvalidSchema"}},
		"all at once": {`{name: a, llmStructured: {model: m, prompt: "{{", schema: {properties: {b: {pattern: "(?=x)"}, "c d": {"$ref": "file:///etc/hostname"}, e: {type: [text]}}}}}`, []string{
			"spec.columns[0].llmStructured.prompt TemplateSyntax", "spec.columns[0].llmStructured.schema.properties.b.pattern InvalidSchema",
			`spec.columns[0].llmStructured.schema.properties["c d"].$ref InvalidSchema`, "spec.columns[0].llmStructured.schema.properties.e.type[0] InvalidSchema"}},
		"a bad schema of cells that may be skipped": {`{name: a, skip: {when: "{{ a }}"}, llmStructured: {model: m, prompt: p, schema: {type: text}}}`, []string{"spec.columns[0].llmStructured.schema.type InvalidSchema"}},
		"no schema of cells that may be skipped":    {`{name: a, skip: {when: "{{ a }}"}, llmStructured: {model: m, prompt: p}}`, []string{"spec.columns[0].llmStructured.schema Required"}},
		"bad scores of cells that may be skipped":   {`{name: a, skip: {when: "{{ a }}"}, llmJudge: {model: m, prompt: p, scores: [{name: s, description: d}]}}`, []string{"spec.columns[0].llmJudge.scores[0].options InvalidSchema"}},
		"an unknown language":                       {`{name: a, llmCode: {model: m, prompt: p, language: pyton}}`, []string{"spec.columns[0].llmCode.language InvalidValue"}},
		"no scores":                                 {`{name: a, llmJudge: {model: m, prompt: p}}`, []string{"spec.columns[0].llmJudge.scores Required"}},
		"options that are the same": {`{name: a, llmJudge: {model: m, prompt: p, scores: [{name: s, description: d, options: {"1": x}}, {name: t, description: d, options: {A: x, a: y}}]}}`,
			[]string{"spec.columns[0].llmJudge.scores[1].options InvalidSchema"}},
		"scores with one name": {`{name: a, llmJudge: {model: m, prompt: p, scores: [{name: s, description: d, options: {"1": x}}, {name: s, description: d, options: {"1": x}}]}}`,
			[]string{"spec.columns[0].llmJudge.scores[1].name InvalidSchema"}},
		"a name for no template": {`{name: a, llmJudge: {model: m, prompt: p, scores: [{name: s-1, description: d, options: {"1": x}}]}}`, []string{"spec.columns[0].llmJudge.scores[0].name InvalidName"}},
	} {
		t.Run(name, func(t *testing.T) {
			var spec v1alpha1.DatasetGenerationSpec
			if err := yaml.UnmarshalStrict([]byte(strings.Replace(documentSpec, "COLUMN", test.column, 1)), &spec); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, violation := range plan.Validate(&spec) {
				if at := violation.Field + " " + violation.Reason; !slices.Contains(got, at) {
					got = append(got, at)
				}
			}
			for _, want := range test.want {
				if !slices.Contains(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			if len(test.want) == 0 && len(got) > 0 {
				t.Errorf("got %q", got)
			}
			if _, err := plan.Compile(&spec, nil); (err != nil) != (len(test.want) > 0) {
				t.Errorf("compiling gives %v", err)
			}
		})
	}
}

func TestTheSampleOfDocumentsIsValid(t *testing.T) {
	data, err := os.ReadFile("../../config/samples/structured.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var sample v1alpha1.DatasetGeneration
	if err := yaml.UnmarshalStrict(data, &sample); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&sample.Spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	index, _ := compiled.Schema.Index("verdict")
	want := "struct<correctness: struct<reasoning: string, score: int64>, clarity: struct<reasoning: string, score: string>>"
	if got := compiled.Schema.Fields()[index].Type.String(); got != want {
		t.Errorf("verdict is %s, want %s", got, want)
	}
}
