// Command peers sends chat requests with the client libraries of others, and prints the processor time that they take, as hack/bench does
// for ours. It is a module of its own, so that the project depends on none of them.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

// result is what is printed, in seconds.
type result struct{ Seconds, Processor float64 }

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 3 {
		return errors.New("usage: peers ENDPOINT REQUESTS PARALLEL")
	}
	requests, err := strconv.ParseInt(arguments[1], 10, 64)
	if err != nil {
		return err
	}
	parallel, err := strconv.Atoi(arguments[2])
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = parallel, parallel
	client := openai.NewClient(option.WithBaseURL(arguments[0]), option.WithAPIKey("sk-bench"),
		option.WithHTTPClient(&http.Client{Transport: transport}))
	question := strings.Repeat("a question\n", 90)
	var next atomic.Int64
	failures := make(chan error, parallel)
	before, began := processorTime(), time.Now()
	var group sync.WaitGroup
	for range parallel {
		group.Go(func() {
			for number := next.Add(1); number <= requests; number = next.Add(1) {
				said, err := client.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
					Model: "bench/one", MaxTokens: openai.Int(256),
					Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("Be brief."),
						openai.UserMessage(question + strconv.FormatInt(number, 10))},
				})
				if err == nil && (len(said.Choices) == 0 || said.Choices[0].Message.Content == "") {
					err = errors.New("an empty answer")
				}
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	if len(failures) > 0 {
		return <-failures
	}
	return json.NewEncoder(os.Stdout).Encode(result{Seconds: time.Since(began).Seconds(), Processor: processorTime() - before})
}

// processorTime is what this process has used of all cores so far, in seconds.
func processorTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
