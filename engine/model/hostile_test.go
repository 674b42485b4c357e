package model_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
)

// clientsOf returns the clients of a model of a provider.
func clientsOf(t *testing.T, provider v1alpha1.Provider, spec v1alpha1.Model) *model.Set {
	t.Helper()
	provider.Name, spec.Provider, spec.Alias, spec.Model = "remote", "remote", "writer", "m"
	whole := &v1alpha1.DatasetGenerationSpec{Providers: []v1alpha1.Provider{provider}, Models: []v1alpha1.Model{spec}}
	set := model.NewSet(whole, func(int) string { return secret })
	t.Cleanup(set.Close)
	return set
}

// refusing serves a status with headers and a body.
func refusing(t *testing.T, status int, header map[string]string, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		for name, value := range header {
			writer.Header().Set(name, value)
		}
		writer.WriteHeader(status)
		_, _ = io.WriteString(writer, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const geminiMinute = `[{"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details.` +
	` * Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 10\nPlease retry in 1.5s.",` +
	` "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations":` +
	` [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},` +
	` {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2s"}]}}]`

// Only a true end of credit ends a run: who says when to come again, or for what time a limit is, is waited for.
func TestLimitsAreToldFromTheEndOfCredit(t *testing.T) {
	const limited, exhausted = v1alpha1.ReasonProviderRateLimited, v1alpha1.ReasonModelQuotaExhausted
	for name, test := range map[string]struct {
		status int
		header map[string]string
		body   string
		reason string
		wait   time.Duration
	}{
		"Gemini, a minute":       {429, nil, geminiMinute, limited, 2 * time.Second},
		"Gemini, a day":          {429, nil, `{"error":{"message":"Quota exceeded","details":[{"violations":[{"quotaId":"GenerateRequestsPerDay"}]}]}}`, limited, 0},
		"words":                  {429, nil, `{"error":{"message":"Rate limit reached. Please try again in 1m30s."}}`, limited, 90 * time.Second},
		"a quota with a time":    {429, nil, `{"error":{"message":"You exceeded your current quota. Please try again in 1.9s"}}`, limited, 1900 * time.Millisecond},
		"plain text":             {429, nil, `too many requests, retry after 20 seconds`, limited, 20 * time.Second},
		"of a gateway":           {429, map[string]string{"llm_provider-retry-after": "3"}, `{}`, limited, 3 * time.Second},
		"a limit's end":          {429, map[string]string{"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, `{}`, limited, 6 * time.Minute},
		"in 2099":                {429, map[string]string{"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}, `{}`, limited, 10_000 * time.Hour},
		"403, a limit":           {403, nil, `{"error":{"status":"RESOURCE_EXHAUSTED","message":"userRateLimitExceeded"}}`, limited, 0},
		"400, throttled":         {400, nil, `{"error":{"code":"ThrottlingException","message":"x"}}`, limited, 0},
		"503, in words":          {503, nil, `{"error":{"message":"overloaded, try again in 7 seconds"}}`, v1alpha1.ReasonProviderUnavailable, 7 * time.Second},
		"no credit":              {429, nil, `{"error":{"code":"insufficient_quota","message":"You exceeded your current quota, please check your plan"}}`, exhausted, 0},
		"no credit, in words":    {429, nil, `{"error":{"message":"You exceeded your current quota, please check your plan and billing details."}}`, exhausted, 0},
		"no credit, 400":         {400, nil, `{"error":{"message":"Your credit balance is too low"}}`, exhausted, 0},
		"no credit, with a time": {429, map[string]string{"Retry-After": "5"}, `{"error":{"code":"insufficient_quota","message":"x"}}`, exhausted, 0},
	} {
		_, err := ask(t.Context(), client(t, refusing(t, test.status, test.header, test.body)))
		failed := failure.Of(err)
		if failed == nil || failed.Reason != test.reason || failed.RetryAfter != test.wait {
			t.Errorf("%s: got %v, retry after %s; want %s, %s", name, err, failed.RetryAfter, test.reason, test.wait)
		}
	}
}

// Servers say in many words that they don't know a model. All of them end a run; other refusals cost a row.
func TestUnknownModelsAreFoundOut(t *testing.T) {
	for body, known := range map[string]bool{
		`{"error":{"message":"{'error': '/chat/completions: Invalid model name passed in model=m. Call /v1/models to view available models for your key.'}","type":"None","param":"None","code":"400"}}`: false,
		`{"error":{"message":"m is not a valid model ID","code":400}}`:                                false,
		`{"error":{"message":"Model Not Exist","type":"invalid_request_error"}}`:                      false,
		"{\"error\":{\"message\":\"The model `m` does not exist or you do not have access to it.\"}}": false,
		`{"message":"The provided model identifier is invalid."}`:                                     false,
		`{"error":"model 'm' not found, try pulling it first"}`:                                       false,
		`{"error":{"message":"Unknown model: m"}}`:                                                    false,
		`{"error":{"message":"the tool m2 was not found in the model's list"}}`:                       true,
		`{"error":{"message":"Invalid value for temperature of the model"}}`:                          true,
	} {
		_, err := ask(t.Context(), client(t, refusing(t, 400, nil, body)))
		if failed := failure.Of(err); (failed.Reason == v1alpha1.ReasonRequestRejected) != known ||
			!known && failed.Reason != v1alpha1.ReasonModelNotFound {
			t.Errorf("%s: got %s: %v", body, failed.Reason, err)
		}
	}
}

// A refusal names the parameter that was sent, and the field of the spec that it comes from.
func TestRefusalsNameWhatWasSent(t *testing.T) {
	dimensions := v1alpha1.Model{Embedding: &v1alpha1.EmbeddingParameters{Dimensions: new(int32(16))}, ExtraBody: raws(`{"min_p":0.1}`)}
	for name, test := range map[string]struct{ body, want string }{
		"by its name":        {`{"error":{"message":"This model does not support specifying dimensions."}}`, "dimensions as it was sent, because of embedding.dimensions"},
		"by another word":    {`{"object":"error","message":"Model m does not support matryoshka representation","code":400}`, "because of embedding.dimensions"},
		"as param":           {`{"error":{"message":"x","param":"dimensions"}}`, "parameter dimensions); it does not take dimensions"},
		"one of extraBody":   {`{"error":{"message":"Unrecognized request argument supplied: min_p"}}`, "because of extraBody.min_p"},
		"nothing that is so": {`{"error":{"message":"the maxdimensions are 5"}}`, "(HTTP 400)"},
	} {
		_, _, err := clientsOf(t, openAIAt(refusing(t, 400, nil, test.body)), dimensions).Client("writer").Embed(t.Context(), []string{"a"})
		if err == nil || !strings.Contains(err.Error(), test.want) || test.want == "(HTTP 400)" && !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%s: got %v, want something with %q", name, err, test.want)
		}
	}
}

// An answer that ends HTTP on its connection, and leaves that open, is a failure at once.
func TestSwitchingProtocolsIsAFailureAtOnce(t *testing.T) {
	for name, answer := range map[string]string{
		"101":           "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
		"103 and 101":   "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		"1xx for ever":  strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 500_000),
		"a status of 0": "HTTP/1.1 000 Nothing\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			address := raw(t, answer, func(connection *net.TCPConn) { _, _ = io.Copy(io.Discard, connection) })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := ask(ctx, client(t, address))
			if failed := failure.Of(err); failed.Reason != v1alpha1.ReasonProviderUnavailable || strings.Contains(err.Error(), "Nothing") {
				t.Errorf("got %v", err)
			}
		})
	}
}

// deaf is a transport whose bodies don't end with the context of their request.
type deaf struct{ body io.ReadCloser }

func (d deaf) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: d.body, ContentLength: -1}, nil
}

func TestTimeoutsHoldWhateverTheTransportDoes(t *testing.T) {
	for _, status := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
		reader, writer := io.Pipe()
		set := clientsOf(t, openAIAt("http://nowhere"), v1alpha1.Model{TimeoutSeconds: new(int32(1)), Streaming: status})
		set.Through(deaf{reader})
		_, err := ask(t.Context(), set.Client("writer"))
		if failed := failure.Of(err); failed.Reason != v1alpha1.ReasonProviderTimeout {
			t.Errorf("got %v", err)
		}
		_ = writer.Close()
	}
}

