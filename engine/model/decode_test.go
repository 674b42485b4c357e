package model_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
)

// An answer is read whatever else is wrong with the document around it: it was paid for, and the next one would be the same.
func TestAnswersAreReadFromSloppyDocuments(t *testing.T) {
	const choice = `"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]`
	const block = `"content":[{"type":"text","text":"hello"}],"stop_reason":"end_turn"`
	for name, test := range map[string]struct {
		provider v1alpha1.ProviderType
		body     string
	}{
		"a byte order mark":            {v1alpha1.ProviderOpenAI, "\ufeff{" + choice + "}"},
		"what a proxy adds":            {v1alpha1.ProviderOpenAI, "{" + choice + "}\n<!-- cached -->"},
		"the same twice":               {v1alpha1.ProviderOpenAI, "{" + choice + "}{" + choice + "}"},
		"a list as the usage":          {v1alpha1.ProviderOpenAI, `{"usage":[1,2],` + choice + "}"},
		"a text as the usage":          {v1alpha1.ProviderOpenAI, `{"usage":"7 tokens",` + choice + "}"},
		"details that are none":        {v1alpha1.ProviderOpenAI, `{"usage":{"prompt_tokens":1,"prompt_tokens_details":7},` + choice + "}"},
		"a number as the object":       {v1alpha1.ProviderOpenAI, `{"object":7,` + choice + "}"},
		"a number as the reason":       {v1alpha1.ProviderOpenAI, strings.ReplaceAll("{"+choice+"}", `"stop"`, "7")},
		"a flag as the refusal":        {v1alpha1.ProviderOpenAI, strings.ReplaceAll("{"+choice+"}", `"content"`, `"refusal":false,"content"`)},
		"an object as the calls":       {v1alpha1.ProviderOpenAI, strings.ReplaceAll("{"+choice+"}", `"content"`, `"tool_calls":{},"content"`)},
		"a text as the index":          {v1alpha1.ProviderOpenAI, strings.ReplaceAll("{"+choice+"}", `"message"`, `"index":"0","message"`)},
		"parts of other types":         {v1alpha1.ProviderOpenAI, strings.ReplaceAll("{"+choice+"}", `"hello"`, `[5,{"type":"text","text":"hello"},"x"]`)},
		"Anthropic, a byte order mark": {v1alpha1.ProviderAnthropic, "\ufeff{" + block + "}"},
		"Anthropic, a list as usage":   {v1alpha1.ProviderAnthropic, `{"usage":[],` + block + "}"},
		"Anthropic, a block of none":   {v1alpha1.ProviderAnthropic, strings.ReplaceAll("{"+block+"}", `[{"type"`, `[7,{"type"`)},
		"Anthropic, a number as an id": {v1alpha1.ProviderAnthropic, strings.ReplaceAll("{"+block+"}", `[{"type"`, `[{"id":7,"type"`)},
	} {
		for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
				writer.Header().Set("Content-Type", "application/json")
				_, _ = writer.Write([]byte(test.body))
			}))
			client := clientOf(t, v1alpha1.Provider{Type: test.provider, Endpoint: server.URL}, v1alpha1.Model{Streaming: streaming})
			answer, usage, err := client.Chat(t.Context(), model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "hi"}}})
			if err != nil || answer.Text != "hello" || usage.Succeeded != 1 {
				t.Errorf("%s, streaming %s: got %q, %+v, %v", name, streaming, answer.Text, usage, err)
			}
			server.Close()
		}
	}
}

// What has no answer in it, though it is JSON, was paid for: it counts, and it uses up the budget of its cell.
func TestDocumentsWithoutAnAnswerArePaidFor(t *testing.T) {
	for _, body := range []string{`{}`, `[]`, `null`, `"ok"`, `7`, `{"choices":{}}`, `{"choices":"none"}`, `{"choices":[7]}`} {
		server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { _, _ = writer.Write([]byte(body)) }))
		client := clientOf(t, openAIAt(server.URL), v1alpha1.Model{})
		_, usage, err := client.Chat(t.Context(), model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "hi"}}})
		cause := failure.Of(err)
		if cause == nil || cause.Reason != v1alpha1.ReasonModelGenerationInvalid || cause.Consequence != failure.DropRow || usage.Succeeded != 1 {
			t.Errorf("%s: got %+v, %v", body, usage, err)
		}
		server.Close()
	}
}

// A vector with anything else than numbers in it is none: zeros in their place would be wrong without a word.
func TestVectorsOfOtherThingsThanNumbersAreNone(t *testing.T) {
	for _, vector := range []string{`[1,null]`, `[1,"2"]`, `[null,null]`, `{"0":1}`, `7`, `true`, `"not base64!"`, `"AACAPw=="`, `[[1,2]]`} {
		body := `{"data":[{"index":0,"embedding":` + vector + `},{"index":1,"embedding":[1,2]}],"usage":{"prompt_tokens":5}}`
		address, _ := answering(t, "/embeddings", body)
		vectors, usage, err := clientOf(t, openAIAt(address), v1alpha1.Model{}).Embed(t.Context(), []string{"a", "b"})
		cause := failure.Of(err)
		if cause == nil || cause.Reason != v1alpha1.ReasonModelGenerationInvalid || usage.Succeeded != 1 {
			t.Errorf("%s: got %v, %+v, %v", vector, vectors, usage, err)
		}
	}
}
