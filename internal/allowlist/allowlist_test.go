package allowlist_test

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"seedloom.dev/seedloom/internal/allowlist"
)

func TestRefuses(t *testing.T) {
	const listed = "vllm.models.svc, *.example.com, api.example.org:443, 10.1.0.0/16"
	for _, test := range []struct {
		list, name, dialled, want string
	}{
		{"", "models", "10.0.0.1:80", ""},
		{"", "models", "93.184.216.34:443", ""},
		{"", "models", "127.0.0.1:80", "an address of the Pod itself"},
		{"", "models", "[::1]:80", "an address of the Pod itself"},
		{"", "models", "[::ffff:127.0.0.1]:80", "an address of the Pod itself"},
		{"", "models", "[64:ff9b::7f00:1]:80", "an address of the Pod itself"},
		{"", "models", "169.254.169.254:80", "what describes the node"},
		{"", "models", "[fe80::1%eth0]:80", "of its node"},
		{"", "models", "[fd00:ec2::254]:80", "what describes the node"},
		{"", "models", "168.63.129.16:80", "what describes the node"},
		{"", "models", "0.0.0.0:80", "an address of the Pod itself"},
		{listed, "vllm.models.svc", "10.2.0.1:8000", ""},
		{listed, "VLLM.models.svc.", "10.2.0.1:8000", ""},
		{listed, "vllm.models.svc", "169.254.169.254:80", "what describes the node"},
		{listed, "a.b.example.com", "93.184.216.34:443", ""},
		{listed, "example.com", "93.184.216.34:443", "none of the endpoints"},
		{listed, "notexample.com", "93.184.216.34:443", "none of the endpoints"},
		{listed, "api.example.org", "93.184.216.34:443", ""},
		{listed, "api.example.org", "93.184.216.34:80", "none of the endpoints"},
		{listed, "anything", "10.1.2.3:80", ""},
		{listed, "anything", "[::ffff:10.1.2.3]:80", ""},
		{listed, "anything", "10.2.2.3:80", "vllm.models.svc,*.example.com"},
		{"127.0.0.1", "models", "127.0.0.1:80", ""},
		{"*", "models", "93.184.216.34:443", ""},
		{"*", "models", "127.0.0.1:80", "an address of the Pod itself"},
		{"*:443", "models", "93.184.216.34:80", "none of the endpoints"},
	} {
		list, err := allowlist.ParseText(test.list)
		if err != nil {
			t.Fatal(err)
		}
		got := list.Refuses(test.name, netip.MustParseAddrPort(test.dialled))
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%q: %s at %s: got %q, want %q", test.list, test.name, test.dialled, got, test.want)
		}
	}
}

func TestRefusesURL(t *testing.T) {
	for _, test := range []struct{ list, url, want string }{
		{"", "http://vllm.models.svc:8000/v1", ""},
		{"", "http://localhost:8000/v1", "localhost is the Pod itself"},
		{"127.0.0.0/8", "http://localhost:8000/v1", ""},
		{"", "http://169.254.169.254/latest", "what describes the node"},
		{"", "http://[::1]:8000/v1", "an address of the Pod itself"},
		{"vllm.models.svc", "http://vllm.models.svc:8000/v1", ""},
		{"vllm.models.svc", "https://evil.example.com/v1", "evil.example.com is none of the endpoints"},
		{"vllm.models.svc", "http://10.0.0.1/v1", "10.0.0.1 (10.0.0.1) is none"},
		{"vllm.models.svc,10.0.0.0/8", "https://maybe.example.com/v1", ""},
		{"vllm.models.svc:8000", "http://vllm.models.svc/v1", "is none of the endpoints"},
	} {
		list, err := allowlist.ParseText(test.list)
		if err != nil {
			t.Fatal(err)
		}
		address, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := list.RefusesURL(address); (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%q: %s: got %q, want %q", test.list, test.url, got, test.want)
		}
	}
}

func TestParseNamesAllThatIsWrong(t *testing.T) {
	_, err := allowlist.Parse([]string{"http://models/v1", "a.*.com", "models:0", "models:x", "10.0.0.0/33", "good.example.com"})
	for _, want := range []string{`"http://models/v1"`, `"a.*.com"`, `"models:0"`, `"models:x"`, `"10.0.0.0/33"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in: %v", want, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "good") {
		t.Errorf("an entry that is right is called wrong: %v", err)
	}
	list, err := allowlist.ParseText(" a.example.com , 10.0.0.1 ")
	if err != nil || list.String() != "a.example.com,10.0.0.1" || len(list.Networks()) != 1 || list.Empty() {
		t.Errorf("%v %v", list, err)
	}
}
