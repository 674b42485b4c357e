package seed_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/seed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestLoadFromAWebServer(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		switch count := requests.Add(1); {
		case request.URL.Path == "/flaky.csv" && count == 1:
			writer.WriteHeader(http.StatusServiceUnavailable)
		case request.URL.Path == "/cut.csv" && count == 1:
			writer.Header().Set("Content-Length", "100")
			fmt.Fprint(writer, "a\n")
		case request.URL.Path == "/none.csv":
			writer.WriteHeader(http.StatusNotFound)
		default:
			fmt.Fprint(writer, "a\n1\n2\n")
		}
	}))
	defer server.Close()
	client := server.Client()
	defer client.CloseIdleConnections()
	load := func(ctx context.Context, address string) (*seed.Dataset, error) {
		requests.Store(0)
		return seed.Load(ctx, &v1alpha1.Seed{HTTP: &v1alpha1.HTTPSeed{URL: address}}, seed.Options{Client: client})
	}
	for _, path := range []string{"/a.csv?token=secret", "/flaky.csv", "/cut.csv"} {
		if dataset, err := load(t.Context(), server.URL+path); err != nil || dataset.Len() != 2 {
			t.Errorf("%s: %v, %v", path, dataset, err)
		}
	}
	_, err := load(t.Context(), server.URL+"/none.csv?token=secret")
	failed := failure.Of(err)
	if failed.Reason != v1alpha1.ReasonSeedFailed || failed.Temporary || !strings.Contains(err.Error(), "HTTP 404") ||
		strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if requests.Load() != 1 {
		t.Errorf("%d requests were sent for a file that is not there", requests.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := load(ctx, server.URL+"/a.csv"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
