package tools_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/tools"
)

// said makes calls in one turn and returns what the model is told.
func said(t *testing.T, box *tools.Toolbox, calls ...model.ToolCall) []string {
	t.Helper()
	for i := range calls {
		calls[i].ID = fmt.Sprintf("call-%d", i)
	}
	messages, usage, err := box.Call(t.Context(), calls)
	if err != nil {
		t.Fatal(err)
	}
	if usage.ToolCalls != int64(len(calls)) || len(messages) != len(calls) {
		t.Errorf("%d calls had %d results and counted %d", len(calls), len(messages), usage.ToolCalls)
	}
	var texts []string
	for i, message := range messages {
		if message.Role != model.RoleTool || message.ToolCallID != calls[i].ID {
			t.Errorf("the result of call %d is %+v", i, message)
		}
		texts = append(texts, message.Content)
	}
	return texts
}

// transports are the three ways to reach the same tools.
func transports(t *testing.T, set v1alpha1.ToolSet, test func(t *testing.T, box *tools.Toolbox)) {
	t.Helper()
	seen := newCounts(t)
	t.Run("StreamableHTTP", func(t *testing.T) {
		test(t, checked(t, one(v1alpha1.ToolServerStreamableHTTP, newSite(t, streamable(toolServer(seen))).url(), set)))
	})
	t.Run("StreamableHTTP of an older server", func(t *testing.T) {
		test(t, checked(t, one(v1alpha1.ToolServerStreamableHTTP, newSite(t, older(streamable(toolServer(seen)))).url(), set)))
	})
	t.Run("SSE", func(t *testing.T) {
		server := toolServer(seen)
		handler := mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil)
		test(t, checked(t, one(v1alpha1.ToolServerSSE, newSite(t, handler).url(), set)))
	})
	t.Run("Stdio", func(t *testing.T) {
		folder := sidecar(t, "only")
		test(t, checked(t, one(v1alpha1.ToolServerStdio, "", set), func(config *tools.Config) {
			config.Socket = func(server string) string { return filepath.Join(folder, server) }
		}))
	})
}

func TestToolsAreListedAndCalledOverEveryTransport(t *testing.T) {
	transports(t, v1alpha1.ToolSet{}, func(t *testing.T, box *tools.Toolbox) {
		var names []string
		for _, tool := range box.List() {
			names = append(names, tool.Name)
		}
		want := []string{"big", "die", "dot_name", "echo", "fail", "picture", "process", "refuse", "slow"}
		if difference := cmp.Diff(want, names); difference != "" {
			t.Error(difference)
		}
		echo := box.List()[3]
		if echo.Description != "does echo" || string(echo.Parameters) != `{"properties":{"text":{"type":"string"}},"type":"object"}` {
			t.Errorf("got %+v, parameters %s", echo, echo.Parameters)
		}
		got := said(t, box,
			model.ToolCall{Name: "echo", Arguments: `{"n": 12345678901234567890}`},
			model.ToolCall{Name: "fail"},
			model.ToolCall{Name: "dot_name", Arguments: "null"},
			model.ToolCall{Name: "refuse", Arguments: "{}"},
			model.ToolCall{Name: "nowhere", Arguments: "{}"},
			model.ToolCall{Name: "echo", Arguments: `{"half": `},
			model.ToolCall{Name: "echo", Arguments: `[1]`},
		)
		want = []string{
			"you said\n" + `{"n":12345678901234567890}`,
			"error: the disk is full",
			"dotted",
			"error: no such city",
			`error: there is no tool called "nowhere"`,
			"error: the arguments are not a JSON object",
			"error: the arguments are not a JSON object",
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Error(difference)
		}
	})
}

