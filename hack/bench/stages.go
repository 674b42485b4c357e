package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"seedloom.dev/seedloom/internal/llmsim"
)

// stages is the workload that a peer publishes: three models in a row, of which the second calls a tool once, and code that checks the
// rows.
func stages() workload {
	const longest = 900 * time.Millisecond
	return workload{
		name: "efficiency/three-stages", run: generate, tools: true,
		limits: map[string]int{"bench/alpha": 16, "bench/calls-tools": 3, "bench/gamma": 8},
		simulator: fmt.Sprintf(`models:
  bench/alpha: {latency: {distribution: Beta, alpha: 2.2, beta: 6.0, max: %[1]s}}
  bench/calls-tools: {latency: {distribution: Beta, alpha: 2.6, beta: 4.8, max: %[1]s}}
  bench/gamma: {latency: {distribution: Beta, alpha: 3.0, beta: 3.6, max: %[1]s}}
`, longest),
		spec: `
numRecords: 256
randomSeed: 11
providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]
models:
- {alias: alpha, provider: local, model: bench/alpha, maxParallelRequests: 16, healthCheck: Disabled, parameters: {maxTokens: 16}}
- {alias: beta, provider: local, model: bench/calls-tools, maxParallelRequests: 3, healthCheck: Disabled, parameters: {maxTokens: 16}}
- {alias: gamma, provider: local, model: bench/gamma, maxParallelRequests: 8, healthCheck: Disabled, parameters: {maxTokens: 16}}
toolServers: [{name: lexicon, type: StreamableHTTP, endpoint: "TOOLS"}]
tools: [{alias: words, servers: [lexicon], maxTurns: 1}]
columns:
- {name: number, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}
- {name: stage1, llmText: {model: alpha, prompt: "about {{ number }}"}}
- {name: stage2, llmText: {model: beta, prompt: "more about {{ stage1 }}", tools: words}}
- {name: stage3, llmText: {model: gamma, prompt: "the end of {{ stage2 }} and {{ number }}"}}
- name: valid
  custom:
    strategy: Batch
    type: bool
    requiredColumns: [stage3]
    starlark:
      source: "def generate(rows):\n  return [{'_row': r['_row'], 'valid': len(r['stage3']) > 0} for r in rows]\n"
output: {persistentVolumeClaim: {claimName: bench}}
run: {rowGroupSize: 1024, earlyShutdown: {policy: Disabled}}
`,
		figures: efficiency(),
	}
}

// efficiency are the figures of a workload whose time is bound by the models.
func efficiency() []measured {
	return []measured{
		{name: "lower bound / measured", unit: "ratio", from: func(s sample) float64 { return s.Bound / s.Seconds }},
		{name: "the same after ramp-up, and without the last tenth", unit: "ratio", goal: 0.98, from: func(s sample) float64 { return s.Steady }},
		inUse(),
	}
}

// inUse says what a workload is bound by, beside its figures: near 1, it is the processor.
func inUse() measured {
	return measured{name: "cores in use, by all programs", unit: "share", from: func(s sample) float64 { return s.Cores }}
}

// requestsOf returns the requests that a simulator was sent, in their order.
func requestsOf(ctx context.Context, address string) ([]llmsim.Record, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/_sim/requests", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // was only read
	var log llmsim.RequestLog
	if err := json.NewDecoder(response.Body).Decode(&log); err != nil {
		return nil, err
	}
	if log.Dropped > 0 {
		return nil, errors.New("the simulator has forgotten requests")
	}
	return log.Requests, nil
}

// boundOf is the least time in which models with limits on their requests in flight can answer requests, in seconds: that of the busiest
// one, by the latencies that the simulator has drawn.
func boundOf(requests []llmsim.Record, limits map[string]int) (bound float64) {
	busy := map[string]float64{}
	for _, record := range requests {
		busy[record.Model] += record.LatencyMillis / 1000
	}
	for model, limit := range limits {
		bound = max(bound, busy[model]/float64(limit))
	}
	return bound
}

// steadyOf is the same of the requests without their first and last tenth, in relation to the time over which they came: how much of the
// busiest model's limit was in use after the ramp-up, and before the last rows.
func steadyOf(requests []llmsim.Record, limits map[string]int) float64 {
	first, last := len(requests)/10, len(requests)*9/10
	if first >= last {
		return 0
	}
	return boundOf(requests[first:last], limits) / requests[last].Start.Sub(requests[first].Start).Seconds()
}

// firstOf is the time from the beginning to the start of the first request, in seconds.
func firstOf(requests []llmsim.Record, began time.Time) float64 {
	if len(requests) == 0 {
		return 0
	}
	return requests[0].Start.Sub(began).Seconds()
}

// answeredIn is the time from the start of the first request to the end of the last one, in seconds.
func answeredIn(requests []llmsim.Record) float64 {
	var last time.Time
	for _, record := range requests {
		if end := record.Start.Add(time.Duration(record.DurationMillis * float64(time.Millisecond))); end.After(last) {
			last = end
		}
	}
	if last.IsZero() {
		return 0
	}
	return last.Sub(requests[0].Start).Seconds()
}

// refusedOf is the share of requests that were refused, without those of the first second, in which a client can't know better.
func refusedOf(requests []llmsim.Record) float64 {
	refused, later := 0.0, 0.0
	for _, record := range requests {
		if record.Start.Sub(requests[0].Start) < time.Second {
			continue
		}
		later++
		if record.Status == http.StatusTooManyRequests {
			refused++
		}
	}
	return refused / max(1, later)
}

// startTools serves a tool that knows of every word that it is one.
func startTools(ctx context.Context) (endpoint string, stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	tools := mcp.NewServer(&mcp.Implementation{Name: "lexicon", Version: "1"}, nil)
	type arguments struct {
		Word string `json:"word"`
	}
	mcp.AddTool(tools, &mcp.Tool{Name: "define"},
		func(_ context.Context, _ *mcp.CallToolRequest, asked arguments) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: asked.Word + " is a word"}}}, nil, nil
		})
	server := &http.Server{Handler: mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return tools }, nil),
		ReadHeaderTimeout: time.Minute}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener) // always ends with an error
	}()
	return "http://" + listener.Addr().String(), func() { _ = server.Close(); <-ended }, nil
}
