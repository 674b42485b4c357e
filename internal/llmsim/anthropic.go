package llmsim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// The Messages API of Anthropic: https://docs.anthropic.com/en/api/messages.

type messagesBody struct {
	Model       string           `json:"model"`
	System      content          `json:"system"`
	Messages    []messageContent `json:"messages"`
	MaxTokens   *int             `json:"max_tokens"`
	Temperature *float64         `json:"temperature"`
	TopP        *float64         `json:"top_p"`
	Stream      bool             `json:"stream"`
	Tools       []struct {
		Name        string          `json:"name"`
		InputSchema json.RawMessage `json:"input_schema"`
	} `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
}

type messageContent struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
}

// toolBlock is a call of a tool, or its result.
type toolBlock struct {
	Type      string  `json:"type"`
	ID        string  `json:"id"`
	ToolUseID string  `json:"tool_use_id"`
	Content   content `json:"content"`
}

// parseMessages turns the request into the one that OpenAI's clients would have sent, so that both have the same answer and fate.
func parseMessages(data []byte) (*request, error) {
	parsed := &request{messages: true}
	var body messagesBody
	if err := json.Unmarshal(data, &body); err != nil {
		return parsed, errors.New("the body is not a messages request: " + err.Error())
	}
	parsed.model = body.Model
	if body.MaxTokens == nil {
		return parsed, errors.New("max_tokens: Field required")
	}
	var same chatBody
	same.Model, same.Temperature, same.TopP, same.MaxTokens, same.Stream = body.Model, body.Temperature, body.TopP, body.MaxTokens, body.Stream
	if body.System.text != "" {
		same.Messages = append(same.Messages, chatMessage{Role: "system", Content: body.System})
	}
	open := map[string]bool{}
	for i := range body.Messages {
		messages, err := body.Messages[i].read(open)
		if err != nil {
			return parsed, err
		}
		same.Messages = append(same.Messages, messages...)
	}
	for _, tool := range body.Tools {
		var function chatTool
		function.Function.Name, function.Function.Parameters = tool.Name, tool.InputSchema
		same.Tools = append(same.Tools, function)
	}
	switch body.ToolChoice.Type {
	case "any":
		same.ToolChoice.word = "required"
	case "tool":
		same.ToolChoice.function = body.ToolChoice.Name
	default:
		same.ToolChoice.word = body.ToolChoice.Type
	}
	chat, err := same.parse()
	chat.messages = true
	return chat, err
}

// read turns a message into those of the other protocol. open has the calls that have no result yet: the next message must have them all.
func (m *messageContent) read(open map[string]bool) ([]chatMessage, error) {
	if m.Role != "user" && m.Role != "assistant" {
		return nil, errors.New("messages: Unexpected role " + strconv.Quote(m.Role) + "; the system prompt is a field of its own")
	}
	var whole content
	if err := json.Unmarshal(m.Content, &whole); err != nil {
		return nil, err
	}
	// A text alone has no blocks.
	var blocks []toolBlock
	_ = json.Unmarshal(m.Content, &blocks)
	var messages []chatMessage
	for _, block := range blocks {
		if block.Type != "tool_result" {
			continue
		}
		if !open[block.ToolUseID] {
			return nil, errors.New("messages: unexpected tool_use_id found in tool_result blocks: " + strconv.Quote(block.ToolUseID))
		}
		delete(open, block.ToolUseID)
		messages = append(messages, chatMessage{Role: "tool", Content: block.Content})
	}
	if len(open) > 0 {
		return nil, errors.New("messages: tool_use ids were found without tool_result blocks immediately after")
	}
	if whole.text != "" || len(whole.media) > 0 || len(messages) == 0 {
		messages = append(messages, chatMessage{Role: m.Role, Content: whole})
	}
	for _, block := range blocks {
		if block.Type == "tool_use" {
			open[block.ID] = true
		}
	}
	return messages, nil
}

// messageBlock is a part of an answer: thoughts, a text, or a call.
type messageBlock struct {
	kind, text string
	call       *toolCall
}

func messageBlocks(content *completion) []messageBlock {
	var blocks []messageBlock
	if content.empty || content.refusal {
		return nil
	}
	if content.reasoning != "" {
		blocks = append(blocks, messageBlock{kind: "thinking", text: content.reasoning})
	}
	if content.text != "" {
		blocks = append(blocks, messageBlock{kind: "text", text: content.text})
	}
	if content.call != nil {
		blocks = append(blocks, messageBlock{kind: "tool_use", call: content.call})
	}
	return blocks
}

// appendBlock appends a block with its content, or as it begins in a stream.
func appendBlock(body []byte, request *request, block *messageBlock, begins bool) []byte {
	body = append(append(append(body, `{"type":"`...), block.kind...), '"')
	text := block.text
	if begins {
		text = ""
	}
	switch block.kind {
	case "tool_use":
		body = appendHex(append(body, `,"id":"toolu_`...), request.hash)
		body = append(appendJSONString(append(body, `","name":`...), block.call.name), `,"input":`...)
		if begins {
			return append(body, `{}}`...)
		}
		return append(append(body, block.call.arguments...), '}')
	case "thinking":
		body = appendJSONString(append(body, `,"thinking":`...), text)
		body = append(body, `,"signature":"`...)
		if !begins {
			body = appendHex(body, request.hash)
		}
		return append(body, `"}`...)
	}
	return append(appendJSONString(append(body, `,"text":`...), text), '}')
}

func stopReason(content *completion) string {
	switch {
	case content.refusal:
		return "refusal"
	case content.call != nil:
		return "tool_use"
	}
	return "end_turn"
}

func appendMessagesUsage(body []byte, request *request, output int) []byte {
	cached := request.cachedTokens()
	body = strconv.AppendInt(append(body, `"usage":{"input_tokens":`...), int64(request.promptTokens-cached), 10)
	if cached > 0 {
		body = strconv.AppendInt(append(body, `,"cache_read_input_tokens":`...), int64(cached), 10)
	}
	return append(strconv.AppendInt(append(body, `,"output_tokens":`...), int64(output), 10), '}')
}

func appendMessageHead(body []byte, request *request) []byte {
	body = appendHex(append(body, `{"id":"msg_`...), request.hash)
	return appendJSONString(append(body, `","type":"message","role":"assistant","model":`...), request.model)
}

func messagesAnswer(request *request, fault *Fault) *answer {
	content := complete(request, fault)
	result := &answer{contentType: "application/json", tokens: content.tokens()}
	blocks := messageBlocks(&content)
	if request.stream {
		result.contentType = "text/event-stream"
		result.messageEvents(request, &content, blocks)
		return result
	}
	body := append(appendMessageHead(make([]byte, 0, len(content.text)+512), request), `,"content":[`...)
	for i := range blocks {
		if i > 0 {
			body = append(body, ',')
		}
		body = appendBlock(body, request, &blocks[i], false)
	}
	body = append(body, `],"stop_reason":"`+stopReason(&content)+`","stop_sequence":null,`...)
	result.body = append(appendMessagesUsage(body, request, result.tokens), '}')
	return result
}

// messageEvents writes the answer as server-sent events: the beginning, each block in pieces, the reason of the end with the usage, the
// end.
func (a *answer) messageEvents(request *request, content *completion, blocks []messageBlock) {
	event := func(kind string, members func([]byte) []byte) {
		a.body = append(a.body, "event: "+kind+"\ndata: {\"type\":\""+kind+`"`...)
		if members != nil {
			a.body = members(append(a.body, ','))
		}
		a.body = append(a.body, "}\n\n"...)
		a.ends = append(a.ends, len(a.body))
	}
	event("message_start", func(body []byte) []byte {
		body = append(appendMessageHead(append(body, `"message":`...), request), `,"content":[],"stop_reason":null,"stop_sequence":null,`...)
		return append(appendMessagesUsage(body, request, 1), '}')
	})
	for i := range blocks {
		block := &blocks[i]
		at := `"index":` + strconv.Itoa(i)
		event("content_block_start", func(body []byte) []byte {
			return appendBlock(append(body, at+`,"content_block":`...), request, block, true)
		})
		kind, member, rest := "text_delta", "text", block.text
		switch block.kind {
		case "thinking":
			kind, member = "thinking_delta", "thinking"
		case "tool_use":
			kind, member, rest = "input_json_delta", "partial_json", block.call.arguments
		}
		for rest != "" {
			piece := nextPiece(rest)
			rest = rest[len(piece):]
			event("content_block_delta", func(body []byte) []byte {
				return append(appendJSONString(append(body, at+`,"delta":{"type":"`+kind+`","`+member+`":`...), piece), '}')
			})
		}
		if block.kind == "thinking" {
			event("content_block_delta", func(body []byte) []byte {
				return append(appendHex(append(body, at+`,"delta":{"type":"signature_delta","signature":"`...), request.hash), `"}`...)
			})
		}
		event("content_block_stop", func(body []byte) []byte { return append(body, at...) })
	}
	event("message_delta", func(body []byte) []byte {
		body = append(body, `"delta":{"stop_reason":"`+stopReason(content)+`","stop_sequence":null},"usage":{"output_tokens":`...)
		return append(strconv.AppendInt(body, int64(a.tokens), 10), '}')
	})
	event("message_stop", nil)
}

// messagesError is an error in the form of the Messages API.
func messagesError(status int, message string) []byte {
	kind := "api_error"
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		kind = "invalid_request_error"
	case http.StatusUnauthorized:
		kind = "authentication_error"
	case http.StatusForbidden:
		kind = "permission_error"
	case http.StatusNotFound:
		kind = "not_found_error"
	case http.StatusRequestEntityTooLarge:
		kind = "request_too_large"
	case http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case statusOverloaded:
		kind = "overloaded_error"
	}
	body := append([]byte(nil), `{"type":"error","error":{"type":"`+kind+`","message":`...)
	return append(appendJSONString(body, message), `}}`...)
}

// statusOverloaded is Anthropic's own status.
const statusOverloaded = 529
