package model_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
	"seedloom.dev/seedloom/internal/runreport"
)

var streaming = v1alpha1.Model{Streaming: v1alpha1.StreamingEnabled}

// streamed asks for one streamed answer, which is sent in two pieces that cut it anywhere.
func streamed(t *testing.T, provider v1alpha1.ProviderType, request model.Request, cut int, body string) (
	string, model.Answer, runreport.Usage, error,
) {
	t.Helper()
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		data, _ := io.ReadAll(request.Body)
		sent = string(data)
		writer.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		_, _ = io.WriteString(writer, body[:cut])
		_ = http.NewResponseController(writer).Flush()
		_, _ = io.WriteString(writer, body[cut:])
	}))
	defer server.Close()
	said, usage, err := clientOf(t, v1alpha1.Provider{Type: provider, Endpoint: server.URL}, streaming).Chat(t.Context(), request)
	return sent, said, usage, err
}

func lines(events ...string) string { return strings.Join(events, "\n\n") + "\n\n" }

var openAIStream = lines(
	`: a comment`,
	`data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}`,
	`data: {"choices":[{"index":0,"delta":{"reasoning_content":"let me "}}]}`,
	"event: x\r\ndata: {\"choices\":[{\"index\":0,\r\ndata: \"delta\":{\"reasoning_content\":\"think\"}}]}",
	`data: {"choices":[{"index":1,"delta":{"content":"another"}},{"index":0,"delta":{"content":"Good "}}]}`,
	`data: {"choices":[{"index":0,"delta":{"content":"day"}}]}`,
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"look",`+
		`"arguments":""}}]}}]}`,
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"q\":"}}]}}]}`,
	`data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"stop"}},{"index":0,`+
		`"function":{"arguments":"1}"}}]}}]}`,
	`data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}`,
	`data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":4},`+
		`"completion_tokens_details":{"reasoning_tokens":5}}}`,
	`data: [DONE]`)

var anthropicStream = lines(
	"event: message_start\ndata: "+`{"type":"message_start","message":{"usage":{"input_tokens":3,"cache_read_input_tokens":5,`+
		`"output_tokens":1}}}`,
	`data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}`,
	`data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}`,
	`data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}`,
	`data: {"type":"content_block_stop","index":0}`,
	`data: {"type":"ping"}`,
	`data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}`,
	`data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Good "}}`,
	`data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"day"}}`,
	`data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"look","input":{}}}`,
	`data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"q\":"}}`,
	`data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"1}"}}`,
	`data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"b","name":"stop","input":{}}}`,
	`data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":6}}`,
	`data: {"type":"message_stop"}`)

