// Package simtest starts the simulated model server on loopback for a Go test, and reads and configures it as any client would.
// What the server does is in the package internal/llmsim; nothing here decides about answers.
package simtest

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
)

// Server is a running simulator. It ends with its test.
type Server struct {
	// URL is the base address, without /v1.
	URL    string
	t      testing.TB
	client *http.Client
	// open is how many connections the server has accepted and not closed.
	open *atomic.Int64
}

// Start runs a simulator until the end of the test, with requests in flight cut then.
func Start(t testing.TB, config llmsim.Config) *Server {
	t.Helper()
	if err := config.Validate(); err != nil {
		t.Fatalf("the simulator's configuration is wrong: %v", err)
	}
	return Serve(t, llmsim.New(config, llmsim.Limits{}))
}

// Serve is Start for a simulator with limits of its own.
func Serve(t testing.TB, handler *llmsim.Server) *Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	open := &atomic.Int64{}
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateHijacked, http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return &Server{URL: server.URL, t: t, client: &http.Client{Transport: transport}, open: open}
}

// WaitForClients waits until the server knows of every client that is gone, also of those whose connections it had not accepted yet when
// they went. From then on the counters don't change, unless another client comes.
func (s *Server) WaitForClients() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		// Connections are accepted in their order: when this one is answered, all before it have been.
		s.do(http.MethodGet, "/healthz", nil, nil)
		s.client.CloseIdleConnections()
		// The server sees a moment later that this one is closed: at the next turn another one would be open.
		for patience := time.Now().Add(100 * time.Millisecond); s.open.Load() > 0 && time.Now().Before(patience); {
			time.Sleep(time.Millisecond)
		}
		if s.open.Load() == 0 && s.Counters().InFlight == 0 {
			return
		}
		s.client.CloseIdleConnections()
		if time.Now().After(deadline) {
			s.t.Fatalf("%d connections are still open", s.open.Load())
		}
	}
}

// Tenant returns the same simulator with counters and a configuration of its own.
func (s *Server) Tenant(name string) *Server {
	tenant := *s
	tenant.URL += "/t/" + name
	return &tenant
}

// Endpoint is the base URL that OpenAI clients are given.
func (s *Server) Endpoint() string { return s.URL + "/v1" }

// Configure replaces the configuration and starts its script of faults; counters stay.
func (s *Server) Configure(config llmsim.Config) {
	s.t.Helper()
	body, err := json.Marshal(config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.do(http.MethodPut, "/_sim/config", body, nil)
}

// Reset forgets all counts and starts the script of faults again.
func (s *Server) Reset() {
	s.t.Helper()
	s.do(http.MethodPost, "/_sim/reset", nil, nil)
}

// Counters returns the counters of one moment.
func (s *Server) Counters() llmsim.Counters {
	s.t.Helper()
	var counters llmsim.Counters
	s.do(http.MethodGet, "/_sim/counters", nil, &counters)
	return counters
}

// Requests returns the log of requests.
func (s *Server) Requests() llmsim.RequestLog {
	s.t.Helper()
	var log llmsim.RequestLog
	s.do(http.MethodGet, "/_sim/requests", nil, &log)
	return log
}

// Prompts returns every prompt that came, with the number of times.
func (s *Server) Prompts() []llmsim.Prompt {
	s.t.Helper()
	var answer struct{ Prompts []llmsim.Prompt }
	s.do(http.MethodGet, "/_sim/prompts", nil, &answer)
	return answer.Prompts
}

func (s *Server) do(method, path string, body []byte, into any) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %s: %s", method, path, response.Status, data)
	}
	if into != nil {
		if err := json.Unmarshal(data, into); err != nil {
			s.t.Fatal(err)
		}
	}
}
