package plan_test

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/plan"
)

// modelSpec is a spec whose parts that are about models are given as YAML.
func modelSpec(t *testing.T, text string) *v1alpha1.DatasetGenerationSpec {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte("numRecords: 1\noutput: {persistentVolumeClaim: {claimName: c}}\n"+text), &spec); err != nil {
		t.Fatal(err)
	}
	return &spec
}

func TestWhatAProviderCannotDoIsRefused(t *testing.T) {
	const columns = "\ncolumns: [{name: a, llmText: {model: m, prompt: x}}]"
	const local = "providers: [{name: p, type: OpenAI, endpoint: 'http://local/v1'}]\n"
	const anthropic = "providers: [{name: p, type: Anthropic, endpoint: 'https://local'}]\n"
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"distributions": {local + `models: [{alias: m, provider: p, model: m, rowSeed: Enabled, streaming: Enabled, embedding: {dimensions: 4},
			parameters: {temperatureDistribution: {uniform: {low: 0, high: 2}}, topPDistribution: {manual: {values: [0.1, 1], weights: [0, 2]}}}}]` + columns, nil},
		"wrong distributions": {local + `models: [{alias: m, provider: p, model: m, parameters: {
			temperature: 1, temperatureDistribution: {uniform: {low: -1, high: 2.5}}, topP: 0, topPDistribution: {manual: {values: [0, 0.5, 3], weights: [0, -1]}}}}]` + columns, []string{
			"spec.models[0].parameters.temperatureDistribution: can't be set beside a fixed value",
			"spec.models[0].parameters.temperatureDistribution.uniform.low: must be from 0 to 2",
			"spec.models[0].parameters.temperatureDistribution.uniform.high: must be from 0 to 2",
			"spec.models[0].parameters.topP: must be above 0 and at most 1",
			"spec.models[0].parameters.topPDistribution: can't be set beside a fixed value",
			"spec.models[0].parameters.topPDistribution.manual.values[0]: must be above 0 and at most 1",
			"spec.models[0].parameters.topPDistribution.manual.values[2]: must be above 0 and at most 1",
			"spec.models[0].parameters.topPDistribution.manual.weights: must have as many entries as values: 3, but has 2",
			"spec.models[0].parameters.topPDistribution.manual.weights[1]: must not be negative",
			"spec.models[0].parameters.topPDistribution.manual.weights: at least one weight must be above 0",
		}},
		"no distribution": {local + `models: [{alias: m, provider: p, model: m, parameters: {temperatureDistribution: {}, topPDistribution: {uniform: {low: 1, high: 1}}}}]` + columns, []string{
			"spec.models[0].parameters.temperatureDistribution: exactly one of uniform and manual must be set",
			"spec.models[0].parameters.topPDistribution.uniform: low must be below high",
		}},
		"two seeds": {local + `models: [{alias: m, provider: p, model: m, rowSeed: Enabled, extraBody: {seed: 1}}]` + columns, []string{
			"spec.models[0].rowSeed: can't be Enabled where an extraBody of the model or of its provider sets seed",
		}},
		"Anthropic": {anthropic + `models: [{alias: m, provider: p, model: m, rowSeed: Enabled, embedding: {dimensions: 4}, parameters: {temperatureDistribution: {manual: {values: [1.5]}}}}]
columns:
- {name: a, llmText: {model: m, prompt: x, context: [{column: c, modality: Image}, {column: c, modality: Audio}]}}
- {name: b, llmJudge: {model: m, prompt: x, context: [{column: c, modality: Video}], scores: [{name: s, description: d, options: {"1": no}}]}}
- {name: c, sampler: {type: UUID}}
- {name: d, embedding: {model: m, targetColumn: c}}
- {name: e, image: {model: m, prompt: x}}`, []string{
			"spec.models[0].parameters.temperatureDistribution.manual.values[0]: must be from 0 to 1 for a provider of type Anthropic",
			"spec.models[0].rowSeed: must be Disabled for a provider of type Anthropic, whose protocol has no seed",
			"spec.models[0].embedding: must not be set for a provider of type Anthropic, which has no embeddings",
			"spec.columns[0].llmText.context[1].modality: must be Image for a model whose provider is of type Anthropic, which takes neither audio nor video",
			"spec.columns[1].llmJudge.context[0].modality: must be Image for a model whose provider is of type Anthropic, which takes neither audio nor video",
			`spec.columns[3].embedding.model: the provider of model "m" is of type Anthropic, which has no embeddings`,
			`spec.columns[4].image.model: the provider of model "m" is of type Anthropic, which makes no images`,
		}},
		"connections": {`providers:
- {name: p, type: OpenAI, endpoint: 'http://local/v1', proxyURL: 'http://user:secret@proxy:1', tls: {clientCertificateSecretRef: {name: s}}}
- {name: q, type: OpenAI, endpoint: 'https://local/v1', proxyURL: 'socks5://proxy', tls: {clientCertificateSecretRef: {name: s}}}
- {name: r, type: OpenAI, endpoint: 'https://local/v1', proxyURL: 'http://proxy:3128', tls: {caBundleConfigMapRef: {name: s, key: k}}}
models: [{alias: m, provider: p, model: m}]` + columns, []string{
			"spec.providers[0].tls: has no use where the endpoint is an http URL; write it with https, or remove tls",
			"spec.providers[0].proxyURL: must not hold a user or a password; proxies that demand them are not supported",
			"spec.providers[1].proxyURL: must be an http or https URL with a host, like http://proxy.example:3128",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, violation := range plan.Validate(modelSpec(t, test.spec)) {
				// Other checks of these columns are not what the test is about.
				if strings.Contains(violation.Field, "models") || strings.Contains(violation.Field, "providers") ||
					strings.Contains(violation.Message, "Anthropic") {
					got = append(got, violation.String())
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

func TestWhatOfAModelShapesRows(t *testing.T) {
	spec := func(model, provider string) string {
		return plan.ConfigHash(modelSpec(t,
			"providers: [{name: p, type: OpenAI, endpoint: 'https://local/v1'"+provider+"}]\nmodels: [{alias: m, provider: p, model: m"+model+"}]\n"+
				"columns: [{name: a, llmText: {model: m, prompt: x}}]"))
	}
	before := spec("", "")
	for _, same := range []string{spec(", rowSeed: Disabled", ""), spec(", streaming: Enabled", ""), spec(", embedding: {dimensions: 3}", ""),
		spec("", ", proxyURL: 'http://proxy:3128'"), spec("", ", tls: {clientCertificateSecretRef: {name: s}}")} {
		if same != before {
			t.Error("what shapes no rows changes the hash")
		}
	}
	for _, other := range []string{spec(", rowSeed: Enabled", ""), spec(", parameters: {temperatureDistribution: {manual: {values: [1]}}}", "")} {
		if other == before {
			t.Error("what shapes rows does not change the hash")
		}
	}
}
