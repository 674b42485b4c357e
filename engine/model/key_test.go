package model_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/model"
	"seedloom.dev/seedloom/engine/plan"
)

// keyed returns a client with an API key as it stands in the Secret.
func keyed(t *testing.T, address, key string) *model.Client {
	t.Helper()
	compiled := &plan.Plan{Spec: &v1alpha1.DatasetGenerationSpec{
		Providers: []v1alpha1.Provider{{Name: "local", Type: v1alpha1.ProviderOpenAI, Endpoint: address}},
		Models:    []v1alpha1.Model{{Alias: "writer", Provider: "local", Model: "m"}},
	}}
	set := model.NewSet(compiled.Spec, func(int) string { return key })
	t.Cleanup(set.Close)
	return set.Client("writer")
}

func TestKeysAreSentAsProvidersKnowThem(t *testing.T) {
	for name, test := range map[string]struct {
		key string
		// want is the header; the request is not sent when refused is true.
		want    string
		refused bool
	}{
		"no key":                      {"", "", false},
		"a key":                       {"sk-1", "Bearer sk-1", false},
		"a key from a file":           {"sk-1\n", "Bearer sk-1", false},
		"a key from a Windows file":   {"sk-1\r\n", "Bearer sk-1", false},
		"only a line break":           {"\n", "", false},
		"two lines":                   {"sk-1\nsk-2", "", true},
		"a letter that no header has": {"sk-é", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			var header atomic.Value
			server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
				requests.Add(1)
				header.Store(request.Header.Get("Authorization"))
				_, _ = writer.Write([]byte(`{"choices":[{"message":{"content":"hello"}}]}`))
			}))
			defer server.Close()
			_, err := ask(t.Context(), keyed(t, server.URL, test.key))
			if !test.refused {
				if err != nil || header.Load() != test.want {
					t.Errorf("sent %v, %v", header.Load(), err)
				}
				return
			}
			failed := failure.Of(err)
			if failed == nil || failed.Reason != v1alpha1.ReasonModelAuthentication || failed.Consequence != failure.EndRun || requests.Load() != 0 {
				t.Errorf("got %v after %d requests", err, requests.Load())
			}
			if strings.Contains(err.Error(), "sk-") {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
}
