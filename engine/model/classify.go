package model

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

// maxRetryAfter is the longest wish that is passed on; longer ones, which a duration can't hold, are cut.
const maxRetryAfter = 10_000 * time.Hour

// connectionFailure classifies a request for which no answer has begun. Whatever the cause, it may pass; what says that
// nobody is there counts against the endpoint too.
func (c *Client) connectionFailure(err error) error {
	// The text of a url.Error repeats the address, which is named below.
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	consequence := failure.RetryLater
	var dns *net.DNSError
	var operation *net.OpError
	connecting := errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "proxyconnect")
	if connecting || errors.As(err, &dns) || errors.Is(err, syscall.ECONNREFUSED) || tlsProblem(err) != "" {
		consequence = failure.PauseEndpoint
	}
	return failure.Wrap(err, v1alpha1.ReasonProviderUnavailable, consequence, "provider %q could not be reached at %s: %s",
		c.provider, c.url, connectionProblem(err))
}

// connectionProblem names the problem in the words that people look up. It takes them from the system's errors only, whose texts
// hold nothing of the request.
func connectionProblem(err error) string {
	var errno syscall.Errno
	var dns *net.DNSError
	var timeout net.Error
	if problem := tlsProblem(err); problem != "" {
		return problem
	}
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.As(err, &dns):
		return "looking up " + dns.Name + ": " + dns.Err
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF):
		return "the connection was closed"
	}
	return "the connection failed"
}

// tlsProblem names a problem with the encryption that no retry solves by itself, or returns an empty string.
func tlsProblem(err error) string {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return "its TLS certificate can't be verified: " + certificate.Err.Error()
	case errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS; is its endpoint http instead of https?"
	}
	return ""
}

// incomplete classifies an answer that has begun and did not end.
func (c *Client) incomplete(err error) error {
	return failure.Wrap(err, v1alpha1.ReasonProviderUnavailable, failure.RetryLater, "the answer of model %q was incomplete", c.alias)
}

// statusFailure classifies an answer with a status other than 200. The server's text is not repeated: it may hold parts of the prompt or of the key.
func (c *Client) statusFailure(status int, header http.Header, body []byte) error {
	code := errorCode(body)
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		key := "it has no apiKeySecretRef"
		if c.hasKey {
			key = "check the Secret that apiKeySecretRef names"
		}
		return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "provider %q refused the API key (HTTP %d); %s", c.provider, status, key)
	case status == http.StatusPaymentRequired || code == "insufficient_quota":
		return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun, "provider %q says that the account has no quota left (HTTP %d)", c.provider, status)
	case status == http.StatusNotFound:
		return failure.New(v1alpha1.ReasonModelNotFound, failure.EndRun,
			"provider %q does not know model %q, or has no %s (HTTP 404); check models[].model and the provider's endpoint", c.provider, c.model, c.url)
	case status == http.StatusTooManyRequests:
		limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "provider %q refused too many requests (HTTP 429); lower maxParallelRequests", c.provider)
		limited.RetryAfter = retryAfter(header, time.Now())
		return limited
	case status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooEarly || status == http.StatusInternalServerError:
		return c.serverFailure(status, header, failure.RetryLater)
	case status >= http.StatusInternalServerError:
		return c.serverFailure(status, header, failure.PauseEndpoint)
	case status >= http.StatusMultipleChoices && status < http.StatusBadRequest:
		return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun, "provider %q answered with a redirect (HTTP %d); set its endpoint to where it leads", c.provider, status)
	}
	return failure.New(v1alpha1.ReasonRequestRejected, failure.DropRow, "provider %q rejected a request to model %q (HTTP %d%s)", c.provider, c.model, status, withCode(code))
}

func (c *Client) serverFailure(status int, header http.Header, consequence failure.Consequence) error {
	result := failure.New(v1alpha1.ReasonProviderUnavailable, consequence, "provider %q failed with HTTP %d", c.provider, status)
	result.RetryAfter = retryAfter(header, time.Now())
	return result
}

// errorCode returns the code in an error's body, if there is one that is a plain word.
func errorCode(body []byte) string {
	var document struct {
		Error struct {
			Code any    `json:"code"`
			Type string `json:"type"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &document) != nil {
		return ""
	}
	code, isText := document.Error.Code.(string)
	if !isText || code == "" {
		code = document.Error.Type
	}
	if len(code) > 64 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
		return ""
	}
	return code
}

func withCode(code string) string {
	if code == "" {
		return ""
	}
	return ", " + code
}

// retryAfter reads the header in both of its forms: seconds and a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		if !(seconds > 0) {
			return 0
		}
		return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(0, date.Sub(now)), maxRetryAfter)
	}
	return 0
}
