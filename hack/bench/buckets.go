package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"seedloom.dev/seedloom/engine/store/s3"
)

// storeProgram names the environment variable with the path of versitygw; workloads with a bucket are left out without it.
const storeProgram = "BENCH_STORE"

const (
	bucketOfStore = "bench"
	keyOfStore    = "bench-key"
	secretOfStore = "bench-secret"
)

// buckets are runs whose output is in a bucket of a store that others have built, on the same machine.
func buckets() []workload {
	id, about := "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"
	sampledRows := func(group int64) workload {
		return workload{
			name: fmt.Sprintf("s3/sampled-by-%d", group), run: besidePuts, peer: storeProgram,
			spec: dataset(1_000_000, 1, sampled...) + fmt.Sprintf("run: {rowGroupSize: %d}\n", group),
			figures: []measured{
				{name: "sampled rows of 8 columns", unit: "rows/s", from: func(s sample) float64 { return float64(s.Rows) / s.Seconds }},
				{name: "commits of row groups", unit: "commits/s",
					from: func(s sample) float64 { return float64(s.Rows/group) / s.Seconds }},
				{name: "requests of a commit", unit: "requests", from: func(s sample) float64 { return float64(s.Stored*group) / float64(s.Rows) }},
				{name: "the same writes alone, as quickly as the store takes them", unit: "s", from: func(s sample) float64 { return s.Bound }},
				{name: "time beside that of the writes alone", unit: "ratio", from: func(s sample) float64 { return s.Seconds / s.Bound }},
				{name: "time beside that of the same run on a volume", unit: "ratio", from: func(s sample) float64 { return s.Seconds / s.OnVolume }},
				{name: "peak memory", unit: "MiB", from: func(s sample) float64 { return s.Memory }},
			},
		}
	}
	return []workload{
		{
			name: "s3/latency-bound", run: besideVolume, peer: storeProgram,
			simulator: "defaults: {latency: {distribution: Constant, value: 200ms}}",
			spec:      dataset(10_000, 256, id, about) + "run: {rowGroupSize: 500}\n",
			figures: []measured{
				{name: "requests to a model, with the output in a bucket", unit: "requests/s",
					from: func(s sample) float64 { return float64(s.Requests) / s.Seconds }},
				{name: "throughput beside that with a volume", unit: "ratio", goal: 0.9, from: func(s sample) float64 { return s.Bound / s.Seconds }},
			},
		},
		sampledRows(1000), sampledRows(10_000),
	}
}

// besideVolume runs a workload with its output on a volume, which gives the bound, and then in a bucket.
func besideVolume(ctx context.Context, work workload) (sample, error) {
	onVolume, err := generate(ctx, work)
	if err != nil {
		return sample{}, fmt.Errorf("on a volume: %w", err)
	}
	place, stop, err := startStore(ctx)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	work.place = place
	taken, err := generate(ctx, work)
	taken.Bound = onVolume.Seconds
	return taken, err
}

// besidePuts runs a workload in a bucket, then writes objects as large as its own there, as many at once as the engine does, and last runs
// it on a volume.
func besidePuts(ctx context.Context, work workload) (sample, error) {
	place, stop, err := startStore(ctx)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	counted := &countingTransport{next: http.DefaultTransport.(*http.Transport).Clone()}
	counted.next.MaxIdleConnsPerHost = 64
	place.Transport, work.place = counted, place
	taken, err := generate(ctx, work)
	if err != nil {
		return sample{}, err
	}
	taken.Stored = counted.requests
	began := time.Now()
	if err := putAll(ctx, place, counted.puts); err != nil {
		return sample{}, err
	}
	taken.Bound = time.Since(began).Seconds()
	work.place = nil
	onVolume, err := generate(ctx, work)
	taken.OnVolume = onVolume.Seconds
	return taken, err
}

// putAll writes objects of some sizes.
func putAll(ctx context.Context, place *s3.Location, sizes []int64) error {
	volume, err := s3.Open(ctx, place, "alone")
	if err != nil {
		return err
	}
	defer func() { _ = volume.Close() }() // all was answered
	numbers := make(chan int)
	var all sync.WaitGroup
	failures := make([]error, volume.Pace().Writers)
	for writer := range failures {
		all.Go(func() {
			for number := range numbers {
				content := bytes.Repeat([]byte{'0'}, int(sizes[number]))
				failures[writer] = errors.Join(failures[writer], volume.Put(fmt.Sprintf("object-%d", number), content))
			}
		})
	}
	for number := range sizes {
		numbers <- number
	}
	close(numbers)
	all.Wait()
	return errors.Join(failures...)
}

// countingTransport counts requests, and notes how large what they write is.
type countingTransport struct {
	next *http.Transport

	mutex    sync.Mutex
	requests int64
	puts     []int64
}

// RoundTrip implements http.RoundTripper.
func (c *countingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	c.mutex.Lock()
	c.requests++
	if request.Method == http.MethodPut {
		c.puts = append(c.puts, max(0, request.ContentLength))
	}
	c.mutex.Unlock()
	return c.next.RoundTrip(request)
}

// startStore starts a store with an empty bucket, which ends with stop, and returns the place of a dataset in it.
func startStore(ctx context.Context) (place *s3.Location, stop func(), err error) {
	folder, err := os.MkdirTemp("", "seedloom-bench-store-")
	if err != nil {
		return nil, nil, err
	}
	remove := func() { _ = os.RemoveAll(folder) } // of the machine's temporary files
	credentials := filepath.Join(folder, "credentials")
	err = errors.Join(os.MkdirAll(filepath.Join(folder, "store", bucketOfStore), 0o700), os.Mkdir(credentials, 0o700),
		os.WriteFile(filepath.Join(credentials, s3.AccessKeyFile), []byte(keyOfStore), 0o600),
		os.WriteFile(filepath.Join(credentials, s3.SecretKeyFile), []byte(secretOfStore), 0o600))
	if err != nil {
		remove()
		return nil, nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		remove()
		return nil, nil, err
	}
	address := listener.Addr().String()
	_ = listener.Close() // the store listens there now
	command := exec.CommandContext(ctx, os.Getenv(storeProgram), "--access", keyOfStore, "--secret", secretOfStore, "--port", address,
		"--keep-alive", "--quiet", "posix", filepath.Join(folder, "store"))
	command.Stderr = os.Stderr
	if err := command.Start(); err != nil {
		remove()
		return nil, nil, err
	}
	stop = func() {
		_ = command.Process.Kill()
		_ = command.Wait() // was killed
		remove()
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
			break
		}
		if time.Now().After(deadline) {
			stop()
			return nil, nil, fmt.Errorf("the store does not listen: %w", err)
		}
	}
	return &s3.Location{Bucket: bucketOfStore, Endpoint: "http://" + address, CredentialsDirectory: credentials}, stop, nil
}
