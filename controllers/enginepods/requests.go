package enginepods

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"

	"seedloom.dev/seedloom/internal/runreport"
)

const (
	// podTimeout bounds one request to a Pod.
	podTimeout = 2 * time.Second
	// podIdleTimeout is after how long a connection to a Pod that is not used is closed.
	podIdleTimeout = 8 * time.Second
	// podConcurrency bounds the requests of one kind that are under way at the same time.
	podConcurrency = 16
)

// podClient returns a client for requests to Pods.
func podClient() *http.Client {
	return &http.Client{
		Timeout: podTimeout,
		Transport: &http.Transport{
			// Neither a proxy nor a redirect may lead to anything but the Pod.
			Proxy:                  nil,
			DialContext:            (&net.Dialer{Timeout: podTimeout}).DialContext,
			MaxIdleConnsPerHost:    1,
			IdleConnTimeout:        podIdleTimeout,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// podAddress is the host and port of what an engine serves.
func podAddress(pod *corev1.Pod) string {
	return net.JoinHostPort(pod.Status.PodIP, strconv.Itoa(runreport.Port))
}

// askPod sends a request to a Pod, and returns its answer: of one that is too long one byte more than there may be.
func askPod(ctx context.Context, client *http.Client, method, address, path string, body []byte, most int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("asking a Pod at %s: %w", path, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("asking a Pod at %s: %w", path, err)
	}
	// The body was only read; there is nothing to lose when closing it fails.
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("asking a Pod at %s: status %d", path, response.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	if err != nil {
		return nil, fmt.Errorf("reading what a Pod answers at %s: %w", path, err)
	}
	return answer, nil
}

// repeat calls a function at once and then in intervals, until the context ends.
func repeat(ctx context.Context, interval time.Duration, call func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		call(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// eachPod calls a function for each of some things to ask Pods, some at the same time, and waits for them. It begins none after the end
// of the context.
func eachPod[T any](ctx context.Context, asked []T, ask func(T)) {
	var asking sync.WaitGroup
	slots := make(chan struct{}, podConcurrency)
	defer asking.Wait()
	for _, one := range asked {
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		asking.Go(func() {
			defer func() { <-slots }()
			ask(one)
		})
	}
}