func TestPicturesAndLongTextsOfResults(t *testing.T) {
	transports(t, v1alpha1.ToolSet{}, func(t *testing.T, box *tools.Toolbox) {
		messages, _, err := box.Call(t.Context(), []model.ToolCall{{ID: "a", Name: "picture"}, {ID: "b", Name: "big"}})
		if err != nil {
			t.Fatal(err)
		}
		want := []model.Media{{Modality: v1alpha1.MediaImage, MediaType: "image/png", Data: base64.StdEncoding.EncodeToString(pixel)}}
		if difference := cmp.Diff(want, messages[0].Media); difference != "" || messages[0].Content != "look" {
			t.Error(messages[0].Content, difference)
		}
		text := messages[1].Content
		if len(text) > 66_000 || !strings.HasPrefix(text, "éé") ||
			!strings.HasSuffix(text, "é\n[cut: the result has 400000 bytes, of which these are the first 65536]") {
			t.Errorf("%d bytes, the last of which are %q", len(text), text[len(text)-90:])
		}
	})
}

func TestOneSessionServesAllCallsAtOnce(t *testing.T) {
	seen := newCounts(t)
	box := checked(t, one(v1alpha1.ToolServerStreamableHTTP, newSite(t, older(streamable(toolServer(seen)))).url(), v1alpha1.ToolSet{}))
	ended := make(chan error, 20)
	for range 20 {
		go func() {
			_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "slow"}, {Name: "echo"}})
			ended <- err
		}()
	}
	waitFor(t, "20 slow calls are under way at once", func() bool { return seen.of("slow") == 20 })
	seen.release()
	for range 20 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if sessions := seen.sessions.Load(); sessions != 1 {
		t.Errorf("there were %d sessions", sessions)
	}
}

func TestNothingOfCallsIsLogged(t *testing.T) {
	seen := newCounts(t)
	where := newSite(t, older(streamable(toolServer(seen))))
	var log strings.Builder
	spec := one(v1alpha1.ToolServerStreamableHTTP, where.url(), v1alpha1.ToolSet{})
	set := open(t, spec, func(config *tools.Config) {
		config.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	if err := set.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	call := model.ToolCall{Name: "echo", Arguments: `{"text": "s3cret"}`}
	if got := said(t, set.Toolbox("box"), call, model.ToolCall{Name: "fail"}); !strings.Contains(got[0], "s3cret") {
		t.Errorf("got %q", got)
	}
	where.kill()
	// The first call finds out that the session is lost, or only that nobody is there; a new session can't be opened in either case.
	where.start(older(http.NotFoundHandler()))
	for range 3 {
		_, _, err := set.Toolbox("box").Call(t.Context(), []model.ToolCall{call})
		retryable(t, err)
	}
	where.kill()
	where.start(older(streamable(toolServer(seen))))
	waitFor(t, "calls get through again", func() bool {
		_, _, err := set.Toolbox("box").Call(t.Context(), []model.ToolCall{call})
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("got %v", err)
		}
		return err == nil
	})
	set.Close()
	text := log.String()
	if strings.Contains(text, "s3cret") || strings.Contains(text, "disk") {
		t.Errorf("the log is %s", text)
	}
	for _, line := range []string{"was lost", "is away", "is back"} {
		if strings.Count(text, line) != 1 {
			t.Errorf("%q is not once in the log %s", line, text)
		}
	}
}

func TestALateToolIsToldToTheModelAndTheOthersAreNot(t *testing.T) {
	transports(t, v1alpha1.ToolSet{TimeoutSeconds: new(int32(1))}, func(t *testing.T, box *tools.Toolbox) {
		got := said(t, box, model.ToolCall{Name: "slow"}, model.ToolCall{Name: "dot_name"})
		want := []string{"error: no answer within 1s, which is the time for all calls of one turn", "dotted"}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Error(difference)
		}
		if got := said(t, box, model.ToolCall{Name: "dot_name"}); got[0] != "dotted" {
			t.Errorf("afterwards: %q", got)
		}
	})
}

