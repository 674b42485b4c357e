package main

import (
	"context"
	_ "embed" // of the script for numpy and pyarrow
	"errors"
	"fmt"
	"os"
	"strconv"
)

var sampled = []string{
	"- {name: id, sampler: {type: UUID}}",
	"- {name: color, sampler: {type: Category, category: {values: [red, green, blue]}}}",
	"- {name: size, sampler: {type: Category, category: {values: [S, M, L], weights: [1, 2, 1]}}}",
	"- {name: price, sampler: {type: Uniform, uniform: {low: 1, high: 100}}}",
	"- {name: weight, sampler: {type: Gaussian, gaussian: {mean: 20, stddev: 4}}}",
	"- {name: count, sampler: {type: Uniform, uniform: {low: 0, high: 100}, convertTo: int}}",
	"- {name: height, sampler: {type: Gaussian, gaussian: {mean: 2, stddev: 1}}}",
	"- {name: depth, sampler: {type: Uniform, uniform: {low: 0, high: 1}}}",
}

// sampledRows are runs in which no model is asked.
func sampledRows() (all []workload) {
	for _, size := range []struct {
		rows, group int64
		goal        float64
	}{{100_000, 1000, 750_000}, {1_000_000, 1000, 750_000}, {1_000_000, 10_000, 1_300_000}, {5_000_000, 10_000, 1_300_000}} {
		all = append(all, workload{
			name: fmt.Sprintf("sampled/%d-rows-by-%d", size.rows, size.group), run: alsoInNumpy(size.rows, size.group),
			spec: dataset(size.rows, 1, sampled...) + fmt.Sprintf("run: {rowGroupSize: %d}\n", size.group),
			figures: []measured{
				{name: "sampled rows of 8 columns", unit: "rows/s", goal: size.goal, from: rowRate},
				{name: "processor time", unit: "µs/row", from: rowCost},
				{name: "peak memory", unit: "MiB", goal: 200, less: true, from: func(s sample) float64 { return s.Memory }},
			},
		})
	}
	return all
}

func rowRate(s sample) float64 { return float64(s.Rows) / s.Seconds }

func rowCost(s sample) float64 { return s.Processor * 1e6 / float64(s.Rows) }

//go:embed sampled.py
var numpy string

// alsoInNumpy has numpy draw the columns and pyarrow write them, in as many files on the same disk, and then measures a workload.
func alsoInNumpy(rows, group int64) func(context.Context, workload) (sample, error) {
	return func(ctx context.Context, work workload) (taken sample, err error) {
		directory, err := os.MkdirTemp("", "seedloom-bench-")
		if err != nil {
			return sample{}, err
		}
		peer, err := inPython(ctx, numpy, directory, strconv.FormatInt(rows, 10), strconv.FormatInt(group, 10))
		if err := errors.Join(err, os.RemoveAll(directory)); err != nil {
			return sample{}, err
		}
		taken, err = generate(ctx, work)
		taken.Numpy = peer
		return taken, err
	}
}

// besideNumpy are the figures of what numpy and pyarrow have done beside the engine.
func besideNumpy() []measured {
	return []measured{
		{name: "numpy and pyarrow's rows", unit: "rows/s", from: func(s sample) float64 { return rowRate(*s.Numpy) }},
		{name: "rows a second to theirs", unit: "ratio", goal: 1, from: func(s sample) float64 { return rowRate(s) / rowRate(*s.Numpy) }},
		{name: "numpy and pyarrow's processor time", unit: "µs/row", from: func(s sample) float64 { return rowCost(*s.Numpy) }},
		{name: "numpy and pyarrow's peak memory", unit: "MiB", from: func(s sample) float64 { return s.Numpy.Memory }},
	}
}
