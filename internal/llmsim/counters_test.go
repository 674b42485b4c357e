package llmsim_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

func TestHighWaterOfASequentialClientIsOne(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	for number := range 300 {
		body := chatBody("m", prompt(number))
		body["max_tokens"] = 1 + number*10 // Far beyond what the server buffers, too.
		body["stream"] = number%3 == 0
		if got := post(t.Context(), client, server.Endpoint()+"/chat/completions", body); got.status != http.StatusOK || got.bodyErr != nil {
			t.Fatalf("got %d, %v", got.status, got.bodyErr)
		}
		if counters := server.Counters(); counters.Succeeded != number+1 || counters.InFlight != 0 {
			t.Fatalf("after %d answers the counters are %+v", number+1, counters)
		}
	}
	if counters := server.Counters(); counters.InFlightHighWater != 1 || counters.ServingHighWater != 1 {
		t.Errorf("the high-water marks are %d and %d", counters.InFlightHighWater, counters.ServingHighWater)
	}
}

func TestLimitOnConcurrencyQueuesAndCountsExactly(t *testing.T) {
	hang := llmsim.Fault{Kind: llmsim.FaultHang}
	server := simtest.Start(t, llmsim.Config{Models: map[string]llmsim.Model{"m": {MaxConcurrent: 3, Always: &hang}}})
	client := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for number := range 10 {
		group.Go(func() { post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", prompt(number))) })
	}
	eventually(t, server, "ten in flight, three served", func(c llmsim.Counters) bool { return c.InFlight == 10 && c.Serving == 3 })
	chat(t, client, server, "n", "x")
	cancel()
	group.Wait()
	counters := eventually(t, server, "all cancelled", func(c llmsim.Counters) bool { return c.InFlight == 0 })
	checkSum(t, counters)
	if m := counters.Models["m"]; m.InFlightHighWater != 10 || m.ServingHighWater != 3 || m.Cancelled != 10 || m.Serving != 0 {
		t.Errorf("model m: %+v", m)
	}
	if counters.InFlightHighWater != 11 || counters.Models["n"].InFlightHighWater != 1 {
		t.Errorf("the counters are %+v", counters)
	}
}

func TestQueuedRequestsAreServedWhenTheLimitIsRaised(t *testing.T) {
	hang := llmsim.Fault{Kind: llmsim.FaultHang, ToRequest: 1}
	limited := map[string]llmsim.Model{"m": {MaxConcurrent: 1}}
	server := simtest.Start(t, llmsim.Config{Models: limited, Faults: []llmsim.Fault{hang}})
	client := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", "hangs")) })
	eventually(t, server, "one hangs", func(c llmsim.Counters) bool { return c.Serving == 1 })
	answered := make(chan reply, 1)
	group.Go(func() { answered <- post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", "waits")) })
	eventually(t, server, "one waits", func(c llmsim.Counters) bool { return c.InFlight == 2 && c.Serving == 1 })
	server.Configure(llmsim.Config{})
	select {
	case got := <-answered:
		content(t, got)
	case <-time.After(patience):
		t.Error("the waiting request was not served under the new limit")
	}
}

func TestAFullQueueAnswers429(t *testing.T) {
	none := 0
	hang := llmsim.Fault{Kind: llmsim.FaultHang, PromptContains: "hang"}
	server := simtest.Start(t, llmsim.Config{
		Models: map[string]llmsim.Model{
			"m":     {MaxConcurrent: 1, MaxQueued: &none, RetryAfter: llmsim.Duration(3 * time.Second)},
			"words": {MaxConcurrent: 1, MaxQueued: &none, Refusal: "try again in 2s"},
		},
		Faults: []llmsim.Fault{hang},
	})
	client := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for _, model := range []string{"m", "words"} {
		group.Go(func() { post(ctx, client, server.Endpoint()+"/chat/completions", chatBody(model, "hang")) })
	}
	eventually(t, server, "two hang", func(c llmsim.Counters) bool { return c.Serving == 2 })
	if got := chat(t, client, server, "m", "x"); got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "3" {
		t.Errorf("got %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
	}
	if got := chat(t, client, server, "words", "x"); got.status != http.StatusTooManyRequests || len(got.header.Values("Retry-After")) > 0 ||
		!strings.Contains(string(got.body), "try again in 2s") {
		t.Errorf("got %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
	}
	cancel()
	group.Wait()
	counters := eventually(t, server, "none is served", func(c llmsim.Counters) bool { return c.Serving == 0 })
	if counters.Failed[llmsim.FailedRateLimited] != 2 {
		t.Errorf("the counters are %+v", counters)
	}
	content(t, chat(t, client, server, "m", "x"))
}

func TestCountersAddUpUnderLoad(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{
		Defaults: llmsim.Model{MaxConcurrent: 4, Latency: llmsim.Latency{Distribution: llmsim.Exponential, Value: llmsim.Duration(time.Millisecond)}},
		Faults: []llmsim.Fault{
			{Kind: llmsim.FaultStatus, Every: 7}, {Kind: llmsim.FaultResetMidBody, Every: 11}, {Kind: llmsim.FaultTruncatedBody, Every: 13}, {Kind: llmsim.FaultHang, Every: 17},
		},
	})
	client := newClient(t)
	var group sync.WaitGroup
	var answered, failed atomic.Int64
	for worker := range 16 {
		group.Go(func() {
			for number := range 40 {
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				got := post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", prompt(worker*1000+number%20)))
				cancel()
				switch {
				case got.err == nil && got.bodyErr == nil && got.status == http.StatusOK:
					answered.Add(1)
				case got.err == nil && got.status == http.StatusInternalServerError:
					failed.Add(1)
				}
			}
		})
	}
	for range 20 {
		checkSum(t, server.Counters())
	}
	group.Wait()
	counters := eventually(t, server, "none in flight", func(c llmsim.Counters) bool { return c.InFlight == 0 })
	checkSum(t, counters)
	// A client that gives up may miss an answer that was counted; an answer that it has read is always counted.
	if answered.Load() == 0 || counters.Succeeded < int(answered.Load()) || counters.Failed["Status"] < int(failed.Load()) ||
		counters.ServingHighWater != 4 || counters.PromptsSeen+counters.Repetitions != counters.Requests {
		t.Errorf("the counters are %+v", counters)
	}
	if log := server.Requests(); len(log.Requests) != counters.Requests || log.Dropped != 0 || log.ByModel["m"] != counters.Requests {
		t.Errorf("the log has %d of %d requests, %d dropped", len(log.Requests), counters.Requests, log.Dropped)
	}
}

func TestResetForgetsRequestsInFlight(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang}}})
	client := newClient(t)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", "x")) })
	eventually(t, server, "one in flight", func(c llmsim.Counters) bool { return c.InFlight == 1 })
	server.Configure(llmsim.Config{})
	server.Reset()
	content(t, chat(t, client, server, "m", "y"))
	cancel()
	group.Wait()
	content(t, chat(t, client, server, "m", "z"))
	if counters := server.Counters(); counters.Requests != 2 || counters.Succeeded != 2 || counters.Cancelled != 0 || counters.InFlight != 0 {
		t.Errorf("the counters are %+v", counters)
	}
}

func TestPromptsThatCameMoreThanOnce(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	for _, text := range []string{"a", "b", "a", "a", "c"} {
		chat(t, client, server, "m", text)
	}
	if counters := server.Counters(); counters.PromptsSeen != 3 || counters.PromptsRepeated != 1 || counters.Repetitions != 2 {
		t.Errorf("the counters are %+v", counters)
	}
	got := map[string]int{}
	for _, prompt := range server.Prompts() {
		got[prompt.Text] = prompt.Count
	}
	if len(got) != 3 || got["a"] != 3 || got["b"] != 1 {
		t.Errorf("the prompts are %v", got)
	}
}

func TestTenantsDoNotDisturbEachOther(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	one, other := server.Tenant("one"), server.Tenant("other")
	one.Configure(llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus}}})
	client := newClient(t)
	if got := chat(t, client, one, "m", "x"); got.status != 500 {
		t.Errorf("one: got %d", got.status)
	}
	content(t, chat(t, client, other, "m", "x"))
	content(t, chat(t, client, other, "m", "x"))
	if a, b, c := one.Counters().Requests, other.Counters().Requests, server.Counters().Requests; a != 1 || b != 2 || c != 0 {
		t.Errorf("the counts are %d, %d, %d", a, b, c)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	handler := llmsim.New(llmsim.Config{}, llmsim.Limits{Tenants: 2, Records: 3, Prompts: 4})
	server := simtest.Serve(t, handler)
	client := newClient(t)
	for number := range 10 {
		chat(t, client, server, "m", prompt(number))
	}
	counters, log := server.Counters(), server.Requests()
	if counters.Requests != 10 || counters.PromptsSeen != 4 || counters.PromptsUntracked != 6 {
		t.Errorf("the counters are %+v", counters)
	}
	if len(log.Requests) != 3 || log.Dropped != 7 || log.Requests[0].Number != 8 || log.Requests[2].Number != 10 {
		t.Errorf("the log is %+v", log)
	}
	chat(t, client, server.Tenant("a"), "m", "x")
	chat(t, client, server.Tenant("b"), "m", "x")
	if got := chat(t, client, server.Tenant("c"), "m", "x"); got.status != http.StatusInsufficientStorage {
		t.Errorf("a third tenant: %d", got.status)
	}
}

