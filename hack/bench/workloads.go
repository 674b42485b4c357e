package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store/s3"
	"seedloom.dev/seedloom/engine/table"
)

// workload is something to measure.
type workload struct {
	name      string
	spec      string
	simulator string
	// limits, where there are any, are those of the models by which the least time is found that the workload could take.
	limits map[string]int
	// seed is the name of the file that is its seed; empty where it has none.
	seed string
	// tools says that the spec needs a tool server.
	tools bool
	// cores is how many threads run Go code at once; 0 leaves it as it is.
	cores int
	// peer names the environment variable with the path of a program that is needed beside the engine; empty where none is.
	peer string
	// place is the bucket of the output; nil where that is a folder.
	place *s3.Location
	// limit ends a run that is not meant to come to its end.
	limit   time.Duration
	run     func(context.Context, workload) (sample, error)
	figures []measured
}

// inFlight is how many requests to each model are under way where the models are the bound.
const inFlight = 1000

func workloads() []workload {
	var all []workload
	for _, columns := range []int{1, 16} {
		for _, rows := range []int64{1_000, 100_000, 1_000_000} {
			if columns > 1 && rows > 100_000 {
				continue // half a minute, for what fewer rows say too
			}
			all = append(all, workload{
				name: fmt.Sprintf("cells/%d-columns-%d-rows", columns, rows), run: noOperation(columns, rows),
				figures: []measured{{name: "no-op cells of the scheduler", unit: "cells/s/core", goal: 500_000,
					from: func(s sample) float64 { return float64(s.Cells) / s.Processor }}},
			})
		}
	}
	all = append(append(all, shapes()...), slowShapes()...)
	all = append(all, stages())
	all = append(all, workload{
		name: "requests", run: generate, simulator: "{}",
		spec: dataset(50_000, 64, "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"),
		figures: []measured{
			{name: "requests to a model without latency", unit: "requests/s",
				from: func(s sample) float64 { return float64(s.Requests) / s.Seconds }},
			{name: "processor time of the engine", unit: "µs/request", goal: 60, less: true,
				from: func(s sample) float64 { return s.Processor * 1e6 / float64(s.Requests) }},
		},
	})
	all = append(append(all, client()), tails()...)
	all = append(all, sampledRows()...)
	all = append(append(all, limits()...), cores()...)
	all = append(append(append(all, documents()...), buckets()...), designer()...)
	return append(append(all, seeds()...), workload{
		name: "cooldown", run: generate, limit: 12 * time.Second,
		simulator: "faults: [{kind: Status, status: 429, retryAfter: 60s}]",
		spec:      dataset(512, 512, "- {name: id, sampler: {type: UUID}}", "- {name: a, llmText: {model: one, prompt: 'about {{ id }}'}}"),
		figures: []measured{{name: "one core while 512 cells wait out a Retry-After", unit: "share", goal: 0.01, less: true,
			from: func(s sample) float64 { return s.Processor / s.Seconds }}},
	})
}

// shapes are the four graphs that the peers publish, with many requests in flight at a fixed latency: up to 10 000 requests a second, for
// which two slow cores are too few.
func shapes() []workload { return graphs("efficiency/", 10_000, 200*time.Millisecond) }

// slowShapes are the same graphs with answers that take as long as a model's: a machine of two cores is not what limits them.
func slowShapes() []workload { return graphs("efficiency-of-a-second/", 3_000, time.Second) }

