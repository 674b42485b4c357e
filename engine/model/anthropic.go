package model

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// anthropic is the Messages API: https://docs.anthropic.com/en/api/messages.
type anthropic struct{}

const (
	anthropicVersion = "2023-06-01"
	// anthropicMaxTokens is sent where the spec has no maxTokens, since the API demands a number.
	anthropicMaxTokens = 4096
)

func (anthropic) urls(endpoint string) (chat, embeddings, images string) {
	base := strings.TrimRight(endpoint, "/")
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	return base + "/messages", "", ""
}

func (anthropic) authorize(header http.Header, key string) {
	header.Set("Anthropic-Version", anthropicVersion)
	if key != "" {
		header.Set("X-Api-Key", key)
	}
}

func (anthropic) check(request *Request) error {
	for i := range request.Messages {
		for _, media := range request.Messages[i].Media {
			if media.Modality != v1alpha1.MediaImage {
				return failure.New(v1alpha1.ReasonRequestRejected, failure.DropRow,
					"providers of the type Anthropic take images only, no media of the modality %s", media.Modality)
			}
		}
	}
	return nil
}

func (anthropic) appendRequest(body []byte, settings *settings, request *Request) []byte {
	body = appendTextMember(append(body, '{'), "model", settings.model)
	// The system prompt is no message there.
	var system []string
	for i := range request.Messages {
		if request.Messages[i].Role == RoleSystem {
			system = append(system, request.Messages[i].Content)
		}
	}
	if len(system) > 0 {
		body = appendTextMember(body, "system", strings.Join(system, "\n\n"))
	}
	body = append(appendMember(body, "messages"), '[')
	body = append(appendAnthropicMessages(body, request.Messages), ']')
	maxTokens := int64(anthropicMaxTokens)
	if settings.maxTokens != nil {
		maxTokens = *settings.maxTokens
	}
	body = appendIntMember(body, "max_tokens", maxTokens)
	body = settings.temperature.append(body, "temperature", request.Random, temperatureStream)
	body = settings.topP.append(body, "top_p", request.Random, topPStream)
	body = appendAnthropicTools(body, request)
	if settings.stream {
		body = append(body, `,"stream":true`...)
	}
	return body
}

// appendAnthropicTools appends the tools, and the choice among them. A schema is one more: it must be called where there is no other, and
// else is how the model ends.
func appendAnthropicTools(body []byte, request *Request) []byte {
	if len(request.Tools) == 0 && request.Schema == nil {
		return body
	}
	body = append(appendMember(body, "tools"), '[')
	for i := range request.Tools {
		body = appendTool(appendItem(body), &request.Tools[i], "input_schema")
	}
	if schema := request.Schema; schema != nil {
		body = appendTool(appendItem(body), &Tool{Name: AnswerTool, Description: "Gives the answer.", Parameters: schema.Document},
			"input_schema")
	}
	body = append(body, ']')
	if request.NoToolCalls && request.Schema == nil {
		return append(body, `,"tool_choice":{"type":"none"}`...)
	}
	forced := request.ForcedTool
	if forced == "" && !request.NoToolCalls && request.Schema != nil && len(request.Tools) > 0 {
		return append(body, `,"tool_choice":{"type":"any"}`...)
	}
	if forced == "" && request.Schema != nil {
		forced = AnswerTool
	}
	if forced != "" {
		body = append(appendTextMember(append(body, `,"tool_choice":{"type":"tool"`...), "name", forced), '}')
	}
	return body
}

// appendAnthropicMessages appends all messages but the system's. The results of the calls of one answer are one message.
func appendAnthropicMessages(body []byte, messages []Message) []byte {
	inResults := false
	for i := range messages {
		message := &messages[i]
		if message.Role == RoleTool {
			if !inResults {
				body = append(appendItem(body), `{"role":"user","content":[`...)
				inResults = true
			}
			body = appendAnthropicResult(appendItem(body), message)
			continue
		}
		if inResults {
			body = append(body, `]}`...)
			inResults = false
		}
		if message.Role != RoleSystem {
			body = appendTextMember(append(appendItem(body), '{'), "role", string(message.Role))
			body = append(appendAnthropicContent(body, message), '}')
		}
	}
	if inResults {
		body = append(body, `]}`...)
	}
	return body
}

func appendAnthropicResult(body []byte, message *Message) []byte {
	body = append(body, `{"type":"tool_result"`...)
	return append(appendAnthropicContent(appendTextMember(body, "tool_use_id", message.ToolCallID), message), '}')
}

// appendAnthropicContent appends the member content: a text alone, or blocks in the order thoughts, media, text, calls.
func appendAnthropicContent(body []byte, message *Message) []byte {
	thoughts, isList := bytes.CutPrefix(bytes.TrimSpace(message.Echo), []byte{'['})
	thoughts, ends := bytes.CutSuffix(thoughts, []byte{']'})
	isList = isList && ends && len(message.ToolCalls) > 0
	if !isList && len(message.Media) == 0 && len(message.ToolCalls) == 0 {
		return appendTextMember(body, "content", message.Content)
	}
	body = append(appendMember(body, "content"), '[')
	if isList {
		body = append(body, thoughts...)
	}
	for i := range message.Media {
		body = appendAnthropicMedia(appendItem(body), &message.Media[i])
	}
	if message.Content != "" {
		body = append(appendItem(body), `{"type":"text","text":`...)
		body = append(appendText(body, message.Content), '}')
	}
	for _, call := range message.ToolCalls {
		body = append(appendItem(body), `{"type":"tool_use"`...)
		body = append(appendTextMember(appendTextMember(body, "id", call.ID), "name", call.Name), `,"input":`...)
		input := []byte(call.Arguments)
		var object map[string]json.RawMessage
		if json.Unmarshal(input, &object) != nil || object == nil {
			input = []byte("{}")
		}
		body = append(append(body, input...), '}')
	}
	return append(body, ']')
}

func appendAnthropicMedia(body []byte, media *Media) []byte {
	body = append(body, `{"type":"image","source":{"type":`...)
	if media.URL != "" {
		return append(appendTextMember(append(body, `"url"`...), "url", media.URL), `}}`...)
	}
	body = appendTextMember(append(body, `"base64"`...), "media_type", media.MediaType)
	return append(append(append(body, `,"data":"`...), media.Data...), `"}}`...)
}
