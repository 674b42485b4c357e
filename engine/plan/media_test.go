package plan_test

import (
	"strings"
	"testing"

	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/table"
)

const mediaSpec = `
numRecords: 5
providers:
- {name: local, type: OpenAI, endpoint: "http://models/v1"}
- {name: far, type: Anthropic, endpoint: "https://models"}
models:
- {alias: embedder, provider: local, model: e, embedding: {dimensions: 8}}
- {alias: painter, provider: local, model: dall-e-3}
- {alias: viewer, provider: local, model: v}
- {alias: claude, provider: far, model: c}
columns:
- {name: title, sampler: {type: UUID}}
- {name: vectors, embedding: {model: embedder, targetColumn: title}}
- {name: cover, image: {model: painter, prompt: "a cover for {{ title }}"}}
- {name: caption, llmText: {model: viewer, prompt: Describe it., context: [{column: cover, modality: Image}]}}
output: {persistentVolumeClaim: {claimName: c}}
pod:
  volumes:
  - {name: pictures, mountPath: /pictures, persistentVolumeClaim: {claimName: pictures}}
  - {name: keys, mountPath: /keys, secret: {name: keys}}
`

func TestMediaColumnsHaveTheirTypes(t *testing.T) {
	compiled, err := plan.Compile(parse(t, mediaSpec), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"vectors": "struct<embeddings: list<list<double>>, num_embeddings: int64, dimension: int64>", "cover": "list<string>", "caption": "string",
	} {
		index, _ := compiled.Schema.Index(name)
		if got := compiled.Schema.Fields()[index].Type; got.String() != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	index, _ := compiled.Schema.Index("caption")
	cover, _ := compiled.Schema.Index("cover")
	if requires := compiled.Column(index).Requires; len(requires) != 1 || requires[0] != cover {
		t.Errorf("caption requires %v", requires)
	}
}

func TestMediaThatCantWork(t *testing.T) {
	for name, test := range map[string]struct{ from, to, want string }{
		"embeddings of Anthropic":   {"model: embedder, t", "model: claude, t", `spec.columns[1].embedding.model: the provider of model "claude" is of type Anthropic, which has no embeddings`},
		"an unknown target":         {"targetColumn: title", "targetColumn: tilte", `spec.columns[1].embedding.targetColumn: no column is called "tilte"; did you mean "title"?`},
		"images of Anthropic":       {"model: painter, p", "model: claude, p", "spec.columns[2].image.model: the provider of model"},
		"an unknown context":        {"column: cover", "column: covre", "spec.columns[3].llmText.context[0].column: no column is called"},
		"a format of another kind":  {"modality: Image}", "modality: Image, format: mp3}", `spec.columns[3].llmText.context[0].format: "mp3" is no format of the modality Image`},
		"a file without a volume":   {"modality: Image}", "modality: Image, dataType: File}", "spec.columns[3].llmText.context[0].dataType: File needs a seed on a volume"},
		"an unknown volume":         {"modality: Image}", "modality: Image, dataType: File, volume: pictrues}", `spec.columns[3].llmText.context[0].volume: no entry of spec.pod.volumes is called "pictrues"; did you mean "pictures"?`},
		"a volume of secrets":       {"modality: Image}", "modality: Image, dataType: File, volume: keys}", `spec.columns[3].llmText.context[0].volume: the volume "keys" must be a claim or a ConfigMap`},
		"a volume without files":    {"modality: Image}", "modality: Image, volume: pictures}", "spec.columns[3].llmText.context[0].volume: is for dataType File"},
		"base64 without a format":   {"modality: Image}", "modality: Image, dataType: Base64}", "spec.columns[3].llmText.context[0].format: is needed when dataType is Base64"},
		"sound for Anthropic":       {"model: viewer, prompt: Describe it., context: [{column: cover, modality: Image}]", "model: claude, prompt: x, context: [{column: cover, modality: Audio}]", "which takes neither audio nor video"},
		"contexts for the endpoint": {`{{ title }}"}`, `{{ title }}", context: [{column: title, modality: Image}]}`, "spec.columns[2].image.context: can't be sent to the endpoint for images"},
		"sound for an image":        {`{{ title }}"}`, `{{ title }}", api: Chat, context: [{column: title, modality: Audio}]}`, "spec.columns[2].image.context[0].modality: must be Image for an image column"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(mediaSpec, test.from, test.to, 1)
			if text == mediaSpec {
				t.Fatal("nothing was replaced")
			}
			if _, err := plan.Compile(parse(t, text), []table.Field{}); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestMediaInTheHash(t *testing.T) {
	base := plan.ConfigHash(parse(t, mediaSpec))
	for change, same := range map[string]bool{
		"modality: Image}|modality: Image, dataType: Auto}":        true,
		`{{ title }}"}|{{ title }}", api: Auto}`:                   true,
		"dimensions: 8|dimensions: 8, encodingFormat: Base64":      true,
		"dimensions: 8|dimensions: 16":                             false,
		"modality: Image}|modality: Image, dataType: URL}":         false,
		"claimName: pictures|claimName: others":                    true,
		`{{ title }}"}|{{ title }}", api: Images}`:                 false,
		"model: viewer, prompt|model: viewer, trace: None, prompt": true,
	} {
		from, to, _ := strings.Cut(change, "|")
		text := strings.Replace(mediaSpec, from, to, 1)
		if text == mediaSpec {
			t.Fatalf("%q does not occur", from)
		}
		if (plan.ConfigHash(parse(t, text)) == base) != same {
			t.Errorf("%s: the same hash: %t, want %t", to, !same, same)
		}
	}
}