func TestASessionThatNeverAnswersIsGivenUpAndTakesNoCallWithIt(t *testing.T) {
	seen := newCounts(t)
	where := newSite(t, older(streamable(toolServer(seen))))
	spec := specWith([]v1alpha1.ToolServer{{Name: "only", Type: v1alpha1.ToolServerStreamableHTTP, Endpoint: where.url()}},
		v1alpha1.ToolSet{Alias: "box", Servers: []string{"only"}, TimeoutSeconds: new(int32(1))}, v1alpha1.ToolSet{Alias: "patient", Servers: []string{"only"}})
	set := open(t, spec)
	if err := set.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := make(chan string, 1)
	go func() {
		messages, _, err := set.Toolbox("patient").Call(t.Context(), []model.ToolCall{{Name: "slow"}})
		ended <- fmt.Sprint(messages, err)
	}()
	waitFor(t, "the patient call is under way", func() bool { return seen.of("slow") == 1 })
	slow := model.ToolCall{Name: "slow"}
	if got := said(t, set.Toolbox("box"), slow, slow, slow); !strings.Contains(got[2], "no answer within 1s") {
		t.Errorf("got %q", got)
	}
	said(t, set.Toolbox("box"), model.ToolCall{Name: "echo"})
	if sessions := seen.sessions.Load(); sessions != 2 {
		t.Errorf("after three late calls there were %d sessions in all", sessions)
	}
	seen.release()
	if got := <-ended; !strings.Contains(got, "at last") {
		t.Errorf("the call in the old session ended with %s", got)
	}
}

func TestAnSSEServerThatIsKilledAndStartedAgain(t *testing.T) {
	seen := newCounts(t)
	handler := func() http.Handler {
		server := toolServer(seen)
		return mcp.NewSSEHandler(func(*http.Request) *mcp.Server { return server }, nil)
	}
	where := newSite(t, handler())
	box := checked(t, one(v1alpha1.ToolServerSSE, where.url(), v1alpha1.ToolSet{}))
	ended := make(chan error, 1)
	go func() {
		_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "slow"}})
		ended <- err
	}()
	waitFor(t, "a call is under way", func() bool { return seen.of("slow") == 1 })
	where.kill()
	retryable(t, <-ended)
	where.start(handler())
	waitFor(t, "calls get through again", func() bool {
		_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "echo"}})
		if err != nil {
			retryable(t, err)
		}
		return err == nil
	})
}

func TestTooManyCallsInOneTurnAreToldToTheModel(t *testing.T) {
	seen := newCounts(t)
	box := checked(t, one(v1alpha1.ToolServerStreamableHTTP, newSite(t, streamable(toolServer(seen))).url(), v1alpha1.ToolSet{}))
	messages, usage, err := box.Call(t.Context(), make([]model.ToolCall, 0))
	if err != nil || len(messages) != 0 || usage.ToolCalls != 0 {
		t.Errorf("no calls: %v, %v, %v", messages, usage, err)
	}
	calls := make([]model.ToolCall, 100)
	for i := range calls {
		calls[i] = model.ToolCall{Name: "dot_name"}
	}
	messages, usage, err = box.Call(t.Context(), calls)
	if err != nil || usage.ToolCalls != 64 || seen.of("dot.name") != 64 {
		t.Fatalf("%d calls were made, %d counted: %v", seen.of("dot.name"), usage.ToolCalls, err)
	}
	if messages[63].Content != "dotted" || !strings.Contains(messages[64].Content, "only the first 64") {
		t.Errorf("got %q, %q", messages[63].Content, messages[64].Content)
	}
}

