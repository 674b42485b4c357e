package llm

import (
	"context"
	"fmt"
	"slices"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/runreport"
)

// Tools are the tools that a model may call; *tools.Toolbox has them.
type Tools interface {
	// List returns the tools as they are now.
	List() []model.Tool
	// Call makes the calls of one turn and returns their results in the order of the calls.
	Call(ctx context.Context, calls []model.ToolCall) ([]model.Message, runreport.Usage, error)
	// MaxTurns is how often a model may call tools before it must answer.
	MaxTurns() int
}

// lastTurn is what a model is told that has called tools as often as it may.
const lastTurn = "No further tools can be called. Give your final answer now, from what you know."

// offer adds the tools to a request.
func (g *Generator) offer(request *model.Request, talk *conversation) {
	if g.config.Tools != nil {
		request.Tools = g.config.Tools.List()
		request.NoToolCalls = talk.turns >= g.config.Tools.MaxTurns()
	}
}

// useTools makes the calls that the model asks for, and adds their results to the conversation. The answer stays until they are there, so
// that it is not paid for again when the tools can't be reached now.
func (g *Generator) useTools(ctx context.Context, talk *conversation, calls []model.ToolCall, spent *runreport.Usage) error {
	if talk.turns >= g.config.Tools.MaxTurns() {
		return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
			"the model has called tools in %d turns, which is the maxTurns of its tools, and asks for more instead of an answer; raise "+
				"maxTurns, or say in the prompt when to stop",
			talk.turns)
	}
	calls = named(calls, talk.turns+1)
	results, usage, err := g.config.Tools.Call(ctx, calls)
	spent.Add(usage)
	if err != nil {
		return err
	}
	talk.turns++
	if talk.turns >= g.config.Tools.MaxTurns() {
		results = append(results, model.Message{Role: model.RoleUser, Content: lastTurn})
	}
	talk.answer.ToolCalls = calls
	talk.say(results...)
	talk.checkpoint = len(talk.messages)
	talk.corrections = 0
	return nil
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
