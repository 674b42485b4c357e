package main

import (
	"context"
	"strings"
)

// tails are runs of which one request in a hundred takes twenty times as long as the others, beside the same run without such requests.
func tails() []workload {
	without, hedge := tail("without-hedge", ""), tail("hedge", ", hedge: {}")
	hedge.figures = append(hedge.figures, measured{name: "additional requests", unit: "share", goal: 0.02, less: true,
		from: func(s sample) float64 { return float64(s.Requests-s.Rows) / float64(s.Rows) }})
	return []workload{without, hedge}
}

func tail(name, hedge string) workload {
	return workload{
		name: "tail/" + name, run: besideOneWithoutTail,
		simulator: "defaults: {latency: {value: 150ms}}\nfaults: [{kind: Trickle, bytes: 1000000, every: 100, fromRequest: 40, delay: 3s}]",
		spec: strings.ReplaceAll(
			dataset(2560, 64, "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"),
			"parameters: {maxTokens: 16}", "parameters: {maxTokens: 16}"+hedge),
		figures: []measured{
			{name: "time of a run whose last requests are slow, beside one without such", unit: "ratio", goal: 1.3, less: true,
				from: func(s sample) float64 { return s.Seconds / s.Bound }},
		},
	}
}

// besideOneWithoutTail runs a workload without its faults, which gives the bound, and then with them.
func besideOneWithoutTail(ctx context.Context, work workload) (sample, error) {
	calm := work
	calm.simulator, _, _ = strings.Cut(work.simulator, "\n")
	return besideRun(ctx, calm, work)
}
