package llmsim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

func TestFaultsAsAClientSeesThem(t *testing.T) {
	for _, test := range []struct {
		fault llmsim.Fault
		check func(*testing.T, reply)
	}{
		{llmsim.Fault{Kind: llmsim.FaultStatus, Status: 503, Body: `{"busy":true}`, RetryAfter: llmsim.Duration(1500 * time.Millisecond)}, func(t *testing.T, got reply) {
			if got.status != 503 || string(got.body) != `{"busy":true}` || got.header.Get("Retry-After") != "2" {
				t.Errorf("got %d %q, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultStatus}, func(t *testing.T, got reply) {
			var body struct {
				Error struct{ Message, Type string }
			}
			if err := json.Unmarshal(got.body, &body); err != nil || got.status != 500 || body.Error.Message == "" || body.Error.Type == "" {
				t.Errorf("got %d %s, %v", got.status, got.body, err)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultResetBeforeHeaders}, func(t *testing.T, got reply) {
			if !errors.Is(got.err, syscall.ECONNRESET) {
				t.Errorf("got status %d, error %v", got.status, got.err)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultResetMidBody}, func(t *testing.T, got reply) {
			if got.status != http.StatusOK || !errors.Is(got.bodyErr, syscall.ECONNRESET) || len(got.body) == 0 {
				t.Errorf("got status %d, %v, %d bytes, %v", got.status, got.err, len(got.body), got.bodyErr)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultTruncatedBody}, func(t *testing.T, got reply) {
			if got.status != http.StatusOK || !errors.Is(got.bodyErr, io.ErrUnexpectedEOF) || len(got.body) == 0 {
				t.Errorf("got status %d, %v, %d bytes, %v", got.status, got.err, len(got.body), got.bodyErr)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultTrickle, Bytes: 50, Interval: llmsim.Duration(5 * time.Millisecond)}, func(t *testing.T, got reply) {
			if content(t, got) == "" {
				t.Error("a slow answer must be a good one")
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultWrongJSON}, func(t *testing.T, got reply) {
			if got.status != http.StatusOK || got.bodyErr != nil || json.Valid(got.body) || len(got.body) == 0 {
				t.Errorf("got %d %q, %v", got.status, got.body, got.bodyErr)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultEmptyChoices}, func(t *testing.T, got reply) {
			if answer := decode(t, got); answer.Choices == nil || len(answer.Choices) != 0 {
				t.Errorf("got %s", got.body)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultInvalid}, func(t *testing.T, got reply) {
			if content(t, got) != "" {
				t.Errorf("got %s", got.body)
			}
		}},
		{llmsim.Fault{Kind: llmsim.FaultRefusal}, func(t *testing.T, got reply) {
			message := decode(t, got).Choices[0].Message
			if message.Content != nil || message.Refusal == nil || *message.Refusal == "" {
				t.Errorf("got %s", got.body)
			}
		}},
	} {
		t.Run(string(test.fault.Kind), func(t *testing.T) {
			fault := test.fault
			fault.FromRequest, fault.ToRequest = 2, 2
			server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{fault}})
			client := newClient(t)
			content(t, chat(t, client, server, "demo/writer", prompt(1)))
			// A connection of its own: net/http sends a request again where an idle connection was reset.
			test.check(t, chat(t, newClient(t), server, "demo/writer", prompt(2)))
			content(t, chat(t, client, server, "demo/writer", prompt(3)))

			counters := server.Counters()
			checkSum(t, counters)
			if kind := string(fault.Kind); counters.Failed[kind] != 1 || counters.FaultsInjected[kind] != 1 || counters.Succeeded != 2 {
				t.Errorf("the counters are %+v", counters)
			}
			if log := server.Requests().Requests; log[1].Fault != string(fault.Kind) || log[0].Fault != "" ||
				log[2].Outcome != llmsim.OutcomeSucceeded {
				t.Errorf("the log is %+v", log)
			}
		})
	}
}

func TestTrickleTakesItsTime(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultTrickle, Bytes: 100, Interval: llmsim.Duration(10 * time.Millisecond)}}})
	start := time.Now()
	got := chat(t, newClient(t), server, "demo/writer", prompt(1))
	if least := time.Duration((len(got.body)-1)/100) * 10 * time.Millisecond; time.Since(start) < least {
		t.Errorf("%d bytes took %s, less than %s", len(got.body), time.Since(start), least)
	}
}

func TestHangLastsUntilTheClientGivesUp(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultHang}}})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan reply, 1)
	client := newClient(t)
	go func() { done <- post(ctx, client, server.Endpoint()+"/chat/completions", chatBody("m", "x")) }()
	eventually(t, server, "one request in flight", func(c llmsim.Counters) bool { return c.InFlight == 1 })
	cancel()
	if got := <-done; !errors.Is(got.err, context.Canceled) {
		t.Errorf("got %+v", got)
	}
	counters := eventually(t, server, "it is counted as cancelled", func(c llmsim.Counters) bool { return c.Cancelled == 1 })
	checkSum(t, counters)
	if log := server.Requests().Requests; !log[0].Cancelled || log[0].Outcome != llmsim.OutcomeCancelled {
		t.Errorf("the log is %+v", log)
	}
}

