package tools

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/internal/runreport"
)

// unusable is the failure of a server with which no session could be opened, or whose session was lost. Most of it may pass.
func (s *server) unusable(err error, late bool) *failure.Error {
	var status *statusError
	var answered *jsonrpc.Error
	var notAllowed *connection.EndpointRefusal
	failed := failure.New(v1alpha1.ReasonToolFailed, failure.RetryLater, "")
	says := func(format string, arguments ...any) *failure.Error {
		failed.Message = fmt.Sprintf("tool server %q ", s.spec.Name) + fmt.Sprintf(format, arguments...)
		return failed
	}
	switch {
	case late:
		return says("%s did not open a session in time%s", s.where(), s.hint())
	case errors.Is(err, errNoSidecar), errors.Is(err, errBadKey), errors.Is(err, errTooMany), errors.Is(err, errTooLarge):
		failed.Consequence = failure.EndRun
		return says("can't be used: %v", ownText(err))
	case errors.As(err, &notAllowed):
		return failure.New(v1alpha1.ReasonEndpointNotAllowed, failure.EndRun, "tool server %q may not be asked: %v", s.spec.Name, notAllowed)
	case errors.As(err, &status):
		failed.RetryAfter = status.retryAfter
		return s.refused(failed, status, says)
	case errors.As(err, &answered) && fromServer(answered):
		failed.Consequence = failure.EndRun
		return says("%s refused the session (error %d of the protocol); is its type %s right?", s.where(), answered.Code, s.spec.Type)
	}
	return says("could not be used %s: %s%s", s.where(), connectionProblem(err), s.hint())
}

// refused classifies a status of HTTP.
func (s *server) refused(failed *failure.Error, status *statusError, says func(string, ...any) *failure.Error) *failure.Error {
	switch {
	case status.status == http.StatusUnauthorized || status.status == http.StatusForbidden:
		failed.Consequence = failure.EndRun
		if s.spec.APIKeySecretRef == nil {
			return says("%s refused the request (HTTP %d); it has no apiKeySecretRef", s.where(), status.status)
		}
		return says("%s refused the API key (HTTP %d); check the Secret that apiKeySecretRef names", s.where(), status.status)
	case status.status < http.StatusBadRequest:
		failed.Consequence = failure.EndRun
		return says("%s answered with a redirect (HTTP %d); set its endpoint to where it leads", s.where(), status.status)
	case status.session && (status.status == http.StatusNotFound || status.status == http.StatusBadRequest):
		return says("%s has lost the session (HTTP %d)", s.where(), status.status)
	case status.status == http.StatusNotFound:
		return says("%s answered with HTTP 404; check its endpoint and its type", s.where())
	}
	return says("%s failed with HTTP %d", s.where(), status.status)
}

// where names the place of a server without a query, in which a key may stand.
func (s *server) where() string {
	if s.spec.Type == v1alpha1.ToolServerStdio {
		return "in the sidecar"
	}
	endpoint, err := url.Parse(s.spec.Endpoint)
	if err != nil {
		return "at its endpoint"
	}
	return "at " + (&url.URL{Scheme: endpoint.Scheme, Host: endpoint.Host, Path: endpoint.Path}).String()
}

func (s *server) hint() string {
	if s.spec.Type == v1alpha1.ToolServerStdio {
		return "; the log of the sidecar says more (kubectl logs POD --container " + runreport.ToolContainerPrefix + s.spec.Name + ")"
	}
	return ""
}

// ownText finds the error of ours in a chain whose other texts may hold anything.
func ownText(err error) error {
	for _, own := range []error{errNoSidecar, errBadKey, errTooMany, errTooLarge} {
		if errors.Is(err, own) {
			return own
		}
	}
	return nil
}

// connectionProblem names a problem in words that hold nothing of a call.
func connectionProblem(err error) string {
	if known := connection.Problem(err); known != "" {
		return known
	}
	if errors.Is(err, mcp.ErrConnectionClosed) || errors.Is(err, context.Canceled) {
		return "the connection was closed"
	}
	return connection.Failed + ", or what came back was not the protocol"
}

// The codes with which the library marks errors that arose on this side.
const (
	codeClientClosing = -32003
	codeServerClosing = -32004
	codeRejected      = -32005
)

// fromServer says whether an error of the protocol is an answer of the server.
func fromServer(answered *jsonrpc.Error) bool {
	switch answered.Code {
	case codeClientClosing, codeServerClosing, codeRejected:
		return false
	}
	return true
}

// sessionUnknown says that the server has refused a call, and not begun it, since it does not know the session (any more).
func sessionUnknown(err error) bool {
	var status *statusError
	return errors.As(err, &status) && status.session && (status.status == http.StatusNotFound || status.status == http.StatusBadRequest)
}
