package model_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

var conversation = []model.Message{{Role: "system", Content: "Be brief."}, {Role: "user", Content: "a <b> & c"}}

func clientOf(t *testing.T, provider v1alpha1.Provider, spec v1alpha1.Model) *model.Client {
	t.Helper()
	provider.Name, spec.Provider, spec.Alias = "remote", "remote", "writer"
	if spec.Model == "" {
		spec.Model = "m"
	}
	set := model.NewSet(&v1alpha1.DatasetGenerationSpec{Providers: []v1alpha1.Provider{provider}, Models: []v1alpha1.Model{spec}},
		func(int) string { return secret })
	t.Cleanup(set.Close)
	return set.Client("writer")
}

func raws(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

func TestRequestsLookAsTheProtocolDemands(t *testing.T) {
	tokens := int64(64)
	for name, test := range map[string]struct {
		provider v1alpha1.Provider
		model    v1alpha1.Model
		path     string
		headers  map[string]string
		body     string
	}{
		"OpenAI with extras": {
			v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, ExtraHeaders: map[string]string{"X-Team": "blue"}, ExtraBody: raws(`{"priority": 10000000000000001, "top_k": 5}`)},
			v1alpha1.Model{ExtraBody: raws(`{"top_k": 4, "chat_template_kwargs": {"enable_thinking": false}}`)},
			"/base/chat/completions", map[string]string{"Authorization": "Bearer " + secret, "X-Team": "blue", "X-Api-Key": "", "Anthropic-Version": ""},
			`{"model":"m","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"a <b> & c"}],` +
				`"chat_template_kwargs":{"enable_thinking":false},"priority":10000000000000001,"top_k":5}`,
		},
		"Anthropic": {
			v1alpha1.Provider{Type: v1alpha1.ProviderAnthropic, ExtraHeaders: map[string]string{"anthropic-beta": "b"}}, v1alpha1.Model{},
			"/base/v1/messages", map[string]string{"Authorization": "", "X-Api-Key": secret, "Anthropic-Version": "2023-06-01", "Anthropic-Beta": "b"},
			`{"model":"m","system":"Be brief.","messages":[{"role":"user","content":"a <b> & c"}],"max_tokens":4096}`,
		},
		"Anthropic with maxTokens": {
			v1alpha1.Provider{Type: v1alpha1.ProviderAnthropic}, v1alpha1.Model{Parameters: &v1alpha1.ModelParameters{MaxTokens: &tokens}},
			"/base/v1/messages", nil,
			`{"model":"m","system":"Be brief.","messages":[{"role":"user","content":"a <b> & c"}],"max_tokens":64}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var path, body string
			var header http.Header
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				data, _ := io.ReadAll(request.Body)
				path, header, body = request.URL.Path, request.Header, strings.TrimSpace(string(data))
				writer.WriteHeader(http.StatusTeapot)
			}))
			defer server.Close()
			test.provider.Endpoint = server.URL + "/base/"
			_, _, err := clientOf(t, test.provider, test.model).Chat(t.Context(), model.Request{Messages: conversation})
			if err == nil || path != test.path || body != test.body {
				t.Errorf("sent to %s (%v):\n%s\nwant to %s:\n%s", path, err, body, test.path, test.body)
			}
			for name, want := range test.headers {
				if got := header.Get(name); got != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAnthropicAnswersAndFailures(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{APIKeys: []string{secret}})
	client := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderAnthropic, Endpoint: server.URL}, v1alpha1.Model{})
	said, usage, err := client.Chat(t.Context(), model.Request{Messages: conversation})
	same := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL + "/v1"}, v1alpha1.Model{ExtraBody: raws(`{"max_completion_tokens": 4096}`)})
	want, _, otherErr := same.Chat(t.Context(), model.Request{Messages: conversation})
	if err != nil || otherErr != nil || said.Text == "" || said.Text != want.Text {
		t.Fatalf("got %q, %v, want %q, %v", said.Text, err, want.Text, otherErr)
	}
	if usage.Succeeded != 1 || usage.InputTokens == 0 || usage.OutputTokens == 0 {
		t.Errorf("usage %+v", usage)
	}
	for name, test := range map[string]struct {
		fault       llmsim.Fault
		reason      string
		consequence failure.Consequence
	}{
		"overloaded":   {llmsim.Fault{Kind: llmsim.FaultStatus, Status: 529}, v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint},
		"rate limited": {llmsim.Fault{Kind: llmsim.FaultStatus, Status: 429}, v1alpha1.ReasonProviderRateLimited, failure.RetryLater},
		"not allowed":  {llmsim.Fault{Kind: llmsim.FaultStatus, Status: 403}, v1alpha1.ReasonModelAuthentication, failure.EndRun},
		"no such":      {llmsim.Fault{Kind: llmsim.FaultStatus, Status: 404}, v1alpha1.ReasonModelNotFound, failure.EndRun},
		"too large":    {llmsim.Fault{Kind: llmsim.FaultStatus, Status: 413}, v1alpha1.ReasonContextOverflow, failure.DropRow},
		"refusal":      {llmsim.Fault{Kind: llmsim.FaultRefusal}, v1alpha1.ReasonContentRefused, failure.DropRow},
		"empty":        {llmsim.Fault{Kind: llmsim.FaultInvalid}, v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"half a body":  {llmsim.Fault{Kind: llmsim.FaultTruncatedBody}, v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
		"wrong JSON":   {llmsim.Fault{Kind: llmsim.FaultWrongJSON}, v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
	} {
		t.Run(name, func(t *testing.T) {
			server.Configure(llmsim.Config{Faults: []llmsim.Fault{test.fault}})
			_, _, err := client.Chat(t.Context(), model.Request{Messages: conversation})
			failed := failure.Of(err)
			if failed == nil || failed.Reason != test.reason || failed.Consequence != test.consequence || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v", err)
			}
		})
	}
	server.Configure(llmsim.Config{APIKeys: []string{"another"}})
	if _, _, err := client.Chat(t.Context(), model.Request{Messages: conversation}); failure.Of(err).Reason != v1alpha1.ReasonModelAuthentication {
		t.Errorf("with a wrong key: %v", err)
	}
}

func TestOnlyTheTextOfAnAnthropicAnswerIsTaken(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, `{"type":"message","content":[{"type":"thinking","thinking":"hm"},{"type":"text","text":"one"},`+
			`{"type":"text","text":"two"}],
			"stop_reason":"end_turn","usage":{"input_tokens":3,"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":6}}`)
	}))
	defer server.Close()
	said, usage, err := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderAnthropic, Endpoint: server.URL + "/v1"}, v1alpha1.Model{}).Chat(t.Context(), model.Request{Messages: conversation})
	if err != nil || said.Text != "one\ntwo" || usage.InputTokens != 12 || usage.OutputTokens != 6 {
		t.Errorf("got %+v, %+v, %v", said, usage, err)
	}
}
