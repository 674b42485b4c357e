package model_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
)

const helloAnswer = `{"choices":[{"message":{"content":"hello"}}]}`

func TestProblemsWithTLSAreNamed(t *testing.T) {
	answer := http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { fmt.Fprint(writer, helloAnswer) })
	unknown := httptest.NewUnstartedServer(answer)
	// The server logs that the client hung up, which is what the test is about.
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	defer unknown.Close()
	plain := httptest.NewServer(answer)
	defer plain.Close()
	for name, test := range map[string]struct{ address, want string }{
		"a certificate of nobody": {unknown.URL, "TLS certificate can't be verified: x509: "},
		"a server without TLS":    {strings.Replace(plain.URL, "http:", "https:", 1), "http instead of https"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ask(t.Context(), keyed(t, test.address, secret))
			failed := failure.Of(err)
			if failed == nil || failed.Reason != v1alpha1.ReasonProviderUnavailable || failed.Consequence != failure.PauseEndpoint ||
				!strings.Contains(failed.Message, test.want) {
				t.Errorf("got %v", err)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
}

func TestRetryAfterMayBeADate(t *testing.T) {
	inAMinute := time.Now().Add(time.Minute)
	for name, test := range map[string]struct {
		header      string
		least, most time.Duration
	}{
		"a date":           {inAMinute.UTC().Format(http.TimeFormat), 30 * time.Second, time.Minute},
		"a date long gone": {time.Unix(0, 0).UTC().Format(http.TimeFormat), 0, 0},
		"a date far off":   {inAMinute.AddDate(1, 0, 0).UTC().Format(http.TimeFormat), 360 * 24 * time.Hour, 370 * 24 * time.Hour},
		"a fraction":       {"0.5", 500 * time.Millisecond, 500 * time.Millisecond},
		"negative":         {"-3", 0, 0},
		"not a number":     {"NaN", 0, 0},
		"infinite":         {"Inf", 10_000 * time.Hour, 10_000 * time.Hour},
		"nonsense":         {"soon", 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
				writer.Header().Set("Retry-After", test.header)
				writer.WriteHeader(http.StatusTooManyRequests)
			}))
			defer server.Close()
			_, err := ask(t.Context(), client(t, server.URL))
			failed := failure.Of(err)
			if failed == nil || failed.Reason != v1alpha1.ReasonProviderRateLimited || failed.RetryAfter < test.least ||
				failed.RetryAfter > test.most {
				t.Errorf("got %v, retry after %s", err, failed.RetryAfter)
			}
		})
	}
}

// countConnections counts the connections that a server which has not been started yet will accept.
func countConnections(server *httptest.Server, opened *atomic.Int32) {
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
}

// A connection for every request would cost a handshake each, and run a provider out of ports.
func TestConnectionsAreKept(t *testing.T) {
	const parallel, rounds = 8, 20
	var opened atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		read(request)
		fmt.Fprint(writer, helloAnswer)
	}))
	countConnections(server, &opened)
	server.Start()
	defer server.Close()
	asked := keyed(t, server.URL, "")
	for range rounds {
		var group sync.WaitGroup
		for range parallel {
			group.Go(func() {
				if text, err := ask(t.Context(), asked); err != nil || text != "hello" {
					t.Errorf("got %q, %v", text, err)
				}
			})
		}
		group.Wait()
	}
	// While one request waits for a new connection, another may free one: a few more than at once are open.
	if count := opened.Load(); count > 3*parallel {
		t.Errorf("%d connections were opened for %d requests, %d at once", count, parallel*rounds, parallel)
	}
}
