package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

const toolsSpec = `
numRecords: %d
providers: [{name: local, type: %s, endpoint: ENDPOINT}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
toolServers: [{name: lexicon, type: StreamableHTTP, endpoint: "%s"}]
tools: [{alias: words, servers: [lexicon], allowTools: [define], maxTurns: 2}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "about {{ id }}", tools: words}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

// caller is a model, of both protocols, that calls the tool "define" so often in each conversation, and then answers with the last result.
type caller struct {
	*httptest.Server
	turns    int
	mutex    sync.Mutex
	requests int
}

func newCaller(t *testing.T, turns int) *caller {
	t.Helper()
	made := &caller{turns: turns}
	made.Server = httptest.NewServer(made)
	t.Cleanup(made.Close)
	return made
}

func (c *caller) asked() int {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.requests
}

func (c *caller) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	c.mutex.Lock()
	c.requests++
	c.mutex.Unlock()
	var body struct {
		Messages []struct {
			Role    string
			Content json.RawMessage
		}
		Tools []json.RawMessage
	}
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil || len(body.Tools) != 1 {
		http.Error(writer, "one tool is expected", http.StatusBadRequest)
		return
	}
	turns, last := 0, ""
	for _, message := range body.Messages {
		if message.Role == "assistant" {
			turns++
		}
		if text := string(message.Content); strings.Contains(text, "means") {
			last = text
		}
	}
	anthropic := strings.HasSuffix(request.URL.Path, "/messages")
	answer := map[string]any{"content": "I know " + last}
	if anthropic {
		answer = map[string]any{"type": "text", "text": "I know " + last}
	}
	if turns < c.turns {
		word := fmt.Sprintf("word%d", turns)
		answer = map[string]any{"content": nil, "tool_calls": []any{map[string]any{
			"id": "x", "type": "function", "function": map[string]any{"name": "define", "arguments": `{"word":"` + word + `"}`}}}}
		if anthropic {
			answer = map[string]any{"type": "tool_use", "id": "x", "name": "define", "input": map[string]any{"word": word}}
		}
	}
	document := map[string]any{"choices": []any{map[string]any{"message": answer, "finish_reason": "stop"}}, "usage": map[string]any{"prompt_tokens": 3, "completion_tokens": 2}}
	if anthropic {
		document = map[string]any{"content": []any{answer}, "stop_reason": "end_turn", "usage": map[string]any{"input_tokens": 3, "output_tokens": 2}}
	}
	_ = json.NewEncoder(writer).Encode(document)
}

// lexicon is a tool server that can be killed, and started again at the same address.
type lexicon struct {
	t       *testing.T
	address string
	http    *http.Server
	servers []*mcp.Server
	done    chan struct{}
	mutex   sync.Mutex
	calls   int
	// atCall is called at each call with its number.
	atCall func(number int)
}

func newLexicon(t *testing.T, tools ...string) *lexicon {
	t.Helper()
	made := &lexicon{t: t, address: "127.0.0.1:0", atCall: func(int) {}}
	made.start(tools...)
	t.Cleanup(func() {
		made.kill()
		for _, server := range made.servers {
			for session := range server.Sessions() {
				_ = session.Close() // nobody is at the other end
			}
		}
	})
	return made
}

func (l *lexicon) start(tools ...string) {
	listener, err := net.Listen("tcp", l.address)
	if err != nil {
		l.t.Error(err)
		return
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "lexicon"}, nil)
	l.servers = append(l.servers, server)
	for _, name := range append(tools, "other") {
		type arguments struct {
			Word string `json:"word"`
		}
		mcp.AddTool(server, &mcp.Tool{Name: name}, func(_ context.Context, _ *mcp.CallToolRequest, asked arguments) (*mcp.CallToolResult, any, error) {
			l.mutex.Lock()
			l.calls++
			number := l.calls
			l.mutex.Unlock()
			l.atCall(number)
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: asked.Word + " means nothing"}}}, nil, nil
		})
	}
	l.address, l.done = listener.Addr().String(), make(chan struct{})
	l.http = &http.Server{Handler: mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, nil)}
	serving, done := l.http, l.done
	go func() {
		defer close(done)
		_ = serving.Serve(listener) // always ends with an error
	}()
}

func (l *lexicon) kill() {
	_ = l.http.Close() // cuts all connections at once
	<-l.done
}

func TestADatasetWhoseModelCallsTools(t *testing.T) {
	for _, provider := range []string{"OpenAI", "Anthropic"} {
		t.Run(provider, func(t *testing.T) {
			model, words := newCaller(t, 2), newLexicon(t, "define")
			w := newWorld(t, fmt.Sprintf(toolsSpec, 25, provider, "http://"+words.address), model.URL)
			ending := w.generate(t.Context(), 0)
			requireComplete(t, w, ending)
			_, rows := w.rows()
			for _, row := range rows {
				if text := fmt.Sprint(row[1]); !strings.Contains(text, "word1 means nothing") {
					t.Fatalf("the tool's result is not in %q", text)
				}
			}
			if used := ending.Result.Models[0]; used.ToolCalls != 50 || used.Succeeded != 75 || words.calls != 50 {
				t.Errorf("%d calls were made; the usage is %+v", words.calls, used)
			}
		})
	}
}

func TestAToolServerThatIsKilledInTheMiddleCostsNoRow(t *testing.T) {
	model, words := newCaller(t, 1), newLexicon(t, "define")
	struck, down := make(chan struct{}), make(chan struct{})
	words.atCall = func(number int) {
		if number == 30 {
			close(struck)
			<-down // its connection is cut, so that nobody hears the answer
		}
	}
	started := make(chan struct{})
	go func() {
		defer close(started)
		<-struck
		words.kill()
		close(down)
		timer := time.NewTimer(300 * time.Millisecond) // an outage has a length
		<-timer.C
		words.start("define")
	}()
	w := newWorld(t, fmt.Sprintf(toolsSpec, 100, "OpenAI", "http://"+words.address), model.URL)
	ending := w.generate(t.Context(), 0)
	<-started
	requireComplete(t, w, ending)
	if words.calls <= 100 {
		t.Errorf("%d calls were made: the outage has not happened", words.calls)
	}
}

func TestAToolServerThatStaysAwayEndsTheRunAndDropsNothing(t *testing.T) {
	model, words := newCaller(t, 1), newLexicon(t, "define")
	struck := make(chan struct{})
	words.atCall = func(number int) {
		if number == 30 {
			close(struck)
		}
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		<-struck
		words.kill()
	}()
	config := newWorld(t, fmt.Sprintf(toolsSpec, 200, "OpenAI", "http://"+words.address), model.URL).config(0)
	config.Outage = schedule.OutageConfig{First: 2 * time.Second, Later: 2 * time.Second}
	ending := engine.Generate(t.Context(), config)
	<-killed
	records := ending.Result.Records
	if ending.Result.Reason != v1alpha1.ReasonToolFailed || ending.ExitCode != runreport.ExitRetry || records.Dropped != 0 ||
		records.Actual == 200 {
		t.Errorf("the run ended by %s with exit code %d and %+v", ending.Result.Reason, ending.ExitCode, records)
	}
	if message := ending.Result.Message; !strings.Contains(message, `tool server "lexicon" could not be used at http://`+words.address) {
		t.Errorf("the message is %q", message)
	}
}

