package model

import (
	"bytes"
	"encoding/json"
	"strings"

	"seedloom.dev/seedloom/internal/runreport"
)

// openAIAssembly puts the chunks of a completion together.
type openAIAssembly struct {
	text, reasoning, thoughts, refusal strings.Builder
	// field is the name under which the reasoning came.
	field     string
	calls     []openAICall
	images    []Media
	finish    string
	usage     runreport.Usage
	problem   *serverError
	choices   bool
	something bool
	done      bool
}

// openAICall is a call whose arguments come in pieces.
type openAICall struct {
	index     int
	id, name  string
	arguments []byte
}

func (openAI) assembly() assembly { return &openAIAssembly{} }

func (a *openAIAssembly) event(data []byte) error {
	if bytes.Equal(bytes.TrimSpace(data), []byte("[DONE]")) {
		a.done = true
		return nil
	}
	var chunk openAIAnswer
	if err := chunk.read(data); err != nil {
		return err
	}
	if problem := chunk.problem(data); problem != nil {
		a.problem, a.done = problem, true
		return nil
	}
	if usage := chunk.Usage.tokens(); usage != (runreport.Usage{}) {
		a.usage = usage
	}
	for i := range chunk.Choices {
		if choice := &chunk.Choices[i]; choice.Index == 0 {
			a.choice(choice)
		}
	}
	return nil
}

func (a *openAIAssembly) choice(choice *openAIChoice) {
	a.choices = true
	if choice.FinishReason != "" {
		a.finish = choice.FinishReason
	}
	if problem := choice.problem(); problem != nil {
		a.problem, a.done = problem, true
	}
	delta := &choice.Delta
	a.text.WriteString(delta.Content.text)
	a.thoughts.WriteString(delta.Content.thoughts)
	a.refusal.WriteString(delta.Refusal)
	// A server that sends both names says the same twice.
	for _, named := range []struct{ field, text string }{{reasoningField, delta.Reasoning.text}, {reasoningContentField,
		delta.ReasoningContent.text}} {
		if named.text != "" && (a.field == "" || a.field == named.field) {
			a.field = named.field
			a.reasoning.WriteString(named.text)
		}
	}
	for i := range delta.ToolCalls {
		a.call(&delta.ToolCalls[i])
	}
	a.images = append(a.images, delta.allImages()...)
	a.something = a.something || a.text.Len()+a.thoughts.Len()+a.refusal.Len()+a.reasoning.Len()+len(a.calls)+len(a.images) > 0
}

// call adds a piece of a call. A piece belongs to the call with its index; without an index, to the last one, unless it has an identity of
// its own.
func (a *openAIAssembly) call(piece *openAIToolCall) {
	position := len(a.calls) - 1
	if piece.Index != nil {
		for position >= 0 && a.calls[position].index != *piece.Index {
			position--
		}
	}
	if position < 0 || piece.ID != "" && a.calls[position].id != "" && a.calls[position].id != piece.ID {
		position = len(a.calls)
		a.calls = append(a.calls, openAICall{index: position})
		if piece.Index != nil {
			a.calls[position].index = *piece.Index
		}
	}
	call := &a.calls[position]
	if call.id == "" {
		call.id = piece.ID
	}
	if call.name == "" {
		call.name = piece.Function.Name
	}
	call.arguments = append(call.arguments, piece.Function.Arguments...)
}

func (a *openAIAssembly) begun() bool { return a.something }
func (a *openAIAssembly) ended() bool { return a.done }

func (a *openAIAssembly) answer(request *Request) (answer, bool, error) {
	whole := answer{usage: a.usage, empty: !a.choices, stopped: a.finish, problem: a.problem}
	whole.refused = a.refusal.Len() > 0 || isRefusal(a.finish)
	whole.Text, whole.Reasoning, whole.Images = a.text.String(), a.thoughts.String(), a.images
	if a.field != "" {
		whole.Reasoning, whole.echo = a.reasoning.String(), json.RawMessage(`"`+a.field+`"`)
	}
	for i := range a.calls {
		whole.ToolCalls = append(whole.ToolCalls, ToolCall{ID: a.calls[i].id, Name: a.calls[i].name,
			Arguments: string(a.calls[i].arguments)})
	}
	whole.complete(request)
	return whole, a.done || a.finish != "", nil
}
