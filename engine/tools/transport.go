package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
)

// maxAnswerBytes is the largest message that is read from a server, so that a broken one can't exhaust the memory.
const maxAnswerBytes = 16 << 20

var (
	errTooMany   = fmt.Errorf("it lists more than %d tools", maxTools)
	errNoSidecar = errors.New("servers of type Stdio run as sidecars of the engine's Pod; elsewhere the socket of their bridge must be named")
	errBadKey    = errors.New("its API key holds a character that no key has, such as a line break; " +
		"check the Secret that apiKeySecretRef names")
	errTooLarge = fmt.Errorf("it sent a message of more than %d MiB", maxAnswerBytes>>20)
)

// statusError is an answer of HTTP that says that the message did not get through.
type statusError struct {
	status int
	// session says that the request named a session, which the server does not know when the status is 400 or 404.
	session    bool
	retryAfter time.Duration
}

// Error names the status only: the text of a server may hold anything.
func (e *statusError) Error() string { return fmt.Sprintf("HTTP %d", e.status) }

// transport returns how a session is opened.
func (s *server) transport(ctx context.Context) (mcp.Transport, error) {
	if s.spec.Type == v1alpha1.ToolServerStdio {
		return s.socket(ctx)
	}
	client, err := s.httpClient(ctx)
	if err != nil {
		return nil, err
	}
	if s.spec.Type == v1alpha1.ToolServerSSE {
		return &mcp.SSEClientTransport{Endpoint: s.spec.Endpoint, HTTPClient: client, MaxEventSize: maxAnswerBytes}, nil
	}
	return &mcp.StreamableClientTransport{Endpoint: s.spec.Endpoint, HTTPClient: client, MaxEventSize: maxAnswerBytes, MaxRetries: 1,
		DisableStandaloneSSE: true}, nil
}

// socket connects to the bridge of a sidecar. The connection ends with the context of the session.
func (s *server) socket(ctx context.Context) (mcp.Transport, error) {
	path := ""
	if s.set.config.Socket != nil {
		path = s.set.config.Socket(s.spec.Name)
	}
	if path == "" {
		return nil, errNoSidecar
	}
	dialer := net.Dialer{Timeout: connectTimeout}
	connection, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = connection.Close() }) // closing what is closed does no harm
	return &mcp.IOTransport{Reader: connection, Writer: connection, MaxLineLength: maxAnswerBytes}, nil
}

// httpClient is a client of this session alone: its connections are closed with the context of the session.
func (s *server) httpClient(ctx context.Context) (*http.Client, error) {
	endpoint, err := url.Parse(s.spec.Endpoint)
	if err != nil {
		return nil, err
	}
	key := ""
	if s.set.config.Key != nil {
		// Keys that were put into a file before the Secret end with a line break.
		key = strings.TrimSpace(s.set.config.Key(s.index))
	}
	if strings.ContainsFunc(key, func(char rune) bool { return char < ' ' || char >= 0x7f }) {
		return nil, errBadKey
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	base := &http.Transport{
		Proxy:       s.set.config.Endpoints.Proxy(http.ProxyFromEnvironment),
		DialContext: s.set.config.Endpoints.Dial(dialer), TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
	}
	context.AfterFunc(ctx, base.CloseIdleConnections)
	return &http.Client{
		Transport: &authorized{base: base, endpoint: endpoint, key: key},
		// A redirect could carry arguments to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// authorized adds the key to requests to the server, and only to it: a server of the type SSE may name any address for the messages. It
// turns statuses that the protocol has no meaning for into errors of type statusError.
type authorized struct {
	base     http.RoundTripper
	endpoint *url.URL
	key      string
}

// RoundTrip sends a request.
func (a *authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	if a.key != "" && request.URL.Scheme == a.endpoint.Scheme && request.URL.Host == a.endpoint.Host {
		request = request.Clone(request.Context())
		request.Header.Set("Authorization", "Bearer "+a.key)
	}
	response, err := a.base.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	inSession := request.Header.Get("Mcp-Session-Id") != ""
	if request.Method != http.MethodDelete && isFailure(response.StatusCode, inSession) {
		response.Body.Close()
		return nil, &statusError{status: response.StatusCode, session: inSession, retryAfter: connection.RetryAfter(response.Header,
			time.Now())}
	}
	if !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		response.Body = &limitedBody{ReadCloser: response.Body, left: maxAnswerBytes}
	}
	return response, nil
}

// isFailure says whether a status means that the message did not get through. A 400 outside of a session is part of how the two sides agree
// on a version, and a 405 says that a server has no stream.
func isFailure(status int, inSession bool) bool {
	switch status {
	case http.StatusBadRequest:
		return inSession
	case http.StatusMethodNotAllowed:
		return false
	}
	return status >= http.StatusMultipleChoices
}

// limitedBody fails when more is read from it than it may hold.
type limitedBody struct {
	io.ReadCloser
	left int64
}

// Read reads.
func (b *limitedBody) Read(buffer []byte) (int, error) {
	count, err := b.ReadCloser.Read(buffer)
	if b.left -= int64(count); b.left < 0 {
		return 0, errTooLarge
	}
	return count, err
}
