package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/model"
)

const (
	clientRequests = 30_000
	clientParallel = 32
)

// client is the workload in which the engine's client and those of others send the same requests to one simulator, one after the other.
func client() workload {
	each := func(seconds func(sample) float64) func(sample) float64 {
		return func(s sample) float64 { return seconds(s) * 1e6 / float64(s.Requests) }
	}
	return workload{
		name: "client", run: clients, simulator: "{}",
		figures: []measured{
			{name: "processor time of a chat request", unit: "µs/request", goal: 60, less: true,
				from: each(func(s sample) float64 { return s.Processor })},
			{name: "processor time of a chat request with openai-go v3", unit: "µs/request", from: each(func(s sample) float64 { return s.Peer })},
			{name: "openai-go v3 / engine, processor time", unit: "ratio", goal: 2, from: func(s sample) float64 { return s.Peer / s.Processor }},
		},
	}
}

func clients(ctx context.Context, work workload) (sample, error) {
	address, stop, err := startSimulator(ctx, work.simulator)
	if err != nil {
		return sample{}, err
	}
	defer stop()
	endpoint := "http://" + address + "/v1"
	folder, err := os.MkdirTemp("", "seedloom-peers-")
	if err != nil {
		return sample{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	executable := filepath.Join(folder, "peers")
	if output, err := exec.CommandContext(ctx, "go", "build", "-C", "hack/bench/peers", "-o", executable, ".").CombinedOutput(); err != nil {
		return sample{}, fmt.Errorf("building hack/bench/peers, from the repository's root: %w\n%s", err, output)
	}
	taken := sample{Requests: clientRequests}
	if err := chat(ctx, endpoint, &taken); err != nil {
		return sample{}, err
	}
	peer, err := printed(exec.CommandContext(ctx, executable, endpoint, strconv.Itoa(clientRequests), strconv.Itoa(clientParallel)))
	if err != nil {
		return sample{}, err
	}
	taken.Peer = peer.Processor
	return taken, nil
}

// chat sends the requests with the engine's client.
func chat(ctx context.Context, endpoint string, taken *sample) error {
	provider := v1alpha1.Provider{Name: "remote", Type: v1alpha1.ProviderOpenAI, Endpoint: endpoint}
	asked := v1alpha1.Model{Alias: "one", Provider: "remote", Model: "bench/one", MaxParallelRequests: new(int32(clientParallel)),
		Parameters: &v1alpha1.ModelParameters{MaxTokens: new(int64(256))}}
	set := model.NewSet(&v1alpha1.DatasetGenerationSpec{Providers: []v1alpha1.Provider{provider}, Models: []v1alpha1.Model{asked}},
		func(int) string { return "sk-bench" })
	defer set.Close()
	one := set.Client("one")
	question := strings.Repeat("a question\n", 90)
	var next atomic.Int64
	failures := make(chan error, clientParallel)
	before, began := processorTime(), time.Now()
	var group sync.WaitGroup
	for range clientParallel {
		group.Go(func() {
			for number := next.Add(1); number <= clientRequests; number = next.Add(1) {
				_, _, err := one.Chat(ctx, model.Request{Messages: []model.Message{
					{Role: model.RoleSystem, Content: "Be brief."}, {Role: model.RoleUser, Content: question + strconv.FormatInt(number, 10)}}})
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	group.Wait()
	taken.Seconds, taken.Processor, taken.Memory = time.Since(began).Seconds(), processorTime()-before, peakMemory()
	if len(failures) > 0 {
		return <-failures
	}
	return nil
}
