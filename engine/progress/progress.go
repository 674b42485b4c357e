// Package progress holds what is known of a running shard: the counts of records, cells and requests, and their rates. It only counts what
// the executors tell it; it decides nothing and writes nothing but its two documents, the progress report and the metrics.
package progress

import (
	"slices"
	"sync"
	"time"

	"seedloom.dev/seedloom/internal/runreport"
)

// Tracker counts. All its methods may be called from any goroutine; an executor calls those that count from one only.
type Tracker struct {
	now func() time.Time
	// positions are those of the columns, by their names.
	positions map[string]int

	mutex    sync.Mutex
	phase    string
	sequence int64
	records  runreport.Records
	inFlight int64
	batches  []Batch
	troubles runreport.Troubles
	spans    int64 // of a trace that were dropped
	dropped  []runreport.Drop
	unusable []runreport.Drop
	check    *runreport.ModelCheck
	columns  []columnState
	models   []modelState
	// began is when this process began to make rows; initial are the records that were accounted for by then.
	began   time.Time
	initial int64
	samples samples
}

// columnState are the counts of a column. Those of accounted rows are added up; work is what the executor last said of the others.
type columnState struct {
	model     string
	accounted runreport.Column
	work      ColumnWork
	initial   int64
}

type modelState struct {
	used runreport.Model
	// initial is the part of used that earlier processes have spent.
	initial runreport.Usage
	work    ModelWork
}

// ColumnOf is a configured column, and the alias of the model that makes it, if one does.
type ColumnOf struct{ Name, Model string }

// NewTracker returns a tracker for these columns, and models with these names, in this order.
func NewTracker(columns []ColumnOf, models []string, now func() time.Time) *Tracker {
	tracker := &Tracker{now: now, phase: runreport.PhaseRunning, positions: make(map[string]int)}
	for i, column := range columns {
		tracker.positions[column.Name] = i
		tracker.columns = append(tracker.columns, columnState{model: column.Model, accounted: runreport.Column{Name: column.Name}})
	}
	for _, alias := range models {
		tracker.models = append(tracker.models, modelState{used: runreport.Model{Alias: alias}})
	}
	return tracker
}

// Column returns the position of a column, for Work; -1 when the tracker does not know it.
func (t *Tracker) Column(name string) int {
	if position, known := t.positions[name]; known {
		return position
	}
	return -1
}

// Model returns the position of a model, for Work; -1 when the tracker does not know it.
func (t *Tracker) Model(alias string) int {
	for i := range t.models { // none of them is copied
		if t.models[i].used.Alias == alias {
			return i
		}
	}
	return -1
}

// Counts are amounts by which a tracker's counts change; negative ones take back what will be made again.
type Counts struct {
	Records runreport.Records
	Columns []runreport.Column
	Models  []runreport.Model
	// Earlier is usage, beside that in Models, that an earlier process has spent: it counts in no rate.
	Earlier []runreport.Model
	Dropped []runreport.Drop
	// Work, where it is set, is what the executor is doing at the same moment.
	Work *Work
}

// Work is what an executor is doing at one moment.
type Work struct {
	// InFlight are the tasks that run.
	InFlight int64
	// Columns and Models are those of which the executor has something to say; the others stay as they are.
	Columns []ColumnWork
	Models  []ModelWork
	// Batches are all that are under way. The list is not changed any more.
	Batches []Batch
}

// Batch is work on many rows at once, such as a column that is made for a whole row group, or the processors of one.
type Batch struct {
	Name  string    `json:"name"`
	Rows  int       `json:"rows"`
	Since time.Time `json:"since"`
}

// ColumnWork are the cells of a column whose rows have not met their fate yet.
type ColumnWork struct {
	// Column is the position of the column in the tracker.
	Column int
	// Open are the cells that are made.
	Open int64
	// Recovered are those, of all rows, that an earlier process has made.
	Recovered         int64
	Running, Deferred int64
}

// ModelWork are the requests of a model.
type ModelWork struct {
	// Model is the position of the model in the tracker.
	Model           int
	InFlight, Limit int64
}

// Add adds amounts. Columns and models that the tracker does not know are left out.
func (t *Tracker) Add(counts Counts) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.records.Add(counts.Records)
	for i := range counts.Columns {
		if position := t.Column(counts.Columns[i].Name); position >= 0 {
			t.columns[position].accounted.Add(counts.Columns[i])
		}
	}
	for _, model := range counts.Models {
		if i := t.Model(model.Alias); i >= 0 {
			t.models[i].used.Usage.Add(model.Usage)
		}
	}
	for _, model := range counts.Earlier {
		if i := t.Model(model.Alias); i >= 0 {
			t.models[i].used.Usage.Add(model.Usage)
			t.models[i].initial.Add(model.Usage)
		}
	}
	t.dropped = runreport.AddDrops(t.dropped, counts.Dropped...)
	if counts.Work != nil {
		t.setWork(counts.Work)
	}
	t.sequence++
}

// SetWork notes what the executor is doing. It copies, and keeps nothing of its argument.
func (t *Tracker) SetWork(work *Work) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.setWork(work)
}

func (t *Tracker) setWork(work *Work) {
	t.inFlight, t.batches = work.InFlight, work.Batches
	for _, column := range work.Columns {
		t.columns[column.Column].work = column
	}
	for _, model := range work.Models {
		t.models[model.Model].work = model
	}
}

// Unusable counts an answer of a model that was paid for and can't be used, whatever becomes of its cell. It may be called from any
// goroutine.
func (t *Tracker) Unusable(column, reason string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.unusable = runreport.AddDrops(t.unusable, runreport.Drop{Reason: reason, Column: column, Count: 1})
	t.sequence++
}

