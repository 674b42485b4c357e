package llm_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column/llm"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/runreport"
)

// caller is a model that asks for tools in each of its first answers, and notes what it was asked.
type caller struct {
	turns int
	asked []model.Request
}

func (c *caller) Chat(_ context.Context, request model.Request) (model.Answer, runreport.Usage, error) {
	c.asked = append(c.asked, request)
	usage := runreport.Usage{Succeeded: 1, InputTokens: 10}
	if len(c.asked) > c.turns {
		return model.Answer{Text: "done"}, usage, nil
	}
	number := len(c.asked)
	return model.Answer{Text: fmt.Sprintf("turn %d", number), ToolCalls: []model.ToolCall{
		{ID: fmt.Sprintf("a%d", number), Name: "look", Arguments: "{}"}, {Name: "look", Arguments: `{"n":2}`},
	}}, usage, nil
}

// box is a set of tools that answers with the call.
type box struct {
	turns int
	err   error
}

func (b *box) List() []model.Tool { return []model.Tool{{Name: "look"}} }

func (b *box) MaxTurns() int { return b.turns }

func (b *box) Call(_ context.Context, calls []model.ToolCall) ([]model.Message, runreport.Usage, error) {
	var results []model.Message
	for _, call := range calls {
		results = append(results, model.Message{Role: model.RoleTool, ToolCallID: call.ID, Content: "saw " + call.Arguments})
	}
	return results, runreport.Usage{ToolCalls: int64(len(calls))}, b.err
}

func withTools(t *testing.T, client llm.Model, tools llm.Tools) *llm.Generator {
	t.Helper()
	config := configOf(v1alpha1.LLMPrompt{Prompt: "Find out"}, client)
	config.Tools = tools
	made, err := llm.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestToolsAreCalledUntilTheModelAnswers(t *testing.T) {
	client := &caller{turns: 2}
	answer, err := withTools(t, client, &box{turns: 3}).Ask(t.Context(), record(), nil)
	if err != nil || answer.Value != "done" {
		t.Fatalf("got %#v, %v", answer, err)
	}
	if want := (runreport.Usage{Succeeded: 3, InputTokens: 30, ToolCalls: 4}); answer.Usage != want {
		t.Errorf("the usage is %+v, want %+v", answer.Usage, want)
	}
	calls := func(number int) []model.ToolCall {
		return []model.ToolCall{{ID: fmt.Sprintf("a%d", number), Name: "look", Arguments: "{}"}, {ID: fmt.Sprintf("call_%d_1", number), Name: "look", Arguments: `{"n":2}`}}
	}
	want := []model.Message{
		{Role: "user", Content: "Find out"},
		{Role: "assistant", Content: "turn 1", ToolCalls: calls(1)},
		{Role: "tool", ToolCallID: "a1", Content: "saw {}"}, {Role: "tool", ToolCallID: "call_1_1", Content: `saw {"n":2}`},
		{Role: "assistant", Content: "turn 2", ToolCalls: calls(2)},
		{Role: "tool", ToolCallID: "a2", Content: "saw {}"}, {Role: "tool", ToolCallID: "call_2_1", Content: `saw {"n":2}`},
	}
	for i, request := range client.asked {
		if difference := cmp.Diff(want[:1+3*i], request.Messages); difference != "" {
			t.Errorf("request %d: %s", i, difference)
		}
		if len(request.Tools) != 1 {
			t.Errorf("request %d offers the tools %v", i, request.Tools)
		}
	}
}

func TestAModelThatCallsAsOftenAsItMayAnswersWithoutTools(t *testing.T) {
	client := &caller{turns: 2}
	answer, err := withTools(t, client, &box{turns: 2}).Ask(t.Context(), record(), nil)
	if err != nil || answer.Value != "done" {
		t.Fatalf("got %#v, %v", answer, err)
	}
	last := client.asked[2]
	if said := last.Messages[len(last.Messages)-1]; said.Role != model.RoleUser || !strings.Contains(said.Content, "final answer") ||
		!last.NoToolCalls || len(last.Tools) != 1 {
		t.Errorf("the last request ends with %+v, may call: %t, describes %v", said, !last.NoToolCalls, last.Tools)
	}
}

func TestAModelThatNeverStopsCallingFailsAfterABoundedNumberOfRequests(t *testing.T) {
	client := &caller{turns: 1000}
	answer, err := withTools(t, client, &box{turns: 4}).Ask(t.Context(), record(), nil)
	failed := failure.Of(err)
	if failed == nil || failed.Reason != v1alpha1.ReasonModelGenerationInvalid || failed.Consequence != failure.DropRow ||
		!strings.Contains(err.Error(), "4 turns") {
		t.Fatalf("got %v", err)
	}
	if len(client.asked) != 5 || answer.Usage.Succeeded != 5 || answer.Usage.ToolCalls != 8 {
		t.Errorf("%d requests, usage %+v", len(client.asked), answer.Usage)
	}
}

func TestALostToolServerKeepsTheUsage(t *testing.T) {
	cause := failure.New(v1alpha1.ReasonToolFailed, failure.RetryLater, "lost")
	answer, err := withTools(t, &caller{turns: 1}, &box{turns: 4, err: cause}).Ask(t.Context(), record(), nil)
	if failure.Of(err) != cause || answer.Value != nil || answer.Usage.Succeeded != 1 || answer.Usage.ToolCalls != 2 {
		t.Errorf("got %#v, %v", answer, err)
	}
}
