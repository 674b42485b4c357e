package model

import (
	"encoding/json"
	"net/http"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// openAI is the chat completions API: https://platform.openai.com/docs/api-reference/chat.
type openAI struct{}

func (openAI) urls(endpoint string) (chat, embeddings, images string) {
	base := strings.TrimRight(endpoint, "/")
	return base + "/chat/completions", base + "/embeddings", base + "/images/generations"
}

func (openAI) authorize(header http.Header, key string) {
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
}

func (openAI) check(*Request) error { return nil }

func (openAI) appendRequest(body []byte, settings *settings, request *Request) []byte {
	body = appendTextMember(append(body, '{'), "model", settings.model)
	body = append(appendMember(body, "messages"), '[')
	for i := range request.Messages {
		body = appendOpenAIMessage(appendItem(body), &request.Messages[i])
	}
	body = append(body, ']')
	body = settings.temperature.append(body, "temperature", request.Random, temperatureStream)
	body = settings.topP.append(body, "top_p", request.Random, topPStream)
	if settings.maxTokens != nil {
		body = appendIntMember(body, "max_tokens", *settings.maxTokens)
	}
	if settings.rowSeed {
		body = appendIntMember(body, "seed", settings.seed(request.Random))
	}
	if len(request.Tools) > 0 {
		body = append(appendMember(body, "tools"), '[')
		for i := range request.Tools {
			body = append(appendItem(body), `{"type":"function","function":`...)
			body = append(appendTool(body, &request.Tools[i], "parameters"), '}')
		}
		body = append(body, ']')
	}
	if request.NoToolCalls && len(request.Tools) > 0 {
		body = append(body, `,"tool_choice":"none"`...)
	} else if request.ForcedTool != "" {
		body = append(appendMember(body, "tool_choice"), `{"type":"function","function":{"name":`...)
		body = append(appendText(body, request.ForcedTool), `}}`...)
	}
	if schema := request.Schema; schema != nil {
		body = append(appendMember(body, "response_format"), `{"type":"json_schema","json_schema":{`...)
		body = append(appendTextMember(body, "name", schema.Name), `,"schema":`...)
		body = append(body, schema.Document...)
		if schema.Strict {
			body = append(body, `,"strict":true`...)
		}
		body = append(body, `}}`...)
	}
	if settings.stream {
		body = append(body, `,"stream":true,"stream_options":{"include_usage":true}`...)
	}
	return body
}

// appendTool appends a tool, whose arguments have the schema that stands in a member of this name.
func appendTool(body []byte, tool *Tool, schema string) []byte {
	body = appendTextMember(append(body, '{'), "name", tool.Name)
	if tool.Description != "" {
		body = appendTextMember(body, "description", tool.Description)
	}
	body = appendMember(body, schema)
	if len(tool.Parameters) == 0 {
		return append(body, `{"type":"object","properties":{}}}`...)
	}
	return append(append(body, tool.Parameters...), '}')
}

func appendOpenAIMessage(body []byte, message *Message) []byte {
	body = appendTextMember(append(body, '{'), "role", string(message.Role))
	if message.ToolCallID != "" {
		body = appendTextMember(body, "tool_call_id", message.ToolCallID)
	}
	if len(message.Media) == 0 {
		body = appendTextMember(body, "content", message.Content)
	} else {
		body = append(appendMember(body, "content"), '[')
		for i := range message.Media {
			body = appendOpenAIMedia(appendItem(body), &message.Media[i])
		}
		if message.Content != "" {
			body = append(appendItem(body), `{"type":"text","text":`...)
			body = append(appendText(body, message.Content), '}')
		}
		body = append(body, ']')
	}
	if len(message.ToolCalls) > 0 {
		var field string
		if message.Reasoning != "" && json.Unmarshal(message.Echo, &field) == nil && (field == reasoningField ||
			field == reasoningContentField) {
			body = appendTextMember(body, field, message.Reasoning)
		}
		body = append(appendMember(body, "tool_calls"), '[')
		for _, call := range message.ToolCalls {
			body = appendTextMember(append(appendItem(body), '{'), "id", call.ID)
			body = append(body, `,"type":"function","function":{`...)
			body = append(appendTextMember(appendTextMember(body, "name", call.Name), "arguments", call.Arguments), `}}`...)
		}
		body = append(body, ']')
	}
	return append(body, '}')
}

func appendOpenAIMedia(body []byte, media *Media) []byte {
	kind := "image_url"
	switch media.Modality {
	case v1alpha1.MediaAudio:
		if media.URL == "" {
			body = append(body, `{"type":"input_audio","input_audio":{`...)
			// Base64 needs no escapes.
			body = append(appendMember(body, "data"), '"')
			body = append(append(body, media.Data...), '"')
			return append(appendTextMember(body, "format", audioFormat(media.MediaType)), `}}`...)
		}
		kind = "audio_url"
	case v1alpha1.MediaVideo:
		kind = "video_url"
	}
	body = append(append(append(append(append(body, `{"type":"`...), kind...), `","`...), kind...), `":{"url":`...)
	return append(appendDataURL(body, media), `}}`...)
}

// audioFormat is the protocol's name for a media type.
func audioFormat(mediaType string) string {
	switch mediaType {
	case "audio/mpeg", "audio/mp3":
		return "mp3"
	case "audio/wav", "audio/wave", "audio/x-wav", "audio/vnd.wave":
		return "wav"
	}
	return strings.TrimPrefix(mediaType, "audio/")
}
