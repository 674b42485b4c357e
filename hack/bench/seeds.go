package main

import (
	"context"
	_ "embed" // of the script for DuckDB
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// seedDirectory names the environment variable with the folder in which the files of seeds are, and peerPython the one with the Python
// that does the same beside the engine; without it, none does.
const (
	seedDirectory = "BENCH_SEEDS"
	peerPython    = "BENCH_PEER"
)

// withoutSeed is the workload that seeds are compared with: the same columns, and no seed.
const withoutSeed = "seeds/none"

// seedRows is how many rows the files have of which all are wanted, and manyRows that of which only the first are.
const (
	seedRows  = 1_000_000
	manyRows  = 10_000_000
	firstRows = 1_000
)

var seedFiles = map[string]seedFile{
	"rows.csv":     {seedRows, writeCSV},
	"rows.jsonl":   {seedRows, writeJSONLines},
	"rows.parquet": {seedRows, writeParquet},
	"many.csv":     {manyRows, writeCSV},
}

// seeds are runs of sampled columns with a seed and, each time in a process of its own, without one.
func seeds() []workload {
	columns := []string{"- {name: key, sampler: {type: UUID}}", sampled[1]}
	all := []workload{{
		name: withoutSeed, run: generate, spec: dataset(seedRows, 1, columns...),
		figures: []measured{
			{name: "without a seed", unit: "s", from: func(s sample) float64 { return s.Seconds }},
			{name: "processor time", unit: "s", from: func(s sample) float64 { return s.Processor }},
			{name: "peak memory", unit: "MiB", from: func(s sample) float64 { return s.Memory }},
		},
	}}
	for _, format := range []string{"csv", "jsonl", "parquet"} {
		for _, order := range []string{"Ordered", "Shuffled"} {
			all = append(all, workload{
				name: "seeds/" + format + "-" + strings.ToLower(order), run: besideNone, seed: "rows." + format,
				spec: dataset(seedRows, 1, columns...) + seedOf("rows."+format, order),
				figures: []measured{
					{name: "more than without a seed", unit: "s", goal: 1, less: true,
						from: func(s sample) float64 { return s.Seconds - s.Without.Seconds }},
					{name: "time without a seed to time with one", unit: "ratio", from: func(s sample) float64 { return s.Without.Seconds / s.Seconds }},
					{name: "processor time more than without a seed", unit: "s",
						from: func(s sample) float64 { return s.Processor - s.Without.Processor }},
					{name: "peak memory", unit: "MiB", goal: 200, less: true, from: func(s sample) float64 { return s.Memory }},
				},
			})
		}
	}
	return append(all, workload{
		name: "seeds/first", run: besideDuckDB, seed: "many.csv", spec: dataset(firstRows, 1, columns...) + seedOf("many.csv", "Ordered"),
		figures: []measured{
			{name: "the first 1 000 rows of 943 MB", unit: "s", from: func(s sample) float64 { return s.Seconds }},
			{name: "peak memory", unit: "MiB", goal: 200, less: true, from: func(s sample) float64 { return s.Memory }},
		},
	})
}

func seedOf(file, order string) string {
	return fmt.Sprintf("seed: {persistentVolumeClaim: {claimName: bench, path: %s}, order: %s}\n", file, order)
}

// besideNone measures the workload without a seed in another process, and then this one.
func besideNone(ctx context.Context, work workload) (sample, error) {
	without, err := inProcess(ctx, withoutSeed)
	if err != nil {
		return sample{}, err
	}
	taken, err := besideDuckDB(ctx, work)
	taken.Without = &without
	return taken, err
}

//go:embed duckdb.py
var duckDB string

// besideDuckDB has DuckDB read the rows that are wanted of the seed, where there is one, and then measures a workload.
func besideDuckDB(ctx context.Context, work workload) (sample, error) {
	spec, _, err := configurationOf(work.spec)
	if err != nil {
		return sample{}, err
	}
	path := filepath.Join(os.Getenv(seedDirectory), work.seed)
	peer, err := inPython(ctx, duckDB, path, strconv.FormatInt(spec.NumRecords, 10))
	if err != nil {
		return sample{}, err
	}
	taken, err := generate(ctx, work)
	taken.DuckDB = peer
	return taken, err
}

// inPython runs a script that prints a sample; nil without a Python.
func inPython(ctx context.Context, script string, arguments ...string) (*sample, error) {
	python := os.Getenv(peerPython)
	if python == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	return printed(exec.CommandContext(ctx, python, append([]string{"-c", script}, arguments...)...))
}

// printed runs a program that prints a sample.
func printed(command *exec.Cmd) (*sample, error) {
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command.Path, err)
	}
	taken := &sample{}
	return taken, json.Unmarshal(output, taken)
}

// beside are the figures of what another program has done beside the engine; none where none has.
func beside(samples []sample) []measured {
	switch {
	case samples[0].DuckDB != nil:
		return []measured{
			{name: "DuckDB's time to read the same rows", unit: "s", from: func(s sample) float64 { return s.DuckDB.Seconds }},
			{name: "DuckDB's peak memory", unit: "MiB", from: func(s sample) float64 { return s.DuckDB.Memory }},
			{name: "time of the run to DuckDB's", unit: "ratio", from: func(s sample) float64 { return s.Seconds / s.DuckDB.Seconds }},
		}
	case samples[0].Numpy != nil:
		return besideNumpy()
	}
	return nil
}

// makeSeeds writes the files of seeds that some workloads want into a new folder, which processes that are started later find; remove
// removes it.
func makeSeeds(all []workload, only string) (remove func() error, err error) {
	remove = func() error { return nil }
	directory := os.Getenv(seedDirectory)
	if directory == "" {
		if directory, err = os.MkdirTemp("", "seedloom-bench-seeds-"); err != nil {
			return nil, err
		}
		remove = func() error { return os.RemoveAll(directory) }
	}
	for _, work := range all {
		if work.seed == "" || !work.chosen(only) || work.lacksPeer() {
			continue
		}
		if err := seedFiles[work.seed].make(filepath.Join(directory, work.seed)); err != nil {
			return nil, errors.Join(err, remove())
		}
	}
	return remove, os.Setenv(seedDirectory, directory)
}