// SetPhase notes in which phase the run is.
func (t *Tracker) SetPhase(phase string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.phase = phase
	t.sequence++
}

// SetSpansDropped notes how many spans of the run's trace were dropped.
func (t *Tracker) SetSpansDropped(count int64) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.spans = count
}

// spansDropped is how many spans of the run's trace were dropped.
func (t *Tracker) spansDropped() int64 {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.spans
}

// SetTroubles notes what keeps the run from going on as it could. The lists are not changed any more.
func (t *Tracker) SetTroubles(troubles runreport.Troubles) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if !t.troubles.Equal(troubles) {
		t.sequence++
	}
	t.troubles = troubles
}

// SetModelCheck notes what the models have answered before the first row. It is not changed any more.
func (t *Tracker) SetModelCheck(check *runreport.ModelCheck) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.check = check
	t.sequence++
}

// modelCheck is what the models have answered before the first row; nil where they were not asked.
func (t *Tracker) modelCheck() *runreport.ModelCheck {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.check
}

// Begin notes that rows are made from now on: all that was counted before is from earlier processes, and counts in no rate.
func (t *Tracker) Begin() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.began = t.now()
	t.initial = t.accounted()
	for i := range t.columns {
		t.columns[i].initial = t.columns[i].completed(expected(t.records))
	}
	for i := range t.models {
		t.models[i].initial = t.models[i].used.Usage
	}
	t.samples.reset(len(t.columns), len(t.models))
	t.sample(t.began)
}

// Sample notes the counts for the rates. It is called about once a second.
func (t *Tracker) Sample() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if !t.began.IsZero() {
		t.sample(t.now())
	}
}

func (t *Tracker) sample(now time.Time) {
	next := t.samples.next(now)
	next.records = t.accounted() - t.initial
	for i := range t.columns {
		next.columns[i] = t.columns[i].fresh(expected(t.records))
	}
	for i := range t.models {
		next.models[i] = t.models[i].fresh()
	}
}

// accounted is the number of records whose fate is known.
func (t *Tracker) accounted() int64 { return t.records.Actual + t.records.Dropped }

// open are the cells that are made of rows without a fate. A batch that has been resized may have more of them than are counted as its
// records yet.
func (c *columnState) open(total int64) int64 {
	return max(0, min(c.work.Open, total-c.accounted.Cells()))
}

func (c *columnState) completed(total int64) int64 {
	return c.accounted.Cells() + c.open(total)
}

// fresh are the cells that this process has made.
func (c *columnState) fresh(total int64) int64 {
	return max(0, c.completed(total)-c.initial-c.work.Recovered)
}

func (m *modelState) fresh() modelSample {
	return modelSample{
		requests: m.used.Succeeded + m.used.Failed - m.initial.Succeeded - m.initial.Failed,
		input:    m.used.InputTokens - m.initial.InputTokens,
		output:   m.used.OutputTokens - m.initial.OutputTokens,
	}
}

// Snapshot returns what is known now.
func (t *Tracker) Snapshot() Snapshot {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	now := t.now()
	snapshot := Snapshot{
		At: now, Phase: t.phase, Sequence: t.sequence, Records: t.records, Initial: t.initial, InFlight: t.inFlight, Batches: t.batches,
		SlowRequests: t.troubles.SlowRequests, Troubles: t.troubles,
		Columns: make([]Column, len(t.columns)), Models: make([]Model, len(t.models)), Dropped: slices.Clone(t.dropped),
		Unusable: slices.Clone(t.unusable),
	}
	if !t.began.IsZero() {
		snapshot.Elapsed = now.Sub(t.began)
	}
	first, age := t.samples.oldest(now)
	snapshot.RecordsPerSecond = rate(t.accounted()-t.initial-first.records, age)
	snapshot.AverageRecordsPerSecond = rate(t.accounted()-t.initial, snapshot.Elapsed)
	for i := range t.columns {
		snapshot.Columns[i] = t.column(&t.columns[i], first.columns, i, age, snapshot.Elapsed)
		snapshot.Deferred += snapshot.Columns[i].Deferred
	}
	for i := range t.models {
		snapshot.Models[i] = t.model(&t.models[i], first.models, i, age)
	}
	snapshot.Remaining = snapshot.estimate()
	return snapshot
}

func (t *Tracker) column(state *columnState, first []int64, position int, age, elapsed time.Duration) Column {
	total := expected(t.records)
	column := Column{
		Name: state.accounted.Name, Model: state.model, Completed: state.completed(total), Open: state.open(total),
		Failed: state.accounted.Failed, Dropped: state.accounted.Dropped, Skipped: state.accounted.Skipped,
		Initial:  state.initial + state.work.Recovered,
		InFlight: state.work.Running, Deferred: state.work.Deferred, accounted: state.accounted,
	}
	// Row groups of an earlier, larger target are in the output, and count.
	column.Total = max(total, column.Completed)
	column.Succeeded = state.accounted.Succeeded + column.Open
	fresh := state.fresh(total)
	if first != nil {
		column.PerSecond = rate(fresh-first[position], age)
	}
	column.AveragePerSecond = rate(fresh, elapsed)
	return column
}

func (t *Tracker) model(state *modelState, first []modelSample, position int, age time.Duration) Model {
	model := Model{Model: state.used, InFlight: state.work.InFlight, Limit: state.work.Limit}
	if first != nil {
		fresh, before := state.fresh(), first[position]
		model.RequestsPerMinute = 60 * rate(fresh.requests-before.requests, age)
		model.InputTokensPerSecond = rate(fresh.input-before.input, age)
		model.OutputTokensPerSecond = rate(fresh.output-before.output, age)
	}
	return model
}
