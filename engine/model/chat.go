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
	wire       wire
	parameters *v1alpha1.ModelParameters
	headers    map[string]string
	// extra are members of a JSON object, without its braces, that are added to every body.
	extra []byte
}

// Chat sends one request and returns the answer. The usage counts the request in any case. A cancelled context is returned
// as it is; every other error is a failure.Error.
func (c *Client) Chat(ctx context.Context, request Request) (Answer, column.Usage, error) {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	said, err := c.send(limited, request)
	if err != nil {
		if ctx.Err() != nil {
			return Answer{}, column.Usage{Failed: 1}, ctx.Err()
		}
		if limited.Err() != nil {
			err = failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater,
				"model %q did not answer within %s; raise timeoutSeconds if it needs more", c.alias, c.timeout)
		}
		return Answer{}, column.Usage{Failed: 1}, err
	}
	usage := column.Usage{Succeeded: 1, InputTokens: max(0, said.inputTokens), OutputTokens: max(0, said.outputTokens)}
	text, err := c.text(said)
	return Answer{Text: text}, usage, err
}

func (c *Client) send(ctx context.Context, asked Request) (answer, error) {
	body, err := encode(c.wire.request(c.model, c.parameters, asked.Messages))
	if err != nil {
		return answer{}, failure.Wrap(err, v1alpha1.ReasonInternalError, failure.EndRun, "encoding a request to model %q", c.alias)
	}
	if len(c.extra) > 0 {
		end := bytes.LastIndexByte(body, '}')
		body = append(append(append(body[:end:end], ','), c.extra...), '}')
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return answer{}, failure.Wrap(err, v1alpha1.ReasonConfigInvalid, failure.EndRun, "provider %q: endpoint", c.provider)
	}
	for name, value := range c.headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if strings.ContainsFunc(c.apiKey, func(char rune) bool { return char < ' ' || char >= 0x7f }) {
		return answer{}, failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun,
			"the API key of provider %q holds a character that no key has, such as a line break; check the Secret that apiKeySecretRef names", c.provider)
	}
	c.wire.authorize(request.Header, c.apiKey)
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, c.connectionFailure(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	if err != nil {
		return answer{}, c.incomplete(err)
	}
	if len(data) > maxAnswerBytes {
		return answer{}, failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered with more than %d MiB", c.alias, maxAnswerBytes>>20)
	}
	if response.StatusCode != http.StatusOK {
		return answer{}, c.statusFailure(response.StatusCode, response.Header, data)
	}
	said, err := c.wire.answer(data)
	if err != nil {
		// Without a length, a body that was cut looks like one that is wrong: it is retried all the same.
		return answer{}, c.incomplete(errors.New("the body of the answer is not valid JSON"))
	}
	return said, nil
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
func (c *Client) text(said answer) (string, error) {
	switch {
	case said.empty:
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered without any choice", c.alias)
	case said.refused:
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q refused to answer; see the prompts of this row", c.alias)
	case strings.TrimSpace(said.text) == "":
		return "", failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
			"model %q answered with an empty text (it stopped for the reason %.40q)", c.alias, said.reason)
	}
	return said.text, nil
}
