package llmsim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/llmsim"
)

// chatWithTool sends one request with a tool, and returns the text and the call of the answer.
func chatWithTool(t *testing.T, model, members, messages string) (text, call, arguments, reason string) {
	t.Helper()
	body := `{"model":"` + model + `","messages":[` + messages + `],"tools":[{"type":"function","function":{"name":"look","parameters":` +
		`{"type":"object","properties":{"word":{"type":"string","enum":["owl"]}},"required":["word"]}}}]` + members + `}`
	recorder := httptest.NewRecorder()
	server := llmsim.New(llmsim.Config{}, llmsim.Limits{})
	server.ServeHTTP(recorder, httptest.NewRequest(http.MethodPost, "/v1/chat/completions", strings.NewReader(body)))
	var answer struct {
		Choices []struct {
			FinishReason string `json:"finish_reason"`
			Message      struct {
				Content   string
				ToolCalls []struct {
					ID       string
					Function struct{ Name, Arguments string }
				} `json:"tool_calls"`
			}
		}
	}
	if err := json.Unmarshal(recorder.Body.Bytes(), &answer); err != nil || len(answer.Choices) != 1 {
		t.Fatalf("HTTP %d: %s", recorder.Code, recorder.Body)
	}
	message := answer.Choices[0].Message
	for _, each := range message.ToolCalls {
		if each.ID == "" {
			t.Error("a call has no id")
		}
		call, arguments = call+each.Function.Name, each.Function.Arguments
	}
	return message.Content, call, arguments, answer.Choices[0].FinishReason
}

func TestModelsThatCallTools(t *testing.T) {
	const user, asked = `{"role":"user","content":"x"}`,
		`{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":[]},{"role":"tool","tool_call_id":"1","content":"owls fly"}`
	for name, test := range map[string]struct {
		model, members, messages string
		calls                    bool
	}{
		"any model":                            {"m", "", user, false},
		"any model that is forced":             {"m", `,"tool_choice":{"type":"function","function":{"name":"look"}}`, user, true},
		"any model that must call something":   {"m", `,"tool_choice":"required"`, user, true},
		"one that calls once":                  {"test/calls-tools", "", user, true},
		"one that calls once, with a result":   {"test/calls-tools", "", asked, false},
		"one that calls once, asked again":     {"test/calls-tools", "", asked + "," + user, true},
		"one that calls once, and may not":     {"calls-tools", `,"tool_choice":"none"`, user, false},
		"one that never stops":                 {"always-calls-tools", "", asked, true},
		"one that never stops, and should not": {"always-calls-tools", `,"tool_choice":"none"`, asked, true},
	} {
		t.Run(name, func(t *testing.T) {
			text, call, arguments, reason := chatWithTool(t, test.model, test.members, test.messages)
			if test.calls && (call != "look" || arguments != `{"word":"owl"}` || text != "" || reason != "tool_calls") ||
				!test.calls && (call != "" || text == "" || reason != "stop") {
				t.Errorf("the text is %q, the call %s(%s), and the reason %q", text, call, arguments, reason)
			}
			if test.messages == asked && !test.calls && !strings.HasPrefix(text, "owls fly\n") {
				t.Errorf("the result of the tool is not in %q", text)
			}
		})
	}
}