func TestStreamsAreOneAnswer(t *testing.T) {
	for name, test := range map[string]struct {
		provider v1alpha1.ProviderType
		body     string
		want     model.Answer
		usage    runreport.Usage
		asks     string
		echo     string
	}{
		"OpenAI": {v1alpha1.ProviderOpenAI, openAIStream, model.Answer{Text: "Good day", Reasoning: "let me think", Finish: model.FinishTools,
			ToolCalls: []model.ToolCall{{ID: "a", Name: "look", Arguments: `{"q":1}`}, {ID: "b", Name: "stop"}}},
			runreport.Usage{Succeeded: 1, InputTokens: 10, OutputTokens: 7, CachedInputTokens: 4, ReasoningTokens: 5},
			`,"stream":true,"stream_options":{"include_usage":true}}`, `"reasoning_content"`},
		"Anthropic": {v1alpha1.ProviderAnthropic, anthropicStream, model.Answer{Text: "Good day", Reasoning: "hm", Finish: model.FinishTools,
			ToolCalls: []model.ToolCall{{ID: "a", Name: "look", Arguments: `{"q":1}`}, {ID: "b", Name: "stop", Arguments: "{}"}}},
			runreport.Usage{Succeeded: 1, InputTokens: 8, OutputTokens: 6, CachedInputTokens: 5},
			`,"stream":true}`, `[{"type":"thinking","thinking":"hm","signature":"s"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			for cut := 1; cut < len(test.body); cut += 97 {
				sent, said, usage, err := streamed(t, test.provider, question, cut, test.body)
				if err != nil || usage != test.usage || !strings.HasSuffix(sent, test.asks) {
					t.Fatalf("cut at %d: usage %+v, %v, sent %s", cut, usage, err, sent)
				}
				if difference := cmp.Diff(test.want, said, cmpopts.IgnoreUnexported(model.Answer{}), cmpopts.IgnoreFields(model.Answer{}, "FirstToken")); difference != "" {
					t.Fatal(difference)
				}
				if said.FirstToken <= 0 || string(said.Message().Echo) != test.echo {
					t.Fatalf("the first token took %s, the echo is %s", said.FirstToken, said.Message().Echo)
				}
			}
		})
	}
}

// Half an answer is none, wherever it breaks; once the end is there, nothing behind it matters.
func TestStreamsWithoutTheirEndAreIncomplete(t *testing.T) {
	for name, test := range map[string]struct {
		provider v1alpha1.ProviderType
		body     string
		// end is what must have come before a clean end of the connection makes the answer whole.
		end string
	}{
		"OpenAI":    {v1alpha1.ProviderOpenAI, openAIStream, `"finish_reason":"tool_calls"}]}` + "\n\n"},
		"Anthropic": {v1alpha1.ProviderAnthropic, anthropicStream, `"usage":{"output_tokens":6}}` + "\n\n"},
	} {
		whole := strings.Index(test.body, test.end) + len(test.end)
		for _, cleanly := range []bool{true, false} {
			for cut := 0; cut < len(test.body); cut += 61 {
				_, said, _, err := brokenStream(t, test.provider, test.body[:cut], cleanly)
				failed := failure.Of(err)
				if cut >= whole && cleanly || strings.Contains(test.body[:cut], "[DONE]\n\n") {
					if err != nil || said.Text != "Good day" {
						t.Errorf("%s, cut at %d behind its end: %v", name, cut, err)
					}
				} else if failed == nil || failed.Reason != v1alpha1.ReasonProviderUnavailable || failed.Consequence != failure.RetryLater ||
					said.Text != "" {
					t.Errorf("%s, cut at %d, cleanly %t: %+v, %v", name, cut, cleanly, said, err)
				}
			}
		}
	}
}

// brokenStream answers with the beginning of a chunked body, which then ends in order, or with the connection.
func brokenStream(t *testing.T, provider v1alpha1.ProviderType, body string, cleanly bool) (string, model.Answer, runreport.Usage, error) {
	t.Helper()
	end := ""
	if cleanly {
		end = "0\r\n\r\n"
	}
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
	if body == "" {
		chunk = ""
	}
	address := raw(t, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"+chunk+end,
		func(*net.TCPConn) {})
	said, usage, err := clientOf(t, v1alpha1.Provider{Type: provider, Endpoint: address}, streaming).Chat(t.Context(), question)
	return "", said, usage, err
}

func TestFailuresInStreamsAreClassified(t *testing.T) {
	for name, test := range map[string]struct {
		provider    v1alpha1.ProviderType
		body        string
		reason      string
		consequence failure.Consequence
	}{
		"an error":       {v1alpha1.ProviderOpenAI, lines(`data: {"choices":[{"delta":{"content":"half"}}]}`, `data: {"error":{"message":"x","code":429}}`), v1alpha1.ReasonProviderRateLimited, failure.RetryLater},
		"a flat error":   {v1alpha1.ProviderOpenAI, lines(`data: {"object":"error","message":"This model's maximum context length is 7","code":400}`), v1alpha1.ReasonContextOverflow, failure.DropRow},
		"a broken off":   {v1alpha1.ProviderOpenAI, lines(`data: {"choices":[{"delta":{"content":"half"},"finish_reason":"error"}]}`), v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
		"a refusal":      {v1alpha1.ProviderOpenAI, lines(`data: {"choices":[{"delta":{"refusal":"no"}}]}`, `data: [DONE]`), v1alpha1.ReasonContentRefused, failure.DropRow},
		"no choice":      {v1alpha1.ProviderOpenAI, lines(`data: [DONE]`), v1alpha1.ReasonModelGenerationInvalid, failure.DropRow},
		"no JSON":        {v1alpha1.ProviderOpenAI, lines(`data: {"choices`, `data: [DONE]`), v1alpha1.ReasonProviderUnavailable, failure.RetryLater},
		"overloaded":     {v1alpha1.ProviderAnthropic, lines(`data: {"type":"error","error":{"type":"overloaded_error","message":"x"}}`), v1alpha1.ReasonProviderUnavailable, failure.PauseEndpoint},
		"length in mind": {v1alpha1.ProviderOpenAI, lines(`data: {"choices":[{"delta":{"reasoning":"hm"},"finish_reason":"length"}]}`, `data: [DONE]`), v1alpha1.ReasonOutputTruncated, failure.DropRow},
	} {
		t.Run(name, func(t *testing.T) {
			_, said, _, err := streamed(t, test.provider, question, len(test.body)/2, test.body)
			if failed := failure.Of(err); failed == nil || failed.Reason != test.reason || failed.Consequence != test.consequence {
				t.Errorf("got %+v, %v", said, err)
			}
		})
	}
}

