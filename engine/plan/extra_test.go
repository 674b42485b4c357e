package plan_test

import (
	"encoding/json"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

func extraSpec() *v1alpha1.DatasetGenerationSpec {
	return &v1alpha1.DatasetGenerationSpec{
		NumRecords: 1,
		Providers:  []v1alpha1.Provider{{Name: "p", Type: v1alpha1.ProviderAnthropic, Endpoint: "https://api.anthropic.com"}},
		Models:     []v1alpha1.Model{{Alias: "m", Provider: "p", Model: "x"}},
		Columns:    []v1alpha1.Column{{Name: "text", LLMText: &v1alpha1.LLMText{LLMPrompt: v1alpha1.LLMPrompt{Model: "m", Prompt: "hello"}}}},
		Output:     v1alpha1.Output{PersistentVolumeClaim: &v1alpha1.PersistentVolumeClaimOutput{ClaimName: "c"}},
	}
}

func object(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

func TestExtrasMustNotTakeTheEnginesPlace(t *testing.T) {
	spec := extraSpec()
	if violations := plan.Validate(spec); len(violations) > 0 {
		t.Fatalf("without extras: %v", violations)
	}
	var hot v1alpha1.Decimal
	if err := json.Unmarshal([]byte("1.5"), &hot); err != nil {
		t.Fatal(err)
	}
	spec.Providers[0].ExtraHeaders = map[string]string{"authorization": "x", "bad name": "x", "X-Good": "yes", "X-Broken": "a\nb", "Host": "h"}
	spec.Providers[0].ExtraBody = object(`{"stream": true, "top_k": 5, "temperature": 1}`)
	spec.Models[0].ExtraBody = object(`["no object"]`)
	spec.Models[0].Parameters = &v1alpha1.ModelParameters{Temperature: &hot}
	var got []string
	for _, violation := range plan.Validate(spec) {
		got = append(got, violation.Field+": "+violation.Message)
	}
	want := []string{
		"spec.providers[0].extraHeaders: Host is set by the engine",
		"spec.providers[0].extraHeaders: the value of X-Broken holds a character that no header may have, such as a line break",
		"spec.providers[0].extraHeaders: authorization is set by the engine; use apiKeySecretRef",
		`spec.providers[0].extraHeaders: "bad name" is not the name of a header`,
		"spec.providers[0].extraBody.stream: is set by the engine, which needs one whole answer to each request",
		"spec.providers[0].extraBody.temperature: is set by the engine; use parameters.temperature",
		"spec.models[0].extraBody: must be an object",
		"spec.models[0].parameters.temperature: must be from 0 to 1 for a provider of type Anthropic",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
}

func TestExtraBodiesShapeRowsAndHeadersDoNot(t *testing.T) {
	before := plan.ConfigHash(extraSpec())
	with := extraSpec()
	with.Providers[0].ExtraHeaders = map[string]string{"X-Team": "blue"}
	if plan.ConfigHash(with) != before {
		t.Error("a header changes the hash")
	}
	with.Models[0].ExtraBody = object(`{"top_k": 5, "a": {"b": 1, "c": 2}}`)
	body := plan.ConfigHash(with)
	if body == before {
		t.Error("an extra body does not change the hash")
	}
	with.Models[0].ExtraBody = object(`{"a":{"c":2,"b":1},"top_k":4}`)
	with.Providers[0].ExtraBody = object(`{"top_k": 5}`)
	if plan.ConfigHash(with) != body {
		t.Error("the same members from two places have another hash")
	}
}
