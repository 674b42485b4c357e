package model

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// Client sends requests to one model. It is used from many goroutines at once.
type Client struct {
	transport http.RoundTripper
	// downloads fetches what answers lead to, and nothing in networks that only machines near this one reach.
	downloads http.RoundTripper
	// answers is the memory for answers under way, which all clients share.
	answers  *answers
	warnings *warnings
	alias    string
	provider string
	// chatURL, embeddingsURL and imagesURL are where requests go; nil where the protocol has no such.
	chatURL, embeddingsURL, imagesURL *url.URL
	// header is sent with every request; it is only read.
	header http.Header
	// secrets are what is never repeated, in lower case.
	secrets []string
	// badKey says that the API key can't be sent.
	badKey  bool
	hasKey  bool
	timeout time.Duration
	// lessLoad says what helps against refusals.
	lessLoad string
	wire     wire
	settings settings
	// extra are members of a JSON object, without its braces, that are added to every body; extraNames are their names.
	extra      []byte
	extraNames map[string]bool
}

// Chat sends one request and returns the answer. The usage counts the request in any case. A cancelled context is returned
// as it is; every other error is a failure.Error.
func (c *Client) Chat(ctx context.Context, request Request) (Answer, runreport.Usage, error) {
	if err := c.check(&request); err != nil {
		return Answer{}, runreport.Usage{Failed: 1}, err
	}
	var said answer
	err := c.limited(ctx, func(ctx context.Context) error {
		body := c.wire.appendRequest(make([]byte, 0, sizeOf(&request)+len(c.extra)), &c.settings, &request)
		body = c.closed(body)
		if c.settings.stream {
			var err error
			said, err = c.stream(ctx, &request, body)
			return err
		}
		received, err := c.post(ctx, sent{c.chatURL, body})
		if err == nil {
			said, err = c.read(received, &request)
			received.release()
		}
		return err
	})
	if err != nil {
		return Answer{}, runreport.Usage{Failed: 1}, err
	}
	usage := said.usage
	usage.Succeeded = 1
	usage.Images = int64(len(said.Images))
	return said.Answer, usage, c.usable(&said)
}

// read reads an answer that came as a whole.
func (c *Client) read(received *received, request *Request) (answer, error) {
	said, err := c.wire.answer(received.data, request)
	if err != nil {
		return answer{}, c.unreadable(received.header)
	}
	if said.problem != nil {
		return answer{}, c.problemFailure(received.sent, http.StatusOK, received.header, said.problem)
	}
	c.believe(&said.usage, received)
	return said, nil
}

// limited runs a request under the total deadline.
func (c *Client) limited(ctx context.Context, request func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	err := request(limited)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater,
			"model %q did not answer within %s; raise timeoutSeconds if it needs more", c.alias, c.timeout)
	}
	return err
}

// check refuses requests that can't be sent.
func (c *Client) check(request *Request) error {
	for _, own := range []struct {
		name string
		used bool
	}{
		{"tools", len(request.Tools) > 0},
		{"tool_choice", request.ForcedTool != "" || request.NoToolCalls},
		{"response_format", request.Schema != nil},
	} {
		if own.used && c.extraNames[own.name] {
			return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
				"the extraBody of model %q, or of its provider, sets %s, which a column of it needs too; remove it there", c.alias,
				own.name)
		}
	}
	return c.wire.check(request)
}

// closed adds the extra members to a body that was left open, and closes it.
func (c *Client) closed(body []byte) []byte {
	if len(c.extra) > 0 {
		body = append(append(body, ','), c.extra...)
	}
	return append(body, '}')
}

// sizeOf estimates the size of a request's body, so that it is built in one piece of memory.
func sizeOf(request *Request) int {
	size := 512
	for i := range request.Messages {
		message := &request.Messages[i]
		size += 64 + len(message.Content) + len(message.Content)/8 + len(message.Reasoning) + len(message.Echo)
		for _, media := range message.Media {
			size += 128 + len(media.URL) + len(media.Data)
		}
		for _, call := range message.ToolCalls {
			size += 128 + len(call.Arguments)
		}
	}
	for _, tool := range request.Tools {
		size += 128 + len(tool.Description) + len(tool.Parameters)
	}
	if request.Schema != nil {
		size += 128 + len(request.Schema.Document)
	}
	return size
}

// usable says whether an answer has what makes it one.
func (c *Client) usable(said *answer) error {
	switch {
	case said.empty:
		return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered without any choice", c.alias)
	case said.refused:
		return failure.New(v1alpha1.ReasonContentRefused, failure.DropRow,
			"model %q refused to answer; see the prompts of this row", c.alias)
	case len(said.ToolCalls) > 0 || len(said.Images) > 0 || strings.TrimSpace(said.Text) != "":
		return nil
	case said.Finish == FinishLength:
		return failure.New(v1alpha1.ReasonOutputTruncated, failure.DropRow,
			"model %q used up its tokens before the first word of its answer; raise parameters.maxTokens", c.alias)
	case said.Finish == FinishContext:
		return failure.New(v1alpha1.ReasonContextOverflow, failure.DropRow,
			"the context window of model %q was full before the first word of its answer; shorten the prompts", c.alias)
	}
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
		"model %q answered with an empty text (it stopped for the reason %.40q)", c.alias, plainStop(said.stopped))
}
