package llm

import (
	"context"
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
)

// Tools are the tools that a model may call; *tools.Toolbox has them.
type Tools interface {
	// List returns the tools as they are now.
	List() []model.Tool
	// Call makes the calls of one turn and returns their results in the order of the calls.
	Call(ctx context.Context, calls []model.ToolCall) ([]model.Message, column.Usage, error)
	// MaxTurns is how often a model may call tools before it must answer.
	MaxTurns() int
}

// lastTurn is what a model is told that has called tools as often as it may.
const lastTurn = "No further tools can be called. Give your final answer now, from what you know."

// turns asks a model and makes the calls of tools that it asks for, as often as it may in the conversation about one cell. A copy keeps the
// count of its moment, for a conversation that starts again from there.
type turns struct {
	// tools is nil for a column without tools.
	tools Tools
	used  int
}

// ask sends a request, and others with the results of tools, until the model answers without asking for any: at most one request more than
// there are turns left, and in the last one it may call none. It returns the messages of the request grown by the turns. The usage is valid beside
// an error too.
func (t *turns) ask(ctx context.Context, client Model, request model.Request) (model.Answer, []model.Message, column.Usage, error) {
	if t.tools == nil {
		answer, usage, err := client.Chat(ctx, request)
		return answer, request.Messages, usage, err
	}
	var total column.Usage
	// The caller may go on from the messages that it has.
	messages := slices.Clip(request.Messages)
	for {
		last := t.used >= t.tools.MaxTurns()
		request.Messages, request.Tools = messages, t.tools.List()
		if last {
			request.NoToolCalls, request.ForcedTool = true, ""
			request.Messages = append(messages, model.Message{Role: model.RoleUser, Content: lastTurn})
		}
		answer, usage, err := client.Chat(ctx, request)
		total.Add(usage)
		if err != nil || len(answer.ToolCalls) == 0 {
			return answer, request.Messages, total, err
		}
		if last {
			return model.Answer{}, request.Messages, total, failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
				"the model has called tools in %d turns, which is the maxTurns of its tools, and asks for more instead of an answer; raise maxTurns, or say in the prompt when to stop",
				t.used)
		}
		t.used++
		calls := named(answer.ToolCalls, t.used)
		results, usage, err := t.tools.Call(ctx, calls)
		total.Add(usage)
		if err != nil {
			return model.Answer{}, request.Messages, total, err
		}
		said := answer.Message()
		said.ToolCalls = calls
		messages = append(messages, said)
		messages = append(messages, results...)
	}
}

// named gives names to calls that have none, as some servers leave them: a result names the call that it answers.
func named(calls []model.ToolCall, turn int) []model.ToolCall {
	calls = slices.Clone(calls)
	for i := range calls {
		if calls[i].ID == "" {
			calls[i].ID = fmt.Sprintf("call_%d_%d", turn, i)
		}
	}
	return calls
}
