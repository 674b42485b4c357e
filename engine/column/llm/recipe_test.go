package llm_test

import (
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
)

const person = `{"name":"Emma","age":21}`

func TestTheSchemaStandsInThePromptOnlyWhereItMust(t *testing.T) {
	for name, test := range map[string]struct {
		model  v1alpha1.Model
		schema bool
		form   bool
	}{
		"Prompt": {v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputPrompt}, false, true},
		"Native": {v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputNative}, false, false},
		"Tool":   {v1alpha1.Model{Alias: "m", StructuredOutput: v1alpha1.StructuredOutputTool}, false, false},
		"Native that wants both": {v1alpha1.Model{
			Alias: "m", StructuredOutput: v1alpha1.StructuredOutputNative, SchemaInPrompt: v1alpha1.SchemaInPromptEnabled}, true, false},
		"Tool that wants both": {v1alpha1.Model{
			Alias: "m", StructuredOutput: v1alpha1.StructuredOutputTool, SchemaInPrompt: v1alpha1.SchemaInPromptEnabled}, true, false},
	} {
		client := &script{answers: []any{person}}
		config := llm.Config{Column: personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}), Model: &test.model, Client: client}
		if _, err := newGenerator(t, config).Ask(t.Context(), record(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		said := client.asked[0].Messages[0].Content
		form := strings.Contains(said, `{"name":"<name>","age":<integer>}`)
		if strings.Contains(said, "<response_schema>") != test.schema || form != test.form {
			t.Errorf("%s: the prompt is %q", name, said)
		}
		if !test.schema && !test.form && said != "P" {
			t.Errorf("%s: the prompt is %q, want what was written", name, said)
		}
	}
}

// What a form can't say stands in the schema beside it.
func TestASchemaThatSaysMoreThanItsFormIsShown(t *testing.T) {
	column := &v1alpha1.Column{Name: "out", LLMStructured: &v1alpha1.LLMStructured{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"},
		Schema: &apiextensionsv1.JSON{Raw: []byte(`{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^x"}}}`)}}}
	client := &script{answers: []any{`{"a": "x"}`}}
	if _, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record(), nil); err != nil {
		t.Fatal(err)
	}
	said := client.asked[0].Messages[0].Content
	schema, form := strings.Index(said, `"pattern":"^x"`), strings.Index(said, `{"a":"<a>"}`)
	if schema < 0 || form < schema {
		t.Errorf("the prompt is %q", said)
	}
}

func TestWhyAnAnswerCantBeUsed(t *testing.T) {
	text := &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}}}
	code := &v1alpha1.Column{Name: "out", LLMCode: &v1alpha1.LLMCode{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, Language: "python"}}
	document := personColumn(v1alpha1.LLMPrompt{Model: "m", Prompt: "P"})
	for name, test := range map[string]struct {
		column *v1alpha1.Column
		answer model.Answer
		reason string
		words  string
	}{
		"a text that is cut off": {text, model.Answer{Text: "Once upon a ti", Finish: model.FinishLength}, v1alpha1.ReasonOutputTruncated, "raise parameters.maxTokens"},
		"a wrong document, and then words that are cut off": {document, model.Answer{Text: `{"name":"Emma"} I hope th`, Finish: model.FinishLength},
			v1alpha1.ReasonModelGenerationInvalid, "missing property 'age'"},
		"a document that is cut off":    {document, model.Answer{Text: `{"name":"Em`, Finish: model.FinishLength}, v1alpha1.ReasonOutputTruncated, "raise parameters.maxTokens"},
		"a thought that is cut off":     {document, model.Answer{Text: "<think>Who is", Finish: model.FinishLength}, v1alpha1.ReasonOutputTruncated, "thoughts only"},
		"a thought that does not end":   {document, model.Answer{Text: "<think>Who is it?"}, v1alpha1.ReasonModelGenerationInvalid, "thoughts only"},
		"a text in thoughts only":       {text, model.Answer{Text: "<think>Who is it?"}, v1alpha1.ReasonModelGenerationInvalid, "thoughts only"},
		"code that is cut off":          {code, model.Answer{Text: "```python\nprint(", Finish: model.FinishLength}, v1alpha1.ReasonOutputTruncated, "does not end"},
		"words before code, cut off":    {code, model.Answer{Text: "Of course! First", Finish: model.FinishLength}, v1alpha1.ReasonOutputTruncated, "no fenced block"},
		"the schema itself":             {document, model.Answer{Text: personSchema}, v1alpha1.ReasonModelGenerationInvalid, "the answer is the schema itself"},
		"the form":                      {document, model.Answer{Text: `{"name":"<name>","age":<integer>}`}, v1alpha1.ReasonModelGenerationInvalid, "placeholder of the form at name"},
		"a wrong document, cut context": {document, model.Answer{Text: `{"name":"Emma"}`, Finish: model.FinishContext}, v1alpha1.ReasonModelGenerationInvalid, "missing property"},
	} {
		client := &script{answers: []any{test.answer}}
		_, err := newGenerator(t, llm.Config{Column: test.column, Client: client}).Ask(t.Context(), record(), nil)
		failed := failure.Of(err)
		if err == nil || failed.Reason != test.reason || failed.Consequence != failure.DropRow || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: got %v; want %s with %q", name, err, test.reason, test.words)
		}
	}
}

func TestATextThatIsCutOffIsKeptWhereItMayBe(t *testing.T) {
	column := &v1alpha1.Column{Name: "out", LLMText: &v1alpha1.LLMText{
		LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "P"}, OnTruncation: v1alpha1.TruncationKeep,
	}}
	client := &script{answers: []any{model.Answer{Text: "Once upon a ti", Finish: model.FinishLength}}}
	answer, err := newGenerator(t, llm.Config{Column: column, Client: client}).Ask(t.Context(), record(), nil)
	if err != nil || answer.Value != "Once upon a ti" {
		t.Errorf("got %v, %v", answer.Value, err)
	}
}