// Numbers of tokens that can't be true are not believed, and that is told once.
func TestAbsurdUsageIsNotBelieved(t *testing.T) {
	for _, number := range []string{"9223372036854775807", "1e300", "99999999999999999999999", "-9223372036854775808"} {
		for _, streaming := range []v1alpha1.StreamingPolicy{v1alpha1.StreamingDisabled, v1alpha1.StreamingEnabled} {
			usage := `"usage":{"prompt_tokens":` + number + `,"completion_tokens":` + number + `,"prompt_tokens_details":{"cached_tokens":` +
				number + `}}`
			body := `{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}],` + usage + `}`
			header := map[string]string{}
			if streaming == v1alpha1.StreamingEnabled {
				header["Content-Type"] = "text/event-stream"
				body = "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[]," + usage +
					"}\n\ndata: [DONE]\n\n"
			}
			var log bytes.Buffer
			set := clientsOf(t, openAIAt(refusing(t, 200, header, body)), v1alpha1.Model{Streaming: streaming})
			set.LogTo(slog.New(slog.NewTextHandler(&log, nil)))
			for range 2 {
				_, used, err := set.Client("writer").Chat(t.Context(), question)
				if err != nil || used.InputTokens < 0 || used.InputTokens > 1000 || used.OutputTokens > 1000 ||
					used.CachedInputTokens > used.InputTokens {
					t.Errorf("%s: got %+v, %v", number, used, err)
				}
				if number[0] != '-' && used.OutputTokens == 0 {
					t.Errorf("%s: nothing is estimated: %+v", number, used)
				}
			}
			if want := map[bool]int{true: 0, false: 1}[number[0] == '-']; strings.Count(log.String(), "more tokens than") != want {
				t.Errorf("%s: the log has %q", number, log.String())
			}
		}
	}
}

