package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/runreport"
)

// sample is what one run of a workload was like.
type sample struct {
	Rows, Cells, Requests int64
	// Seconds is the time from the start to the end, Processor that of all cores, user and system.
	Seconds, Processor float64
	// Peer is the processor time of another's program that did the same.
	Peer float64
	// Memory is the peak of the resident memory, in MiB.
	Memory float64
	// Locks is for how many seconds goroutines have waited for locks, all taken together, and First the time from the start to the first
	// request.
	Locks, First float64
	// Bound is the least time that the workload could take, in seconds, and Steady how close it came to that after the ramp-up, from 0 to 1.
	Bound, Steady float64
	// Cores is how many of the machine's cores were in use over Seconds, by all programs, as a share of all of them.
	Cores float64
	// Answered is the time from the start of the first request to the end of the last one.
	Answered float64 `json:",omitempty"`
	// Refused is the share of requests that were refused, without those of the first second.
	Refused float64
	// Stored is how many requests the object store got, and OnVolume the time that the same run took with its output on a volume.
	Stored   int64   `json:",omitempty"`
	OnVolume float64 `json:",omitempty"`
	// Without is the same run without a seed; nil where there is none to compare with.
	Without *sample `json:",omitempty"`
	// DuckDB is what DuckDB takes to read the rows of the seed that are wanted; nil where it isn't asked.
	DuckDB *sample `json:",omitempty"`
	// Numpy is what numpy and pyarrow take to draw and to write the same columns; nil where they aren't asked.
	Numpy *sample `json:",omitempty"`
	// DataDesigner is what Data Designer takes for as many rows; nil where it isn't asked.
	DataDesigner *sample `json:",omitempty"`
}

// measure runs a workload in this process, and prints its sample.
func measure(ctx context.Context, name string) error {
	for _, work := range workloads() {
		if work.name != name {
			continue
		}
		if work.cores > 0 {
			runtime.GOMAXPROCS(work.cores)
		}
		stop, err := startProfile(work.name)
		if err != nil {
			return err
		}
		taken, err := work.run(ctx, work)
		if err := errors.Join(err, stop()); err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(taken)
	}
	return fmt.Errorf("there is no workload %q", name)
}

// profilesDirectory names the environment variable with the folder for profiles; there are none without it.
const profilesDirectory = "BENCH_PROFILES"

// startProfile profiles the processor time of a workload until stop is called.
func startProfile(name string) (stop func() error, err error) {
	directory := os.Getenv(profilesDirectory)
	if directory == "" {
		return func() error { return nil }, nil
	}
	created, err := os.Create(profilePath(directory, name, "processor"))
	if err != nil {
		return nil, err
	}
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(blockProfileRate)
	fullest := watchHeap()
	stop = func() error {
		pprof.StopCPUProfile()
		return errors.Join(created.Close(), writeProfile(directory, name, "mutex"), writeProfile(directory, name, "block"),
			os.WriteFile(profilePath(directory, name, "heap"), fullest(), 0o644))
	}
	return stop, pprof.StartCPUProfile(created)
}

// watchHeap profiles what is in use on the heap while it is at its fullest, until fullest is called, which returns that profile.
func watchHeap() (fullest func() []byte) {
	var profile bytes.Buffer
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	ended, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		ticks := time.NewTicker(heapInterval)
		defer ticks.Stop()
		for most := uint64(0); ; {
			if metrics.Read(live); live[0].Value.Uint64() > most+most/20 {
				most = live[0].Value.Uint64()
				profile.Reset()
				_ = pprof.Lookup("heap").WriteTo(&profile, 0) // a buffer takes everything
			}
			select {
			case <-ended:
				return
			case <-ticks.C:
			}
		}
	}()
	return func() []byte {
		close(ended)
		<-watched
		return profile.Bytes()
	}
}

// heapInterval is how often the heap is looked at for its profile.
const heapInterval = 20 * time.Millisecond

// blockProfileRate is how many nanoseconds goroutines wait for each other between two samples of a profile, on average.
const blockProfileRate = 10_000

// writeProfile writes one of the profiles that the runtime keeps.
func writeProfile(directory, workload, kind string) (err error) {
	created, err := os.Create(profilePath(directory, workload, kind))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, created.Close()) }()
	return pprof.Lookup(kind).WriteTo(created, 0)
}

func profilePath(directory, workload, kind string) string {
	return filepath.Join(directory, strings.ReplaceAll(workload, "/", "-")+"-"+kind+".pprof")
}

// lockTime is for how many seconds goroutines of this process have waited for locks so far.
func lockTime() float64 {
	waited := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(waited)
	return waited[0].Value.Float64()
}

