package model_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "sk-very-secret"

// client returns a client of a model at an address, with a time-out that no healthy test meets.
func client(t *testing.T, address string) *model.Client {
	t.Helper()
	return clientWithTimeout(t, address, 60)
}

func clientWithTimeout(t *testing.T, address string, timeout int32) *model.Client {
	t.Helper()
	tokens := int64(64)
	compiled := &plan.Plan{Spec: &v1alpha1.DatasetGenerationSpec{
		Providers: []v1alpha1.Provider{{Name: "local", Type: v1alpha1.ProviderOpenAI, Endpoint: address + "/v1/", APIKeySecretRef: &v1alpha1.SecretKeyReference{Name: "s", Key: "k"}}},
		Models: []v1alpha1.Model{{
			Alias: "writer", Provider: "local", Model: "m", TimeoutSeconds: &timeout, Parameters: &v1alpha1.ModelParameters{MaxTokens: &tokens},
		}},
	}}
	set := model.NewSet(compiled.Spec, func(int) string { return secret })
	t.Cleanup(set.Close)
	return set.Client("writer")
}

func ask(ctx context.Context, c *model.Client) (string, error) {
	said, usage, err := c.Chat(ctx, question)
	if total := usage.Succeeded + usage.Failed; total != 1 {
		return said.Text, fmt.Errorf("usage counts %d requests for one", total)
	}
	return said.Text, err
}

var question = model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "a <b> & c"}}}

func TestChatSendsOneRequest(t *testing.T) {
	var path, authorization, body string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		path, authorization = request.URL.Path, request.Header.Get("Authorization")
		line, _ := bufio.NewReader(request.Body).ReadString('\n')
		body = strings.TrimSpace(line)
		fmt.Fprint(writer, `{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,`+
			`"completion_tokens":7}}`)
	}))
	defer server.Close()
	said, usage, err := client(t, server.URL).Chat(t.Context(), question)
	if err != nil || said.Text != "hello" || usage.Succeeded != 1 || usage.InputTokens != 5 || usage.OutputTokens != 7 {
		t.Errorf("got %+v, %+v, %v", said, usage, err)
	}
	if want := `{"model":"m","messages":[{"role":"user","content":"a <b> & c"}],"max_tokens":64}`; body != want {
		t.Errorf("sent %s, want %s", body, want)
	}
	if path != "/v1/chat/completions" || authorization != "Bearer "+secret {
		t.Errorf("sent to %s with %q", path, authorization)
	}
}