// Whatever of a request a server repeats, and wherever: nothing of it is in an error.
func TestNothingThatWasSentIsRepeated(t *testing.T) {
	header := "a-header-Value.1"
	provider := openAIAt("")
	provider.ExtraHeaders = map[string]string{"X-Team": header, "X-Two": "Basic dXNlcjpwYXNz"}
	for _, word := range []string{secret, strings.ToUpper(secret), secret[3:], "prefix." + secret, header, "dXNlcjpwYXNz", "sk-another-one", "confidential"} {
		for name, answer := range map[string]string{
			"code":          `{"error":{"code":"WORD","message":"x"}}`,
			"param":         `{"error":{"param":"WORD","message":"x"}}`,
			"type":          `{"error":{"type":"WORD"}}`,
			"a bare string": `{"error":"WORD"}`,
			"inner":         `{"error":{"innererror":{"code":"WORD"}}}`,
			"flat":          `{"object":"error","code":"WORD","type":"WORD"}`,
			"in an answer":  `{"choices":[{"message":{"content":""},"finish_reason":"WORD"}]}`,
			"no HTTP":       "",
		} {
			for _, status := range []int{200, 400, 401, 429, 500} {
				body := strings.ReplaceAll(answer, "WORD", word)
				if answer == "" {
					provider.Endpoint = raw(t, "HTTP/1.1 "+word+" "+word+"\r\n"+word+"\r\n\r\n", func(*net.TCPConn) {})
				} else {
					provider.Endpoint = refusing(t, status, nil, body)
				}
				chat := model.Request{Messages: []model.Message{{Role: model.RoleUser, Content: "this is confidential"}}}
				_, _, err := clientsOf(t, provider, v1alpha1.Model{}).Client("writer").Chat(t.Context(), chat)
				if err == nil || strings.Contains(strings.ToLower(err.Error()), strings.ToLower(word)) {
					t.Errorf("%s, %s, HTTP %d: %v", word, name, status, err)
				}
			}
		}
	}
	// What is a code stays one.
	provider.Endpoint = refusing(t, 400, nil, `{"error":{"code":"unsupported_parameter","param":"top_k"}}`)
	if _, err := ask(t.Context(), clientsOf(t, provider, v1alpha1.Model{}).Client("writer")); !strings.Contains(err.Error(), "unsupported_parameter, parameter top_k") {
		t.Errorf("got %v", err)
	}
}

