// Command load measures how many chat completions a second the simulator answers, on loopback only and for a bounded time.
// Its client speaks just enough HTTP/1.1 to cost little beside the server; it is no tool for any other server.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"seedloom.dev/seedloom/internal/llmsim"
)

const (
	maxDuration    = time.Minute
	maxConnections = 1024
	headerTimeout  = 10 * time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	address := flags.String("address", "", "host:port of a running simulator on loopback; empty starts one in this process")
	connections := flags.Int("connections", 64, "how many connections send at once, each one request at a time (at most 1024)")
	duration := flags.Duration("duration", 5*time.Second, "how long to send (at most 1m)")
	maxTokens := flags.Int("max-tokens", 64, "max_tokens of each request")
	model := flags.String("model", "demo/writer", "the model")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *connections < 1 || *connections > maxConnections || *duration <= 0 || *duration > maxDuration {
		return fmt.Errorf("--connections must be 1 to %d, and --duration up to %s", maxConnections, maxDuration)
	}
	if *address == "" {
		stop, own, err := startServer()
		if err != nil {
			return err
		}
		defer stop()
		*address = own
	}
	if err := checkLoopback(*address); err != nil {
		return err
	}
	result, err := measure(*address, *connections, *duration, *model, *maxTokens)
	if err != nil {
		return err
	}
	fmt.Println(result)
	return nil
}

// startServer runs a simulator on a free port of loopback; stop waits until it has ended.
func startServer() (stop func(), address string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: llmsim.New(llmsim.Config{}, llmsim.Limits{}), ReadHeaderTimeout: headerTimeout}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(listener)
	}()
	return func() {
		_ = server.Close()
		<-ended
	}, listener.Addr().String(), nil
}

func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--address must be host:port: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("--address %s is not an address of loopback, such as 127.0.0.1:8000", address)
	}
	return nil
}

// report is what was measured.
type report struct {
	latencies []time.Duration
	elapsed   time.Duration
}

// String shows the rate and the percentiles of the latency.
func (r report) String() string {
	if len(r.latencies) == 0 {
		return "no request was answered"
	}
	slices.Sort(r.latencies)
	percentile := func(share float64) time.Duration {
		return r.latencies[int(share*float64(len(r.latencies)-1))].Round(time.Microsecond)
	}
	return fmt.Sprintf("%d requests in %.1fs: %.0f requests/s; latency p50 %s, p90 %s, p99 %s, max %s",
		len(r.latencies), r.elapsed.Seconds(), float64(len(r.latencies))/r.elapsed.Seconds(),
		percentile(0.5), percentile(0.9), percentile(0.99), percentile(1))
}

func measure(address string, connections int, duration time.Duration, model string, maxTokens int) (report, error) {
	ctx, cancel := context.WithTimeout(context.Background(), duration)
	defer cancel()
	var group sync.WaitGroup
	results := make([][]time.Duration, connections)
	problems := make([]error, connections)
	start := time.Now()
	for index := range connections {
		group.Go(func() { results[index], problems[index] = send(ctx, address, index, model, maxTokens) })
	}
	group.Wait()
	return report{latencies: slices.Concat(results...), elapsed: time.Since(start)}, errors.Join(problems...)
}

// send sends one request after another on one connection until the context ends; no two requests have the same prompt.
func send(ctx context.Context, address string, worker int, model string, maxTokens int) ([]time.Duration, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 16<<10)
	var latencies []time.Duration
	var body, message []byte
	for number := 0; ctx.Err() == nil; number++ {
		body = fmt.Appendf(body[:0],
			`{"model":%q,"messages":[{"role":"user","content":"Write a review, number %d of writer %d."}],"max_tokens":%d}`,
			model, number, worker, maxTokens)
		message = fmt.Appendf(message[:0],
			"POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
			address, len(body))
		start := time.Now()
		if _, err := connection.Write(append(message, body...)); err != nil {
			return latencies, err
		}
		if err := receive(reader); err != nil {
			return latencies, err
		}
		latencies = append(latencies, time.Since(start))
	}
	return latencies, nil
}

// receive reads one answer with a Content-Length, which must be a 200.
func receive(reader *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
			return fmt.Errorf("the simulator answered %q", line)
		}
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("the answer has no Content-Length")
	}
	_, err := reader.Discard(length)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
