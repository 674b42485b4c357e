package run

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine/column"
	"seedloom.dev/seedloom/engine/failure"
	"seedloom.dev/seedloom/engine/plan"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/engine/schedule"
	"seedloom.dev/seedloom/engine/store"
	"seedloom.dev/seedloom/engine/table"
	"seedloom.dev/seedloom/internal/runreport"
)

const stubSpec = `
numRecords: 40
providers: [{name: local, type: OpenAI, endpoint: "http://127.0.0.1:1/v1"}]
models: [{alias: writer, provider: local, model: m, maxParallelRequests: 4}]
columns:
- {name: id, sampler: {type: UUID}}
- {name: text, llmText: {model: writer, prompt: "{{ id }}"}}
output: {persistentVolumeClaim: {claimName: c}}
run: {rowGroupSize: 10}
`

// stubbed is a job whose columns the test makes itself.
type stubbed struct {
	*Job
	folder string
	log    bytes.Buffer
}

// ask and code are the generators of a stubbed job.
type (
	ask  func(ctx context.Context, row table.RowIndex) (string, error)
	code func(ctx context.Context, row table.RowIndex) (any, error)
)

func (a ask) Ask(ctx context.Context, record *table.Record, _ any) (column.Answer, error) {
	text, err := a(ctx, record.Row)
	return column.Answer{Value: text, Usage: runreport.Usage{Succeeded: 1}}, err
}

func (c code) Generate(ctx context.Context, record *table.Record) (any, error) {
	return c(ctx, record.Row)
}

func newStubbed(t *testing.T, id code, text ask) *stubbed {
	t.Helper()
	var spec v1alpha1.DatasetGenerationSpec
	if err := yaml.UnmarshalStrict([]byte(stubSpec), &spec); err != nil {
		t.Fatal(err)
	}
	compiled, err := plan.Compile(&spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	opened, err := store.Open(root, "out", &store.Layout{Schema: compiled.Schema, Output: compiled.Output, Dropped: compiled.Dropped})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	made := &stubbed{folder: filepath.Join(root, "out")}
	made.Job = &Job{
		Plan: compiled, Store: opened, Shards: 1, Attempt: 1, Outage: schedule.OutageConfig{First: time.Hour, Later: time.Hour},
		Progress:   progress.NewTracker([]progress.ColumnOf{{Name: "id"}, {Name: "text", Model: "writer"}}, []string{"writer"}, time.Now),
		Logger:     slog.New(slog.NewTextHandler(&made.log, nil)),
		Generators: &column.Generators{Cell: []column.CellGenerator{id, nil}, Model: []column.ModelGenerator{nil, text}, Batch: make([]column.BatchGenerator, 2)},
	}
	return made
}

func (s *stubbed) written() (rows int64) {
	for group := range int64(4) {
		if manifest, _, err := s.Store.Group(group); err == nil && manifest != nil {
			rows += manifest.Rows
		}
	}
	return rows
}

// files are the files of the dataset with their sizes.
func (s *stubbed) files() map[string]int64 {
	sizes := map[string]int64{}
	_ = filepath.WalkDir(s.folder, func(path string, entry os.DirEntry, _ error) error {
		if info, err := entry.Info(); err == nil && !entry.IsDir() {
			sizes[path] = info.Size()
		}
		return nil
	})
	return sizes
}

func quick(context.Context, table.RowIndex) (any, error) { return "id", nil }

// B2.4: code that does not look at its context.
func TestWhatDoesNotStopIsLeftBehind(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release, released := make(chan struct{}), make(chan struct{})
	job := newStubbed(t, quick, func(_ context.Context, row table.RowIndex) (string, error) {
		if row == 5 {
			cancel()
			<-release // whatever becomes of the context
			close(released)
		}
		return "text", nil
	})
	job.Drain.Stop = 200 * time.Millisecond
	began := time.Now()
	ending := Execute(ctx, job.Job)
	if waited := time.Since(began); waited < job.Drain.Stop {
		t.Errorf("it returned after %s", waited)
	}
	if ending == nil || ending.Reason != v1alpha1.ReasonInterrupted ||
		!strings.Contains(ending.Message, `1 task did not stop within 200ms (column "text", row 5)`) {
		t.Errorf("the run ended with %v", ending)
	}
	if !strings.Contains(job.log.String(), "tasks did not stop") {
		t.Errorf("the log is %s", job.log.String())
	}
	before, logged := job.files(), job.log.Len()
	close(release)
	<-released
	// Its result goes nowhere, so there is nothing to wait for but the end of its goroutine, for which the package's leak check waits.
	if difference := cmp.Diff(before, job.files()); difference != "" || job.log.Len() != logged {
		t.Errorf("the late result was not discarded: %s, %s", difference, job.log.String()[logged:])
	}
	if manifest, _, err := job.Store.Group(0); err != nil || (manifest != nil && manifest.Rows == 10) {
		t.Errorf("the row of the late task was written: %+v, %v", manifest, err)
	}
}

func TestLocalCodeThatDoesNotStopIsLeftBehind(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	job := newStubbed(t, func(_ context.Context, row table.RowIndex) (any, error) {
		if row == 15 {
			cancel()
			<-release
		}
		return "id", nil
	}, func(context.Context, table.RowIndex) (string, error) { return "text", nil })
	job.Drain.Stop = 100 * time.Millisecond
	if ending := Execute(ctx, job.Job); ending == nil || !strings.Contains(ending.Message, `did not stop within 100ms (column "id", row 10)`) {
		t.Errorf("the run ended with %v", ending)
	}
}

// B2.5: asked to stop, a run lets its requests finish, for a limited time.
func TestAnInterruptedRunLetsItsRequestsFinish(t *testing.T) {
	for name, test := range map[string]struct {
		finish, answer time.Duration
		kept           int64
	}{
		"cancelled at once":      {0, time.Hour, 0},
		"finished":               {time.Hour, 100 * time.Millisecond, 4},
		"cancelled at the limit": {100 * time.Millisecond, time.Hour, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var started, finished atomic.Int64
			job := newStubbed(t, quick, func(ctx context.Context, _ table.RowIndex) (string, error) {
				if started.Add(1) == 4 {
					cancel()
				}
				select {
				case <-time.After(test.answer):
					finished.Add(1)
					return "text", nil
				case <-ctx.Done():
					return "", ctx.Err()
				}
			})
			job.Drain.Finish = test.finish
			ending := Execute(ctx, job.Job)
			if ending == nil || ending.Reason != v1alpha1.ReasonInterrupted {
				t.Errorf("the run ended with %v", ending)
			}
			if started.Load() != 4 || finished.Load() != test.kept || job.written() != test.kept {
				t.Errorf("%d requests were sent, %d answered, %d rows kept", started.Load(), finished.Load(), job.written())
			}
		})
	}
}