func TestTheFirstTokenIsTraced(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	for _, policy := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingEnabled, v1alpha1.StreamingDisabled} {
		ctx, progress := model.WithProgress(t.Context(), true)
		if _, _, err := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL + "/v1"}, v1alpha1.Model{Streaming: policy}).Chat(ctx, question); err != nil {
			t.Fatal(err)
		}
		exchange := progress.Exchanges()[0]
		if first := exchange.FirstToken(); first.IsZero() != (policy == v1alpha1.StreamingDisabled) ||
			!first.IsZero() && (first.Before(exchange.Answered()) || first.After(exchange.Ended())) {
			t.Errorf("streaming %s: the first token came at %s", policy, first)
		}
		if !exchange.Whole() {
			t.Errorf("streaming %s: the answer is not whole", policy)
		}
	}
}

func TestAServerThatDoesNotStreamIsUnderstood(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(writer, helloAnswer)
	}))
	defer server.Close()
	said, _, err := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL}, streaming).Chat(t.Context(), question)
	if err != nil || said.Text != "hello" || said.FirstToken != 0 {
		t.Errorf("got %+v, %v", said, err)
	}
}

// The deadline holds for the whole stream, and a server that leaves the connection open behind the end costs no answer.
func TestStreamsHaveADeadline(t *testing.T) {
	var end atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		read(request)
		writer.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(writer, lines(`data: {"choices":[{"delta":{"content":"half"}}]}`))
		if end.Load() {
			fmt.Fprint(writer, lines("data: [DONE]"))
		}
		_ = http.NewResponseController(writer).Flush()
		<-request.Context().Done()
	}))
	defer server.Close()
	for _, complete := range []bool{false, true} {
		end.Store(complete)
		spec := streaming
		spec.TimeoutSeconds = new(int32(1))
		if complete {
			spec.TimeoutSeconds = new(int32(600))
		}
		ctx, cancel := context.WithCancel(t.Context())
		said, _, err := clientOf(t, v1alpha1.Provider{Type: v1alpha1.ProviderOpenAI, Endpoint: server.URL}, spec).Chat(ctx, question)
		cancel()
		if complete && (err != nil || said.Text != "half") {
			t.Errorf("got %+v, %v", said, err)
		}
		if failed := failure.Of(err); !complete && (failed == nil || failed.Reason != v1alpha1.ReasonProviderTimeout) {
			t.Errorf("got %+v, %v", said, err)
		}
	}
}
