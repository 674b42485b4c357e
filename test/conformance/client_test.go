package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

// conversations are what aimock answers to requests of the client alone.
const conversations = `{"fixtures": [
	{"match": {"userMessage": "weather", "hasToolResult": true}, "response": {"content": "It rains.", "reasoning": "So it says."}},
	{"match": {"userMessage": "weather"}, "response": {"toolCalls": [{"name": "look", "arguments": {"place": "here", "days": 2}}],
		"reasoning": "I must look."}},
	{"match": {"userMessage": "cached"}, "response": {"content": "Known.",
		"usage": {"prompt_tokens": 30, "completion_tokens": 9, "input_tokens": 30,
		"output_tokens": 9, "prompt_tokens_details": {"cached_tokens": 20}, "completion_tokens_details": {"reasoning_tokens": 4}}}},
	{"match": {"userMessage": "long"}, "response": {"content": "Half of", "finishReason": "length"}},
	{"match": {"userMessage": "draw", "endpoint": "image"}, "response": {"image": {"b64Json": "` + png + `"}}},
	{"match": {"inputText": "a text"}, "response": {"embedding": [0.5, -0.25, 1]}}
]}`

// peerClient is the client of a model of the peer.
func peerClient(t *testing.T, provider v1alpha1.ProviderType, endpoint string, spec v1alpha1.Model) *model.Client {
	t.Helper()
	spec.Alias, spec.Provider, spec.Model = "writer", "peer", "some-model"
	set := model.NewSet(&v1alpha1.DatasetGenerationSpec{
		Providers: []v1alpha1.Provider{{Name: "peer", Type: provider, Endpoint: endpoint}}, Models: []v1alpha1.Model{spec},
	}, func(int) string { return "sk-test" })
	t.Cleanup(set.Close)
	return set.Client("writer")
}

func TestAimockConverses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fixtures.json")
	if err := os.WriteFile(path, []byte(conversations), 0o600); err != nil {
		t.Fatal(err)
	}
	address := "http://" + startPeer(t, "llmock", "--port", "PORT", "--fixtures", path)
	user := func(text string) []model.Message {
		return []model.Message{{Role: model.RoleSystem, Content: "Be brief."}, {Role: model.RoleUser, Content: text,
			Media: []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: png}}}}
	}
	for _, protocol := range []struct {
		provider v1alpha1.ProviderType
		path     string
	}{{v1alpha1.ProviderOpenAI, "/v1"}, {v1alpha1.ProviderAnthropic, ""}} {
		for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
			t.Run(string(protocol.provider)+" streaming "+string(streaming), func(t *testing.T) {
				client := peerClient(t, protocol.provider, address+protocol.path, v1alpha1.Model{Streaming: streaming})
				request := model.Request{Messages: user("the weather"), Tools: []model.Tool{{Name: "look", Description: "Looks.",
					Parameters: json.RawMessage(`{"type":"object","properties":{"place":{"type":"string"},"days":{"type":"integer"}}}`)}}}
				calls, _, err := client.Chat(t.Context(), request)
				if err != nil || len(calls.ToolCalls) != 1 || calls.Finish != model.FinishTools || calls.Reasoning != "I must look." ||
					calls.ToolCalls[0].ID == "" {
					t.Fatalf("got %+v, %v", calls, err)
				}
				var arguments struct {
					Place string
					Days  int
				}
				if err := json.Unmarshal([]byte(calls.ToolCalls[0].Arguments), &arguments); err != nil || arguments.Place != "here" ||
					arguments.Days != 2 {
					t.Errorf("the arguments are %s: %v", calls.ToolCalls[0].Arguments, err)
				}
				request.Messages = append(request.Messages, calls.Message(), model.Message{Role: model.RoleTool, ToolCallID: calls.ToolCalls[0].ID, Content: "rain"})
				said, usage, err := client.Chat(t.Context(), request)
				if err != nil || said.Text != "It rains." || said.Reasoning != "So it says." || said.Finish != model.FinishStop ||
					usage.Succeeded != 1 {
					t.Errorf("got %+v, usage %+v, %v", said, usage, err)
				}
				if (said.FirstToken > 0) != (streaming == v1alpha1.StreamingEnabled) {
					t.Errorf("the first token took %s", said.FirstToken)
				}
				if said, _, err := client.Chat(t.Context(), model.Request{Messages: user("a long one")}); err != nil || said.Finish != model.FinishLength || said.Text != "Half of" {
					t.Errorf("got %+v, %v", said, err)
				}
				said, usage, err = client.Chat(t.Context(), model.Request{Messages: user("cached")})
				if err != nil || said.Text != "Known." || usage.InputTokens != 30 || usage.OutputTokens != 9 {
					t.Errorf("got %+v, usage %+v, %v", said, usage, err)
				}
			})
		}
	}
	t.Run("OpenRouter", func(t *testing.T) {
		// The same peer tells of caches and thoughts where it stands for this provider.
		client := peerClient(t, v1alpha1.ProviderOpenAI, address+"/api/v1", v1alpha1.Model{})
		_, usage, err := client.Chat(t.Context(), model.Request{Messages: user("cached")})
		if err != nil || usage.InputTokens != 30 || usage.CachedInputTokens != 20 || usage.ReasoningTokens != 4 {
			t.Errorf("usage %+v, %v", usage, err)
		}
	})
	t.Run("embeddings", func(t *testing.T) {
		for _, encoding := range []v1alpha1.EmbeddingEncoding{v1alpha1.EmbeddingEncodingFloat, v1alpha1.EmbeddingEncodingBase64} {
			client := peerClient(t, v1alpha1.ProviderOpenAI, address+"/v1", v1alpha1.Model{Embedding: &v1alpha1.EmbeddingParameters{EncodingFormat: encoding}})
			vectors, usage, err := client.Embed(t.Context(), []string{"a text", "a text"})
			if err != nil || len(vectors) != 2 || len(vectors[1]) != 3 || vectors[1][0] != 0.5 || vectors[1][1] != -0.25 || vectors[1][2] != 1 ||
				usage.Succeeded != 1 {
				t.Errorf("%s: got %v, usage %+v, %v", encoding, vectors, usage, err)
			}
		}
	})
	t.Run("images", func(t *testing.T) {
		images, usage, err := peerClient(t, v1alpha1.ProviderOpenAI, address+"/v1", v1alpha1.Model{}).Images(t.Context(), "draw a cat")
		if err != nil || len(images) != 1 || images[0].Data != png || images[0].MediaType != "image/png" || usage.Images != 1 {
			t.Errorf("got %+v, usage %+v, %v", images, usage, err)
		}
	})
}

func TestMockLLMStreams(t *testing.T) {
	endpoint := "http://" + startPeer(t, "mock-llm") + "/v1"
	said, _, err := peerClient(t, v1alpha1.ProviderOpenAI, endpoint, v1alpha1.Model{Streaming: v1alpha1.StreamingEnabled}).Chat(t.Context(),
		model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "echo this"}}})
	if err != nil || !strings.Contains(said.Text, "echo this") || said.FirstToken == 0 {
		t.Errorf("got %+v, %v", said, err)
	}
}
