package model

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestARequestTellsHowFarItIs(t *testing.T) {
	goOn := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		<-goOn
		writer.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(writer, "12345")
		_ = http.NewResponseController(writer).Flush()
		<-goOn
		fmt.Fprint(writer, "67")
	}))
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: followed{transport}}

	ctx, progress := WithProgress(t.Context(), true)
	if phase := progress.Phase(); phase != PhasePreparing {
		t.Errorf("before the first request it is %q", phase)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		response, err := client.Do(request)
		if err == nil {
			_, err = io.ReadAll(response.Body)
			_ = response.Body.Close()
		}
		done <- err
	}()
	reach(t, progress, PhaseAwaiting, 0)
	goOn <- struct{}{}
	reach(t, progress, PhaseReading, 5)
	goOn <- struct{}{}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	exchanges := progress.Exchanges()
	if len(exchanges) != 1 || progress.Phase() != PhasePreparing {
		t.Fatalf("%d exchanges, and it is %q", len(exchanges), progress.Phase())
	}
	exchange := exchanges[0]
	before := exchange.Started()
	for _, moment := range []time.Time{exchange.Connected(), exchange.Answered(), exchange.LastByte(), exchange.Ended()} {
		if moment.Before(before) {
			t.Errorf("the moments are not in their order: %+v", exchange)
		}
		before = moment
	}
	if exchange.Sent().Before(exchange.Connected()) || exchange.Bytes() != 7 || exchange.Status() != http.StatusTooManyRequests {
		t.Errorf("got %+v", exchange)
	}
}

func reach(t *testing.T, progress *Progress, phase Phase, bytes int64) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); progress.Phase() != phase ||
		progress.Current().Bytes() != bytes; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the request did not come to %q with %d bytes; it is %q", phase, bytes, progress.Phase())
		}
	}
}

func TestARequestWithoutAConnectionEndsToo(t *testing.T) {
	transport := &http.Transport{}
	client := &http.Client{Transport: followed{transport}}
	ctx, progress := WithProgress(t.Context(), false)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:9", nil)
	if err != nil {
		t.Fatal(err)
	}
	if response, err := client.Do(request); err == nil {
		_ = response.Body.Close()
		t.Fatal("somebody listens on port 9")
	}
	if exchange := progress.Current(); exchange.Ended().IsZero() || !exchange.Connected().IsZero() || exchange.Status() != 0 ||
		progress.Exchanges() != nil {
		t.Errorf("got %+v", exchange)
	}
}
