package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
)

// maxAnswerBytes is the largest answer that is read; far beyond any model's, so that a broken server can't exhaust the memory.
const maxAnswerBytes = 16 << 20

// Client sends requests to one model. It is used from many goroutines at once.
type Client struct {
	http       *http.Client
	alias      string
	model      string
	provider   string
	url        string
	apiKey     string
	hasKey     bool
	timeout    time.Duration
	parameters chatParameters
}

// Message is one message of a conversation.
type Message struct {
	// Role is system, user or assistant.
	Role    string `json:"role"`
	Content string `json:"content"`
}

type chatParameters struct {
	Temperature *v1alpha1.Decimal `json:"temperature,omitempty"`
	TopP        *v1alpha1.Decimal `json:"top_p,omitempty"`
	MaxTokens   *int64            `json:"max_tokens,omitempty"`
}

type chatRequest struct {
	Model    string    `json:"model"`
	Messages []Message `json:"messages"`
	chatParameters
}

type chatAnswer struct {
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

// Chat sends one request and returns the text of the answer. The usage counts the request in any case. A cancelled context is returned
// as it is; every other error is a failure.Error.
func (c *Client) Chat(ctx context.Context, messages []Message) (string, column.Usage, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	answer, err := c.send(limited, messages)
	if err != nil {
		if ctx.Err() != nil {
			return "", column.Usage{Failed: 1}, ctx.Err()
		}
		if limited.Err() != nil {
			err = failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater,
				"model %q did not answer within %s; raise timeoutSeconds if it needs more", c.alias, c.timeout)
		}
		return "", column.Usage{Failed: 1}, err
	}
	usage := column.Usage{Succeeded: 1, InputTokens: max(0, answer.Usage.PromptTokens), OutputTokens: max(0, answer.Usage.CompletionTokens)}
	text, err := c.text(answer)
	return text, usage, err
}

func (c *Client) send(ctx context.Context, messages []Message) (*chatAnswer, error) {
	body, err := encode(chatRequest{Model: c.model, Messages: messages, chatParameters: c.parameters})
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding a request to model %q", c.alias)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "provider %q: endpoint", c.provider)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if strings.ContainsFunc(c.apiKey, func(char rune) bool { return char < ' ' || char >= 0x7f }) {
		return nil, failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun,
			"the API key of provider %q holds a character that no key has, such as a line break; check the Secret that apiKeySecretRef names", c.provider)
	}
	if c.apiKey != "" {
		request.Header.Set("Authorization", "Bearer "+c.apiKey)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, c.connectionFailure(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return nil, c.incomplete(err)
	}
	if len(data) > maxAnswerBytes {
		return nil, failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered with more than %d MiB", c.alias, maxAnswerBytes>>20)
	}
	if response.StatusCode != http.StatusOK {
		return nil, c.statusFailure(response.StatusCode, response.Header, data)
	}
	var answer chatAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		// Without a length, a body that was cut looks like one that is wrong: it is retried all the same.
		return nil, c.incomplete(errors.New("the body of the answer is not valid JSON"))
	}
	return &answer, nil
}

// encode writes JSON without the escapes of HTML, which would only cost tokens.
func encode(value any) ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return buffer.Bytes(), err
}

// text takes the text out of an answer.
func (c *Client) text(answer *chatAnswer) (string, error) {
	if len(answer.Choices) == 0 {
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered without any choice", c.alias)
	}
	choice := answer.Choices[0]
	if choice.Message.Refusal != nil && *choice.Message.Refusal != "" || choice.FinishReason == "content_filter" {
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q refused to answer; see the prompts of this row", c.alias)
	}
	if choice.Message.Content == nil || strings.TrimSpace(*choice.Message.Content) == "" {
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
			"model %q answered with an empty text (finish_reason %.40q)", c.alias, choice.FinishReason)
	}
	return *choice.Message.Content, nil
}
