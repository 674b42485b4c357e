package engine_test

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"seedloom.dev/seedloom/api/v1alpha1"
	"seedloom.dev/seedloom/engine"
	"seedloom.dev/seedloom/engine/progress"
	"seedloom.dev/seedloom/internal/llmsim"
	"seedloom.dev/seedloom/internal/llmsim/simtest"
)

// cost is what this process has used up to a moment of a run, the simulated server included. Nothing of it is a time on the clock.
type cost struct {
	rows int64
	// objects and bytes were allocated so far, and alive bytes are in use.
	objects, bytes, alive uint64
	// used is the processor time so far, and resumed the same after the collection that counting what is alive takes.
	used, resumed time.Duration
}

func costOf(t *testing.T, rows int64) cost {
	t.Helper()
	var memory runtime.MemStats
	now := cost{rows: rows, used: processorTime(t)}
	runtime.GC()
	runtime.ReadMemStats(&memory)
	now.objects, now.bytes, now.alive = memory.Mallocs, memory.TotalAlloc, memory.HeapAlloc
	now.resumed = processorTime(t)
	return now
}

// since are the costs of a row since an earlier moment.
func (c cost) since(before cost) (objects, bytes, nanoseconds float64) {
	rows := float64(c.rows - before.rows)
	return float64(c.objects-before.objects) / rows, float64(c.bytes-before.bytes) / rows, float64(c.used-before.resumed) / rows
}

// processorTime is what this process has used: a machine that is busy with others changes nothing about it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(syscall.TimevalToNsec(usage.Utime) + syscall.TimevalToNsec(usage.Stime))
}

// P8: what a request costs does not grow with the requests that were made before.
func TestARequestCostsTheSameHoweverManyWereMade(t *testing.T) {
	// The server forgets requests, so that what is alive is the engine's. Nothing else runs in this process: the test is not parallel.
	const rows = 8000
	server := simtest.Serve(t, llmsim.New(llmsim.Config{}, llmsim.Limits{Records: 1, Prompts: 1}))
	w := newWorld(t, fmt.Sprintf(scenarioSpec, rows, 64), server.Endpoint())
	w.spec.Run = &v1alpha1.RunSettings{RowGroupSize: new(int32(500))}
	config := w.config(0)
	observed := make(chan *progress.Tracker, 1)
	config.Observe = func(tracker *progress.Tracker) func() { observed <- tracker; return nil }
	ended := make(chan engine.Ending, 1)
	began := time.Now()
	costs := []cost{costOf(t, 0)}
	go func() { ended <- engine.Generate(t.Context(), config) }()
	tracker := <-observed
	for quarter := range int64(3) {
		made := int64(0)
		waitUpTo(t, time.Minute, "the next quarter of the rows", func() bool {
			snapshot := tracker.Snapshot()
			made = snapshot.Accounted()
			return made >= (quarter+1)*rows/4
		})
		costs = append(costs, costOf(t, made))
	}
	ending := <-ended
	costs = append(costs, costOf(t, rows))
	requireComplete(t, w, ending)
	counters := server.Counters()
	t.Logf("%d requests, up to %d at once, %.0f requests a second", counters.Requests, counters.InFlightHighWater,
		rows/time.Since(began).Seconds())
	if counters.Requests != rows || counters.Succeeded != rows || counters.InFlightHighWater > 64 {
		t.Errorf("%d requests were sent, %d of them answered, and up to %d at once", counters.Requests, counters.Succeeded,
			counters.InFlightHighWater)
	}
	type perRow struct{ objects, bytes, nanoseconds float64 }
	var quarters [4]perRow
	for i := range quarters {
		quarters[i].objects, quarters[i].bytes, quarters[i].nanoseconds = costs[i+1].since(costs[i])
		t.Logf("up to row %d: %.0f objects, %.0f bytes and %.0f ns of processor time a row; %d bytes alive", costs[i+1].rows, quarters[i].objects,
			quarters[i].bytes, quarters[i].nanoseconds, costs[i+1].alive)
	}
	// The first quarter has the connections and the caches to make; a cost that grows with every request would be seven times its own in the
	// last.
	first, second, last := quarters[0], quarters[1], quarters[3]
	if last.objects > 1.25*second.objects || last.bytes > 1.25*second.bytes || last.nanoseconds > 2.5*first.nanoseconds {
		t.Errorf("a request costs more at the end: %+v, in the first quarter %+v, in the second %+v", last, first, second)
	}
	if costs[3].alive > costs[1].alive+6<<20 {
		t.Errorf("after three quarters %d bytes are alive, %d were after one", costs[3].alive, costs[1].alive)
	}
}

// P8: as many requests are under way as may be, and never more.
func TestNoMoreRequestsAreUnderWayThanMayBe(t *testing.T) {
	t.Parallel()
	const rows = 256
	// Answers take so long that a busy machine, too, sends as many as may be before the first one comes.
	w, server := newScenario(t, rows, 64, llmsim.Config{Defaults: llmsim.Model{Latency: answersAfter(750)}})
	// Another model of the provider, so that its connections alone would let more of them through.
	other := *w.spec.Models[0].DeepCopy()
	other.Alias, other.Model = "other", "scenario/other"
	w.spec.Models = append(w.spec.Models, other)
	requireComplete(t, w, w.generate(t.Context(), 0))
	if counters := server.Counters(); counters.Requests != rows || counters.InFlightHighWater != 64 {
		t.Errorf("%d requests were sent, up to %d at once", counters.Requests, counters.InFlightHighWater)
	}
}
