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
		"a moment":            {map[string]string{"Retry-After": "1767323055"}, 10 * time.Second},
		"another century":     {map[string]string{"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}, 10_000 * time.Hour},
		"of a gateway":        {map[string]string{"llm_provider-retry-after": "3"}, 3 * time.Second},
		"ms of a gateway":     {map[string]string{"llm_provider-retry-after-ms": "1500"}, 1500 * time.Millisecond},
		"no wish":             {map[string]string{"X-Ratelimit-Reset-Requests": "5s"}, 0},
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

func TestWhenALimitIsWholeAgain(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, test := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"nothing": {nil, 0},
		"OpenAI": {map[string]string{
			"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6ms",
		}, 90 * time.Second},
		"tokens": {map[string]string{
			"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6ms",
		}, 6 * time.Millisecond},
		"something left of each": {map[string]string{
			"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "1m30s", "x-ratelimit-remaining-tokens": "50", "x-ratelimit-reset-tokens": "2s",
		}, 2 * time.Second},
		"Anthropic":    {map[string]string{"anthropic-ratelimit-requests-remaining": "0", "anthropic-ratelimit-requests-reset": "2026-01-02T03:04:12Z"}, 7 * time.Second},
		"a moment":     {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767323055"}, 10 * time.Second},
		"in thousands": {map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1767323055500"}, 10500 * time.Millisecond},
		"of a gateway": {map[string]string{"llm_provider-x-ratelimit-reset-tokens": "12s"}, 12 * time.Second},
		"absurd":       {map[string]string{"x-ratelimit-reset-requests": "2099-01-01T00:00:00Z"}, 10_000 * time.Hour},
	} {
		header := http.Header{}
		for key, value := range test.header {
			header.Set(key, value)
		}
		if got := connection.UntilReset(header, now); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestWhatServersAskToWaitInWords(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"Rate limit reached for m in organization o on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s.": 20 * time.Second,
		"Please try again in 1.9s":                1900 * time.Millisecond,
		"try again in 1m30s. Visit the page":      90 * time.Second,
		"Please try again in 6m0s.":               6 * time.Minute,
		"Please retry in 350ms":                   350 * time.Millisecond,
		"Please retry after 26 seconds.":          26 * time.Second,
		"Retry after: 2 minutes and 5 seconds":    125 * time.Second,
		"You must wait 1 hour, 2 min before":      62 * time.Minute,
		"the limit resets in 3 days":              72 * time.Hour,
		"try again in 99999999999999999999 hours": 10_000 * time.Hour,
		"try again later":                         0,
		"do not retry. There are 5 messages left": 0,
		"wait for 5 messages":                     0,
		"The prompt has 12 seconds of sound":      0,
		"":                                        0,
	} {
		if got := connection.RetryAfterInText(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestWhatServersAskToWaitInDocuments(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for document, want := range map[string]time.Duration{
		`[{"error":{"details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"2s"}]}}]`:      2 * time.Second,
		`{"error":{"details":[{"@type":"google.rpc.RetryInfo","retryDelay":{"seconds":3,"nanos":500000000}}]}}`: 3500 * time.Millisecond,
		`{"retry_after":1.5}`:                             1500 * time.Millisecond,
		`{"error":{"metadata":{"retry_after_ms":"250"}}}`: 250 * time.Millisecond,
		`{"error":{"metadata":{"headers":{"X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1767323055000"}}}}`: 10 * time.Second,
		`{"retry_after":"2099-01-01T00:00:00Z"}`: 10_000 * time.Hour,
		`{"retry_after":-1}`:                     0,
		`{"error":"x"}`:                          0,
		`not JSON`:                               0,
	} {
		if got := connection.RetryAfterInDocument([]byte(document), now); got != want {
			t.Errorf("%s: %s, want %s", document, got, want)
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
