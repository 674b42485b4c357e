package model_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/runreport"
)

// exchange sends one request to a server that answers with the status 200 and a body, and returns what was sent.
func exchange(t *testing.T, provider v1alpha1.ProviderType, spec v1alpha1.Model, request model.Request, body string) (
	sent string, said model.Answer, usage runreport.Usage, err error,
) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		data, _ := io.ReadAll(request.Body)
		sent = string(data)
		_, _ = io.WriteString(writer, body)
	}))
	defer server.Close()
	said, usage, err = clientOf(t, v1alpha1.Provider{Type: provider, Endpoint: server.URL}, spec).Chat(t.Context(), request)
	if sent != "" && !json.Valid([]byte(sent)) {
		t.Errorf("sent what is no JSON: %s", sent)
	}
	return sent, said, usage, err
}

var everything = model.Request{
	Messages: []model.Message{
		{Role: model.RoleSystem, Content: "Be brief."},
		{Role: model.RoleUser, Content: "What is \"it\"?\n\x00\xff\u2028é", Media: []model.Media{
			{Modality: v1alpha1.MediaImage, URL: "https://example.org/a.png"},
			{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: "AAAA"},
		}},
		{Role: model.RoleAssistant, ToolCalls: []model.ToolCall{{ID: "1", Name: "look", Arguments: `{"q":"a"}`}, {ID: "2", Name: "look", Arguments: "nonsense"}}},
		{Role: model.RoleTool, ToolCallID: "1", Content: "found"},
		{Role: model.RoleTool, ToolCallID: "2", Content: "seen", Media: []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/gif", Data: "BBBB"}}},
		{Role: model.RoleAssistant, Content: "So it is.", Reasoning: "hm"},
		{Role: model.RoleUser, Content: "Sure?"},
	},
	Tools:      []model.Tool{{Name: "look", Description: "Looks it up.", Parameters: json.RawMessage(`{"type":"object","properties":{"q":{"type":"string"}}}`)}, {Name: "stop"}},
	ForcedTool: "look",
}

func TestConversationsAreSentInTheWordsOfTheProtocol(t *testing.T) {
	schema := &model.Schema{Name: "verdict", Document: json.RawMessage(`{"type":"object"}`)}
	ask := []model.Message{{Role: model.RoleUser, Content: "x"}}
	for name, test := range map[string]struct {
		provider v1alpha1.ProviderType
		request  model.Request
		want     string
	}{
		"OpenAI": {v1alpha1.ProviderOpenAI, everything, `{"model":"m","messages":[{"role":"system","content":"Be brief."},` +
			`{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://example.org/a.png"}},` +
			`{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"What is \"it\"?\n\u0000\ufffd` + "\u2028" + `é"}]},` +
			`{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{\"q\":\"a\"}"}},` +
			`{"id":"2","type":"function","function":{"name":"look","arguments":"nonsense"}}]},` +
			`{"role":"tool","tool_call_id":"1","content":"found"},` +
			`{"role":"tool","tool_call_id":"2","content":[{"type":"image_url","image_url":{"url":"data:image/gif;base64,BBBB"}},{"type":"text","text":"seen"}]},` +
			`{"role":"assistant","content":"So it is."},{"role":"user","content":"Sure?"}],` +
			`"tools":[{"type":"function","function":{"name":"look","description":"Looks it up.","parameters":{"type":"object","properties":{"q":{"type":"string"}}}}},` +
			`{"type":"function","function":{"name":"stop","parameters":{"type":"object","properties":{}}}}],` +
			`"tool_choice":{"type":"function","function":{"name":"look"}}}`},
		"Anthropic": {v1alpha1.ProviderAnthropic, everything, `{"model":"m","system":"Be brief.","messages":[` +
			`{"role":"user","content":[{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}},` +
			`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},{"type":"text","text":"What is \"it\"?\n\u0000\ufffd` + "\u2028" + `é"}]},` +
			`{"role":"assistant","content":[{"type":"tool_use","id":"1","name":"look","input":{"q":"a"}},{"type":"tool_use","id":"2","name":"look","input":{}}]},` +
			`{"role":"user","content":[{"type":"tool_result","tool_use_id":"1","content":"found"},` +
			`{"type":"tool_result","tool_use_id":"2","content":[{"type":"image","source":{"type":"base64","media_type":"image/gif","data":"BBBB"}},{"type":"text","text":"seen"}]}]},` +
			`{"role":"assistant","content":"So it is."},{"role":"user","content":"Sure?"}],"max_tokens":4096,` +
			`"tools":[{"name":"look","description":"Looks it up.","input_schema":{"type":"object","properties":{"q":{"type":"string"}}}},` +
			`{"name":"stop","input_schema":{"type":"object","properties":{}}}],"tool_choice":{"type":"tool","name":"look"}}`},
		"sounds and videos": {v1alpha1.ProviderOpenAI, model.Request{Messages: []model.Message{{Role: model.RoleUser, Media: []model.Media{
			{Modality: v1alpha1.MediaAudio, URL: "https://example.org/a.mp3"}, {Modality: v1alpha1.MediaAudio, MediaType: "audio/mpeg", Data: "AAAA"},
			{Modality: v1alpha1.MediaVideo, URL: "https://example.org/a.mp4"}, {Modality: v1alpha1.MediaVideo, MediaType: "video/mp4", Data: "BBBB"},
		}}}}, `{"model":"m","messages":[{"role":"user","content":[{"type":"audio_url","audio_url":{"url":"https://example.org/a.mp3"}},` +
			`{"type":"input_audio","input_audio":{"data":"AAAA","format":"mp3"}},{"type":"video_url","video_url":{"url":"https://example.org/a.mp4"}},` +
			`{"type":"video_url","video_url":{"url":"data:video/mp4;base64,BBBB"}}]}]}`},
		"OpenAI with a schema": {v1alpha1.ProviderOpenAI, model.Request{Messages: ask, Schema: &model.Schema{Name: "verdict", Document: schema.Document, Strict: true}},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"response_format":{"type":"json_schema","json_schema":{"name":"verdict","schema":{"type":"object"},"strict":true}}}`},
		"OpenAI with tools that may not be called": {v1alpha1.ProviderOpenAI, model.Request{Messages: ask, Tools: []model.Tool{{Name: "stop"}}, NoToolCalls: true},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"stop","parameters":{"type":"object","properties":{}}}}],` +
				`"tool_choice":"none"}`},
		"Anthropic with tools that may not be called": {v1alpha1.ProviderAnthropic, model.Request{Messages: ask, Tools: []model.Tool{{Name: "stop"}}, NoToolCalls: true},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096,"tools":[{"name":"stop","input_schema":{"type":"object","properties":{}}}],` +
				`"tool_choice":{"type":"none"}}`},
		"Anthropic with a schema and tools that may not be called": {v1alpha1.ProviderAnthropic,
			model.Request{Messages: ask, Schema: schema, Tools: []model.Tool{{Name: "stop"}}, NoToolCalls: true},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096,"tools":[{"name":"stop","input_schema":{"type":"object","properties":{}}},` +
				`{"name":"hand_over_answer","description":"Gives the answer.","input_schema":{"type":"object"}}],"tool_choice":{"type":"tool","name":"hand_over_answer"}}`},
		"Anthropic with a schema": {v1alpha1.ProviderAnthropic, model.Request{Messages: ask, Schema: schema},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096,"tools":[{"name":"hand_over_answer","description":"Gives the answer.","input_schema":{"type":"object"}}],` +
				`"tool_choice":{"type":"tool","name":"hand_over_answer"}}`},
		"Anthropic with a schema and tools": {v1alpha1.ProviderAnthropic, model.Request{Messages: ask, Schema: schema, Tools: []model.Tool{{Name: "stop"}}},
			`{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":4096,"tools":[{"name":"stop","input_schema":{"type":"object","properties":{}}},` +
				`{"name":"hand_over_answer","description":"Gives the answer.","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			sent, _, _, _ := exchange(t, test.provider, v1alpha1.Model{}, test.request, "")
			if difference := cmp.Diff(test.want, sent); difference != "" {
				t.Error(difference)
			}
		})
	}
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

func TestAnswersAreReadInAllTheirForms(t *testing.T) {
	picture := model.Media{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: png}
	chat := func(message string) string { return `{"choices":[{"message":` + message + `}]}` }
	for name, test := range map[string]struct {
		provider v1alpha1.ProviderType
		request  model.Request
		body     string
		want     model.Answer
		usage    runreport.Usage
	}{
		"everything": {v1alpha1.ProviderOpenAI, model.Request{}, `{"choices":[{"message":{"role":"assistant","content":"a","reasoning_content":"b","tool_calls":[
			{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":7,
			"prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":5}}}`,
			model.Answer{Text: "a", Reasoning: "b", ToolCalls: []model.ToolCall{{ID: "1", Name: "look", Arguments: "{}"}}, Finish: model.FinishTools},
			runreport.Usage{InputTokens: 10, OutputTokens: 7, CachedInputTokens: 4, ReasoningTokens: 5}},
		"reasoning under two names": {v1alpha1.ProviderOpenAI, model.Request{}, chat(`{"content":"a","reasoning":"one","reasoning_content":"two"}`),
			model.Answer{Text: "a", Reasoning: "one"}, runreport.Usage{}},
		"parts": {v1alpha1.ProviderOpenAI, model.Request{}, chat(`{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"a"},{"type":"text","text":"b"},
			{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png + `"}},{"type":"unheard"}]}`),
			model.Answer{Text: "a\nb", Reasoning: "hm", Images: []model.Media{picture}}, runreport.Usage{Images: 1}},
		"a sloppy server": {v1alpha1.ProviderOpenAI, model.Request{Messages: []model.Message{{}, {}}},
			`{"choices":[{"message":{"content":null,"tool_calls":[{"function":{"name":"look","arguments":{"q": 1}}},{"function":{"name":"stop"}}]},"finish_reason":null}],
			"usage":{"prompt_tokens":3.0,"completion_tokens":"many","input_tokens":null,"prompt_tokens_details":null},"error":null}`,
			model.Answer{ToolCalls: []model.ToolCall{{ID: "call_2_0", Name: "look", Arguments: `{"q": 1}`}, {ID: "call_2_1", Name: "stop"}}, Finish: model.FinishTools},
			runreport.Usage{InputTokens: 3}},
		"tokens in the words of others": {v1alpha1.ProviderOpenAI, model.Request{}, `{"choices":[{"message":{"content":"a"},"finish_reason":"length"}],
			"usage":{"input_tokens":3,"output_tokens":4,"prompt_cache_hit_tokens":2,"output_tokens_details":{"reasoning_tokens":1}}}`,
			model.Answer{Text: "a", Finish: model.FinishLength}, runreport.Usage{InputTokens: 3, OutputTokens: 4, CachedInputTokens: 2, ReasoningTokens: 1}},
		"images": {v1alpha1.ProviderOpenAI, model.Request{}, chat(`{"content":"","images":["` + png + `",{"b64_json":"` + png + `"},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + png + `"}},
			{"image_url":"https://example.org/a.png"},{"url":"https://example.org/b.png"},{"unheard":1},"no image",7]}`),
			model.Answer{Images: []model.Media{picture, picture, picture, {Modality: v1alpha1.MediaImage, URL: "https://example.org/a.png"}, {Modality: v1alpha1.MediaImage, URL: "https://example.org/b.png"}}},
			runreport.Usage{Images: 5}},
		"a text that is an image": {v1alpha1.ProviderOpenAI, model.Request{}, chat(`{"content":"data:image/png;base64,` + png + `\n"}`), model.Answer{Images: []model.Media{picture}}, runreport.Usage{Images: 1}},
		"Anthropic": {v1alpha1.ProviderAnthropic, model.Request{}, `{"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"text","text":"one"},{"type":"text","text":"two"},
			{"type":"tool_use","id":"1","name":"look","input":{"q":1}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":6}}`,
			model.Answer{Text: "one\ntwo", Reasoning: "hm", ToolCalls: []model.ToolCall{{ID: "1", Name: "look", Arguments: `{"q":1}`}}, Finish: model.FinishTools},
			runreport.Usage{InputTokens: 12, CachedInputTokens: 5, OutputTokens: 6}},
		"Anthropic with a schema": {v1alpha1.ProviderAnthropic, model.Request{Schema: &model.Schema{Name: "verdict", Document: json.RawMessage(`{"type":"object"}`)}},
			`{"content":[{"type":"text","text":"Here:"},{"type":"tool_use","id":"1","name":"hand_over_answer","input":{"a": 1}}],"stop_reason":"tool_use"}`,
			model.Answer{Text: `{"a": 1}`}, runreport.Usage{}},
		"Anthropic without room": {v1alpha1.ProviderAnthropic, model.Request{}, `{"content":[{"type":"text","text":"a"}],"stop_reason":"model_context_window_exceeded"}`,
			model.Answer{Text: "a", Finish: model.FinishContext}, runreport.Usage{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, said, usage, err := exchange(t, test.provider, v1alpha1.Model{}, test.request, test.body)
			test.usage.Succeeded = 1
			if err != nil || usage != test.usage {
				t.Errorf("usage %+v, want %+v, %v", usage, test.usage, err)
			}
			if difference := cmp.Diff(test.want, said, cmpopts.IgnoreUnexported(model.Answer{})); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// A conversation with tools goes on with what the provider wants to see again, and nothing else.
func TestThoughtsGoBackAsTheyCame(t *testing.T) {
	for name, test := range map[string]struct {
		provider   v1alpha1.ProviderType
		body, want string
	}{
		"OpenAI": {v1alpha1.ProviderOpenAI, `{"choices":[{"message":{"content":"a","reasoning_content":"hm","tool_calls":[{"id":"1","function":{"name":"look","arguments":"{}"}}]}}]}`,
			`{"model":"m","messages":[{"role":"assistant","content":"a","reasoning_content":"hm","tool_calls":[{"id":"1","type":"function","function":{"name":"look","arguments":"{}"}}]}]}`},
		"OpenAI without tools": {v1alpha1.ProviderOpenAI, `{"choices":[{"message":{"content":"a","reasoning_content":"hm"}}]}`, `{"model":"m","messages":[{"role":"assistant","content":"a"}]}`},
		"Anthropic": {v1alpha1.ProviderAnthropic, `{"content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},{"type":"tool_use","id":"1","name":"look","input":{}}]}`,
			`{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"s"},{"type":"redacted_thinking","data":"d"},` +
				`{"type":"tool_use","id":"1","name":"look","input":{}}]}],"max_tokens":4096}`},
	} {
		t.Run(name, func(t *testing.T) {
			_, said, _, err := exchange(t, test.provider, v1alpha1.Model{}, model.Request{}, test.body)
			if err != nil {
				t.Fatal(err)
			}
			sent, _, _, _ := exchange(t, test.provider, v1alpha1.Model{}, model.Request{Messages: []model.Message{said.Message()}}, "")
			if difference := cmp.Diff(test.want, sent); difference != "" {
				t.Error(difference)
			}
		})
	}
}

func TestWhatTheProtocolHasNoWordsForIsRefused(t *testing.T) {
	sound := model.Request{Messages: []model.Message{{Role: model.RoleUser, Media: []model.Media{{Modality: v1alpha1.MediaAudio, MediaType: "audio/wav", Data: "AAAA"}}}}}
	sent, _, usage, err := exchange(t, v1alpha1.ProviderAnthropic, v1alpha1.Model{}, sound, "")
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Consequence != failure.DropRow || sent != "" || usage.Failed != 1 {
		t.Errorf("sent %q, %v", sent, err)
	}
	sent, _, _, err = exchange(t, v1alpha1.ProviderOpenAI, v1alpha1.Model{ExtraBody: raws(`{"tools":[]}`)}, everything, "")
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonConfigInvalid || sent != "" || !strings.Contains(err.Error(), "extraBody") {
		t.Errorf("sent %q, %v", sent, err)
	}
}

// The reasons of servers to stop, in their words: what was cut off, refused or broken off is never taken for a whole answer.
func TestReasonsToStopAreReadInTheWordsOfAllServers(t *testing.T) {
	for stopped, want := range map[string]struct {
		finish model.Finish
		reason string
	}{
		"stop": {model.FinishStop, ""}, "STOP": {model.FinishStop, ""}, "eos_token": {model.FinishStop, ""},
		"length": {model.FinishLength, ""}, "MAX_TOKENS": {model.FinishLength, ""}, "max_completion_tokens": {model.FinishLength, ""},
		"model_length": {model.FinishContext, ""}, "context_length_exceeded": {model.FinishContext, ""},
		"content_filter": {model.FinishStop, v1alpha1.ReasonContentRefused}, "SAFETY": {model.FinishStop, v1alpha1.ReasonContentRefused},
		"PROHIBITED_CONTENT": {model.FinishStop, v1alpha1.ReasonContentRefused}, "sensitive": {model.FinishStop, v1alpha1.ReasonContentRefused},
		"error": {model.FinishStop, v1alpha1.ReasonProviderUnavailable}, "abort": {model.FinishStop, v1alpha1.ReasonProviderUnavailable},
		"insufficient_system_resource": {model.FinishStop, v1alpha1.ReasonProviderUnavailable},
	} {
		for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
			member, end := "message", ""
			if streaming == v1alpha1.StreamingEnabled {
				member, end = "delta", "\n\ndata: [DONE]\n\n"
			}
			body := `{"choices":[{"` + member + `":{"content":"half a"},"finish_reason":"` + stopped + `"}]}`
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
				if end != "" {
					writer.Header().Set("Content-Type", "text/event-stream")
					fmt.Fprint(writer, "data: ")
				}
				fmt.Fprint(writer, body+end)
			}))
			said, _, err := clientOf(t, openAIAt(server.URL), v1alpha1.Model{Streaming: streaming}).Chat(t.Context(), question)
			server.Close()
			failed := failure.Of(err)
			switch {
			case want.reason == "" && (err != nil || said.Finish != want.finish || said.Text != "half a"):
				t.Errorf("%s, streaming %s: got %+v, %v", stopped, streaming, said, err)
			case want.reason != "" && (failed == nil || failed.Reason != want.reason):
				t.Errorf("%s, streaming %s: got %v, want %s", stopped, streaming, err, want.reason)
			}
		}
	}
}