// A run that is asked to stop before it has begun, as while it asks its models for the first time, starts nothing.
func TestARunThatWasStoppedBeforeStartsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var started atomic.Int64
	sample := func(context.Context, table.RowIndex) (any, error) { started.Add(1); return "id", nil }
	job := newStubbed(t, sample, func(context.Context, table.RowIndex) (string, error) { started.Add(1); return "text", nil })
	job.Drain.Finish = time.Hour
	if ending := Execute(ctx, job.Job); ending == nil || ending.Reason != v1alpha1.ReasonInterrupted || started.Load() > 0 {
		t.Errorf("the run ended with %v, and %d cells were started", ending, started.Load())
	}
}

// B16.4
func TestALostWakeUpIsHealed(t *testing.T) {
	var asked atomic.Int64
	job := newStubbed(t, quick, func(context.Context, table.RowIndex) (string, error) {
		if asked.Add(1) <= 4 {
			return "", failure.New(v1alpha1.ReasonProviderTimeout, failure.RetryLater, "late")
		}
		return "text", nil
	})
	executor, err := newExecutor(job.Job)
	if err != nil {
		t.Fatal(err)
	}
	defer executor.close()
	run, err := newAsyncRun(t.Context(), executor)
	if err != nil {
		t.Fatal(err)
	}
	run.driver.wake.timer.C = nil // no wake-up ever arrives
	if ending := run.run(t.Context()); ending != nil || job.written() != 40 {
		t.Errorf("%d rows, and the run ended with %v", job.written(), ending)
	}
	if !strings.Contains(job.log.String(), "a wake-up was lost") {
		t.Errorf("nobody was told:\n%s", job.log.String())
	}
}