// Images of answers are fetched from anywhere but from inside, whatever names and redirects lead there.
func TestAnswersLeadNowhereInside(t *testing.T) {
	file, err := base64.StdEncoding.DecodeString(png)
	if err != nil {
		t.Fatal(err)
	}
	fetched := 0
	inside := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) { fetched++; _, _ = writer.Write(file) }))
	defer inside.Close()
	port := inside.Listener.Addr().(*net.TCPAddr).Port
	var provider *httptest.Server
	target := ""
	provider = httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case "/images/generations":
			fmt.Fprintf(writer, `{"data":[{"url":%q}]}`, target)
		case "/own.png":
			_, _ = writer.Write(file)
		case "/redirect.png":
			http.Redirect(writer, request, inside.URL+"/a.png", http.StatusFound)
		}
	}))
	defer provider.Close()
	set := clientsOf(t, openAIAt(provider.URL), v1alpha1.Model{TimeoutSeconds: new(int32(5))})
	for name, address := range map[string]string{
		"loopback":            inside.URL + "/a.png",
		"a name":              fmt.Sprintf("http://localhost:%d/a.png", port),
		"another loopback":    fmt.Sprintf("http://127.9.9.9:%d/a.png", port),
		"mapped":              fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/a.png", port),
		"IPv6":                fmt.Sprintf("http://[::1]:%d/a.png", port),
		"unspecified":         fmt.Sprintf("http://0.0.0.0:%d/a.png", port),
		"a redirect":          provider.URL + "/redirect.png",
		"metadata":            "http://169.254.169.254/latest/meta-data/",
		"private":             "http://10.0.0.1/a.png",
		"private 172":         "http://172.16.0.1/a.png",
		"private 192":         "http://192.168.1.1/a.png",
		"carrier-grade":       "http://100.100.100.200/a.png",
		"unique local":        "http://[fd00:ec2::254]/a.png",
		"link-local":          "http://[fe80::1]/a.png",
		"translated":          "http://[64:ff9b::a9fe:a9fe]/a.png",
		"the provider's host": fmt.Sprintf("http://127.0.0.1:%d/a.png", port),
	} {
		target = address
		images, _, err := paint(t, set.Client("writer"))
		failed := failure.Of(err)
		if len(images) > 0 || failed == nil || failed.Consequence != failure.DropRow ||
			!strings.Contains(err.Error(), "only machines near this one reach") {
			t.Errorf("%s: got %d images, %v", name, len(images), err)
		}
	}
	if fetched > 0 {
		t.Errorf("%d images were fetched from inside", fetched)
	}
	target = provider.URL + "/own.png"
	if images, _, err := paint(t, set.Client("writer")); len(images) != 1 {
		t.Errorf("from the provider itself: %v", err)
	}
	target = inside.URL + "/a.png"
	set.Allow([]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")})
	if images, _, err := paint(t, set.Client("writer")); len(images) != 1 || fetched != 1 {
		t.Errorf("where it is allowed: %v", err)
	}
}

func TestAddressesOutsideAreNotRefused(t *testing.T) {
	guard := &connection.Guard{}
	for _, address := range []string{"http://93.184.215.14/", "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", "http://example.com/", "http://[64:ff9b::5db8:d70e]/"} {
		parsed, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		var refused *connection.AddressRefusal
		if err := guard.CheckWritten(parsed); errors.As(err, &refused) {
			t.Errorf("%s: %v", address, err)
		}
	}
}
