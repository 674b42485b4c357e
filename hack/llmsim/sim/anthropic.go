package sim

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// The Messages API of Anthropic: https://docs.anthropic.com/en/api/messages. Tools, images and streams of it are not understood.

type messagesBody struct {
	Model    string  `json:"model"`
	System   content `json:"system"`
	Messages []struct {
		Role    string  `json:"role"`
		Content content `json:"content"`
	} `json:"messages"`
	MaxTokens   *int     `json:"max_tokens"`
	Temperature *float64 `json:"temperature"`
	TopP        *float64 `json:"top_p"`
	Stream      bool     `json:"stream"`
}

// parseMessages turns the request into the one that OpenAI's clients would have sent, so that both have the same answer and fate.
func parseMessages(data []byte) (*request, error) {
	parsed := &request{messages: true}
	var body messagesBody
	if err := json.Unmarshal(data, &body); err != nil {
		return parsed, errors.New("the body is not a messages request: " + err.Error())
	}
	parsed.model = body.Model
	switch {
	case body.MaxTokens == nil:
		return parsed, errors.New("max_tokens: Field required")
	case body.Stream:
		return parsed, errors.New("stream: is not simulated here")
	}
	for _, message := range body.Messages {
		if message.Role != "user" && message.Role != "assistant" {
			return parsed, errors.New("messages: Unexpected role " + strconv.Quote(message.Role) + "; the system prompt is a field of its own")
		}
	}
	var same chatBody
	same.Model, same.Temperature, same.TopP, same.MaxTokens = body.Model, body.Temperature, body.TopP, body.MaxTokens
	if body.System != "" {
		same.Messages = append(same.Messages, chatMessage{Role: "system", Content: body.System})
	}
	for _, message := range body.Messages {
		same.Messages = append(same.Messages, chatMessage{Role: message.Role, Content: message.Content})
	}
	chat, err := same.parse()
	chat.messages = true
	return chat, err
}

func messagesAnswer(request *request, fault *Fault) *answer {
	content := complete(request, fault)
	result := &answer{contentType: "application/json", tokens: tokens(len(content.text))}
	body := append(make([]byte, 0, len(content.text)+512), `{"id":"msg_`...)
	body = appendHex(body, request.hash)
	body = append(body, `","type":"message","role":"assistant","model":`...)
	body = appendJSONString(body, request.model)
	body = append(body, `,"content":[`...)
	if !content.empty && !content.refusal && content.text != "" {
		body = append(body, `{"type":"text","text":`...)
		body = appendJSONString(body, content.text)
		body = append(body, '}')
	}
	reason := "end_turn"
	if content.refusal {
		reason = "refusal"
	}
	body = append(body, `],"stop_reason":"`+reason+`","stop_sequence":null,"usage":{"input_tokens":`...)
	body = strconv.AppendInt(body, int64(request.promptTokens), 10)
	body = append(body, `,"output_tokens":`...)
	body = strconv.AppendInt(body, int64(result.tokens), 10)
	body = append(body, `}}`...)
	result.body = body
	return result
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
