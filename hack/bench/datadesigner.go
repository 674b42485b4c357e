package main

import (
	"context"
	_ "embed" // of the script for NeMo Data Designer
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// designerPython names the environment variable with the Python that has NeMo Data Designer; workloads beside it are left out without it.
const designerPython = "BENCH_DATA_DESIGNER"

// designerRows is how many rows Data Designer makes with a question in each: a tenth of a minute's work for it.
const designerRows = 2_000

//go:embed datadesigner.py
var dataDesigner string

// designer are runs of the engine and of Data Designer, one after the other, on the same simulator and the same seed.
func designer() []workload {
	return []workload{
		{
			name: "data-designer/requests", run: besideRequests, simulator: "{}", peer: designerPython,
			spec: dataset(designerRows, 64, "- {name: key, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ key }}'}}"),
			figures: []measured{
				{name: "processor time of the engine", unit: "µs/request", from: rowCost},
				{name: "processor time of Data Designer", unit: "µs/request", from: func(s sample) float64 { return rowCost(*s.DataDesigner) }},
				{name: "Data Designer / engine, processor time", unit: "ratio", goal: 10,
					from: func(s sample) float64 { return rowCost(*s.DataDesigner) / rowCost(s) }},
				{name: "Data Designer / engine, time", unit: "ratio", from: func(s sample) float64 { return s.DataDesigner.Seconds / s.Seconds }},
				{name: "peak memory of the engine", unit: "MiB", from: func(s sample) float64 { return s.Memory }},
				{name: "peak memory of Data Designer", unit: "MiB", from: func(s sample) float64 { return s.DataDesigner.Memory }},
			},
		},
		{
			name: "data-designer/seed", run: besideSeed, seed: "many.csv", peer: designerPython,
			spec: dataset(firstRows, 1, "- {name: key, sampler: {type: UUID}}", sampled[1]) + seedOf("many.csv", "Ordered"),
			figures: []measured{
				{name: "the first 1 000 rows of 943 MB", unit: "s", from: func(s sample) float64 { return s.Seconds }},
				{name: "Data Designer's time", unit: "s", from: func(s sample) float64 { return s.DataDesigner.Seconds }},
				{name: "Data Designer / engine, time", unit: "ratio", goal: 1,
					from: func(s sample) float64 { return s.DataDesigner.Seconds / s.Seconds }},
				{name: "peak memory", unit: "MiB", goal: 200, less: true, from: func(s sample) float64 { return s.Memory }},
				{name: "Data Designer's peak memory", unit: "MiB", from: func(s sample) float64 { return s.DataDesigner.Memory }},
			},
		},
	}
}

// besideRequests has Data Designer ask a simulator of its own first, so that neither finds what the other has left.
func besideRequests(ctx context.Context, work workload) (sample, error) {
	address, stop, err := startSimulator(ctx, work.simulator)
	if err != nil {
		return sample{}, err
	}
	peer, err := designed(ctx, "requests", "http://"+address+"/v1", strconv.Itoa(designerRows), "64")
	stop()
	if err != nil {
		return sample{}, err
	}
	taken, err := generate(ctx, work)
	taken.DataDesigner = peer
	return taken, err
}

// besideSeed has Data Designer take the first rows of a seed.
func besideSeed(ctx context.Context, work workload) (sample, error) {
	peer, err := designed(ctx, "seed", filepath.Join(os.Getenv(seedDirectory), work.seed), strconv.Itoa(firstRows))
	if err != nil {
		return sample{}, err
	}
	taken, err := generate(ctx, work)
	taken.DataDesigner = peer
	return taken, err
}

// designed runs Data Designer's script, in a home directory of its own.
func designed(ctx context.Context, arguments ...string) (made *sample, err error) {
	home, err := os.MkdirTemp("", "seedloom-bench-designer-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	command := exec.CommandContext(ctx, os.Getenv(designerPython), append([]string{"-c", dataDesigner}, arguments...)...)
	command.Env = append(os.Environ(), "HOME="+home)
	return printed(command)
}
