package llmsim_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

type messagesReply struct {
	Type    string
	Content []struct{ Type, Text string }
	Stop    string `json:"stop_reason"`
	Usage   struct {
		Input  int `json:"input_tokens"`
		Output int `json:"output_tokens"`
	}
	Error struct{ Type, Message string }
}

func messages(t *testing.T, server *simtest.Server, body object) (int, messagesReply) {
	t.Helper()
	got := post(t.Context(), http.DefaultClient, server.Endpoint()+"/messages", body)
	var reply messagesReply
	if err := json.Unmarshal(got.body, &reply); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	return got.status, reply
}

func TestMessagesHaveTheAnswerOfChatCompletions(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	body := object{"model": "m", "max_tokens": 32, "system": "Be brief.", "messages": []object{{"role": "user", "content": []object{{"type": "text", "text": "Hello"}}}}}
	status, reply := messages(t, server, body)
	same := post(t.Context(), http.DefaultClient, server.Endpoint()+"/chat/completions", object{"model": "m", "max_tokens": 32,
		"messages": []object{{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello"}}})
	if status != http.StatusOK || reply.Type != "message" || reply.Stop != "end_turn" || len(reply.Content) != 1 ||
		reply.Content[0].Text != content(t, same) {
		t.Errorf("status %d, %+v, want the text %q", status, reply, content(t, same))
	}
	if reply.Usage.Input != 5 || reply.Usage.Output == 0 {
		t.Errorf("usage %+v", reply.Usage)
	}
}

func TestMessagesRefuseWhatTheirAPIRefuses(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{APIKeys: []string{"secret"}, Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 529, PromptContains: "busy"}}})
	user := []object{{"role": "user", "content": "Hello"}}
	if status, reply := messages(t, server, object{"model": "m", "max_tokens": 8, "messages": user}); status != http.StatusUnauthorized || reply.Error.Type != "authentication_error" {
		t.Errorf("without a key: %d, %+v", status, reply)
	}
	server.Configure(llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Status: 529, PromptContains: "busy"}, {Kind: llmsim.FaultRefusal, PromptContains: "refuse"}}})
	for name, test := range map[string]struct {
		body   object
		status int
		kind   string
		part   string
	}{
		"no max_tokens": {object{"model": "m", "messages": user}, 400, "invalid_request_error", "max_tokens"},
		"system role":   {object{"model": "m", "max_tokens": 8, "messages": []object{{"role": "system", "content": "x"}}}, 400, "invalid_request_error", "role"},
		"no messages":   {object{"model": "m", "max_tokens": 8}, 400, "invalid_request_error", "at least one"},
		"overloaded":    {object{"model": "m", "max_tokens": 8, "messages": []object{{"role": "user", "content": "busy"}}}, 529, "overloaded_error", "529"},
	} {
		if status, reply := messages(t, server, test.body); status != test.status || reply.Error.Type != test.kind ||
			!strings.Contains(reply.Error.Message, test.part) {
			t.Errorf("%s: status %d, %+v", name, status, reply)
		}
	}
	_, reply := messages(t, server, object{"model": "m", "max_tokens": 8, "messages": []object{{"role": "user", "content": "refuse"}}})
	if reply.Stop != "refusal" || len(reply.Content) != 0 {
		t.Errorf("a refusal: %+v", reply)
	}
}
