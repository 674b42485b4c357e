package model

import (
	"encoding/json"
	"net/http"
	"strings"

	"seedloom.dev/seedloom/api/v1alpha1"
)

// wire is a protocol: where requests go, what they look like, and what an answer says.
type wire interface {
	url(endpoint string) string
	authorize(header http.Header, key string)
	// request is the body of a request, to be encoded as JSON.
	request(model string, parameters *v1alpha1.ModelParameters, messages []Message) any
	// answer reads the body of an answer.
	answer(body []byte) (answer, error)
}

// wireMessage is a message as both protocols write it.
type wireMessage struct {
	Role    Role   `json:"role"`
	Content string `json:"content"`
}

func wireMessages(messages []Message) []wireMessage {
	written := make([]wireMessage, 0, len(messages))
	for _, message := range messages {
		written = append(written, wireMessage{message.Role, message.Content})
	}
	return written
}

// answer is what a model has said, whatever the protocol.
type answer struct {
	// empty says that there was no answer in the answer.
	empty   bool
	text    string
	refused bool
	// reason is why the model stopped.
	reason                    string
	inputTokens, outputTokens int64
}

func wireOf(provider v1alpha1.ProviderType) wire {
	if provider == v1alpha1.ProviderAnthropic {
		return anthropic{}
	}
	return openAI{}
}

// openAI is the chat completions API: https://platform.openai.com/docs/api-reference/chat.
type openAI struct{}

func (openAI) url(endpoint string) string {
	return strings.TrimRight(endpoint, "/") + "/chat/completions"
}

func (openAI) authorize(header http.Header, key string) {
	if key != "" {
		header.Set("Authorization", "Bearer "+key)
	}
}

func (openAI) request(model string, parameters *v1alpha1.ModelParameters, messages []Message) any {
	return struct {
		Model       string            `json:"model"`
		Messages    []wireMessage     `json:"messages"`
		Temperature *v1alpha1.Decimal `json:"temperature,omitempty"`
		TopP        *v1alpha1.Decimal `json:"top_p,omitempty"`
		MaxTokens   *int64            `json:"max_tokens,omitempty"`
	}{model, wireMessages(messages), parameters.Temperature, parameters.TopP, parameters.MaxTokens}
}

func (openAI) answer(body []byte) (answer, error) {
	var document struct {
		Choices []struct {
			Message struct {
				Content *string `json:"content"`
				Refusal *string `json:"refusal"`
			} `json:"message"`
			FinishReason string `json:"finish_reason"`
		} `json:"choices"`
		Usage struct {
			PromptTokens     int64 `json:"prompt_tokens"`
			CompletionTokens int64 `json:"completion_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return answer{}, err
	}
	read := answer{empty: len(document.Choices) == 0, inputTokens: document.Usage.PromptTokens, outputTokens: document.Usage.CompletionTokens}
	if read.empty {
		return read, nil
	}
	choice := document.Choices[0]
	read.reason = choice.FinishReason
	read.refused = choice.Message.Refusal != nil && *choice.Message.Refusal != "" || choice.FinishReason == "content_filter"
	if choice.Message.Content != nil {
		read.text = *choice.Message.Content
	}
	return read, nil
}

// anthropic is the Messages API: https://docs.anthropic.com/en/api/messages.
type anthropic struct{}

const (
	anthropicVersion = "2023-06-01"
	// anthropicMaxTokens is sent where the spec has no maxTokens, since the API demands a number.
	anthropicMaxTokens = 4096
)

func (anthropic) url(endpoint string) string {
	base := strings.TrimRight(endpoint, "/")
	if !strings.HasSuffix(base, "/v1") {
		base += "/v1"
	}
	return base + "/messages"
}

func (anthropic) authorize(header http.Header, key string) {
	header.Set("Anthropic-Version", anthropicVersion)
	if key != "" {
		header.Set("X-Api-Key", key)
	}
}

func (anthropic) request(model string, parameters *v1alpha1.ModelParameters, messages []Message) any {
	// The system prompt is no message there.
	var system []string
	var others []Message
	for _, message := range messages {
		if message.Role == RoleSystem {
			system = append(system, message.Content)
		} else {
			others = append(others, message)
		}
	}
	maxTokens := int64(anthropicMaxTokens)
	if parameters.MaxTokens != nil {
		maxTokens = *parameters.MaxTokens
	}
	return struct {
		Model       string            `json:"model"`
		System      string            `json:"system,omitempty"`
		Messages    []wireMessage     `json:"messages"`
		MaxTokens   int64             `json:"max_tokens"`
		Temperature *v1alpha1.Decimal `json:"temperature,omitempty"`
		TopP        *v1alpha1.Decimal `json:"top_p,omitempty"`
	}{model, strings.Join(system, "\n\n"), wireMessages(others), maxTokens, parameters.Temperature, parameters.TopP}
}

func (anthropic) answer(body []byte) (answer, error) {
	var document struct {
		Content []struct {
			Type string `json:"type"`
			Text string `json:"text"`
		} `json:"content"`
		StopReason string `json:"stop_reason"`
		Usage      struct {
			Input         int64 `json:"input_tokens"`
			CacheCreation int64 `json:"cache_creation_input_tokens"`
			CacheRead     int64 `json:"cache_read_input_tokens"`
			Output        int64 `json:"output_tokens"`
		} `json:"usage"`
	}
	if err := json.Unmarshal(body, &document); err != nil {
		return answer{}, err
	}
	usage := document.Usage
	read := answer{reason: document.StopReason, refused: document.StopReason == "refusal",
		inputTokens: usage.Input + usage.CacheCreation + usage.CacheRead, outputTokens: usage.Output}
	var texts []string
	for _, block := range document.Content {
		if block.Type == "text" {
			texts = append(texts, block.Text)
		}
	}
	read.text = strings.Join(texts, "\n")
	return read, nil
}