// raw answers every connection with the bytes, and then does what after says before it closes the connection.
func raw(t *testing.T, bytes string, after func(connection *net.TCPConn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			request, err := http.ReadRequest(bufio.NewReader(connection))
			if err == nil {
				_ = request.Body.Close()
				_, _ = connection.Write([]byte(bytes))
				after(connection.(*net.TCPConn))
			}
			_ = connection.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String()
}

func reset(connection *net.TCPConn) { _ = connection.SetLinger(0) }

func TestFailuresAreClassified(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	answer := func(status int, header, body string) string {
		return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n%s\r\n%s", status, len(body), header, body)
	}
	none := func(*net.TCPConn) {}
	cases := map[string]struct {
		bytes       string
		after       func(*net.TCPConn)
		address     string
		reason      string
		consequence failure.Consequence
		retryAfter  time.Duration
	}{
		"refused connection":        {address: "http://" + closed.Addr().String(), reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.PauseEndpoint},
		"unknown host":              {address: "http://nowhere.invalid", reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.PauseEndpoint},
		"reset before the headers":  {after: reset, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"closed before the headers": {after: none, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"reset in mid-body": {bytes: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"choices\":", after: reset,
			reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"truncated body": {bytes: "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"choices\":", after: none,
			reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"truncated body without a length": {bytes: "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"choices\":", after: none,
			reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"a page instead of JSON": {bytes: answer(200, "", "<html>"), after: none, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"401":                    {bytes: answer(401, "", secret), after: none, reason: v1alpha1.ReasonModelAuthentication, consequence: failure.EndRun},
		"403":                    {bytes: answer(403, "", ""), after: none, reason: v1alpha1.ReasonModelAuthentication, consequence: failure.EndRun},
		"404":                    {bytes: answer(404, "", ""), after: none, reason: v1alpha1.ReasonModelNotFound, consequence: failure.EndRun},
		"400":                    {bytes: answer(400, "", `{"error":{"code":"context_length_exceeded"}}`), after: none, reason: v1alpha1.ReasonContextOverflow, consequence: failure.DropRow},
		"422":                    {bytes: answer(422, "", ""), after: none, reason: v1alpha1.ReasonRequestRejected, consequence: failure.DropRow},
		"408":                    {bytes: answer(408, "", ""), after: none, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"429":                    {bytes: answer(429, "Retry-After: 7\r\n", ""), after: none, reason: v1alpha1.ReasonProviderRateLimited, consequence: failure.RetryLater, retryAfter: 7 * time.Second},
		"429, a long time":       {bytes: answer(429, "Retry-After: 86400\r\n", ""), after: none, reason: v1alpha1.ReasonProviderRateLimited, consequence: failure.RetryLater, retryAfter: 24 * time.Hour},
		"429, no quota": {bytes: answer(429, "", `{"error":{"code":"insufficient_quota"}}`), after: none,
			reason: v1alpha1.ReasonModelQuotaExhausted, consequence: failure.EndRun},
		"500":           {bytes: answer(500, "", ""), after: none, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.RetryLater},
		"503":           {bytes: answer(503, "Retry-After: 2\r\n", ""), after: none, reason: v1alpha1.ReasonProviderUnavailable, consequence: failure.PauseEndpoint, retryAfter: 2 * time.Second},
		"a redirect":    {bytes: answer(307, "Location: http://127.0.0.1:1/\r\n", ""), after: none, reason: v1alpha1.ReasonConfigInvalid, consequence: failure.EndRun},
		"empty choices": {bytes: answer(200, "", `{"choices":[]}`), after: none, reason: v1alpha1.ReasonModelGenerationInvalid, consequence: failure.DropRow},
		"empty text":    {bytes: answer(200, "", `{"choices":[{"message":{"content":" \n"}}]}`), after: none, reason: v1alpha1.ReasonModelGenerationInvalid, consequence: failure.DropRow},
		"null text":     {bytes: answer(200, "", `{"choices":[{"message":{"content":null}}]}`), after: none, reason: v1alpha1.ReasonModelGenerationInvalid, consequence: failure.DropRow},
		"a refusal": {bytes: answer(200, "", `{"choices":[{"message":{"content":null,"refusal":"no"}}]}`), after: none,
			reason: v1alpha1.ReasonContentRefused, consequence: failure.DropRow},
		"a filter": {bytes: answer(200, "", `{"choices":[{"message":{"content":"half"},"finish_reason":"content_filter"}]}`), after: none,
			reason: v1alpha1.ReasonContentRefused, consequence: failure.DropRow},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			address := test.address
			if address == "" {
				address = raw(t, test.bytes, test.after)
			}
			_, err := ask(t.Context(), client(t, address))
			var failed *failure.Error
			if !errors.As(err, &failed) {
				t.Fatalf("got %v", err)
			}
			if failed.Reason != test.reason || failed.Consequence != test.consequence || failed.RetryAfter != test.retryAfter {
				t.Errorf("got %s, consequence %d, retry after %s: %v", failed.Reason, failed.Consequence, failed.RetryAfter, err)
			}
			for _, hidden := range []string{secret, "a <b>"} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error repeats %q: %v", hidden, err)
				}
			}
		})
	}
}

// read reads the request to its end; only then does a server find out that the client has gone.
func read(request *http.Request) { _, _ = io.Copy(io.Discard, request.Body) }

func hang(request *http.Request) {
	read(request)
	<-request.Context().Done()
}

func TestATimeoutCoversTheWholeRequest(t *testing.T) {
	cases := map[string]http.HandlerFunc{
		"a server that hangs": func(_ http.ResponseWriter, request *http.Request) { hang(request) },
		"a body that trickles": func(writer http.ResponseWriter, request *http.Request) {
			read(request)
			ticker := time.NewTicker(20 * time.Millisecond)
			defer ticker.Stop()
			for request.Context().Err() == nil {
				<-ticker.C
				fmt.Fprint(writer, " ")
				writer.(http.Flusher).Flush()
			}
		},
	}
	for name, handler := range cases {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(handler)
			defer server.Close()
			_, err := ask(t.Context(), clientWithTimeout(t, server.URL, 1))
			var failed *failure.Error
			if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonProviderTimeout || failed.Consequence != failure.RetryLater {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestACancelledRequestEndsAtOnce(t *testing.T) {
	started := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		close(started)
		hang(request)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	if _, err := ask(ctx, client(t, server.URL)); !errors.Is(err, context.Canceled) || failure.Of(err).Reason != v1alpha1.ReasonInterrupted {
		t.Errorf("got %v", err)
	}
}

func TestAnAnswerWithoutEndIsCut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		block := []byte(strings.Repeat("x", 1<<20))
		for range 33 {
			if _, err := writer.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	_, err := ask(t.Context(), client(t, server.URL))
	if failed := failure.Of(err); failed.Reason != v1alpha1.ReasonModelGenerationInvalid || failed.Consequence != failure.DropRow {
		t.Errorf("got %v", err)
	}
}
