package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// served is how many requests a server that refuses others has at once.
const served = 64

// limits are runs that are held to a bound that can be calculated, or to the same run in another way.
func limits() []workload {
	id, about := "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"
	exponential := "defaults: {latency: {distribution: Exponential, value: 150ms}}"
	chain := []string{id, "- {name: a, llmText: {model: one, prompt: '{{ id }}'}}"}
	for _, names := range []string{"ab", "bc", "cd", "de"} {
		chain = append(chain, fmt.Sprintf("- {name: %c, llmText: {model: one, prompt: '{{ %c }}'}}", names[1], names[0]))
	}
	refusals := func(kind, message string) workload {
		return workload{
			name: "refusals/" + kind, run: generate, spec: withoutQuestion(dataset(4000, 256, id, about)),
			simulator: fmt.Sprintf("defaults: {latency: {value: 200ms}, maxConcurrent: %d, maxQueued: 0, refusal: %q}", served, message),
			limits:    map[string]int{"bench/one": served},
			figures: []measured{
				{name: "lower bound of a server that takes a quarter and refuses the rest / measured", unit: "ratio", goal: 0.95,
					from: func(s sample) float64 { return s.Bound / s.Seconds }},
				{name: "refused after the first second", unit: "share", goal: 0.02, less: true, from: func(s sample) float64 { return s.Refused }},
			},
		}
	}
	return []workload{
		refusals("silent", "too many requests"),
		refusals("hinted", "Rate limit reached. Please try again in 300ms."),
		{
			name: "adaptive/exponential", run: besideFixed, simulator: exponential, spec: dataset(2560, 64, id, about),
			figures: []measured{{name: "time with the policy Adaptive, beside Fixed", unit: "ratio", goal: 1.01, less: true,
				from: func(s sample) float64 { return s.Seconds / s.Bound }}},
		},
		fewRows("few-rows/chain-of-5", 200*time.Millisecond, chain), fewRows("few-rows/chain-of-5-of-a-second", time.Second, chain),
		{
			name: "large-values", run: generate, simulator: "{}", spec: largeValues(id),
			figures: []measured{
				{name: "peak memory with 3 000 values of 100 kB", unit: "MiB", goal: 512, less: true, from: func(s sample) float64 { return s.Memory }},
				{name: "rows", unit: "rows/s", from: func(s sample) float64 { return float64(s.Rows) / s.Seconds }},
			},
		},
		{
			name: "large-values-of-400-ms", run: besideSmallRowGroups, simulator: "defaults: {latency: {value: 400ms}}", spec: largeValues(id),
			figures: []measured{
				{name: "time with 3 000 values of 100 kB, beside row groups of 250", unit: "ratio", goal: 1.05, less: true,
					from: func(s sample) float64 { return s.Seconds / s.Bound }},
				{name: "peak memory", unit: "MiB", goal: 512, less: true, from: func(s sample) float64 { return s.Memory }},
			},
		},
		{
			name: "start/billion-rows", run: firstRequest, limit: 2 * time.Second, simulator: "{}",
			spec: dataset(1_000_000_000, 64, id, about) + "parallelism: 512\n",
			figures: []measured{{name: "from the start to the first request for a row", unit: "s", goal: 0.1, less: true,
				from: func(s sample) float64 { return s.Seconds }}},
		},
	}
}

// fewRows are 400 rows of a chain of five on 256 slots, which are eight rounds.
func fewRows(name string, latency time.Duration, chain []string) workload {
	const rounds = 8
	return workload{
		name: name, run: generate, simulator: fmt.Sprintf("defaults: {latency: {value: %s}}", latency),
		spec: withoutQuestion(dataset(400, 256, chain...)), limits: map[string]int{"bench/one": 256},
		figures: []measured{
			{name: "lower bound of 8 rounds / measured", unit: "ratio", goal: 0.97,
				from: func(s sample) float64 { return rounds * latency.Seconds() / s.Seconds }},
			{name: "the same from the first request to the last answer", unit: "ratio", goal: 0.97,
				from: func(s sample) float64 { return rounds * latency.Seconds() / s.Answered }},
			{name: "from the start to the first request", unit: "s", from: func(s sample) float64 { return s.First }},
			{name: "from the last answer to the end", unit: "s", from: func(s sample) float64 { return s.Seconds - s.First - s.Answered }},
			inUse(),
		},
	}
}

