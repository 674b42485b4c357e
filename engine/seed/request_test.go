package seed_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed"
)

const token = "Bearer t0p-secret-7f"

// withToken is a seed whose requests have a header from a Secret, and one that is none.
func withToken(address string) *v1alpha1.Seed {
	spec := fromWeb(address)
	spec.HTTP.Headers = []v1alpha1.RequestHeader{
		{Name: "X-Tenant", Value: "blue"},
		{Name: "X-Token", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "data", Key: "token"}},
		{Name: "authorization", SecretKeyRef: &v1alpha1.SecretKeyReference{Name: "data", Key: "token"}},
	}
	return spec
}

func secret(int) string { return token + "\n" }

func TestHeadersGoToTheOriginAlone(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		for _, name := range []string{"Authorization", "X-Token", "X-Tenant", "Referer"} {
			if value := request.Header.Get(name); value != "" {
				t.Errorf("another host was sent %s: %s", name, value)
			}
		}
		if request.URL.Path == "/closed.csv" {
			writer.WriteHeader(http.StatusForbidden)
			return
		}
		fmt.Fprint(writer, "a\n1\n2\n")
	}))
	defer elsewhere.Close()
	origin := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		if request.Header.Get("Authorization") != token || request.Header.Get("X-Token") != token || request.Header.Get("X-Tenant") != "blue" {
			writer.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch request.URL.Path {
		case "/away.csv":
			http.Redirect(writer, request, elsewhere.URL+"/rows.csv", http.StatusFound)
		case "/closed.csv":
			http.Redirect(writer, request, elsewhere.URL+"/closed.csv", http.StatusFound)
		case "/near.csv":
			http.Redirect(writer, request, "/rows.csv", http.StatusFound)
		default:
			fmt.Fprint(writer, "a\n1\n2\n")
		}
	}))
	defer origin.Close()
	client := origin.Client()
	defer client.CloseIdleConnections()
	for _, path := range []string{"/rows.csv", "/near.csv", "/away.csv?key=1"} {
		dataset, err := seed.Load(t.Context(), withToken(origin.URL+path), seed.Options{Client: client, Header: secret})
		if err != nil || dataset.Len() != 2 {
			t.Errorf("%s: %v", path, err)
		}
	}
	_, err := seed.Load(t.Context(), withToken(origin.URL+"/closed.csv"), seed.Options{Client: client, Header: secret})
	expect(t, err, false, "HTTP 403", "leads to another host, which gets no headers")
	_, err = seed.Load(t.Context(), fromWeb(origin.URL+"/rows.csv"), seed.Options{Client: client})
	expect(t, err, false, "HTTP 401", "see spec.seed.http.headers")
}

func TestHeadersThatCanNotBeSent(t *testing.T) {
	client, attempts := server(func(int, *http.Request) (*http.Response, error) { return answer(200, "a\n1\n") }).client()
	for value, want := range map[string]string{
		"":                   `the header X-Token has no value: the key "token" of Secret "data" is empty`,
		" \n":                "has no value",
		"hush\nX-Other: yes": "the value of the header X-Token holds a character that no header may have",
		"hush\x00":           "the value of the header X-Token holds",
	} {
		_, err := seed.Load(t.Context(), withToken(address), seed.Options{Client: client, Header: func(int) string { return value }})
		expect(t, err, false, want)
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the value is shown: %v", err)
		}
	}
	if *attempts != 0 {
		t.Errorf("%d requests were sent", *attempts)
	}
}

// A server may repeat in what it says the headers that it was sent.
func TestNoMessageRepeatsAHeader(t *testing.T) { synctest.Test(t, noMessageRepeatsAHeader) }

func noMessageRepeatsAHeader(t *testing.T) {
	client, _ := server(func(_ int, request *http.Request) (*http.Response, error) {
		response, err := answer(http.StatusFound, "")
		response.Header.Set("Location", "http://"+strings.Fields(request.Header.Get("X-Token"))[1]+":port/")
		response.Request = request
		return response, err
	}).client()
	_, err := seed.Load(t.Context(), withToken(address), seed.Options{Client: client, Header: secret})
	if err == nil || strings.Contains(err.Error(), "t0p") {
		t.Errorf("got %v", err)
	}
	client, _ = server(func(_ int, request *http.Request) (*http.Response, error) {
		response, err := answer(http.StatusOK, "a\n1\n")
		response.Header.Set("ETag", `"`+request.Header.Get("X-Token")+`"`)
		response.Header.Set("Last-Modified", "a line\nbreak")
		return response, err
	}).client()
	dataset, err := seed.Load(t.Context(), withToken(address), seed.Options{Client: client, Header: secret})
	if err != nil {
		t.Fatal(err)
	}
	if version := dataset.Version(); version != `4 bytes, ETag "[hidden]"` {
		t.Errorf("the version is %s", version)
	}
}

func TestAChecksumHoldsTheFile(t *testing.T) {
	body := "a\n1\n"
	client, attempts := server(func(int, *http.Request) (*http.Response, error) { return answer(200, body) }).client()
	spec := fromWeb(address)
	spec.HTTP.SHA256 = "3f1ed5b1a3b58a4a5d4ee4e3bd5ad60c0a0f37a2b3a15a1bd9c3f3a5c3b9a6f9"
	_, err := seed.Load(t.Context(), spec, seed.Options{Client: client})
	failed := failure.Of(err)
	if failed.Reason != v1alpha1.ReasonSeedChanged || failed.Temporary || *attempts != 1 || !strings.Contains(err.Error(), "another version") {
		t.Fatalf("got %v after %d attempts", err, *attempts)
	}
	_, sum, _ := strings.Cut(err.Error(), "its SHA-256 is ")
	spec.HTTP.SHA256 = sum[:64]
	if _, err := seed.Load(t.Context(), spec, seed.Options{Client: client}); err != nil {
		t.Error(err)
	}
}

// Of a large file on a volume only samples tell it from others; of one that comes over the network all bytes do.
func TestEveryByteOfADownloadCounts(t *testing.T) {
	body := append([]byte("a\n"), bytes.Repeat([]byte("1234567\n"), 17<<20/8)...)
	client, _ := server(func(int, *http.Request) (*http.Response, error) { return answer(200, string(body)) }).client()
	digest := func() string {
		dataset, err := seed.Load(t.Context(), fromWeb(address), seed.Options{Client: client, Rows: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = dataset.Close() }() // was only read
		return dataset.Digest()
	}
	before := digest()
	if before != digest() {
		t.Error("the same file has another digest")
	}
	body[100_002] = '9'
	if before == digest() {
		t.Error("another file has the same digest")
	}
}
