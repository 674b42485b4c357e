// Command bench measures the engine against its goals and prints JSON: each figure with its median, its spread over the runs, and its
// ratio to the goal. Every run is a process of its own, so that its processor time and its memory are its own; nothing here asserts.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"seedloom.dev/seedloom/internal/memory"
)

// The roles of a process of this command.
const (
	roleMeasure   = "measure"
	roleSimulator = "simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop has been called
	}
}

func run(ctx context.Context, arguments []string) (err error) {
	if len(arguments) > 0 && arguments[0] == roleSimulator {
		return simulate(ctx)
	}
	if len(arguments) == 2 && arguments[0] == roleMeasure {
		memory.Tune() // as the programs do that users start
		return measure(ctx, arguments[1])
	}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	runs := flags.Int("runs", 1, "how often each figure is measured")
	only := flags.String("only", "", "only the workloads whose names begin with one of these, separated by commas")
	peer := flags.String("peer", "", "a Python that has DuckDB, which reads the seeds too, and numpy and pyarrow, which make sampled rows too")
	program := flags.String("store", "", "the path of versitygw, for the workloads in a bucket, which are left out without it "+
		"(go -C hack/cluster run . object-store prints it)")
	designer := flags.String("data-designer", "", "a Python that has NeMo Data Designer (pip install data-designer), for the "+
		"workloads beside it, which are left out without it")
	profiles := flags.String("profiles", "",
		"a folder for profiles of the processor time, of the heap at its fullest, of locks and of waiting of each workload's last run")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *runs < 1 || flags.NArg() > 0 {
		return errors.New("usage: bench [--runs N] [--only NAMES] [--peer PYTHON] [--data-designer PYTHON] [--store PROGRAM] " +
			"[--profiles DIRECTORY]")
	}
	err = errors.Join(os.Setenv(profilesDirectory, *profiles), os.Setenv(peerPython, *peer), os.Setenv(designerPython, *designer),
		os.Setenv(storeProgram, *program))
	if err != nil {
		return err
	}
	remove, err := makeSeeds(workloads(), *only)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	report := report{Machine: machine(), Figures: []figure{}}
	failed := report.measure(ctx, *only, *runs)
	// What was measured until then is told as well.
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	return errors.Join(failed, encoder.Encode(report))
}

// measure adds the figures of the chosen workloads, up to the first that fails.
func (r *report) measure(ctx context.Context, only string, runs int) error {
	for _, work := range workloads() {
		if !work.chosen(only) || work.lacksPeer() {
			continue
		}
		var samples []sample
		for i := range runs {
			fmt.Fprintf(os.Stderr, "%s, run %d of %d\n", work.name, i+1, runs)
			taken, err := inProcess(ctx, work.name)
			if err != nil {
				return fmt.Errorf("%s: %w", work.name, err)
			}
			samples = append(samples, taken)
		}
		for _, wanted := range append(work.figures, beside(samples)...) {
			r.Figures = append(r.Figures, wanted.of(work.name, samples))
		}
	}
	return nil
}

func (w *workload) chosen(only string) bool {
	if only == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(only, ","), func(prefix string) bool { return strings.HasPrefix(w.name, prefix) })
}

// lacksPeer says whether the program is not given that a workload needs beside the engine.
func (w *workload) lacksPeer() bool { return w.peer != "" && os.Getenv(w.peer) == "" }

type report struct {
	Machine machineInfo `json:"machine"`
	Figures []figure    `json:"figures"`
}

type machineInfo struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	System    string `json:"system"`
	Go        string `json:"go"`
}

func machine() machineInfo {
	info := machineInfo{Processor: "unknown", Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	content, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return info
	}
	for line := range strings.Lines(string(content)) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			info.Processor = strings.TrimSpace(value)
			break
		}
	}
	return info
}

// figure is one measured number. Ratio is above 1 where the goal is met.
type figure struct {
	Workload string  `json:"workload"`
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Median   float64 `json:"median"`
	Least    float64 `json:"least"`
	Most     float64 `json:"most"`
	Runs     int     `json:"runs"`
	Goal     float64 `json:"goal,omitempty"`
	Ratio    float64 `json:"ratio,omitempty"`
}

// measured says how a figure follows from the sample of a run.
type measured struct {
	name, unit string
	goal       float64
	// less says that the goal is an upper bound.
	less bool
	from func(sample) float64
}

func (m measured) of(workload string, samples []sample) figure {
	var values []float64
	for _, taken := range samples {
		values = append(values, m.from(taken))
	}
	slices.Sort(values)
	made := figure{Workload: workload, Name: m.name, Unit: m.unit, Median: values[len(values)/2], Least: values[0],
		Most: values[len(values)-1], Runs: len(values), Goal: m.goal}
	switch {
	case m.goal == 0 || m.less && made.Median == 0: // which no number can say
	case m.less:
		made.Ratio = m.goal / made.Median
	default:
		made.Ratio = made.Median / m.goal
	}
	return made
}

// inProcess measures a workload once, in a process of its own.
func inProcess(ctx context.Context, name string) (sample, error) {
	executable, err := os.Executable()
	if err != nil {
		return sample{}, err
	}
	limited, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	command := exec.CommandContext(limited, executable, roleMeasure, name)
	var output bytes.Buffer
	command.Stdout, command.Stderr = &output, os.Stderr
	if err := command.Run(); err != nil {
		return sample{}, err
	}
	var taken sample
	return taken, json.Unmarshal(output.Bytes(), &taken)
}
