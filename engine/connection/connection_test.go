package connection_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/connection"
)

func TestWhatServersAskToWait(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"nothing":             {nil, 0},
		"seconds":             {map[string]string{"Retry-After": "7"}, 7 * time.Second},
		"parts of them":       {map[string]string{"Retry-After": " 0.5 "}, 500 * time.Millisecond},
		"milliseconds":        {map[string]string{"Retry-After-Ms": "250", "Retry-After": "1"}, 250 * time.Millisecond},
		"a duration":          {map[string]string{"Retry-After": "1m30s"}, 90 * time.Second},
		"a date":              {map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:15 GMT"}, 10 * time.Second},
		"a date by its clock": {map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:15 GMT", "Date": "Fri, 02 Jan 2026 03:04:14 GMT"}, time.Second},
		"another date":        {map[string]string{"Retry-After": "2026-01-02T03:04:25Z"}, 20 * time.Second},
		"a date that is past": {map[string]string{"Retry-After": "Fri, 02 Jan 2026 03:04:00 GMT"}, 0},
		"less than nothing":   {map[string]string{"Retry-After": "-5"}, 0},
		"no number":           {map[string]string{"Retry-After": "NaN"}, 0},
		"for ever":            {map[string]string{"Retry-After": "1e300"}, 10_000 * time.Hour},
		"words":               {map[string]string{"Retry-After": "soon"}, 0},
	} {
		header := http.Header{}
		for key, value := range test.header {
			header.Set(key, value)
		}
		if got := connection.RetryAfter(header, now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestProblemsAreNamedByTheSystemsWords(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	encrypted := httptest.NewTLSServer(http.NotFoundHandler())
	defer encrypted.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name, test := range map[string]struct{ address, want string }{
		"nobody listens":         {gone.URL, "connection refused"},
		"no TLS":                 {strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS"},
		"an unknown certificate": {encrypted.URL, "certificate can't be verified"},
	} {
		response, err := client.Get(test.address)
		if err == nil {
			_ = response.Body.Close()
		}
		if got := connection.Problem(err); !strings.Contains(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	secret := errors.New("a secret")
	if got := connection.Problem(fmt.Errorf("sending: %w", &net.OpError{Op: "write", Err: secret})); strings.Contains(got, "secret") {
		t.Errorf("the text of an unknown error is in %q", got)
	}
}
