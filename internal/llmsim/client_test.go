package llmsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 10 * time.Second

// reply is what a client saw of one request.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
	// bodyErr is the error of reading the body.
	bodyErr error
}

type chatReply struct {
	Choices []struct {
		Message struct {
			Content *string
			Refusal *string
		}
		FinishReason string `json:"finish_reason"`
	}
	Usage struct {
		PromptTokens     int `json:"prompt_tokens"`
		CompletionTokens int `json:"completion_tokens"`
		TotalTokens      int `json:"total_tokens"`
	}
}

func newClient(t testing.TB) *http.Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func post(ctx context.Context, client *http.Client, url string, body any) reply {
	data, err := json.Marshal(body)
	if err != nil {
		return reply{err: err}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(data))
	if err != nil {
		return reply{err: err}
	}
	response, err := client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	return reply{status: response.StatusCode, header: response.Header, body: read, bodyErr: err}
}

type object = map[string]any

func chatBody(model, prompt string) object {
	return object{"model": model, "messages": []object{{"role": "user", "content": prompt}}}
}

func chat(t testing.TB, client *http.Client, server *simtest.Server, model, prompt string) reply {
	t.Helper()
	return post(t.Context(), client, server.Endpoint()+"/chat/completions", chatBody(model, prompt))
}

// decode fails the test where the reply is not a good answer.
func decode(t testing.TB, got reply) chatReply {
	t.Helper()
	if got.err != nil || got.bodyErr != nil || got.status != http.StatusOK {
		t.Fatalf("no answer: status %d, %v, %v, %s", got.status, got.err, got.bodyErr, got.body)
	}
	var answer chatReply
	if err := json.Unmarshal(got.body, &answer); err != nil {
		t.Fatalf("%v in %s", err, got.body)
	}
	return answer
}

func content(t testing.TB, got reply) string {
	t.Helper()
	answer := decode(t, got)
	if len(answer.Choices) != 1 || answer.Choices[0].Message.Content == nil {
		t.Fatalf("no content in %s", got.body)
	}
	return *answer.Choices[0].Message.Content
}

// eventually polls the counters until they are as wanted.
func eventually(t *testing.T, server *simtest.Server, what string, holds func(llmsim.Counters) bool) llmsim.Counters {
	t.Helper()
	deadline := time.Now().Add(patience)
	for {
		counters := server.Counters()
		if holds(counters) {
			return counters
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %+v", what, patience, counters)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// checkSum verifies that no request is lost or counted twice.
func checkSum(t testing.TB, counters llmsim.Counters) {
	t.Helper()
	sum := func(name string, counts llmsim.Counts) {
		total := counts.Succeeded + counts.Cancelled + counts.InFlight
		for _, count := range counts.Failed {
			total += count
		}
		if total != counts.Requests {
			t.Errorf("%s: %d requests, but the outcomes are %d: %+v", name, counts.Requests, total, counts)
		}
	}
	sum("all models", counters.Counts)
	requests := 0
	for name, counts := range counters.Models {
		sum(name, counts)
		requests += counts.Requests
	}
	if requests != counters.Requests {
		t.Errorf("%d requests, but %d by model", counters.Requests, requests)
	}
}

func prompt(number int) string { return fmt.Sprintf("Write about number %d.", number) }