func TestAServerThatIsKilledAndStartedAgain(t *testing.T) {
	for name, wrap := range map[string]func(http.Handler) http.Handler{
		"without sessions": func(next http.Handler) http.Handler { return next },
		"with sessions":    older,
		// As the servers of other libraries do, whose 404 has a body that looks like an answer of the tool.
		"with an error of the protocol": func(next http.Handler) http.Handler {
			return older(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				caught := &catching{ResponseWriter: writer}
				next.ServeHTTP(caught, request)
			}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			seen := newCounts(t)
			where := newSite(t, wrap(streamable(toolServer(seen))))
			box := checked(t, one(v1alpha1.ToolServerStreamableHTTP, where.url(), v1alpha1.ToolSet{}))
			ended := make(chan error, 1)
			go func() {
				_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "slow"}})
				ended <- err
			}()
			waitFor(t, "a call is under way", func() bool { return seen.of("slow") == 1 })
			where.kill()
			retryable(t, <-ended)
			_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "echo"}})
			retryable(t, err)
			if message := err.Error(); !strings.Contains(message, `tool server "only"`) || !strings.Contains(message, "connection refused") {
				t.Errorf("got %q", message)
			}
			where.start(wrap(streamable(toolServer(seen, "echo", "fresh"))))
			if got := said(t, box, model.ToolCall{Name: "echo"}); got[0] != "you said\n{}" {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A failure ends the calls beside it, of which one waits for a session with another server: that one is not to blame.
func TestTheFailureOfATurnIsTheOneThatEndedIt(t *testing.T) {
	seen := newCounts(t)
	silent, dead := newSite(t, streamable(toolServer(seen, "echo"))), newSite(t, streamable(toolServer(seen, "fresh")))
	spec := specWith([]v1alpha1.ToolServer{
		{Name: "silent", Type: v1alpha1.ToolServerStreamableHTTP, Endpoint: silent.url()},
		{Name: "dead", Type: v1alpha1.ToolServerStreamableHTTP, Endpoint: dead.url()},
	}, v1alpha1.ToolSet{Alias: "box", Servers: []string{"silent", "dead"}})
	box := checked(t, spec)
	silent.kill()
	_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "echo"}})
	retryable(t, err)
	silent.start(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body) // from then on the end of the connection is noticed
		<-request.Context().Done()
	}))
	dead.kill()
	_, _, err = box.Call(t.Context(), []model.ToolCall{{Name: "echo"}, {Name: "fresh"}})
	retryable(t, err)
	if message := err.Error(); !strings.Contains(message, `tool server "dead"`) {
		t.Errorf("got %q", message)
	}
	silent.kill()
}

// catching gives a 404 the body of an error of the protocol.
type catching struct{ http.ResponseWriter }

func (c *catching) WriteHeader(status int) {
	if status == http.StatusNotFound {
		c.Header().Set("Content-Type", "application/json")
		c.Header().Del("Content-Length")
		c.ResponseWriter.WriteHeader(status)
		_, _ = c.ResponseWriter.Write([]byte(`{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Session not found"}}`))
		return
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *catching) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func TestToolsAreListedAgainWithANewSession(t *testing.T) {
	seen := newCounts(t)
	where := newSite(t, older(streamable(toolServer(seen, "echo"))))
	box := checked(t, one(v1alpha1.ToolServerStreamableHTTP, where.url(), v1alpha1.ToolSet{}))
	where.kill()
	where.start(older(streamable(toolServer(seen, "echo", "fresh"))))
	waitFor(t, "calls get through again", func() bool {
		_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "echo"}})
		if err != nil {
			retryable(t, err)
		}
		return err == nil
	})
	if got := said(t, box, model.ToolCall{Name: "fresh"}); got[0] != "you said\n{}" || len(box.List()) != 2 {
		t.Errorf("got %q, and the tools %v", got, box.List())
	}
}

