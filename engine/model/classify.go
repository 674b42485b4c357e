package model

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
)

// statusOverloaded is how Anthropic says that it has too much to do.
const statusOverloaded = 529

// connectionFailure classifies a request for which no answer has begun. Whatever the cause, it may pass; what says that
// nobody is there counts against the endpoint too.
func (c *Client) connectionFailure(address *url.URL, err error) error {
	if refused := (*connection.EndpointRefusal)(nil); errors.As(err, &refused) {
		return failure.New(v1alpha1.ReasonEndpointNotAllowed, failure.EndRun, "provider %q may not be asked at %s: %v",
			c.provider, shownAddress(address), refused)
	}
	consequence := failure.RetryLater
	var dns *net.DNSError
	var operation *net.OpError
	var proxy *connection.ProxyRefusal
	connecting := errors.As(err, &operation) && (operation.Op == "dial" || operation.Op == "proxyconnect")
	if connecting || errors.As(err, &dns) || errors.As(err, &proxy) || errors.Is(err, syscall.ECONNREFUSED) ||
		connection.TLSProblem(err) != "" {
		consequence = failure.PauseEndpoint
	}
	return failure.Wrap(quietly(err), v1alpha1.ReasonProviderUnavailable, consequence, "provider %q could not be reached at %s: %s",
		c.provider, shownAddress(address), cmp.Or(connection.Problem(err), connection.Failed))
}

// shownAddress leaves out what may be a key: the user, and the query.
func shownAddress(address *url.URL) *url.URL {
	return &url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}
}

// incomplete classifies an answer that has begun and did not end.
func (c *Client) incomplete(err error) error {
	return failure.Wrap(quietly(err), v1alpha1.ReasonProviderUnavailable, failure.RetryLater,
		"the answer of model %q was incomplete", c.alias)
}

// unreadable classifies an answer that is not what it should be. Without a length, a body that was cut looks like one that is wrong: it is
// retried all the same.
func (c *Client) unreadable(header http.Header) error {
	if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		return failure.New(v1alpha1.ReasonProviderUnavailable, failure.RetryLater,
			"provider %q answered with a web page instead of JSON; check its endpoint, and what stands before it", c.provider)
	}
	return failure.Wrap(errNoJSON, v1alpha1.ReasonProviderUnavailable, failure.RetryLater,
		"the answer of model %q is not valid JSON, or was cut off", c.alias)
}

// problemFailure classifies a failure that the server tells of, by its status, or by its code where the status is that of a success. The
// server's text is not repeated: it may hold parts of the prompt or of the key.
func (c *Client) problemFailure(sent sent, status int, header http.Header, problem *serverError) error {
	shown := fmt.Sprintf("HTTP %d%s", status, c.shown(problem, sent.body))
	if status < http.StatusMultipleChoices {
		status = problem.statusOfCode()
	}
	rejected := status == http.StatusBadRequest || status == http.StatusForbidden || status == http.StatusUnprocessableEntity
	if rejected && problem.isRateLimit() {
		status, rejected = http.StatusTooManyRequests, false
	}
	wait := waitOf(header, problem, status == http.StatusTooManyRequests)
	switch {
	case status == http.StatusPaymentRequired || status >= http.StatusBadRequest && problem.quotaIsExhausted(wait > 0):
		return failure.New(v1alpha1.ReasonModelQuotaExhausted, failure.EndRun,
			"provider %q says that the account has no quota or credit left (%s); add some, or raise its limit", c.provider, shown)
	case status == http.StatusUnavailableForLegalReasons || rejected && problem.isContentRefusal():
		return failure.New(v1alpha1.ReasonContentRefused, failure.DropRow,
			"provider %q refused the content of a prompt (%s)", c.provider, shown)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		key := "it has no apiKeySecretRef"
		if c.hasKey {
			key = "check the Secret that apiKeySecretRef names"
		}
		return failure.New(v1alpha1.ReasonModelAuthentication, failure.EndRun,
			"provider %q refused the API key (%s); %s", c.provider, shown, key)
	case status == http.StatusProxyAuthRequired:
		return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
			"the proxy of provider %q demands a password, which is not supported (%s)", c.provider, shown)
	case status == http.StatusRequestEntityTooLarge || rejected && problem.isContextOverflow():
		return failure.New(v1alpha1.ReasonContextOverflow, failure.DropRow,
			"a prompt was too long for model %q (%s); shorten the prompts, or lower parameters.maxTokens", c.alias, shown)
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed || rejected && problem.isUnknownModel(c.settings.model):
		return failure.New(v1alpha1.ReasonModelNotFound, failure.EndRun,
			"provider %q does not know model %q, or has no %s (%s); check models[].model and the provider's endpoint", c.provider,
			c.settings.model, shownAddress(sent.to), shown)
	case status == http.StatusTooManyRequests:
		limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater,
			"provider %q refused a request to model %q because it has had too many (%s); %s", c.provider, c.settings.model, shown,
			c.lessLoad)
		limited.RetryAfter, limited.Overloaded = wait, true
		return limited
	case status == http.StatusRequestTimeout || status == http.StatusConflict || status == http.StatusTooEarly ||
		status == http.StatusInternalServerError:
		return c.serverFailure(shown, wait, failure.RetryLater)
	case status >= http.StatusInternalServerError:
		failed := c.serverFailure(shown, wait, failure.PauseEndpoint)
		failed.Overloaded = status == http.StatusServiceUnavailable || status == statusOverloaded
		return failed
	case status < http.StatusBadRequest:
		return failure.New(v1alpha1.ReasonConfigInvalid, failure.EndRun,
			"provider %q answered with a redirect (%s); set its endpoint to where it leads", c.provider, shown)
	}
	return failure.New(v1alpha1.ReasonRequestRejected, failure.DropRow, "provider %q rejected a request to model %q (%s)%s",
		c.provider, c.settings.model, shown, c.hint(problem, sent.body))
}