func TestAModelThatNeverStopsCallingCostsABoundedNumberOfRequests(t *testing.T) {
	model, words := newCaller(t, 1_000_000), newLexicon(t, "define")
	w := newWorld(t, fmt.Sprintf(toolsSpec, 5, "OpenAI", "http://"+words.address), model.URL)
	if w.spec.Run == nil {
		w.spec.Run = &v1alpha1.RunSettings{}
	}
	w.spec.Run.EarlyShutdown = &v1alpha1.EarlyShutdown{Policy: v1alpha1.EarlyShutdownDisabled} // which would end it sooner
	ending := w.generate(t.Context(), 0)
	checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonNoRecords, runreport.ExitFailed, 0, 5)
	// Five rows, each in two attempts, with two turns and one request that must be an answer.
	if model.asked() != 5*2*3 || words.calls != 5*2*2 {
		t.Errorf("%d requests and %d calls were made", model.asked(), words.calls)
	}
	if drop := ending.Result.Dropped[0]; drop.Reason != v1alpha1.ReasonModelGenerationInvalid || !strings.Contains(drop.Message, "maxTurns") {
		t.Errorf("the rows were dropped by %+v", drop)
	}
}

func TestToolsThatCantBeUsedEndTheRunBeforeTheFirstRequest(t *testing.T) {
	for name, test := range map[string]struct {
		tools    []string
		down     bool
		exitCode int
		message  string
	}{
		"a tool that no server has":      {exitCode: runreport.ExitInvalid, message: `allowTools names "define", but none of the servers has it (they have "other")`},
		"a server that can't be reached": {tools: []string{"define"}, down: true, exitCode: runreport.ExitRetry, message: `tool server "lexicon" could not be used`},
	} {
		t.Run(name, func(t *testing.T) {
			model, words := newCaller(t, 1), newLexicon(t, test.tools...)
			if test.down {
				words.kill()
			}
			config := newWorld(t, fmt.Sprintf(toolsSpec, 5, "OpenAI", "http://"+words.address), model.URL).config(0)
			config.Outage = schedule.OutageConfig{First: time.Millisecond, Later: time.Millisecond}
			ending := engine.Generate(t.Context(), config)
			checkEnding(t, ending, runreport.OutcomeFailed, v1alpha1.ReasonToolFailed, test.exitCode, 0, 0)
			if !strings.Contains(ending.Result.Message, test.message) || model.asked() != 0 {
				t.Errorf("%d requests were sent; the message is %q", model.asked(), ending.Result.Message)
			}
		})
	}
}

func TestADocumentFromAModelThatCallsTools(t *testing.T) {
	server, words := simtest.Start(t, llmsim.Config{}), newLexicon(t, "define")
	w := newWorld(t, fmt.Sprintf(toolsSpec, 20, "OpenAI", "http://"+words.address), server.Endpoint())
	w.spec.Models[0].Model = "test/calls-tools"
	prompt := w.spec.Columns[1].LLMText.LLMPrompt
	w.spec.Columns[1].LLMText = nil
	w.spec.Columns[1].LLMStructured = &v1alpha1.LLMStructured{LLMPrompt: prompt, Schema: &apiextensionsv1.JSON{
		Raw: []byte(`{"type":"object","properties":{"word":{"type":"string"},"letters":{"type":"integer"}},"required":["word","letters"]}`)}}
	ending := w.generate(t.Context(), 0)
	requireComplete(t, w, ending)
	if used := ending.Result.Models[0]; used.ToolCalls != 20 || used.Succeeded != 40 {
		t.Errorf("the usage is %+v", used)
	}
	if _, rows := w.rows(); len(rows[0][1].([]any)) != 2 {
		t.Errorf("the first row is %v", rows[0])
	}
}
