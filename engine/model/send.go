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

// post sends a body and returns the header and the body of an answer that tells of success.
func (c *Client) post(ctx context.Context, address *url.URL, body []byte) (http.Header, []byte, error) {
	response, err := c.open(ctx, address, body)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	data, err := c.readAll(response)
	return response.Header, data, err
}

// open sends a body. The caller closes the body of the answer, whose status tells of success.
func (c *Client) open(ctx context.Context, address *url.URL, body []byte) (*http.Response, error) {
	if c.badKey {
		return nil, failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun,
			"the API key of provider %q holds a character that no key has, such as a line break; check the Secret that apiKeySecretRef names", c.provider)
	}
	if address == nil {
		return nil, failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "the endpoint of provider %q is not a URL", c.provider)
	}
	request := (&http.Request{
		Method: http.MethodPost, URL: address, Host: address.Host, Header: c.header, ContentLength: int64(len(body)),
		Body: io.NopCloser(bytes.NewReader(body)),
		// A connection that the server has closed meanwhile is replaced, and the body sent again.
		GetBody: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil },
	}).WithContext(ctx)
	// The transport alone follows no redirects, which could carry prompts and keys to another host.
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, c.connectionFailure(address, err)
	}
	if response.StatusCode >= http.StatusOK && response.StatusCode < http.StatusMultipleChoices {
		return response, nil
	}
	defer response.Body.Close()
	// What can't be read of it is not needed.
	data, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	return nil, c.problemFailure(address, response.StatusCode, response.Header, errorOf(data))
}

// readAll reads an answer to its end.
func (c *Client) readAll(response *http.Response) ([]byte, error) {
	size := response.ContentLength
	if size > maxAnswerBytes {
		return nil, c.tooLarge()
	}
	var buffer bytes.Buffer
	if size > 0 {
		// The buffer wants room for one more read, with which it finds the end.
		buffer.Grow(int(size) + bytes.MinRead)
	}
	if _, err := buffer.ReadFrom(io.LimitReader(response.Body, maxAnswerBytes+1)); err != nil {
		return nil, c.incomplete(err)
	}
	if buffer.Len() > maxAnswerBytes {
		return nil, c.tooLarge()
	}
	return buffer.Bytes(), nil
}

func (c *Client) tooLarge() error {
	return failure.New(v1alpha1.ReasonModelGenerationInvalid, failure.DropRow, "model %q answered with more than %d MiB", c.alias, maxAnswerBytes>>20)
}