func graphs(prefix string, rows int64, latency time.Duration) []workload {
	text := func(name, model, prompt string) string {
		return fmt.Sprintf("- {name: %s, llmText: {model: %s, prompt: '%s'}}", name, model, prompt)
	}
	id := "- {name: id, sampler: {type: UUID}}"
	made := []struct {
		name    string
		columns []string
	}{
		{"narrow", []string{text("a", "one", "{{ id }}"), text("b", "one", "{{ a }}"), text("c", "one", "{{ b }}"), text("d", "one", "{{ c }}")}},
		{"deep", []string{text("a", "one", "{{ id }}"), text("b", "one", "{{ a }}"), text("c", "one", "{{ b }}"),
			text("side", "one", "by {{ id }}")}},
		{"wide", []string{text("a", "one", "1 {{ id }}"), text("b", "one", "2 {{ id }}"), text("c", "one", "3 {{ id }}"),
			text("d", "one", "4 {{ id }}"), text("e", "one", "5 {{ id }}")}},
		{"dual-model", []string{text("a", "one", "1 {{ id }}"), text("b", "one", "2 {{ id }}"), text("c", "one", "3 {{ id }}"),
			text("d", "two", "{{ a }}"), text("e", "two", "{{ b }}"), text("f", "two", "{{ c }}")}},
	}
	var all []workload
	for _, shape := range made {
		all = append(all, workload{
			name: prefix + shape.name, run: generate,
			simulator: fmt.Sprintf("defaults: {latency: {distribution: Constant, value: %s}}", latency),
			spec:      dataset(rows, inFlight, append([]string{id}, shape.columns...)...),
			limits:    map[string]int{"bench/one": inFlight, "bench/two": inFlight},
			figures: append(efficiency(), measured{
				name: "requests", unit: "requests/s", from: func(s sample) float64 { return float64(s.Requests) / s.Seconds },
			}),
		})
	}
	return all
}

// dataset is the spec of a dataset with two models, each with a limit on its requests in flight.
func dataset(rows int64, parallel int, columns ...string) string {
	models := ""
	if strings.Contains(strings.Join(columns, ""), "model: ") {
		models = "providers: [{name: local, type: OpenAI, endpoint: ENDPOINT}]\nmodels:\n"
		for _, alias := range []string{"one", "two"} {
			if strings.Contains(strings.Join(columns, ""), "model: "+alias) {
				models += fmt.Sprintf("- {alias: %s, provider: local, model: bench/%s, maxParallelRequests: %d, parameters: {maxTokens: 16}}\n", alias,
					alias, parallel)
			}
		}
	}
	return fmt.Sprintf("numRecords: %d\nrandomSeed: 7\n%scolumns:\n%s\noutput: {persistentVolumeClaim: {claimName: bench}}\n", rows, models,
		strings.Join(columns, "\n"))
}

// noOperation runs the scheduler alone on a chain of columns that cost nothing, on one core.
func noOperation(columns int, rows int64) func(context.Context, workload) (sample, error) {
	return func(context.Context, workload) (sample, error) {
		rule := new(v1alpha1.DatasetGenerationSpec).EffectiveEarlyShutdown()
		config := schedule.Config{
			Lanes: []schedule.Lane{{Limit: 2, Endpoint: -1}, {Limit: 256, Endpoint: -1}}, MaxRowAttempts: 1, MaxRequestAttempts: 1,
			Gate: schedule.GateConfig{Enabled: rule.Enabled, ErrorRate: rule.ErrorRate, Window: rule.ErrorWindow},
		}
		var fields []table.Field
		for i := range columns {
			column := schedule.Column{Parts: []string{fmt.Sprint(i)}, Lane: 1}
			if i > 0 {
				column.Requires = []int{i - 1}
			}
			config.Columns = append(config.Columns, column)
			fields = append(fields, table.Field{Name: column.Parts[0]})
		}
		schema := table.NewSchema(fields...)
		config.NewRecord = func(row table.RowIndex, attempt int32) *table.Record { return table.NewRecord(schema, row, attempt) }
		// What a process does once, such as getting its first memory, is not the scheduler's.
		runScheduler(schedule.New(config), 10_000)
		before, began := processorTime(), time.Now()
		runScheduler(schedule.New(config), rows)
		return sample{Rows: rows, Cells: rows * int64(columns), Seconds: time.Since(began).Seconds(), Processor: processorTime() - before,
			Memory: peakMemory()}, nil
	}
}

// runScheduler takes all rows, in row groups of the default size, through a scheduler; each task comes back at once.
func runScheduler(core *schedule.Core, rows int64) {
	const groupSize = 1000
	now := time.Now()
	next := int64(0)
	var running []schedule.Task
	for {
		for next < rows && core.NeedsRows() {
			var todo []schedule.Todo
			for row := next; row < min(next+groupSize, rows); row++ {
				todo = append(todo, schedule.Todo{Row: table.RowIndex(row)})
			}
			core.Add(next/groupSize, todo)
			next += groupSize
		}
		for task, found := core.Next(1, now); found; task, found = core.Next(1, now) {
			running = append(running, task)
		}
		for _, task := range running {
			core.Succeeded(task, now)
		}
		if len(running) == 0 && next >= rows {
			return
		}
		running = running[:0]
		core.Take()
	}
}