// waitOf is how long the server asks to wait, wherever it says so: in the headers, in the document of its error, in the words of that, or,
// where there were too many requests, by when its limit is whole again.
func waitOf(header http.Header, problem *serverError, limited bool) time.Duration {
	now := time.Now()
	wait := connection.RetryAfter(header, now)
	if wait == 0 {
		wait = connection.RetryAfterInDocument(problem.document, now)
	}
	if wait == 0 {
		wait = connection.RetryAfterInText(problem.text)
	}
	if wait == 0 && limited {
		wait = connection.UntilReset(header, now)
	}
	return wait
}

// hint says what the server's text is about, where it is something that users can change: a parameter that was sent, by its name in the
// spec, or something else that is known.
func (c *Client) hint(problem *serverError, body []byte) string {
	known := problem.hint()
	name, field := c.namedParameter(problem, body)
	switch {
	case name == "" || strings.Contains(known, name):
		return known
	case known == "" || strings.Contains(known, "one of the parameters"):
		return fmt.Sprintf("; it does not take %s as it was sent, because of %s", name, field)
	}
	return fmt.Sprintf("%s; it is about %s, which was sent because of %s", known, name, field)
}

// hint says what the server's text is about, where it is something that users can change.
func (e *serverError) hint() string {
	switch {
	case e.says("not a multimodal model", "does not support image", "image input", "no multimodal"):
		return "; the model takes no images, audio or video"
	case e.says("thinking may not be enabled"):
		return "; it can't be made to call a tool while it thinks: set structuredOutput to Prompt, or leave thinking out of extraBody"
	case e.says("max_completion_tokens"):
		return "; leave parameters.maxTokens out, and put max_completion_tokens into extraBody"
	case e.says("tool choice", "tool_choice", "tool-call-parser", "does not support tools"):
		return "; the server was not started with tools, or the model does not know them"
	case e.says("unsupported", "not supported", "unknown parameter", "unrecognized", "extra inputs are not permitted",
		"cannot both be specified", "mutually exclusive"):
		return "; it does not know one of the parameters, or takes no such combination: see parameters and extraBody"
	}
	return ""
}

func (c *Client) serverFailure(shown string, wait time.Duration, consequence failure.Consequence) *failure.Error {
	result := failure.New(v1alpha1.ReasonProviderUnavailable, consequence, "provider %q failed with %s", c.provider, shown)
	result.RetryAfter = wait
	return result
}
