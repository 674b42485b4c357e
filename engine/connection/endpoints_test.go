package connection_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"seedloom.dev/seedloom/engine/connection"
	"seedloom.dev/seedloom/internal/allowlist"
)

// endpoints are what entries allow, in an environment of variables.
func endpoints(t *testing.T, entries string, environment map[string]string) *connection.Endpoints {
	t.Helper()
	list, err := allowlist.ParseText(entries)
	if err != nil {
		t.Fatal(err)
	}
	return connection.NewEndpoints(list, func(name string) string { return environment[name] })
}

func TestTheDialledAddressIsLookedAt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.URL.Path == "/away" {
			http.Redirect(writer, request, "http://localhost:1/", http.StatusFound)
		}
	}))
	defer server.Close()
	for entries, want := range map[string]string{
		"":                     "an address of the Pod itself",
		"127.0.0.1":            "",
		"*":                    "an address of the Pod itself",
		"other.example.com":    "an address of the Pod itself",
		"10.0.0.0/8,127.0.0.1": "",
	} {
		allowed := endpoints(t, entries, nil)
		client := &http.Client{Transport: &http.Transport{DialContext: allowed.Dial(&net.Dialer{Timeout: time.Second})}}
		response, err := client.Get(server.URL)
		if err == nil {
			response.Body.Close()
		}
		var refused *connection.EndpointRefusal
		if errors.As(err, &refused) != (want != "") || want != "" && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", entries, err, want)
		}
		client.CloseIdleConnections()
	}
	var none *connection.Endpoints
	connected, err := none.Dial(&net.Dialer{})(t.Context(), "tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatalf("without a list: %v", err)
	}
	connected.Close()
	if none.Networks() != nil {
		t.Error("without a list there are networks")
	}
}

func TestARedirectLeadsNowhereElse(t *testing.T) {
	server := httptest.NewServer(http.RedirectHandler("http://[::1]:1/", http.StatusFound))
	defer server.Close()
	allowed := endpoints(t, "127.0.0.1", nil)
	client := &http.Client{Transport: &http.Transport{DialContext: allowed.Dial(&net.Dialer{Timeout: time.Second})}}
	response, err := client.Get(server.URL)
	if err == nil {
		response.Body.Close()
	}
	if refused := (*connection.EndpointRefusal)(nil); !errors.As(err, &refused) {
		t.Errorf("error %v", err)
	}
}

func TestBehindAProxyNamesCount(t *testing.T) {
	proxy := &url.URL{Scheme: "http", Host: "proxy.example.com:3128"}
	for _, test := range []struct{ entries, target, want string }{
		{"", "https://api.example.com/v1", ""},
		{"", "http://169.254.169.254/latest", "what describes the node"},
		{"api.example.com", "https://api.example.com/v1", ""},
		{"api.example.com,10.0.0.0/8", "https://evil.example.com/v1", "evil.example.com is behind a proxy"},
		{"10.0.0.0/8", "http://10.0.0.1/v1", ""},
	} {
		choose := endpoints(t, test.entries, nil).Proxy(http.ProxyURL(proxy))
		request, err := http.NewRequest(http.MethodGet, test.target, nil)
		if err != nil {
			t.Fatal(err)
		}
		chosen, err := choose(request)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) || err == nil && chosen != proxy {
			t.Errorf("%q: %s: proxy %v, error %v, want %q", test.entries, test.target, chosen, err, test.want)
		}
	}
}

func TestTheProxyOfTheEnvironmentIsAllowed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	allowed := endpoints(t, "api.example.com", map[string]string{"HTTPS_PROXY": server.URL})
	connected, err := allowed.Dial(&net.Dialer{})(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	connected.Close()
}