func TestBrokenStreams(t *testing.T) {
	for kind, want := range map[llmsim.FaultKind]error{llmsim.FaultResetMidBody: syscall.ECONNRESET, llmsim.FaultTruncatedBody: io.ErrUnexpectedEOF} {
		server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: kind}}})
		body := chatBody("m", "x")
		body["stream"] = true
		got := post(t.Context(), newClient(t), server.Endpoint()+"/chat/completions", body)
		if !errors.Is(got.bodyErr, want) || !strings.HasPrefix(string(got.body), "data: ") || strings.Contains(string(got.body), "[DONE]") {
			t.Errorf("%s: got %v after %q", kind, got.bodyErr, got.body)
		}
	}
}

func TestWhichRequestsTheScriptPicks(t *testing.T) {
	hour := llmsim.Duration(time.Hour)
	for _, test := range []struct {
		name  string
		fault llmsim.Fault
		model string
		want  string // One letter a request: f for failed, s for succeeded.
	}{
		{"from and to", llmsim.Fault{FromRequest: 2, ToRequest: 3}, "m", "sffsss"},
		{"every third", llmsim.Fault{FromRequest: 2, Every: 3}, "m", "sfssfs"},
		{"another model", llmsim.Fault{Models: []string{"n"}}, "m", "ssssss"},
		{"this model", llmsim.Fault{Models: []string{"n", "m"}, FromRequest: 6}, "m", "sssssf"},
		{"a text of the prompt", llmsim.Fault{PromptContains: "number 4"}, "m", "sssfss"},
		{"inside the window", llmsim.Fault{Until: hour}, "m", "ffffff"},
		{"before the window", llmsim.Fault{After: hour}, "m", "ssssss"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.fault.Kind = llmsim.FaultStatus
			server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{test.fault}})
			client := newClient(t)
			for _, round := range []string{"first", "after a reset"} {
				got := ""
				for number := range len(test.want) {
					if chat(t, client, server, test.model, prompt(number+1)).status == http.StatusOK {
						got += "s"
					} else {
						got += "f"
					}
				}
				if got != test.want {
					t.Errorf("%s: got %s, not %s", round, got, test.want)
				}
				server.Reset()
			}
		})
	}
}

func TestAFaultWithAProbabilityHitsTheSameRequestsAgain(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{Faults: []llmsim.Fault{{Kind: llmsim.FaultStatus, Probability: 0.3}}})
	client := newClient(t)
	var rounds [2]string
	for round := range rounds {
		for number := range 300 {
			rounds[round] += map[bool]string{true: "s", false: "f"}[chat(t, client, server, "m", prompt(number)).status == http.StatusOK]
		}
	}
	if failed := strings.Count(rounds[0], "f"); rounds[0] != rounds[1] || failed < 60 || failed > 120 {
		t.Errorf("%d of 300 failed; the same again: %t", failed, rounds[0] == rounds[1])
	}
}

func TestNamesOfModelsThatMeanSomething(t *testing.T) {
	server := simtest.Start(t, llmsim.Config{})
	client := newClient(t)
	if got := content(t, chat(t, client, server, "test/always-invalid", "x")); got != "" {
		t.Errorf("always-invalid answered %q", got)
	}
	if got := chat(t, client, server, "always-429", "x"); got.status != 429 {
		t.Errorf("always-429 answered %d", got.status)
	}
	server.Configure(llmsim.Config{Models: map[string]llmsim.Model{"test/always-invalid": {}}})
	if content(t, chat(t, client, server, "test/always-invalid", "x")) == "" {
		t.Error("an entry in the configuration must replace the meaning of the name")
	}
}