// generate runs the whole engine on the workload's spec, with the simulator in another process.
func generate(ctx context.Context, work workload) (taken sample, err error) {
	text, address := work.spec, ""
	if work.tools {
		endpoint, stop, err := startTools(ctx)
		if err != nil {
			return sample{}, err
		}
		defer stop()
		text = strings.ReplaceAll(text, "TOOLS", endpoint)
	}
	if work.simulator != "" {
		var stop func()
		address, stop, err = startSimulator(ctx, work.simulator)
		if err != nil {
			return sample{}, err
		}
		defer stop()
		text = strings.ReplaceAll(text, "ENDPOINT", "http://"+address+"/v1")
	}
	spec, config, err := configurationOf(text)
	if err != nil {
		return sample{}, err
	}
	output, err := os.MkdirTemp("", "seedloom-bench-")
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(output)) }()
	config.OutputDirectory, config.SeedDirectory, config.ObjectStore = output, os.Getenv(seedDirectory), work.place
	limited := ctx
	if work.limit > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, work.limit)
		defer cancel()
	}
	busy, before, locks, began := machineTime(), processorTime(), lockTime(), time.Now()
	ending := engine.Generate(limited, config)
	taken = sample{
		Rows: int64(spec.NumRecords), Cells: int64(spec.NumRecords) * int64(len(spec.Columns)),
		Seconds: time.Since(began).Seconds(), Processor: processorTime() - before, Locks: lockTime() - locks,
		Memory: peakMemory(),
	}
	taken.Cores = (machineTime() - busy) / taken.Seconds / float64(runtime.NumCPU())
	for _, model := range ending.Result.Models {
		taken.Requests += model.Succeeded + model.Failed + model.Hedged
	}
	if len(work.limits) > 0 || work.limit > 0 {
		if err := taken.takeRequests(ctx, address, work, began); err != nil {
			return sample{}, err
		}
	}
	if ending.Result.Outcome != runreport.OutcomeComplete && work.limit == 0 {
		return sample{}, fmt.Errorf("the run ended as %s: %s", ending.Result.Outcome, ending.Result.Message)
	}
	return taken, nil
}

// takeRequests takes what the simulator says of the requests of a run that began at some time.
func (s *sample) takeRequests(ctx context.Context, address string, work workload, began time.Time) error {
	requests, err := requestsOf(ctx, address)
	if err != nil {
		return err
	}
	accepted := slices.DeleteFunc(slices.Clone(requests), func(record llmsim.Record) bool {
		return record.Status == http.StatusTooManyRequests
	})
	s.Bound, s.Steady, s.Refused = boundOf(accepted, work.limits), steadyOf(accepted, work.limits), refusedOf(requests)
	s.First, s.Answered = firstOf(requests, began), answeredIn(requests)
	return nil
}

// configurationOf reads a spec, and returns with it the configuration of an engine that generates it, which lacks its folder.
func configurationOf(text string) (*v1alpha1.DatasetGenerationSpec, engine.Config, error) {
	spec := &v1alpha1.DatasetGenerationSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), spec); err != nil {
		return nil, engine.Config{}, err
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, engine.Config{}, err
	}
	return spec, engine.Config{
		Run: runreport.ResolvedRun{
			Version: runreport.Version, Namespace: "bench", Name: "bench", RunID: "bench-1", ConfigHash: plan.ConfigHash(spec),
			Attempt: 1, Shards: 1, Spec: raw,
		},
		APIKey: func(int) string { return "" }, Logger: slog.New(slog.DiscardHandler), Version: "bench",
	}, nil
}

// processorTime is what this process has used of all cores so far, in seconds.
func processorTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}

// machineTime is what all programs have used of all cores since the machine was started, in seconds; 0 where the system does not say.
func machineTime() float64 {
	const ticks = 100 // a second, on all that Go runs on
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	var user, nice, system float64
	if _, err := fmt.Sscanf(string(content), "cpu %f %f %f", &user, &nice, &system); err != nil {
		return 0
	}
	return (user + nice + system) / ticks
}

// peakMemory is the high-water mark of this process's resident memory, in MiB. What getrusage says of it has that of the process that
// has started this one in it.
func peakMemory() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kibibytes float64
		if _, err := fmt.Sscanf(line, "VmHWM: %f kB", &kibibytes); err == nil {
			return kibibytes / 1024
		}
	}
	return 0
}

// startSimulator starts the simulated model server as another process, which ends with this one.
func startSimulator(ctx context.Context, configuration string) (address string, stop func(), err error) {
	executable, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(ctx, executable, roleSimulator)
	command.Stderr = os.Stderr
	command.Env = append(os.Environ(), "BENCH_SIMULATOR="+configuration)
	input, err := command.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = input.Close()
		_ = command.Wait()
	}
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, fmt.Errorf("the simulator does not say where it listens: %w", err)
	}
	return strings.TrimSpace(line), stop, nil
}

// simulate is the simulator's process: it serves until its standard input is closed.
func simulate(ctx context.Context) error {
	configuration, err := llmsim.ParseConfig([]byte(os.Getenv("BENCH_SIMULATOR")))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: llmsim.New(configuration, llmsim.Limits{Records: 200_000}), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	fmt.Println(listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = server.Close()
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
