// Package progress holds what is known of a running shard: the counts of records, cells and requests, and their rate. It only counts what
// the executors tell it; it decides nothing and writes nothing but its two documents, the progress report and the metrics.
package progress

import (
	"slices"
	"sync"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// The phases of a run.
const (
	PhaseRunning    = "Running"
	PhaseDraining   = "Draining"
	PhaseFinalizing = "Finalizing"
)

// rateWindow is the time over which the rate of records is taken.
const rateWindow = 30 * time.Second

// Snapshot is what is known at one moment. It is immutable.
type Snapshot struct {
	Phase            string
	Sequence         int64
	Records          runreport.Records
	RecordsPerSecond float64
	InFlight         int64
	// SlowRequests are requests of models that are under way for longer than they should.
	SlowRequests int64
	Columns      []runreport.Column
	Models       []runreport.Model
	Dropped      []runreport.Drop
}

// Tracker counts. All its methods may be called from any goroutine; an executor calls those that count from one only.
type Tracker struct {
	now func() time.Time

	mutex    sync.Mutex
	snapshot Snapshot
	samples  []sample
	columns  map[string]int
	models   map[string]int
}

type sample struct {
	at      time.Time
	records int64
}

// NewTracker returns a tracker for the columns and models with these names, in this order.
func NewTracker(columns, models []string, now func() time.Time) *Tracker {
	tracker := &Tracker{now: now, columns: make(map[string]int), models: make(map[string]int)}
	tracker.snapshot.Phase = PhaseRunning
	for i, name := range columns {
		tracker.columns[name] = i
		tracker.snapshot.Columns = append(tracker.snapshot.Columns, runreport.Column{Name: name})
	}
	for i, alias := range models {
		tracker.models[alias] = i
		tracker.snapshot.Models = append(tracker.snapshot.Models, runreport.Model{Alias: alias})
	}
	return tracker
}

// Counts are amounts by which a tracker's counts change; negative ones take back what will be made again.
type Counts struct {
	Records runreport.Records
	Columns []runreport.Column
	Models  []runreport.Model
	Dropped []runreport.Drop
}

// Add adds amounts. Columns and models that the tracker does not know are left out.
func (t *Tracker) Add(counts Counts) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	s := &t.snapshot
	s.Records.Target += counts.Records.Target
	s.Records.Actual += counts.Records.Actual
	s.Records.Dropped += counts.Records.Dropped
	s.Records.Missing += counts.Records.Missing
	s.Records.Added += counts.Records.Added
	s.Records.Filtered += counts.Records.Filtered
	for _, column := range counts.Columns {
		if i, known := t.columns[column.Name]; known {
			s.Columns[i].Add(column)
		}
	}
	for _, model := range counts.Models {
		if i, known := t.models[model.Alias]; known {
			s.Models[i].Usage.Add(model.Usage)
		}
	}
	for _, drop := range counts.Dropped {
		s.Dropped = AddDrop(s.Dropped, drop)
	}
	s.Sequence++
}

// AddDrop adds a count to the entry of its reason and column. An entry without a count left goes away.
func AddDrop(drops []runreport.Drop, added runreport.Drop) []runreport.Drop {
	for i := range drops {
		if drops[i].Reason != added.Reason || drops[i].Column != added.Column {
			continue
		}
		drops[i].Count += added.Count
		if drops[i].Count <= 0 {
			return slices.Delete(drops, i, i+1)
		}
		return drops
	}
	if added.Count <= 0 {
		return drops
	}
	return append(drops, added)
}

// SetPhase notes in which phase the run is.
func (t *Tracker) SetPhase(phase string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.snapshot.Phase = phase
	t.snapshot.Sequence++
}

// SetInFlight notes how many tasks run.
func (t *Tracker) SetInFlight(count int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.snapshot.InFlight = int64(count)
}

// SetSlowRequests notes how many requests take longer than they should.
func (t *Tracker) SetSlowRequests(count int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.snapshot.SlowRequests = int64(count)
}

// Snapshot returns what is known now.
func (t *Tracker) Snapshot() Snapshot {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	copied := t.snapshot
	copied.Columns = slices.Clone(t.snapshot.Columns)
	copied.Models = slices.Clone(t.snapshot.Models)
	copied.Dropped = slices.Clone(t.snapshot.Dropped)
	copied.RecordsPerSecond = t.rate()
	return copied
}

// Sample notes the number of records for the rate. It is called about once a second.
func (t *Tracker) Sample() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := t.now()
	t.samples = append(t.samples, sample{now, t.settled()})
	for len(t.samples) > 2 && now.Sub(t.samples[0].at) > rateWindow {
		t.samples = t.samples[1:]
	}
}

// settled is the number of records whose fate is known.
func (t *Tracker) settled() int64 { return t.snapshot.Records.Actual + t.snapshot.Records.Dropped }

func (t *Tracker) rate() float64 {
	if len(t.samples) == 0 {
		return 0
	}
	first := t.samples[0]
	elapsed := t.now().Sub(first.at).Seconds()
	if elapsed <= 0 {
		return 0
	}
	return max(0, float64(t.settled()-first.records)/elapsed)
}
