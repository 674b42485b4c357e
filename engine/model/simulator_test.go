package model_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

// The same request has the same answer, in both protocols, as a whole and in pieces; a conversation with tools comes to its end in all
// four.
func TestBothProtocolsSayTheSameWholeAndInPieces(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Models: map[string]llmsim.Model{"calls-tools": {Reasoning: true, PromptCache: true}}})
	media := []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: png}}
	request := model.Request{
		Messages: []model.Message{{Role: model.RoleSystem, Content: "Be brief."}, {Role: model.RoleUser, Content: "What is it?", Media: media}},
		Tools:    []model.Tool{{Name: "look", Parameters: json.RawMessage(`{"type":"object","properties":{"q":{"type":"string"}},"required":["q"]}`)}},
	}
	type told struct {
		calls, answer model.Answer
		usage         runreport.Usage
	}
	var all []told
	for _, provider := range []v1alpha1.Provider{{Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL + "/v1"}, {Type: v1alpha1.ProviderAnthropic, Endpoint: server.URL}} {
		for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
			tokens := int64(100)
			client := clientOf(t, provider, v1alpha1.Model{Model: "calls-tools", Streaming: streaming, Parameters: &v1alpha1.ModelParameters{MaxTokens: &tokens}})
			calls, _, err := client.Chat(t.Context(), request)
			if err != nil || len(calls.ToolCalls) != 1 || calls.ToolCalls[0].Name != "look" || calls.Finish != model.FinishTools ||
				calls.Reasoning == "" {
				t.Fatalf("%s, streaming %s: got %+v, %v", provider.Type, streaming, calls, err)
			}
			next := request
			next.Messages = append(append([]model.Message(nil), request.Messages...), calls.Message(),
				model.Message{Role: model.RoleTool, ToolCallID: calls.ToolCalls[0].ID, Content: "a red square"})
			answer, usage, err := client.Chat(t.Context(), next)
			if err != nil || answer.Text == "" || (answer.FirstToken > 0) != (streaming == v1alpha1.StreamingEnabled) {
				t.Fatalf("%s, streaming %s: got %+v, %v", provider.Type, streaming, answer, err)
			}
			if usage.CachedInputTokens != 3 || usage.InputTokens <= 256 || usage.OutputTokens == 0 {
				t.Errorf("%s, streaming %s: usage %+v", provider.Type, streaming, usage)
			}
			// The protocols name calls, and count thoughts, in ways of their own.
			calls.ToolCalls[0].ID, usage.ReasoningTokens = "", 0
			all = append(all, told{calls, answer, usage})
		}
	}
	for i := range all {
		options := cmp.Options{cmp.AllowUnexported(told{}), cmpopts.IgnoreUnexported(model.Answer{}), cmpopts.IgnoreFields(model.Answer{}, "FirstToken")}
		if difference := cmp.Diff(all[0], all[i], options); difference != "" {
			t.Errorf("way %d: %s", i, difference)
		}
	}
	if log := server.Counters(); log.Succeeded != 8 {
		t.Errorf("the server has answered %d requests", log.Succeeded)
	}
}

func TestReasoningIsCounted(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
		said, usage, err := clientOf(t, openAIAt(server.URL+"/v1"), v1alpha1.Model{Model: "reasons", Streaming: streaming}).Chat(t.Context(), question)
		if err != nil || said.Reasoning == "" || usage.ReasoningTokens == 0 || usage.ReasoningTokens >= usage.OutputTokens {
			t.Errorf("streaming %s: got %+v, usage %+v, %v", streaming, said, usage, err)
		}
	}
}

func TestImagesOfBothEndpoints(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	want := func(images []model.Media, usage runreport.Usage, err error) {
		t.Helper()
		if err != nil || len(images) != 1 || images[0].MediaType != "image/png" || images[0].Data == "" || images[0].URL != "" ||
			usage.Images != 1 || usage.OutputTokens == 0 {
			t.Errorf("got %+v, usage %+v, %v", images, usage, err)
		}
	}
	endpoint := openAIAt(server.URL + "/t/one/v1")
	want(paint(t, clientOf(t, endpoint, v1alpha1.Model{})))
	want(paint(t, clientOf(t, endpoint, v1alpha1.Model{ExtraBody: raws(`{"response_format":"url"}`)})))
	for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
		said, usage, err := clientOf(t, endpoint, v1alpha1.Model{Model: "draws", Streaming: streaming}).Chat(t.Context(), question)
		want(said.Images, usage, err)
	}
}

// The simulator refuses media that no server could take, as the tests of those that send them need.
func TestTheSimulatorRefusesBrokenMedia(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	for _, provider := range []v1alpha1.Provider{openAIAt(server.URL + "/v1"), {Type: v1alpha1.ProviderAnthropic, Endpoint: server.URL}} {
		for _, media := range []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: "!"}, {Modality: v1alpha1.MediaImage, URL: "nowhere"}} {
			_, _, err := clientOf(t, provider, v1alpha1.Model{}).Chat(t.Context(), model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "x", Media: []model.Media{media}}}})
			if failed := failure.Of(err); failed == nil || failed.Reason != v1alpha1.ReasonRequestRejected {
				t.Errorf("%s: %v", provider.Type, err)
			}
		}
	}
}