// largeValues are 3 000 documents with a text of 100 kB each.
func largeValues(id string) string {
	return dataset(3000, 64, id, "- {name: a, llmStructured: {model: one, prompt: 'about {{ id }}', schema: {type: object, required: [t], "+
		"properties: {t: {type: string, minLength: 100000, maxLength: 100100}}}}}")
}

// besideSmallRowGroups runs a workload in row groups so small that what may be open of values never limits them, and then as it is.
func besideSmallRowGroups(ctx context.Context, work workload) (sample, error) {
	small := work
	small.spec += "run: {rowGroupSize: 250}\n"
	return besideRun(ctx, small, work)
}

// besideFixed runs a workload with a fixed limit, which gives the bound, and then with one that adapts.
func besideFixed(ctx context.Context, work workload) (sample, error) {
	fixed := work
	fixed.spec = strings.ReplaceAll(work.spec, "parameters: {", "admission: {policy: Fixed}, parameters: {")
	return besideRun(ctx, fixed, work)
}

// besideRun runs a workload in another way, the time of which is the bound, and then as it is.
func besideRun(ctx context.Context, otherwise, work workload) (sample, error) {
	bound, err := generate(ctx, otherwise)
	if err != nil {
		return sample{}, fmt.Errorf("the run that gives the bound: %w", err)
	}
	taken, err := generate(ctx, work)
	taken.Bound = bound.Seconds
	return taken, err
}

// withoutQuestion has no model asked before the first row.
func withoutQuestion(spec string) string {
	return strings.ReplaceAll(spec, "parameters: {", "healthCheck: Disabled, parameters: {")
}

// firstRequest measures how long a run takes to its first request for a row.
func firstRequest(ctx context.Context, work workload) (sample, error) {
	work.spec = withoutQuestion(work.spec)
	taken, err := generate(ctx, work)
	if err == nil && taken.First == 0 {
		err = errors.New("no request was sent")
	}
	taken.Seconds = taken.First
	return taken, err
}

// cores are the same workloads with so many threads that run Go code at once, be there as many cores or not: what they wait for is then
// each other.
func cores() []workload {
	var all []workload
	for _, count := range []int{1, 2, 4, 8} {
		requests := workload{
			name: fmt.Sprintf("cores/%d-requests", count), run: generate, simulator: "{}", cores: count,
			spec: dataset(20_000, 64, "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"),
			figures: []measured{
				{name: "requests", unit: "requests/s", from: func(s sample) float64 { return float64(s.Requests) / s.Seconds }},
				{name: "processor time of the engine", unit: "µs/request",
					from: func(s sample) float64 { return s.Processor * 1e6 / float64(s.Requests) }},
			},
		}
		drawn := workload{
			name: fmt.Sprintf("cores/%d-sampled", count), run: generate, cores: count,
			spec: dataset(500_000, 1, sampled...) + "run: {rowGroupSize: 10000}\n",
			figures: []measured{
				{name: "sampled rows of 8 columns", unit: "rows/s", from: func(s sample) float64 { return float64(s.Rows) / s.Seconds }},
				{name: "processor time", unit: "µs/row", from: func(s sample) float64 { return s.Processor * 1e6 / float64(s.Rows) }},
			},
		}
		for _, work := range []workload{requests, drawn} {
			work.figures = append(work.figures, measured{
				name: "goroutines that wait for a lock, on average", unit: "goroutines",
				from: func(s sample) float64 { return s.Locks / s.Seconds },
			})
			all = append(all, work)
		}
	}
	return all
}
