package model

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

const (
	// maxAnswerBytes is the largest answer that is read; far beyond any model's, so that a broken server can't exhaust the memory.
	maxAnswerBytes = 32 << 20
	// maxErrorBytes is how much of an answer with another status than 200 is read.
	maxErrorBytes = 64 << 10
)

// sent is a request as it was sent.
type sent struct {
	to   *url.URL
	body []byte
}

// received is an answer that has come as a whole. It is released when its data were read.
type received struct {
	sent   sent
	header http.Header
	data   []byte
	lease  *lease
}

// release gives back what the answer has of the memory for all answers.
func (r *received) release() { r.lease.release() }

// post sends a request and returns an answer that tells of success, which the caller releases.
func (c *Client) post(ctx context.Context, request sent) (*received, error) {
	response, err := c.open(ctx, request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return c.readAll(ctx, request, response)
}

// open sends a request. The caller closes the body of the answer, whose status tells of success.
func (c *Client) open(ctx context.Context, request sent) (*http.Response, error) {
	if c.badKey {
		return nil, failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun,
			"the API key of provider %q holds a character that no key has, such as a line break; check the Secret that apiKeySecretRef names",
			c.provider)
	}
	if request.to == nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "the endpoint of provider %q is not a URL", c.provider)
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(request.body)), nil }
	first, _ := body() // never fails
	// The transport alone follows no redirects, which could carry prompts and keys to another host.
	response, err := c.transport.RoundTrip((&http.Request{
		Method: http.MethodPost, URL: request.to, Host: request.to.Host, Header: c.header, ContentLength: int64(len(request.body)),
		Body: first,
		// A connection that the server has closed meanwhile is replaced, and the body sent again.
		GetBody: body,
	}).WithContext(ctx))
	if err != nil {
		return nil, c.connectionFailure(request.to, err)
	}
	if response.StatusCode < http.StatusOK {
		// Of these, the transport passes on only one that ends HTTP on this connection: there is no answer to wait for.
		response.Body.Close()
		return nil, failure.New(v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint,
			"provider %q answered with HTTP %d instead of an answer; check its endpoint, and what stands before it", c.provider,
			response.StatusCode)
	}
	// Whatever the transport does about the end of the context, nothing is read from a body after it.
	answered := response.Body
	response.Body = &endedBody{ReadCloser: answered, stop: context.AfterFunc(ctx, func() { answered.Close() })}
	if response.StatusCode < http.StatusMultipleChoices {
		return response, nil
	}
	defer response.Body.Close()
	// What can't be read of it is not needed.
	data, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	return nil, c.problemFailure(request, response.StatusCode, response.Header, errorOf(data))
}

// endedBody is a body that is closed when the context of its request ends.
type endedBody struct {
	io.ReadCloser
	stop func() bool
}

// Close closes the body, unless that was done already.
func (b *endedBody) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}

// readAll reads an answer to its end, within the memory that there is for all answers under way.
func (c *Client) readAll(ctx context.Context, request sent, response *http.Response) (*received, error) {
	if response.ContentLength > maxAnswerBytes {
		return nil, c.tooLarge()
	}
	held := c.answers.open()
	data, err := readBody(ctx, held, response.Body, response.ContentLength)
	switch {
	case err == nil && len(data) <= maxAnswerBytes:
		return &received{sent: request, header: response.Header, data: data, lease: held}, nil
	case err == nil:
		err = c.tooLarge()
	default:
		err = c.incomplete(err)
	}
	held.release()
	return nil, err
}

// firstRead is how much memory an answer has whose length is not told.
const firstRead = 4 << 10

// readBody reads at most one byte more than an answer may have. The size is what was told of it, or negative.
func readBody(ctx context.Context, held *lease, body io.Reader, size int64) ([]byte, error) {
	capacity := int64(firstRead)
	if size >= 0 {
		// One more, with which the end is found.
		capacity = size + 1
	}
	if err := held.grow(ctx, capacity); err != nil {
		return nil, err
	}
	data := make([]byte, 0, capacity)
	for {
		count, err := body.Read(data[len(data):min(int64(cap(data)), maxAnswerBytes+1)])
		data = data[:len(data)+count]
		if err == io.EOF || len(data) > maxAnswerBytes {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if len(data) < cap(data) {
			continue
		}
		// Both are there while one is copied to the other.
		next := min(2*int64(cap(data)), maxAnswerBytes+1)
		if err := held.grow(ctx, int64(cap(data))+next); err != nil {
			return nil, err
		}
		data = append(make([]byte, 0, next), data...)
		held.shrink(next)
	}
}

func (c *Client) tooLarge() error {
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow,
		"model %q answered with more than %d MiB", c.alias, maxAnswerBytes>>20)
}
