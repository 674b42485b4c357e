package llm

import (
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

// sideEffects are the values of the column's side-effect columns, in the order of the plan: the trace, and then the reasoning.
func (g *Generator) sideEffects(talk *conversation) []any {
	var values []any
	last := talk.messages[len(talk.messages)-1]
	switch g.spec.Trace {
	case v1alpha1.ConversationTraceLastMessage:
		values = append(values, []any{messageValue(last)})
	case v1alpha1.ConversationTraceAllMessages:
		messages := make([]any, len(talk.messages))
		for i, message := range talk.messages {
			messages[i] = messageValue(message)
		}
		values = append(values, messages)
	}
	if g.spec.ExtractsReasoning() {
		values = append(values, orNull(strings.TrimSpace(last.Reasoning)))
	}
	return values
}

// messageValue is a message as the trace column has it; see traceType in package plan.
func messageValue(message model.Message) any {
	var calls any
	if len(message.ToolCalls) > 0 {
		list := make([]any, len(message.ToolCalls))
		for i, call := range message.ToolCalls {
			list[i] = []any{call.ID, call.Name, call.Arguments}
		}
		calls = list
	}
	return []any{string(message.Role), message.Content, orNull(message.Reasoning), calls, orNull(message.ToolCallID)}
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
