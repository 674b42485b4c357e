package validation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
)

// How long is waited after the first failure, and at most; and how large an answer may be.
const (
	firstWait      = time.Second
	longestWait    = 30 * time.Second
	maxAnswerBytes = 16 << 20
)

// newHTTPClient is what all remote validators of a run share. endpoints says where requests may be sent; nil is anywhere.
func newHTTPClient(endpoints *connection.Endpoints) *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: endpoints.Proxy(http.ProxyFromEnvironment), DialContext: endpoints.Dial(dialer), TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
		},
		// A redirect could carry rows to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// remoteClient asks one server.
type remoteClient struct {
	spec    *v1alpha1.RemoteValidator
	http    *http.Client
	headers *connection.Headers
}

// remoteVerdict is what a server says of a row: rest is all but is_valid and error_messages.
type remoteVerdict struct {
	valid    *bool
	messages string
	rest     []byte
}

// statusError is an answer that is none.
type statusError struct {
	status int
	wait   time.Duration
}

// Error names the status, and where what a server wants to know of who asks it stands.
func (e *statusError) Error() string {
	text := fmt.Sprintf("it answered with the status %d", e.status)
	if e.status == http.StatusUnauthorized || e.status == http.StatusForbidden {
		text += "; see validation.remote.headers of the column, and the Secrets that they name"
	}
	return text
}

// passes says whether the same request may succeed later.
func passes(err error) bool {
	var status *statusError
	var refused *connection.EndpointRefusal
	switch {
	case errors.As(err, &status):
		return status.status == http.StatusTooManyRequests || status.status >= http.StatusInternalServerError
	case errors.As(err, &refused), errors.Is(err, errAnswer):
		return false
	}
	return true
}

// post asks about rows, and asks again after failures that pass. Its error says nothing of the rows.
func (c *remoteClient) post(ctx context.Context, body []byte, rows int) ([]remoteVerdict, error) {
	wait := firstWait
	for attempt := 0; ; attempt++ {
		verdicts, err := c.once(ctx, body, rows)
		if err == nil || ctx.Err() != nil || !passes(err) || attempt >= c.spec.EffectiveMaxRetries() {
			return verdicts, err
		}
		asked := wait
		var status *statusError
		if errors.As(err, &status) && status.wait > 0 {
			asked = status.wait
		}
		timer := time.NewTimer(min(asked, longestWait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		wait = min(2*wait, longestWait)
	}
}

func (c *remoteClient) once(ctx context.Context, body []byte, rows int) ([]remoteVerdict, error) {
	ctx, cancel := context.WithTimeout(ctx, c.spec.EffectiveTimeout())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.spec.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	c.headers.AddTo(request.Header)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return nil, transportError(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	switch {
	case response.StatusCode < 200 || response.StatusCode > 299:
		return nil, &statusError{status: response.StatusCode, wait: connection.RetryAfter(response.Header, time.Now())}
	case err != nil:
		return nil, transportError(err)
	case len(data) > maxAnswerBytes:
		return nil, answerError("it has more than %d MiB", maxAnswerBytes>>20)
	}
	return readVerdicts(data, rows, c.headers)
}

// transportError is a failure of the connection in words that hold nothing of the request.
func transportError(err error) error {
	var refused *connection.EndpointRefusal
	if errors.As(err, &refused) {
		return refused
	}
	if problem := connection.Problem(err); problem != "" {
		return errors.New(problem)
	}
	return errors.New(connection.Failed)
}

// readVerdicts reads {"data": [{"is_valid": true, …}, …]} with a verdict for each row. What repeats a secret of the headers is hidden.
func readVerdicts(data []byte, rows int, headers *connection.Headers) ([]remoteVerdict, error) {
	var answer struct {
		Data []map[string]json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return nil, answerError(`it is no JSON of the form {"data": [{"is_valid": true}]}`)
	}
	if len(answer.Data) != rows {
		return nil, answerError("it has %d verdicts for %d rows", len(answer.Data), rows)
	}
	verdicts := make([]remoteVerdict, rows)
	for i, said := range answer.Data {
		valid, found := said["is_valid"]
		if !found || json.Unmarshal(valid, &verdicts[i].valid) != nil {
			return nil, answerError("is_valid of verdict %d must be true, false or null", i)
		}
		if messages, found := said["error_messages"]; found && json.Unmarshal(messages, &verdicts[i].messages) != nil {
			return nil, answerError("error_messages of verdict %d must be a text", i)
		}
		verdicts[i].messages = headers.Hide(verdicts[i].messages)
		delete(said, "is_valid")
		delete(said, "error_messages")
		rest, _ := json.Marshal(said) // which was read from JSON
		verdicts[i].rest = hideIn(rest, headers)
	}
	return verdicts, nil
}

// hideIn hides the secrets of headers in JSON that a server has sent, however it escapes them.
func hideIn(text []byte, headers *connection.Headers) []byte {
	if !headers.HaveSecrets() {
		return text
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a number stays as it is written
	var read any
	_ = decoder.Decode(&read) // which was JSON before
	if hidden, changed := hideInValue(read, headers); changed {
		text, _ = json.Marshal(hidden)
	}
	return text
}

// hideInValue hides them in a value and all that it holds. What is no text, and shows one of them, is null.
func hideInValue(value any, headers *connection.Headers) (hidden any, changed bool) {
	switch value := value.(type) {
	case string:
		hidden := headers.Hide(value)
		return hidden, hidden != value
	case []any:
		for i := range value {
			item, itemChanged := hideInValue(value[i], headers)
			value[i], changed = item, changed || itemChanged
		}
		return value, changed
	case map[string]any:
		// A name that shows one is replaced, so the members are put into another map.
		members := make(map[string]any, len(value))
		for _, name := range slices.Sorted(maps.Keys(value)) {
			hiddenName := headers.Hide(name)
			member, memberChanged := hideInValue(value[name], headers)
			members[hiddenName], changed = member, changed || memberChanged || hiddenName != name
		}
		return members, changed
	}
	text := fmt.Sprint(value)
	if value != nil && headers.Hide(text) != text {
		return nil, true
	}
	return value, false
}