func TestLatenciesAreDrawnFromTheRequest(t *testing.T) {
	ms := func(count int) llmsim.Duration { return llmsim.Duration(time.Duration(count) * time.Millisecond) }
	for _, test := range []struct {
		latency   llmsim.Latency
		low, high float64
	}{
		{llmsim.Latency{Value: ms(3)}, 3, 3},
		{llmsim.Latency{Distribution: llmsim.Uniform, Min: ms(1), Max: ms(4)}, 1, 4},
		{llmsim.Latency{Distribution: llmsim.Exponential, Value: ms(2), Max: ms(5)}, 0, 5},
		{llmsim.Latency{Distribution: llmsim.Lognormal, Value: ms(2), Sigma: 0.5, Max: ms(6)}, 0.01, 6},
		{llmsim.Latency{Distribution: llmsim.Beta, Alpha: 2.2, Beta: 6, Max: ms(9)}, 0.01, 9},
	} {
		server := simtest.Start(t, llmsim.Config{Defaults: llmsim.Model{Latency: test.latency}})
		client := newClient(t)
		for range 2 {
			for number := range 30 {
				chat(t, client, server, "m", prompt(number))
			}
		}
		log := server.Requests().Requests
		different := map[float64]bool{}
		for index, record := range log {
			if record.LatencyMillis < test.low || record.LatencyMillis > test.high || record.DurationMillis < record.LatencyMillis {
				t.Errorf("%+v: drew %v, took %v", test.latency, record.LatencyMillis, record.DurationMillis)
			}
			if record.LatencyMillis != log[index%30].LatencyMillis {
				t.Errorf("%+v: the same request drew %v and %v", test.latency, log[index%30].LatencyMillis, record.LatencyMillis)
			}
			different[record.LatencyMillis] = true
		}
		if test.low != test.high && len(different) < 15 {
			t.Errorf("%+v: only %d different draws", test.latency, len(different))
		}
	}
}

func TestParseConfigNamesEverythingThatIsWrong(t *testing.T) {
	_, err := llmsim.ParseConfig([]byte(`
models:
  m: {maxConcurrent: -1, latency: {distribution: Normal}}
faults:
- {kind: Explode}
- {kind: Status, status: 42, fromRequest: 5, toRequest: 2}
`))
	for _, want := range []string{"models[m].maxConcurrent", "models[m].latency.distribution", `faults[0].kind: "Explode"`, "faults[1].status: 42", "faults[1].toRequest"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	for _, text := range []string{"fault: []", "defaults: {latency: {value: 3}}", "defaults: {latency: {value: fast}}"} {
		if _, err := llmsim.ParseConfig([]byte(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
