package model

import (
	"encoding/json"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/random"
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
	// Media stand before the content of a message of a user or of a tool.
	Media []Media
	// Reasoning is what an assistant has thought before its answer. It is for people: what a provider needs of it is in Echo.
	Reasoning string
	// Echo is what an assistant's message carries for its provider alone, such as signed thoughts. It goes back as it came, since some
	// providers refuse the results of tools without it.
	Echo json.RawMessage
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

// AnswerTool is the name of the tool whose arguments are an answer. No tool of a server may have it.
const AnswerTool = "hand_over_answer"

// Schema has the answer constrained to a JSON Schema by the server. Providers of the type Anthropic, which have no such parameter, are made
// to call AnswerTool; its arguments are the text of the answer.
type Schema struct {
	// Name is one for the server, of 1 to 64 letters, digits, underscores and dashes.
	Name     string
	Document json.RawMessage
	// Strict asks the server to hold to every word of the schema; some then refuse those with optional members.
	Strict bool
}

// Request is one request to a model.
type Request struct {
	Messages []Message
	// Tools are those that the model may call; ForcedTool is the name of the one that it must call, or empty. With NoToolCalls it may call
	// none of them: they are only described, since some providers refuse a conversation with calls of tools that it does not describe.
	Tools       []Tool
	ForcedTool  string
	NoToolCalls bool
	Schema      *Schema
	// Random is the stream of what is drawn for this request: its seed, and its temperature and topP where the model has distributions of
	// them.
	Random random.Stream
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

// Answer is what a model has answered. It has a text, calls of tools or images, or several of them.
type Answer struct {
	Text, Reasoning string
	ToolCalls       []ToolCall
	Images          []Media
	Finish          Finish
	// FirstToken is how long the first piece of a streamed answer took; 0 of one that came as a whole.
	FirstToken time.Duration
	// echo is the Echo of the message.
	echo json.RawMessage
}

// Message is the answer as a message, for a conversation that goes on.
func (a *Answer) Message() Message {
	return Message{Role: RoleAssistant, Content: a.Text, Reasoning: a.Reasoning, ToolCalls: a.ToolCalls, Echo: a.echo}
}