func TestAProgramThatDiesIsStartedAgain(t *testing.T) {
	folder := sidecar(t, "only")
	box := checked(t, one(v1alpha1.ToolServerStdio, "", v1alpha1.ToolSet{}), func(config *tools.Config) {
		config.Socket = func(server string) string { return filepath.Join(folder, server) }
	})
	before := said(t, box, model.ToolCall{Name: "process"}, model.ToolCall{Name: "process"})
	if before[0] != before[1] {
		t.Errorf("two calls were made by the programs %q", before)
	}
	_, _, err := box.Call(t.Context(), []model.ToolCall{{Name: "die"}})
	retryable(t, err)
	if !strings.Contains(err.Error(), "kubectl logs POD --container tool-only") {
		t.Errorf("got %q", err)
	}
	if after := said(t, box, model.ToolCall{Name: "process"}); after[0] == before[0] || strings.HasPrefix(after[0], "error") {
		t.Errorf("before %q, afterwards %q", before, after)
	}
}

func TestTheEndOfTheRunEndsCalls(t *testing.T) {
	seen := newCounts(t)
	box := checked(t, one(v1alpha1.ToolServerStreamableHTTP, newSite(t, streamable(toolServer(seen))).url(), v1alpha1.ToolSet{}))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, _, err := box.Call(ctx, []model.ToolCall{{Name: "slow"}})
		ended <- err
	}()
	waitFor(t, "a call is under way", func() bool { return seen.of("slow") == 1 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || errors.As(err, new(*failure.Error)) {
		t.Errorf("got %v", err)
	}
}

func TestTheKeyGoesToTheServerAndNowhereElse(t *testing.T) {
	const key = "k3y-of-the-server"
	var stranger atomic.Int64
	elsewhere := newSite(t, http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "" {
			stranger.Add(1)
		}
		http.NotFound(writer, request)
	}))
	handler := streamable(toolServer(newCounts(t)))
	guarded := newSite(t, http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != "Bearer "+key {
			http.Error(writer, "you are not "+key, http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(writer, request)
	}))
	leading := newSite(t, http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		http.Redirect(writer, request, elsewhere.url(), http.StatusTemporaryRedirect)
	}))
	misleading := newSite(t, http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		writer.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(writer, "event: endpoint\ndata: %s/messages\n\n", elsewhere.url())
		writer.(http.Flusher).Flush()
		<-request.Context().Done()
	}))
	reference := &v1alpha1.SecretKeyReference{Name: "s", Key: "k"}
	with := func(given string) func(*tools.Config) {
		return func(config *tools.Config) {
			config.Key, config.Patience = func(int) string { return given }, time.Millisecond
		}
	}
	spec := one(v1alpha1.ToolServerStreamableHTTP, guarded.url(), v1alpha1.ToolSet{})
	spec.ToolServers[0].APIKeySecretRef = reference
	if got := said(t, checked(t, spec, with(key+"\n")), model.ToolCall{Name: "echo"}); got[0] != "you said\n{}" {
		t.Errorf("got %q", got)
	}
	for name, test := range map[string]struct {
		kind v1alpha1.ToolServerType
		at   *site
		key  string
		want string
	}{
		"another key":  {v1alpha1.ToolServerStreamableHTTP, guarded, "wrong", "refused the API key (HTTP 401); check the Secret"},
		"a bad key":    {v1alpha1.ToolServerStreamableHTTP, guarded, "a\nb", "holds a character that no key has"},
		"a redirect":   {v1alpha1.ToolServerStreamableHTTP, leading, key, "answered with a redirect (HTTP 307)"},
		"other places": {v1alpha1.ToolServerSSE, misleading, key, "could not be used"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := one(test.kind, test.at.url(), v1alpha1.ToolSet{})
			spec.ToolServers[0].APIKeySecretRef = reference
			err := open(t, spec, with(test.key)).Check(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), key) {
				t.Errorf("got %v", err)
			}
		})
	}
	if count := stranger.Load(); count != 0 {
		t.Errorf("the key went to another server %d times", count)
	}
}

func retryable(t *testing.T, err error) {
	t.Helper()
	var failed *failure.Error
	if !errors.As(err, &failed) || failed.Reason != v1alpha1.ReasonToolFailed || failed.Consequence != failure.RetryLater {
		t.Fatalf("want a failure that is tried again, got %v", err)
	}
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