// B16.6
func TestARunThatStallsEndsAtItsDeadline(t *testing.T) {
	var asked atomic.Int64
	job := newStubbed(t, quick, func(ctx context.Context, _ table.RowIndex) (string, error) {
		if asked.Add(1) <= 12 {
			return "text", nil
		}
		<-ctx.Done()
		return "", ctx.Err()
	})
	seconds := int32(1)
	job.Plan.Spec.Run.StallDeadlineSeconds = &seconds
	ending := Execute(t.Context(), job.Job)
	if ending == nil || ending.Reason != v1alpha1.ReasonStalled || !ending.Temporary ||
		!strings.Contains(ending.Message, "traces/stall-00000-attempt-1.txt") {
		t.Fatalf("the run ended with %v", ending)
	}
	dump, err := os.ReadFile(filepath.Join(job.folder, "traces", "stall-00000-attempt-1.txt"))
	if err != nil || !strings.Contains(string(dump), "writer: 4 of 4 slots in use") || !strings.Contains(string(dump), "goroutine ") {
		t.Errorf("the dump is %.200s, %v", dump, err)
	}
	if job.written() != 12 {
		t.Errorf("%d whole rows were kept, want 12:\n%s", job.written(), job.log.String())
	}
}

// B1.5
func TestACommitThatFailsIsTriedAgain(t *testing.T) {
	job := newStubbed(t, quick, func(context.Context, table.RowIndex) (string, error) { return "text", nil })
	files := filepath.Join(job.folder, "parquet-files")
	// Something that is no folder has its name.
	if err := os.WriteFile(files, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	healed := make(chan error, 1)
	job.Logger = slog.New(onWarning{slog.NewTextHandler(&job.log, nil), func() { healed <- os.Remove(files) }, new(sync.Once)})
	if ending := Execute(t.Context(), job.Job); ending != nil {
		t.Errorf("the run ended with %v", ending)
	}
	if err := <-healed; err != nil || job.written() != 40 {
		t.Errorf("%d rows were written, %v", job.written(), err)
	}
	if !strings.Contains(job.log.String(), "it is tried again") {
		t.Errorf("the log is %s", job.log.String())
	}
}

// onWarning does something at the first warning.
type onWarning struct {
	slog.Handler
	do   func()
	once *sync.Once
}

func (o onWarning) Handle(ctx context.Context, record slog.Record) error {
	if record.Level == slog.LevelWarn {
		o.once.Do(o.do)
	}
	return o.Handler.Handle(ctx, record)
}

func TestACommitThatFailsForGoodEndsTheRun(t *testing.T) {
	job := newStubbed(t, quick, func(context.Context, table.RowIndex) (string, error) { return "text", nil })
	// The second row group can't be written: something that is no file has its name.
	if err := os.MkdirAll(filepath.Join(job.folder, "parquet-files", "batch_00001.parquet.next", "x"), 0o750); err != nil {
		t.Fatal(err)
	}
	ending := Execute(t.Context(), job.Job)
	if ending == nil || ending.Reason != v1alpha1.ReasonStorageFailed || !ending.Temporary {
		t.Errorf("the run ended with %v", ending)
	}
	if tries := strings.Count(job.log.String(), "it is tried again"); tries != len(commitPauses) {
		t.Errorf("it was tried again %d times", tries)
	}
	if manifest, _, err := job.Store.Group(0); err != nil || manifest == nil || manifest.Rows != 10 {
		t.Errorf("the row group before it is %+v, %v", manifest, err)
	}
}

// P11: rows that wait for a provider cost nothing while they do.
func TestAWaitCostsNoProcessorTime(t *testing.T) {
	const slots = 512
	var asked atomic.Int64
	var began, ended atomic.Int64 // processor time at the last refusal, and at the first request after it
	job := newStubbed(t, quick, func(context.Context, table.RowIndex) (string, error) {
		number := asked.Add(1)
		if number > slots {
			ended.CompareAndSwap(0, processorTime(t))
			return "text", nil
		}
		if number == slots {
			began.Store(processorTime(t))
		}
		limited := failure.New(v1alpha1.ReasonProviderRateLimited, failure.RetryLater, "too many")
		limited.RetryAfter = 2 * time.Second
		return "", limited
	})
	spec := job.Plan.Spec
	spec.NumRecords, spec.Models[0].MaxParallelRequests, spec.Run.RowGroupSize = 1000, new(int32(slots)), new(int32(1000))
	job.Plan.NumRecords, job.Plan.RowGroupSize = 1000, 1000
	if ending := Execute(t.Context(), job.Job); ending != nil || job.written() != 1000 {
		t.Fatalf("%d rows, and the run ended with %v", job.written(), ending)
	}
	if used := time.Duration(ended.Load() - began.Load()); used > 300*time.Millisecond {
		t.Errorf("a wait of 2 s for 512 rows has cost %s of processor time", used)
	}
}

// processorTime is what this process has used, in nanoseconds: a machine that is busy with others changes nothing about it.
func processorTime(t *testing.T) int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Error(err)
	}
	return syscall.TimevalToNsec(usage.Utime) + syscall.TimevalToNsec(usage.Stime)
}
