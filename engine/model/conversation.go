package model

import (
	"encoding/json"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// Role says who speaks in a message.
type Role string

// The roles.
const (
	RoleSystem    Role = "system"
	RoleUser      Role = "user"
	RoleAssistant Role = "assistant"
	RoleTool      Role = "tool"
)

// Message is one message of a conversation.
type Message struct {
	Role    Role
	Content string
	// Media stand before the content of a user's message.
	Media []Media
	// Reasoning is what an assistant has thought before its answer.
	Reasoning string
	// ToolCalls are what an assistant asks for; ToolCallID names the call that a tool's message answers.
	ToolCalls  []ToolCall
	ToolCallID string
}

// Media is an image, a sound or a video: either at an address, or as base64 data with its media type.
type Media struct {
	Modality        v1alpha1.MediaModality
	URL             string
	MediaType, Data string
}

// Tool is a function that a model may call.
type Tool struct {
	Name, Description string
	// Parameters is the JSON Schema of its arguments.
	Parameters json.RawMessage
}

// ToolCall is a call that a model asks for. Arguments is what the model wrote, which may be no JSON at all.
type ToolCall struct{ ID, Name, Arguments string }

// Schema has the answer constrained to a JSON Schema by the server.
type Schema struct {
	Name     string
	Document json.RawMessage
}

// Request is one request to a model.
type Request struct {
	Messages []Message
	// Tools are those that the model may call; ForcedTool is the name of the one that it must call, or empty.
	Tools      []Tool
	ForcedTool string
	Schema     *Schema
	// Draw fixes what is drawn for this request: its seed, temperature and topP where the model has distributions of them.
	Draw uint64
}

// Finish says why an answer ended.
type Finish int

// The reasons why an answer ends.
const (
	FinishStop Finish = iota
	// FinishLength: the largest number of tokens was reached.
	FinishLength
	// FinishContext: the context window was full.
	FinishContext
	// FinishTools: the model waits for the results of tools.
	FinishTools
	FinishOther
)

// Answer is what a model has answered.
type Answer struct {
	Text, Reasoning string
	ToolCalls       []ToolCall
	Images          []Media
	Finish          Finish
}
